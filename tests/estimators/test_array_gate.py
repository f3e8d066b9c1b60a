"""What enters as an array: nothing that NumPy drops silently, columns in their order, sparse matrices as they are."""

import datetime
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.small_models import QUICK, TYPES, data_for, samples, unfitted

import npae
from npae.storage.export import export_encoder
from npae.utils.sparse import SparseRows
from npae.utils.types import Array

sparse = pytest.importorskip("scipy.sparse")
pandas = pytest.importorskip("pandas")

X = samples(24, 6)
NAMES = ["mean", "width", "mass", "age", "hue", "ash"]


def model_for(x: Any, **parameters: Any) -> npae.VanillaAutoencoder:
    return npae.VanillaAutoencoder(**{"code_size": 3, **QUICK, **parameters}).fit(x)


def encoder_of(model: Any, folder: Path) -> Any:
    model.save(folder / "model.safetensors")
    return npae.load_encoder(folder / "model.safetensors")


def exported_encoder_of(model: Any, folder: Path) -> Any:
    export_encoder(model.network_, folder / "encoder.safetensors")
    return npae.load_encoder(folder / "encoder.safetensors")


def loaded(model: Any, folder: Path) -> Any:
    model.save(folder / "model.safetensors")
    return npae.load(folder / "model.safetensors")


DOORS: dict[str, Callable[[Any, Path], Callable[[Any], Any]]] = {
    "fit": lambda model, folder: lambda x: npae.VanillaAutoencoder(code_size=3, **QUICK).fit(x),
    "partial_fit": lambda model, folder: model.partial_fit,
    "transform": lambda model, folder: model.transform,
    "score": lambda model, folder: model.score,
    "load": lambda model, folder: loaded(model, folder).transform,
    "load_encoder": lambda model, folder: encoder_of(model, folder).transform,
    "exported encoder": lambda model, folder: exported_encoder_of(model, folder).transform,
    "network": lambda model, folder: model.network_.encode,
}


# What NumPy drops


def masked(*places: tuple[int, int]) -> Any:
    x = np.ma.masked_array(X.copy(), mask=np.zeros(X.shape, bool))
    for place in places:
        x[place] = np.ma.masked
    return x


def frame(**columns: Any) -> Any:
    return pandas.DataFrame(X, columns=NAMES).assign(**columns)


def objects(value: Any) -> Array:
    x = X.astype(object)
    x[2, 3] = value
    return x


def nullable(n: int) -> Any:
    x = pandas.DataFrame(X[:, :n], columns=NAMES[:n]).astype("Float64")
    x.iloc[4, n - 1] = pandas.NA
    return x.assign(**{name: X[:, i] for i, name in enumerate(NAMES) if i >= n})


