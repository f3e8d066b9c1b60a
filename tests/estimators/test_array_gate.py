"""What enters as an array: nothing that NumPy drops silently, columns in their order, sparse matrices as they are."""

import copy
import datetime
import importlib.util
import pickle
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from helpers.small_models import QUICK, TYPES, data_for, samples, unfitted

import npae
from npae.applications import anomaly, classification, clustering, compression, features, retrieval
from npae.datasets import read
from npae.gradcheck import check_model
from npae.storage.export import export_encoder, export_python
from npae.utils.errors import FileFormatError
from npae.utils.sparse import SparseRows
from npae.utils.types import Array

sparse = pytest.importorskip("scipy.sparse")
pandas = pytest.importorskip("pandas")

X = samples(24, 6)
PIXELS = np.rint(255 * samples(24, 64) / samples(24, 64).max()).astype("uint8")
BYTES = r"^X holds whole numbers of 0-255, probably images, which .* \(fit X / 255, on the .* --divide 255\)$"
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


class Variable:
    """What NumPy converts to a masked array, like a variable of netCDF."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return masked((2, 3))


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
    "a column of periods": (frame(age=pandas.period_range("2020", periods=24, freq="D")), TypeError, "column 'age' of"),
    "a column of text": (frame(age="old"), ValueError, "not all numbers .*, first in the column 'age'"),
    "a mask behind a conversion": (Variable(), ValueError, r"masked values: 1 of 144, the first at index \(2, 3\)"),
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


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_knows_the_columns(copied: Callable[[Any], Any]) -> None:
    x = pandas.DataFrame(X, columns=NAMES)
    with pytest.raises(ValueError, match="same order as they were in fit"):
        copied(model_for(x)).transform(x[NAMES[::-1]])


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


def test_a_row_of_a_dataframe_is_compared_by_its_names() -> None:
    x = pandas.DataFrame(X, columns=NAMES)
    model = model_for(x)
    assert np.array_equal(model.interpolate(x.iloc[0], x.iloc[1]), model.interpolate(X[0], X[1]))
    with pytest.raises(ValueError, match="same order as they were in fit"):
        model.interpolate(x.iloc[0], x.iloc[1][::-1])


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


def test_a_list_of_arrays_that_may_be_parts_of_the_data_is_refused() -> None:
    parts = list(samples(180, 6).reshape(3, 60, 6))
    with pytest.raises(
        ValueError, match=r"list of 3 arrays of shape \(60, 6\).*180 samples of shape \(6,\).*np.stack.*ShardSource"
    ):
        model_for(parts, batch_size=3)
    assert model_for(np.stack(parts), batch_size=3).transform(np.stack(parts)).shape == (3, 3)
    assert model_for(npae.datasets.ShardSource(parts)).transform(npae.datasets.ShardSource(parts)).shape == (180, 3)
    for no_parts in (list(samples(20, 60, 6)), list(samples(9, 50, 6)), samples(9, 60, 6), samples(9, 60).tolist()):
        model_for(no_parts)  # a warning would be an error


def test_a_list_of_parts_of_different_lengths_is_refused_with_the_way_to_join_them() -> None:
    with pytest.raises(ValueError, match=r"npae.datasets.ShardSource\(X\) for parts of the data"):
        model_for([X[:9], X[9:]])


# The range of the values


def split_of(table: str, seed: int) -> tuple[Array, Array]:
    """Three quarters of a table of scikit-learn, scaled to [0, 1], and the rest, scaled as they were."""
    datasets, scaling = pytest.importorskip("sklearn.datasets"), pytest.importorskip("sklearn.preprocessing")
    x = getattr(datasets, f"load_{table}")().data[:200]
    x = x[np.random.default_rng(seed).permutation(len(x))]
    scaler = scaling.MinMaxScaler().fit(x[: len(x) * 3 // 4])
    return scaler.transform(x[: len(x) * 3 // 4]), scaler.transform(x[len(x) * 3 // 4 :])


def test_every_split_of_a_scaled_table_gets_the_same_loss_and_its_other_rows_are_scored() -> None:
    beyond_by_rounding = outside = 0
    for table in ("wine", "breast_cancer", "iris", "diabetes", "digits"):
        for seed in range(4):
            train, test = split_of(table, seed)
            model = model_for(train, epochs=1, batch_size=32)
            assert model.network_.loss.name == "bce"
            assert np.isfinite(model.score_samples(test)).all()
            beyond_by_rounding += train.max() > 1
            outside += test.max() > 1 or test.min() < 0
    assert beyond_by_rounding > 3  # else it was shown of nothing
    assert outside > 10


def loss_for(x: Array) -> str:
    return str(model_for(x).network_.loss.name)


def test_rounding_is_no_range() -> None:
    x = X.astype("float64")
    for dtype, step in (("float64", 1e-15), ("float64", 1e-7), ("float32", 1e-7)):
        beyond = x.copy()
        beyond[0, 0], beyond[1, 1] = 1 + step, -step
        assert loss_for(beyond.astype(dtype)) == "bce"
        assert np.isfinite(model_for(X, loss="bce").score(beyond.astype(dtype)))
    assert loss_for(x + 1e-4) == loss_for(x - 0.5) == "mse"


def test_a_value_outside_counts_as_the_nearest_one_plus_the_square_of_its_distance() -> None:
    x = X.astype("float64")
    model = model_for(x)
    beyond = x.copy()
    beyond[3, 2], beyond[5, 1] = 1.5, -0.25
    expected = -model.network_.losses(beyond, beyond.clip(0, 1))
    expected[3] -= 0.25
    expected[5] -= 0.0625
    np.testing.assert_allclose(model.score_samples(beyond), expected, rtol=1e-12)
    assert np.array_equal(model.score_samples(beyond)[[0, 1, 2]], model.score_samples(x)[[0, 1, 2]])
    assert np.array_equal(model.score_samples(sparse.csr_array(beyond)), model.score_samples(beyond))


@pytest.mark.parametrize("door", ["fit", "partial_fit", "score with bce", "score of 0-255"])
def test_what_still_refuses_a_range_names_the_loss_that_was_chosen_and_the_one_to_choose(door: str) -> None:
    model = model_for(X, loss="bce" if door == "score with bce" else "auto")
    doors: dict[str, Callable[[], Any]] = {
        "fit": lambda: model_for(2 * X, loss="bce"),
        "partial_fit": lambda: model.partial_fit(2 * X),
        "score with bce": lambda: model.score(2 * X),
        "score of 0-255": lambda: model.score(np.rint(255 * X)),
    }
    chosen = ', which loss="auto" took since the model was fitted to data in [0, 1],' if model.loss == "auto" else ""
    chosen = "" if door == "fit" else chosen
    expected = rf"^binary cross-entropy{re.escape(chosen)} needs values .* the data runs from .*clip it "
    with pytest.raises(
        ValueError, match=rf'{expected}\(in Python X.clip\(0, 1\)\), or fit a new model with loss="mse"$'
    ):
        doors[door]()
    # the remedies are such
    assert np.isfinite(model.partial_fit((2 * X).clip(0, 1)).score((2 * X).clip(0, 1)))
    assert np.isfinite(model_for(2 * X, loss="mse").partial_fit(3 * X).score(4 * X))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "float32", "float64", object])
def test_data_of_0_to_255_gets_one_hint_whatever_its_type(dtype: Any) -> None:
    with pytest.warns(UserWarning, match=BYTES) as hint:
        model = model_for(PIXELS.astype(dtype))
    assert [w.filename for w in hint] == [__file__]
    assert model.network_.loss.name == "mse"
    with pytest.warns(UserWarning, match=BYTES):
        model_for(pandas.DataFrame(PIXELS, columns=[f"pixel{i}" for i in range(1, 65)]))
    with pytest.warns(UserWarning, match=BYTES):
        model_for(pandas.DataFrame(PIXELS))


def test_a_table_of_0_to_255_is_not_taken_for_images() -> None:
    names = [
        f"{name}{i}" for i in range(8) for name in ("age", "pulse", "sugar", "salt", "fat", "iron", "zinc", "weight")
    ]
    counts = np.random.default_rng(0).poisson(np.logspace(-2, 2.2, 64), (24, 64))
    counts[0, -1] = 220  # of words
    for x in (
        PIXELS[:, :63],
        pandas.DataFrame(PIXELS, columns=names),
        sparse.csr_array(PIXELS),
        counts,
        counts.astype("u1"),
    ):
        model_for(x)  # a warning would be an error


def test_images_of_0_to_255_that_are_not_whole_get_the_hint_too_and_other_data_does_not() -> None:
    with pytest.warns(UserWarning, match="X holds numbers of 0-255"):
        unfitted("denoising").fit(254.5 * data_for("denoising") / data_for("denoising").max())
    for x in (PIXELS * 0.998, PIXELS // 16, np.rint(1.2 * PIXELS), PIXELS - 128.0, PIXELS / 255):
        model_for(x)  # a warning would be an error
    model_for(PIXELS, loss="mse")


def test_images_of_bytes_are_divided_by_255_only_where_they_hold_more_than_zeros_and_ones(tmp_path: Path) -> None:
    table = (X > 0.5).astype("uint8")
    ones = table.reshape(-1, 2, 3)
    for x, expected in (
        (ones, ones),
        (ones * np.uint8(255), ones),
        (np.zeros_like(ones), np.zeros_like(ones)),
        (table, table),
        (table * np.uint8(255), table * np.uint8(255)),
    ):
        np.save(tmp_path / "x.npy", x)
        np.savez(tmp_path / "x.npz", x)
        for name in ("x.npy", "x.npz"):
            np.testing.assert_array_equal(read(tmp_path / name), expected)
            assert read(tmp_path / name).dtype == np.float32


def test_whole_numbers_that_single_precision_would_round_are_computed_in_double() -> None:
    def computed(x: Array, **parameters: Any) -> str:
        return str(model_for(x, epochs=1, **parameters).network_.arena.dtype.name)

    x = np.arange(24 * 6).reshape(24, 6)
    assert computed(x) == computed(x - 2**24) == computed(sparse.csr_array(x)) == "float32"
    assert computed(x + 2**24) == computed(-x - 2**24) == computed(sparse.csr_array(x + 2**24)) == "float64"
    assert computed(x + 2**24, dtype="float32") == "float32"


# Files of sparse matrices


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr", "dia"])
@pytest.mark.parametrize("name", [None, "data"])
@pytest.mark.filterwarnings("ignore:Constructing a DIA matrix:scipy.sparse.SparseEfficiencyWarning")
def test_a_file_of_save_npz_is_refused_as_sparse_and_never_read_as_its_stored_values(
    form: str, name: str | None, tmp_path: Path
) -> None:
    for kind in (sparse.csr_array, sparse.csr_matrix):
        sparse.save_npz(tmp_path / "x.npz", kind(X).asformat(form))
        with pytest.raises(FileFormatError, match=r"sparse matrix, .*load_npz .*\.toarray\(\)"):
            read(tmp_path / "x.npz", name=name)


def test_a_file_of_a_sparse_array_with_three_axes_is_refused_too(tmp_path: Path) -> None:
    coo = sparse.coo_array(data_for("denoising"))
    np.savez(tmp_path / "x.npz", coords=coo.coords, data=coo.data, shape=coo.shape, format=np.array(b"coo"))
    with pytest.raises(FileFormatError, match="sparse matrix"):
        read(tmp_path / "x.npz")


def test_a_file_with_an_array_called_data_is_no_sparse_matrix(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", data=X, shape=np.zeros(2), indices=np.zeros(3))
    np.testing.assert_array_equal(read(tmp_path / "x.npz"), X)


# Exported Python


def exported(model: Any, folder: Path) -> ModuleType:
    export_python(model.network_, folder / "model.py")
    spec = importlib.util.spec_from_file_location("exported", folder / "model.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("case", SILENTLY_DROPPED)
def test_an_exported_python_file_refuses_what_numpy_drops(case: str, tmp_path: Path) -> None:
    x, _, _ = SILENTLY_DROPPED[case]
    with pytest.raises((TypeError, ValueError), match=r"; (fill|replace|give)|, got shape"):
        exported(model_for(X), tmp_path).encode(x)


def test_an_exported_python_file_refuses_columns_in_another_order_and_sparse_matrices(tmp_path: Path) -> None:
    x = pandas.DataFrame(X, columns=NAMES)
    module = exported(model_for(x), tmp_path)
    codes = model_for(x).transform(x)
    for given in (x, X, X.tolist(), masked(), pandas.DataFrame(X), X.astype(object), X.astype("float64")):
        np.testing.assert_allclose(module.encode(given), codes, atol=1e-5)
    with pytest.raises(ValueError, match=r"the columns are \['ash'.* trained on \['mean'.*in this order"):
        module.encode(x[x.columns[::-1]])
    with pytest.raises(TypeError, match=r"a sparse matrix; give some rows of it at a time, with \.toarray\(\)"):
        module.encode(sparse.csr_array(X))
    with pytest.raises(
        ValueError, match=r"values of shape \(n, 6\), n at least 1, are expected, but \(0, 6\) was given"
    ):
        module.encode(X[:0])
    with pytest.raises(ValueError, match=r"there is NaN or infinity: 144 of 144 values, the first at index \(0, 0\);"):
        module.encode(X.astype("float64") * 1e300)


# Applications


def test_applications_take_frames_lists_and_sparse_matrices_through_the_same_gate() -> None:
    x = np.where(X > 0.6, X, 0)
    frame = pandas.DataFrame(x, columns=NAMES)
    model = model_for(frame)
    for given in (frame, x.tolist(), sparse.csr_array(x)):
        assert compression.compress(model, given) == compression.compress(model, x)
        np.testing.assert_array_equal(retrieval.Index.of(model, given).codes, retrieval.Index.of(model, x).codes)
    for given in (frame, x.tolist()):
        assert anomaly.compare(model, given, given, {"same": given}) == anomaly.compare(model, x, x, {"same": x})
    backwards = frame[frame.columns[::-1]]
    uses: list[Callable[[Any], Any]] = [
        lambda given: compression.compress(model, given),
        lambda given: retrieval.Index.of(model, given),
        lambda given: anomaly.compare(model, x, x, {"given": given}),
        lambda given: anomaly.compare(model, given, x, {}),
        lambda given: features.feature_sets(model, x, given),
    ]
    for use in uses:
        for given, words in ((backwards, "same order as they were in fit"), (masked((2, 3)), "masked values")):
            with pytest.raises(ValueError, match=words):
                use(given)
    with pytest.raises(TypeError, match=r"the test samples are a sparse matrix, but PCA.*\.toarray\(\)"):
        features.feature_sets(model, x, sparse.csr_array(x))


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (
            np.ma.masked_array(np.arange(24) % 2, mask=np.arange(24) == 3),
            "test labels contains masked values: 1 of 24",
        ),
        ([None, *"ab" * 11, "a"], r"test labels contains NaN or other marks of missing values.*index \(0,\)"),
        (np.where(np.arange(24) == 5, np.nan, 1.0), r"missing, the first at index \(5,\)"),
        (np.arange(23), r"test labels have shape \(23,\), but there are 24 samples; give one label for each"),
    ],
    ids=["masked", "missing", "nan", "too few"],
)
def test_labels_enter_by_the_gate_too(labels: Any, words: str) -> None:
    model, good = model_for(X), np.arange(24) % 2
    uses: list[Callable[[], Any]] = [
        lambda: retrieval.compare(model, X, good, X, labels),
        lambda: clustering.compare(model, X, X, labels),
        lambda: classification.compare(model, X, good, X, labels),
    ]
    for use in uses:
        with pytest.raises(ValueError, match=words):
            use()


def test_the_gradient_checker_refuses_masked_samples() -> None:
    model = model_for(X)
    with pytest.raises(ValueError, match="x contains masked values"):
        check_model(model, masked((2, 3)))