SILENTLY_DROPPED: dict[str, tuple[Any, type[Exception], str]] = {
    "a mask": (masked((2, 3), (4, 1)), ValueError, r"masked values: 2 of 144, the first at index \(2, 3\)"),
    "a mask in a list": (list(masked((2, 3))), ValueError, r"\[2\] contains masked values: 1 of 6"),
    "a masked cell in lists": (objects(np.ma.masked).tolist(), ValueError, r"\[2\]\[3\] is masked"),
    "dates": (np.full(X.shape, "2020-01-01", "datetime64[D]"), TypeError, r"holds dates \(datetime64\[D\]\)"),
    "spans of time": (np.full(X.shape, 3, "timedelta64[s]"), TypeError, r"holds dates \(timedelta64\[s\]\)"),
    "NaT": (np.full(X.shape, "NaT", "datetime64[D]"), TypeError, r"144 of them missing \(NaT\)"),
    "a date": (objects(datetime.date(2020, 1, 1)), TypeError, r"contains dates \(date\).*first at index \(2, 3\)"),
    "a span of time": (objects(np.timedelta64(3, "s")), TypeError, r"contains dates \(timedelta64\)"),
    "a column of dates": (
        frame(age=pandas.date_range("2020", periods=24)),
        TypeError,
        "the column 'age' of .* holds dates",
    ),
    "a column of NaT": (frame(age=pandas.NaT), TypeError, "the column 'age' of .* holds dates"),
    "a missing date among objects": (pandas.DataFrame(objects(pandas.NaT)), ValueError, "missing, the first in row 2"),
    "a missing value in one nullable column": (nullable(1), ValueError, "1 of 144 .*in row 4 of column 'mean'"),
    "a missing value in all nullable columns": (nullable(6), ValueError, "1 of 144 .*in row 4 of column 'ash'"),
    "None": (objects(None), ValueError, r"missing, the first at index \(2, 3\)"),
    "a complex number among objects": (objects(1j), ValueError, "Complex data not supported"),
    "fields": (
        np.zeros(24, [(name, "f4") for name in NAMES]),
        TypeError,
        "structured array with the fields mean, width",
    ),
    "sparse matrices in a list": ([sparse.csr_array(X)] * 2, TypeError, "list of sparse matrices; .*vstack"),
    "a name of a file": ("data.csv", TypeError, r"is 'data.csv' \(str\).*npae.datasets.read"),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(("x", "error", "words"), SILENTLY_DROPPED.values(), ids=SILENTLY_DROPPED)
@pytest.mark.filterwarnings("ignore:X has feature names:UserWarning")
def test_what_numpy_drops_silently_is_refused_by_name(
    door: str, x: Any, error: type[Exception], words: str, tmp_path: Path
) -> None:
    enter = DOORS[door](model_for(X), tmp_path)
    with pytest.raises(error, match=words) as caught:
        enter(x)
    assert "\n" not in str(caught.value)
    assert ";" in str(caught.value)  # what to do about it


@pytest.mark.parametrize("door", DOORS)
def test_what_only_looks_like_it_is_taken(door: str, tmp_path: Path) -> None:
    enter = DOORS[door](model_for(X), tmp_path)
    for x in (masked(), list(masked()), X.astype(object), X.tolist(), [list(row) for row in X], X.astype(str)):
        enter(x)
    with warnings.catch_warnings(action="ignore"):
        enter(pandas.DataFrame(X).astype("Float64"))


# Columns


@pytest.mark.parametrize("door", [door for door in DOORS if door != "fit"])
@pytest.mark.parametrize("names", [NAMES, [2, 3, 5, 7, 11, 13], range(6), [("a", i) for i in range(6)]])
def test_columns_in_another_order_are_refused_and_not_reordered(door: str, names: Any, tmp_path: Path) -> None:
    x = pandas.DataFrame(X, columns=list(names))
    enter = DOORS[door](model_for(x), tmp_path)
    enter(x)
    with pytest.raises(ValueError, match=r"same order as they were in fit.\nColumn 1 is .* but was"):
        enter(x[x.columns[::-1]])


def test_columns_that_pandas_numbered_say_nothing_of_which_they_are() -> None:
    model = model_for(pandas.DataFrame(X, columns=[2, 3, 5, 7, 11, 13]))
    assert np.array_equal(model.transform(pandas.DataFrame(X)), model.transform(X))
    with pytest.raises(ValueError, match="unseen at fit time:\n- 17"):
        model.transform(pandas.DataFrame(X, columns=[2, 3, 5, 7, 11, 17]))


def test_codes_with_their_columns_in_another_order_are_refused() -> None:
    model = model_for(X).set_output(transform="pandas")
    codes = model.transform(X)
    assert np.array_equal(model.inverse_transform(codes), model.reconstruct(X))
    model.inverse_transform(codes.rename(columns=lambda name: name + " of the model"))
    with pytest.raises(ValueError, match="Column 1 is 'vanillaautoencoder2', but was 'vanillaautoencoder0'"):
        model.inverse_transform(codes[codes.columns[::-1]])


def test_a_list_of_rows_with_their_names_in_different_orders_is_refused() -> None:
    model, rows = model_for(X), [row for _, row in pandas.DataFrame(X, columns=NAMES).iterrows()]
    model.transform(rows)
    with pytest.raises(ValueError, match=r"X\[1\] has other columns than X\[0\], or has them in another order"):
        model.transform([rows[0], rows[1][::-1]])


# Sparse matrices

FORMATS = ["csr", "csc", "coo", "bsr", "lil", "dok", "dia"]


def thinned(kind: str, n: int = 24) -> Array:
    x = data_for(kind, n).reshape(n, -1)
    return np.where(x > 0.6, x, 0)


def with_repeats(as_type: Any = "csr_array") -> Any:
    """A matrix with places that are stored several times, whose sum depends on the order."""
    generator = np.random.default_rng(0)
    rows, columns = generator.integers(0, 24, 600), generator.integers(0, 12, 600)
    coo = sparse.coo_array((generator.random(600) / 60, (rows, columns)), shape=(24, 12))
    if as_type == "coo_array":
        return coo
    order = np.argsort(rows, kind="stable")
    starts = np.searchsorted(rows[order], np.arange(25))
    return sparse.csr_array((coo.data[order], columns[order], starts), shape=(24, 12))


@pytest.mark.filterwarnings("ignore:Constructing a DIA matrix:scipy.sparse.SparseEfficiencyWarning")
@pytest.mark.parametrize("kind", [kind for kind, (_, shape) in TYPES.items() if len(shape) == 1])
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("recorded", [True, False])
def test_a_sparse_matrix_is_learned_with_the_bits_of_its_dense_array(kind: str, n_jobs: int, recorded: bool) -> None:
    x = thinned(kind)
    options: dict[str, Any] = {"n_jobs": n_jobs, "recorded": recorded, "early_stopping": True, "batch_size": 7}
    dense = unfitted(kind, **options).fit(x).partial_fit(x)
    model = unfitted(kind, **options).fit(sparse.csr_array(x)).partial_fit(sparse.csc_matrix(x))
    assert np.array_equal(model.network_.theta, dense.network_.theta)
    assert np.array_equal(model.sample(3), dense.sample(3))
    for method in ("transform", "reconstruct", "score_samples", "score"):
        expected = getattr(dense, method)(x)
        for form in FORMATS:
            assert np.array_equal(getattr(model, method)(sparse.csr_matrix(x).asformat(form)), expected), form


@pytest.mark.parametrize("kind", ["csr_array", "coo_array"])
def test_places_that_are_stored_several_times_are_summed_in_the_order_of_toarray(kind: str) -> None:
    x = with_repeats(kind)
    np.testing.assert_array_equal(SparseRows.of(x).toarray(), x.toarray())
    np.testing.assert_array_equal(SparseRows.of(x)[np.array([7, 3])].toarray(), x.toarray()[[7, 3]])


def test_a_long_sparse_matrix_has_the_codes_of_its_dense_array() -> None:
    model, x = model_for(X), sparse.random_array((1500, 6), density=0.3, rng=0)
    assert np.array_equal(model.transform(x), model.transform(x.toarray()))


def test_a_sparse_matrix_is_never_dense_as_a_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    x = sparse.random_array((5000, 300), density=0.02, rng=0, format="csr")
    rows, toarray = [], type(x).toarray
    monkeypatch.setattr(type(x), "toarray", lambda self: rows.append(self.shape[0]) or toarray(self))
    model = npae.DeepAutoencoder(hidden=(4,), code_size=2, epochs=1, validation_fraction=0.2, random_state=0).fit(x)
    model.transform(x), model.score(x), model.partial_fit(x), model.sample(2)
    encoder_of(model, tmp_path).transform(x)
    assert 0 < max(rows) < 4000


def test_a_sparse_matrix_is_checked_like_an_array() -> None:
    x = sparse.csr_array(np.where(X > 0.6, X, 0))
    model = model_for(x, loss="bce")
    spoiled = x.copy()
    spoiled.data[5] = np.nan
    row, column = np.argwhere(np.isnan(spoiled.toarray()))[0]
    with pytest.raises(ValueError, match=rf"NaN or infinity: 1 of 144 values, the first at index \({row}, {column}\)"):
        model.transform(spoiled)
    with pytest.raises(ValueError, match="the data runs from 0 to 2"):
        model.score(x * (2 / x.max()))
    with pytest.raises(ValueError, match="X has 5 features, but VanillaAutoencoder is expecting 6"):
        model.transform(x[:, :5])
    with pytest.raises(ValueError, match="Complex data not supported"):
        model.transform(x.astype(complex))
    assert model_for(2 * x).network_.loss.name == "mse"


def test_a_run_on_a_sparse_matrix_is_resumed_with_its_dense_array(tmp_path: Path) -> None:
    x = np.where(X > 0.6, X, 0)
    model_for(sparse.csr_array(x), epochs=3)
    half = npae.Checkpoints(tmp_path)
    unfitted("vanilla", epochs=2).fit(sparse.csr_array(x), checkpoints=half)
    resumed = unfitted("vanilla", epochs=3).fit(x, checkpoints=npae.Checkpoints(tmp_path, resume=True))
    assert np.array_equal(resumed.network_.theta, unfitted("vanilla", epochs=3).fit(x).network_.theta)


def test_a_sparse_row_is_one_of_two_samples_to_interpolate_between() -> None:
    x = np.where(X > 0.6, X, 0)
    model = model_for(x)
    for row_of in (sparse.csr_array, sparse.csr_matrix):
        a, b = row_of(x)[[0]], row_of(x)[[1]]
        assert np.array_equal(model.interpolate(a, b), model.interpolate(x[0], x[1]))


def test_sparse_matrices_of_images_are_taken_as_scipy_has_them() -> None:
    coo = sparse.coo_array(np.where(data_for("denoising") > 0.6, data_for("denoising"), 0))
    assert coo.shape == (24, 4, 3)
    model = unfitted("denoising").fit(coo)
    assert np.array_equal(model.transform(coo), model.transform(coo.toarray()))


def test_the_tags_say_that_sparse_matrices_are_taken() -> None:
    pytest.importorskip("sklearn")
    assert npae.DeepAutoencoder().__sklearn_tags__().input_tags.sparse


# Lists of parts


def test_a_list_of_few_long_arrays_is_taken_for_samples_with_one_hint() -> None:
    parts = list(samples(180, 6).reshape(3, 60, 6))
    with pytest.warns(
        UserWarning, match=r"list of 3 arrays of shape \(60, 6\).*np.concatenate\(X\).*partial_fit"
    ) as hint:
        model = model_for(parts, batch_size=3)
    assert [w.filename for w in hint] == [__file__]
    assert model.transform(parts).shape == (3, 3)
    for no_parts in (list(samples(20, 60, 6)), list(samples(9, 50, 6)), samples(9, 60, 6), samples(9, 60).tolist()):
        model_for(no_parts)  # a warning would be an error


def test_a_list_of_parts_of_different_lengths_is_refused_with_the_way_to_join_them() -> None:
    with pytest.raises(ValueError, match=r"join parts of the data by np.concatenate\(X\)"):
        model_for([X[:9], X[9:]])
