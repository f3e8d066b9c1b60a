"""Model files: saving and loading, reading by other programs, and errors for damaged files."""

import copy
import json
import pickle
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import windows
from helpers.small_models import TYPES, data_for, fitted, samples, unfitted
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

import npae
from npae.applications.retrieval import Index
from npae.layers import Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU, Reshape, UpSample2D
from npae.layers.arena import Arena
from npae.network.saving import save
from npae.storage import safetensors
from npae.utils.errors import FileFormatError
from npae.utils.files import atomic_write
from npae.utils.types import Array, Shape

KINDS = list(TYPES)
SMALL_BYTES = 4_000_000  # what reading a small file may allocate, whatever it claims

uses_a_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
#: Shrinking a damaged file takes minutes and explains nothing that the error does not.
without_shrinking = settings(phases=[Phase.explicit, Phase.reuse, Phase.generate])


class Scale(Layer):
    """A layer that does not come with npae: y = factor · w · x."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def plan(self, input_shape: Shape, arena: Arena) -> Shape:
        arena.parameter(self, "w", input_shape, initializer="glorot_uniform")
        arena.buffer(self, "y", input_shape)
        arena.buffer(self, "dx", input_shape)
        return input_shape

    def forward(self, x: Array) -> Array:
        self.x = x
        return np.multiply(self.factor * self.w, x, out=self.y)

    def backward(self, dy: Array) -> Array:
        self.dw[...] = self.factor * (self.x * dy).sum(axis=0)
        return np.multiply(self.factor * self.w, dy, out=self.dx)


def own_network() -> npae.Autoencoder:
    net = npae.Autoencoder(
        [Conv2D(3, (3, 2), padding=((1, 1), (0, 1))), ReLU(), MaxPool2D((2, 1)), Flatten(), Scale(2.5), Dense(4)],
        [Dense(3 * 4 * 5), Reshape((3, 5, 4)), UpSample2D((2, 1), mode="bilinear"), Conv2D(2)],
        loss="mse",
    )
    return net.build((5, 5, 2), seed=3)


def same(a: Array, b: Array) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def python(code: str, *arguments: Any) -> str:
    """What a fresh process prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# Round trips


@pytest.mark.parametrize("options", [{}, {"dtype": "float64", "activity_l1": 1e-3, "weight_decay": 1e-4}])
@pytest.mark.parametrize("kind", KINDS)
def test_a_loaded_estimator_equals_the_saved_one(kind: str, options: dict[str, Any], tmp_path: Path) -> None:
    model, x, path = fitted(kind, **options), data_for(kind), tmp_path / "model.safetensors"
    model.save(path)
    twin = npae.load(path)
    assert type(twin) is type(model)
    assert twin.get_params() == model.get_params()
    assert twin.history_ == model.history_
    assert (twin.n_features_in_, twin.n_iter_) == (model.n_features_in_, model.n_iter_)
    assert same(twin.network_.theta, model.network_.theta)
    assert (twin.network_.run.step, twin.network_.run.seed) == (6, 0)
    for use in ("transform", "reconstruct", "score_samples"):
        assert same(getattr(twin, use)(x), getattr(model, use)(x))
    assert same(twin.sample(3), model.sample(3))
    assert same(twin.interpolate(x[0], x[1]), model.interpolate(x[0], x[1]))


def test_all_types_are_loaded_bit_for_bit_in_a_new_process(tmp_path: Path) -> None:
    expected = {}
    for kind in KINDS:
        model, x = fitted(kind), data_for(kind)
        model.save(tmp_path / f"{kind}.safetensors")
        np.save(tmp_path / f"{kind}.npy", x)
        expected[kind] = [
            a.tobytes().hex() for a in (model.transform(x), model.score_samples(x), model.sample(2))
        ]  # fmt: skip
    code = """if True:
        import json, pathlib, sys, numpy as np, npae
        result = {}
        for path in sorted(pathlib.Path(sys.argv[1]).glob("*.safetensors")):
            model, x = npae.load(path), np.load(path.with_suffix(".npy"))
            results = model.transform(x), model.score_samples(x), model.sample(2)
            result[path.stem] = [a.tobytes().hex() for a in results]
        print(json.dumps(result))
    """
    assert json.loads(python(code, tmp_path)) == expected


def test_a_loaded_model_can_be_trained_further_and_saved_again(tmp_path: Path) -> None:
    for kind in KINDS:
        path, x = tmp_path / kind, data_for(kind)
        fitted(kind).save(path)
        model = npae.load(path).partial_fit(x)
        assert model.n_iter_ == 3
        assert model.network_.run.step == 9
        model.save(path)
        assert same(npae.load(path).transform(x), model.transform(x))


@pytest.mark.parametrize("kind", ["vanilla", "deep"])
def test_tied_weights_are_tied_after_loading(kind: str, tmp_path: Path) -> None:
    model, x = fitted(kind, tied_weights=True), data_for(kind)
    model.save(tmp_path / "m")
    twin = npae.load(tmp_path / "m")
    assert same(twin.reconstruct(x), model.reconstruct(x))
    assert len(twin.network_.arena.parameter_shapes()) == len(model.network_.arena.parameter_shapes())
    assert npae.load_encoder(tmp_path / "m").transform(x) == pytest.approx(model.transform(x), abs=1e-5)


def test_a_model_without_code_size_or_seed_can_be_loaded(tmp_path: Path) -> None:
    x = data_for("convolutional")
    for options in (
        {"code_size": None},
        {"random_state": None},
        {"random_state": np.random.default_rng(2)},
        {"random_state": np.int64(5)},
        {"learning_rate": np.float32(0.01), "filters": [2, np.int64(3)], "kernel_size": (2, 3)},
    ):
        model = fitted("convolutional", **options)
        model.save(tmp_path / "m")
        twin = npae.load(tmp_path / "m")
        assert same(twin.transform(x), model.transform(x))
        assert same(twin.fit(x).transform(x), twin.fit(x).transform(x)) or twin.random_state is None


def test_a_network_with_a_user_defined_layer_can_be_loaded(tmp_path: Path) -> None:
    net, x, path = own_network(), samples(6, 5, 5, 2), tmp_path / "net.safetensors"
    net.gradient(x)
    net.run.step = 17
    save(net, path)
    twin = npae.load(path, layers=[Scale])
    assert type(twin) is npae.Autoencoder
    assert json.dumps(twin.config()) == json.dumps(net.config())
    assert twin.run.step == 17
    for use in ("encode", "reconstruct", "losses"):
        assert same(getattr(twin, use)(x), getattr(net, use)(x))
    assert twin.gradient(x) == net.gradient(x)
    assert same(twin.dtheta, net.dtheta)
    encoder = npae.load_encoder(path, layers=[Scale])
    np.testing.assert_allclose(encoder.transform(x), net.encode(x), atol=1e-5)
    for load in (npae.load, npae.load_encoder):
        with pytest.raises(FileFormatError, match=r"unknown layer 'Scale'; pass its class with layers=\[Scale\]"):
            load(path)


def test_an_unfitted_model_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(npae.errors.NotFittedError):
        unfitted("vanilla").save(tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_a_value_that_json_does_not_know_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="cannot be saved; use plain numbers and texts"):
        save(fitted("vanilla").network_, tmp_path / "m", record={"odd": object()})
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_the_same_whenever_it_is_written(tmp_path: Path) -> None:
    model = fitted("variational")
    model.save(tmp_path / "a")
    model.save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_model_stays_when_its_file_is_replaced(tmp_path: Path) -> None:
    path, x = tmp_path / "m", data_for("vanilla")
    fitted("vanilla").save(path)
    model = npae.load(path)
    drawn, codes = model.sample(3), model.transform(x)
    path.write_bytes(bytes(path.stat().st_size))
    assert same(model.sample(3), drawn)
    assert same(model.transform(x), codes)


# The encoder alone


@pytest.mark.parametrize("options", [{}, {"activity_l1": 0.1, "dtype": "float64"}])
@pytest.mark.parametrize("kind", KINDS)
def test_load_encoder_encodes_as_the_model_does(kind: str, options: dict[str, Any], tmp_path: Path) -> None:
    model, x, path = fitted(kind, **options), data_for(kind, n=300), tmp_path / "m"
    model.save(path)
    encoder = npae.load_encoder(path)
    z = encoder.transform(x)
    assert z.dtype == model.transform(x).dtype
    np.testing.assert_allclose(z, model.transform(x), atol=1e-5)
    assert (encoder.input_shape, encoder.code_shape) == (x.shape[1:], (4,))
    assert same(z, encoder.transform(x))
    with pytest.raises(ValueError, match=r"X of shape \(3,\) were given, but the model expects"):
        encoder.transform(np.ones(3))


def test_neither_importing_npae_nor_encoding_imports_heavy_packages(tmp_path: Path) -> None:
    fitted("convolutional").save(tmp_path / "m")
    code = """if True:
        import sys
        HEAVY = {"numba", "llvmlite", "sklearn", "scipy", "matplotlib", "PIL", "pandas", "torch", "safetensors"}
        def check(light=frozenset()):
            found = (HEAVY | light) & set(sys.modules)
            assert not found, found
        import npae, npae.storage, npae.training, npae.recipes
        check({"tqdm"})
        import numpy as np
        encoder = npae.load_encoder(sys.argv[1])
        print(encoder.transform(np.ones((2, 7, 6, 3))).shape)
        check({"tqdm", "npae.kernels.compiled"})
    """
    assert python(code, tmp_path / "m").strip() == "(2, 4)"


# The format, against the official package

DTYPES = sorted(safetensors.DTYPES.items())
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).filter(lambda name: name != "__metadata__")


@st.composite
def arrays(draw: st.DrawFn) -> Array:
    """An array of any dtype of the format, of up to three axes, empty and scalar ones included."""
    _, dtype = draw(st.sampled_from(DTYPES))
    shape = tuple(draw(st.lists(st.integers(0, 4), max_size=3)))
    itemsize = np.dtype(dtype).itemsize
    raw = draw(st.binary(min_size=int(np.prod(shape)) * itemsize, max_size=int(np.prod(shape)) * itemsize))
    a = np.frombuffer(raw, dtype=np.uint8)
    return (a % 2 if dtype == "|b1" else a).view(dtype).reshape(shape)


tables = st.dictionaries(names, arrays(), max_size=4)
texts = st.dictionaries(names, st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=3)


def assert_same_tables(a: dict[str, Array], b: dict[str, Array]) -> None:
    assert set(a) == set(b)
    for name in a:
        assert same(np.asarray(a[name]), np.asarray(b[name])), name


@uses_a_folder
@given(table=tables, metadata=texts)
@example(
    table={"scalar": np.array(3.5, dtype="<f4"), "empty": np.zeros((0, 3), "<i8"), "ü·λ": np.arange(3)}, metadata={}
)
def test_what_is_written_is_read(table: dict[str, Array], metadata: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "t"
    safetensors.write(path, table, metadata)
    found, text = safetensors.read(path)
    assert_same_tables(found, table)
    assert text == metadata
    assert not any(a.flags.writeable for a in found.values() if a.size)


@uses_a_folder
@given(table=tables, metadata=texts)
@example(
    table={"scalar": np.array(3.5, dtype="<f4"), "empty": np.zeros((0, 3), "<i8"), "ü·λ": np.arange(3)}, metadata={}
)
def test_the_official_package_reads_what_is_written(
    table: dict[str, Array], metadata: dict[str, str], tmp_path: Path
) -> None:
    official = pytest.importorskip("safetensors")
    numpy_side = pytest.importorskip("safetensors.numpy")
    path = tmp_path / "t"
    safetensors.write(path, table, metadata)
    assert_same_tables(numpy_side.load_file(path), table)
    with official.safe_open(path, framework="np") as file:
        assert (file.metadata() or {}) == metadata


@uses_a_folder
@given(table=tables, metadata=st.one_of(st.none(), texts))
@example(
    table={"scalar": np.array(3.5, dtype="<f4"), "empty": np.zeros((0, 3), "<i8"), "ü·λ": np.arange(3)}, metadata={}
)
def test_what_the_official_package_writes_is_read(
    table: dict[str, Array], metadata: dict[str, str] | None, tmp_path: Path
) -> None:
    numpy_side = pytest.importorskip("safetensors.numpy")
    path = tmp_path / "t"
    if not table and metadata is not None:
        table = {"a": np.zeros(0)}  # with metadata and without arrays, the package writes a header that is no JSON
    path.write_bytes(numpy_side.save(table, metadata))
    found, text = safetensors.read(path)
    assert_same_tables(found, table)
    assert text == (metadata or {})


@pytest.mark.parametrize(("name", "dtype"), DTYPES, ids=[name for name, _ in DTYPES])
def test_arrays_of_any_memory_layout_and_byte_order_keep_their_values(name: str, dtype: str, tmp_path: Path) -> None:
    numpy_side = pytest.importorskip("safetensors.numpy")
    x = (np.arange(24) % 2 if name == "BOOL" else np.arange(24)).astype(dtype).reshape(4, 6)
    table = {
        "fortran": np.asfortranarray(x),
        "transposed": x.T,
        "strided": x[::2, ::-3],
        "broadcast": np.broadcast_to(x[0], (3, 6)),
        "big-endian": x.astype(np.dtype(dtype).newbyteorder(">")),
        "big-endian, transposed": x.astype(np.dtype(dtype).newbyteorder(">")).T,
    }
    safetensors.write(tmp_path / "t", table, {})
    for found in (numpy_side.load_file(tmp_path / "t"), safetensors.read(tmp_path / "t")[0]):
        for key, a in table.items():
            np.testing.assert_array_equal(found[key], a, err_msg=key)
            assert found[key].dtype == np.dtype(dtype)


def test_a_model_file_is_a_safetensors_file_with_named_arrays(tmp_path: Path) -> None:
    numpy_side = pytest.importorskip("safetensors.numpy")
    model = fitted("deep")
    model.save(tmp_path / "m")
    found = numpy_side.load_file(tmp_path / "m")
    for name, value, _ in model.network_.arena.parameters():
        assert same(found[name], value)
    assert {"encoder.0.W", "encoder.0.b", "decoder.4.W"} < set(found)


def test_arrays_start_at_a_multiple_of_8_and_are_not_read_until_they_are_used(tmp_path: Path) -> None:
    safetensors.write(tmp_path / "t", {"a": np.zeros(1_000_000)}, {"odd": "x"})
    head = (tmp_path / "t").read_bytes()[:8]
    assert int.from_bytes(head, "little") % 8 == 0
    assert allocated(lambda: safetensors.read(tmp_path / "t")) < 1_000_000


def test_a_dtype_that_the_format_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises((TypeError, ValueError), match=r"'z'.*complex128"):
        safetensors.write(tmp_path / "t", {"z": np.zeros(3, complex)}, {})
    assert list(tmp_path.iterdir()) == []


# Files that are broken


def raw(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def entry(**changes: Any) -> dict[str, Any]:
    return {"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24], **changes}}


def two(first: list[Any], second: list[Any]) -> dict[str, Any]:
    return {
        name: {"dtype": "U8", "shape": [place[1] - place[0]], "data_offsets": place}
        for name, place in (("a", first), ("b", second))
    }


DATA = bytes(24)
BROKEN: dict[str, bytes] = {
    "nothing": b"",
    "seven bytes": bytes(7),
    "no header": bytes(8),
    "a header longer than the file": raw(entry(), DATA, length=10_000),
    "a header of 2⁶⁴ − 1 bytes": raw(entry(), DATA, length=2**64 - 1),
    "a header shorter than its text": raw(entry(), DATA, length=20),
    "a header that is no JSON": raw(b"{a: 1}"),
    "a header that is no text": raw(b'{"\xff": 1}'),
    "a header that is a list": raw([1]),
    "a header that is a number": raw(b"12345678"),
    "a header that is null": raw(b"null"),
    "text after the header": raw(json.dumps(entry()).encode() + b"x", DATA),
    "a name twice": raw(
        b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'
    ),
    "a key twice": raw(b'{"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
    "deep nesting": raw(b"[" * 100_000 + b"]" * 100_000),
    "deep nesting of tables": raw(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "a number of 10,000 digits": raw(b'{"a":' + b"9" * 10_000 + b"}"),
    "an entry that is a number": raw({"a": 1}),
    "an entry that is null": raw({"a": None}),
    "an entry that is a list": raw({"a": ["F32", [2, 3], [0, 24]]}, DATA),
    "an entry without dtype": raw({"a": {"shape": [2, 3], "data_offsets": [0, 24]}}, DATA),
    "an entry without shape": raw({"a": {"dtype": "F32", "data_offsets": [0, 24]}}, DATA),
    "an entry without a place": raw({"a": {"dtype": "F32", "shape": [2, 3]}}, DATA),
    "an unknown dtype": raw(entry(dtype="F7"), DATA),
    "a dtype of numpy": raw(entry(dtype="<f4"), DATA),
    "a dtype of objects": raw(entry(dtype="O"), DATA),
    "a dtype that is a list": raw(entry(dtype=["F32"]), DATA),
    "a dtype that is null": raw(entry(dtype=None), DATA),
    "a shape that is a number": raw(entry(shape=6), DATA),
    "a shape that is a text": raw(entry(shape="23"), DATA),
    "a shape that is a table": raw(entry(shape={"2": 3}), DATA),
    "a negative shape": raw(entry(shape=[-2, -3]), DATA),
    "a shape of fractions": raw(entry(shape=[2.0, 3.0]), DATA),
    "a shape of truth values": raw(entry(shape=[True, 6]), DATA),
    "a shape of texts": raw(entry(shape=["2", "3"]), DATA),
    "a shape of NaN": raw(entry(shape=[float("nan")]), DATA),
    "a shape of infinity": raw(entry(shape=[float("inf")]), DATA),
    "a nested shape": raw(entry(shape=[[2], [3]]), DATA),
    "a shape of 33 axes": raw(entry(shape=[1] * 32 + [6]), DATA),
    "a shape of 65 axes": raw(entry(shape=[1] * 64 + [6]), DATA),
    "a shape of one element too many": raw(entry(shape=[7]), DATA),
    "a shape that needs 10³⁰ bytes": raw(entry(shape=[10**30]), DATA),
    "a shape whose product is 0 modulo 2⁶⁴": raw(entry(shape=[2**32, 2**32]), DATA),
    "an empty array of impossible size": raw(entry(shape=[0, 10**30], data_offsets=[0, 0])),
    "an empty array of impossible size beside another": raw(
        {**entry(), "b": {"dtype": "F32", "shape": [0, 2**62, 2**62], "data_offsets": [24, 24]}}, DATA
    ),
    "a place of three numbers": raw(entry(data_offsets=[0, 24, 24]), DATA),
    "a place of one number": raw(entry(data_offsets=[24]), DATA),
    "a place of fractions": raw(entry(data_offsets=[0.0, 24.0]), DATA),
    "a place of truth values": raw(entry(shape=[0], data_offsets=[False, False])),
    "a place that is a text": raw(entry(data_offsets="04"), DATA),
    "a negative place": raw(entry(data_offsets=[-24, 0]), DATA),
    "a place that runs backwards": raw(entry(data_offsets=[24, 0]), DATA),
    "a place that does not fit the shape": raw(entry(data_offsets=[0, 20]), DATA),
    "a place beyond the end": raw(entry(data_offsets=[24, 48]), DATA),
    "a gap before the first array": raw(entry(shape=[1], data_offsets=[20, 24]), DATA),
    "a gap between two arrays": raw(two([0, 10], [12, 24]), DATA),
    "an overlap": raw(two([0, 14], [12, 24]), DATA),
    "two arrays in one place": raw(two([0, 24], [0, 24]), DATA),
    "one byte too few": raw(entry(), DATA[:-1]),
    "one byte too many": raw(entry(), DATA + b"x"),
    "data and no arrays": raw({}, DATA),
    "metadata that is a text": raw({"__metadata__": "a"}),
    "metadata that is a list": raw({"__metadata__": ["a"]}),
    "metadata of numbers": raw({"__metadata__": {"a": 1}}),
    "metadata of tables": raw({"__metadata__": {"a": {}}}),
    "metadata twice": raw(b'{"__metadata__":{},"__metadata__":{}}'),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_malformed_file_is_refused_in_one_sentence_and_little_memory(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.safetensors"
    path.write_bytes(content)
    for read in (safetensors.read, npae.load, npae.load_encoder):
        caught: list[FileFormatError] = []

        def attempt(read: Any = read, caught: Any = caught) -> None:
            with pytest.raises(FileFormatError) as info:
                read(path)
            caught.append(info.value)

        assert allocated(attempt) < SMALL_BYTES + 100 * len(content)
        assert "broken.safetensors" in str(caught[0])
        assert len(str(caught[0])) < 400
        assert "\n" not in str(caught[0])


def allocated(action: Callable[[], Any]) -> int:
    """The most memory that ``action`` held at any time, in bytes, NumPy's arrays included."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def small_file(folder: Path, kind: str = "variational") -> bytes:
    """The content of a model file."""
    path = folder / "whole"
    fitted(kind).save(path)
    return path.read_bytes()


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    content, path = small_file(tmp_path), tmp_path / "cut"
    for end in [*range(40), *range(40, len(content), 41), len(content) - 1]:
        path.write_bytes(content[:end])
        with pytest.raises(FileFormatError):
            npae.load(path)
    path.write_bytes(content + b"\0")
    with pytest.raises(FileFormatError):
        npae.load(path)


def loads_or_is_refused(path: Path) -> None:
    """Reading ends in a result or in FileFormatError, in little memory."""

    refusals: list[str] = []

    def attempt() -> None:
        for load in (npae.load, npae.load_encoder):
            try:
                load(path)
            except FileFormatError as error:
                refusals.append(str(error))

    assert allocated(attempt) < SMALL_BYTES
    assert not any("\n" in refusal for refusal in refusals)


@uses_a_folder
@given(content=st.binary(max_size=200))
def test_any_bytes_end_in_a_result_or_a_refusal(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "any"
    for whole in (content, raw(content), raw({"__metadata__": {"npae": content.decode("latin-1")}})):
        path.write_bytes(whole)
        loads_or_is_refused(path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_mutated_file_ends_in_a_result_or_a_refusal(kind: str, tmp_path: Path) -> None:
    content, path = small_file(tmp_path, kind), tmp_path / "mutated"
    header = 8 + int.from_bytes(content[:8], "little")

    @without_shrinking
    @given(data=st.data())
    def run(data: st.DataObject) -> None:
        mutated = bytearray(content)
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, header - 1))
            how = data.draw(st.sampled_from(["flip", "digit", "cut", "insert"]))
            if how == "flip":
                mutated[at] ^= data.draw(st.integers(1, 255))
            elif how == "digit":
                mutated[at] = data.draw(st.sampled_from(b'0123456789-.eE[]{}",:'))
            elif how == "cut":
                del mutated[at : at + data.draw(st.integers(1, 9))]
            else:
                mutated[at:at] = data.draw(st.binary(max_size=4))
        path.write_bytes(bytes(mutated))
        loads_or_is_refused(path)

    run()


# Configurations that are well-formed and wrong


def rewritten(source: Path, path: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """A copy of a model file whose record ``change`` has changed."""
    found, metadata = safetensors.read(source)
    record = json.loads(metadata["npae"])
    replacement = change(record)
    safetensors.write(path, found, {"npae": json.dumps(record if replacement is None else replacement)})
    return path


JUNK: list[Any] = [
    None, True, -1, 0, 1, 2.5, 10**9, 10**30, -(10**30), 1e308, float("inf"), float("nan"), "", "x", [], [1], [[]], {},
    {"x": 1}, [None], [0], [-1], [10**9], [10**9, 10**9, 1], ["x"],
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value inside nested tables and lists."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


@pytest.mark.parametrize("kind", [*KINDS, "own"])
def test_junk_at_any_place_of_the_configuration_ends_in_a_result_or_a_refusal(kind: str, tmp_path: Path) -> None:
    source = tmp_path / "whole"
    if kind == "own":
        save(
            npae.Autoencoder(
                [Conv2D(2), MaxPool2D(), Flatten(), Dense(4)],
                [Dense(8), Reshape((2, 2, 2)), UpSample2D(2, mode="bilinear"), Conv2D(1)],
                corrupt=[npae.layers.GaussianNoise(0.1, clip=(0, 1)), npae.layers.Dropout(0.1)],
            ).build((4, 4, 1)),
            source,
        )
    else:
        fitted(kind).save(source)
    record = json.loads(safetensors.read(source)[1]["npae"])
    record.pop("history", None)
    where = [place for place in places(record) if place[0] != "params" or len(place) == 1]

    @without_shrinking
    @given(place=st.sampled_from(where), junk=st.sampled_from(JUNK))
    def run(place: tuple[Any, ...], junk: Any) -> None:
        def change(record: dict[str, Any]) -> None:
            for key in place[:-1]:
                record = record[key]
            record[place[-1]] = junk

        loads_or_is_refused(rewritten(source, tmp_path / "junk", change))

    run()


def slot(record: dict[str, Any], name: str, index: int) -> dict[str, Any]:
    return record["network"][name][index]


WRONG: dict[str, tuple[str, Callable[[dict[str, Any]], Any]]] = {
    "a layer of 10⁹ units": ("deep", lambda r: slot(r, "encoder", 0).update(units=10**9)),
    "a code of 10⁹ values": ("variational", lambda r: slot(r, "code", 0).update(code_size=10**9)),
    "10⁹ filters": ("convolutional", lambda r: slot(r, "encoder", 0).update(filters=10**9)),
    "samples of 10⁹ values": ("deep", lambda r: r.update(input_shape=[10**9])),
    "samples of no values": ("deep", lambda r: r.update(input_shape=[0])),
    "layers of no units": ("deep", lambda r: [slot(r, "encoder", i).update(units=0) for i in (0, 2)] and None),
    "another dtype": ("deep", lambda r: r.update(dtype="float64")),
    "a dtype that no model has": ("deep", lambda r: r.update(dtype="float16")),
    "an unknown layer": ("deep", lambda r: slot(r, "encoder", 0).update(type="Conv9D")),
    "a layer that is a chain": ("deep", lambda r: slot(r, "encoder", 0).update(type="Chain", layers=[])),
    "a layer without type": ("deep", lambda r: slot(r, "encoder", 0).pop("type") and None),
    "a layer with an argument that it has not": ("deep", lambda r: slot(r, "encoder", 0).update(colour=1)),
    "one layer less": ("deep", lambda r: r["network"]["encoder"].pop() and None),
    "a clip of nothing": ("denoising", lambda r: slot(r, "corrupt", 0).update(clip=[])),
    "a seed that is a text": ("deep", lambda r: r.update(seed="0")),
    "a step that is a text": ("deep", lambda r: r.update(step="many")),
    "a negative step": ("deep", lambda r: r.update(step=-1)),
    "an unknown estimator": ("deep", lambda r: r.update(estimator="RandomForest")),
    "an estimator that is a list": ("deep", lambda r: r.update(estimator=["DeepAutoencoder"])),
    "a parameter that the estimator has not": ("deep", lambda r: r["params"].update(colour=1)),
    "a history that is a number": ("deep", lambda r: r.update(history=3)),
    "a history of texts": ("deep", lambda r: r.update(history={"loss": "falling"})),
    "no network": ("deep", lambda r: r.pop("network") and None),
    "a network that is null": ("deep", lambda r: r.update(network=None)),
}


@pytest.mark.parametrize(("kind", "change"), WRONG.values(), ids=WRONG)
def test_a_configuration_that_does_not_fit_is_refused_before_anything_is_allocated(
    kind: str, change: Callable[[dict[str, Any]], Any], tmp_path: Path
) -> None:
    fitted(kind).save(tmp_path / "whole")
    path = rewritten(tmp_path / "whole", tmp_path / "wrong", change)

    def attempt() -> None:
        with pytest.raises(FileFormatError, match="wrong holds a model that cannot be rebuilt: ") as caught:
            npae.load(path)
        assert "\n" not in str(caught.value)

    assert allocated(attempt) < SMALL_BYTES


def test_an_enlargement_to_a_huge_image_is_refused_before_anything_is_allocated(tmp_path: Path) -> None:
    """Parameters of a convolutional network do not depend on the size of the image, so they cannot give it away."""
    net = npae.Autoencoder([Conv2D(1), MaxPool2D()], [UpSample2D(mode="bilinear"), Conv2D(1)], loss="mse")
    save(net.build((4, 4, 1)), tmp_path / "whole")
    path = rewritten(tmp_path / "whole", tmp_path / "wrong", lambda r: r.update(input_shape=[6000, 4, 1]))

    def attempt() -> None:
        try:
            npae.load(path)
        except FileFormatError:
            return

    assert allocated(attempt) < SMALL_BYTES


@pytest.mark.parametrize("name", ["encoder.0.W", "decoder.4.b"])
def test_missing_misshapen_and_mistyped_parameters_are_named(name: str, tmp_path: Path) -> None:
    fitted("deep").save(tmp_path / "whole")
    found, metadata = safetensors.read(tmp_path / "whole")
    changes = {
        "is missing": {k: v for k, v in found.items() if k != name},
        "of shape": {**found, name: found[name][:-1]},
        "is float64": {**found, name: found[name].astype("float64")},
    }
    for reason, table in changes.items():
        safetensors.write(tmp_path / "wrong", table, metadata)
        with pytest.raises(FileFormatError, match=f"the array '{name}' {reason}|'{name}' is float32 {reason}"):
            npae.load(tmp_path / "wrong")


def test_the_gaussian_of_the_codes_must_fit_the_code(tmp_path: Path) -> None:
    fitted("deep").save(tmp_path / "whole")
    found, metadata = safetensors.read(tmp_path / "whole")
    for wrong in (np.zeros(3), np.zeros((4, 3)), np.zeros((4, 4), "int8")):
        safetensors.write(tmp_path / "wrong", {**found, "code_factor": wrong}, metadata)
        with pytest.raises(FileFormatError, match="code_factor"):
            npae.load(tmp_path / "wrong")


@pytest.mark.parametrize("load", [npae.load, npae.load_encoder])
def test_a_safetensors_file_of_another_program_is_no_model(load: Any, tmp_path: Path) -> None:
    for metadata in ({}, {"format": "pt"}, {"npae": "no json"}, {"npae": "[]"}, {"npae": "3"}, {"npae": "[" * 9999}):
        safetensors.write(tmp_path / "other", {"a": np.zeros(3)}, metadata)
        with pytest.raises(FileFormatError, match="is a safetensors file, but no npae model; give one that npae saved"):
            load(tmp_path / "other")


@pytest.mark.parametrize("load", [npae.load, npae.load_encoder])
def test_a_newer_format_is_refused_by_its_number(load: Any, tmp_path: Path) -> None:
    fitted("deep").save(tmp_path / "whole")
    path = rewritten(tmp_path / "whole", tmp_path / "newer", lambda r: r.update(format=2))
    with pytest.raises(FileFormatError, match=r"has format 2, but npae .* reads format 1; use the "):
        load(path)


@pytest.mark.parametrize("load", [npae.load, npae.load_encoder, safetensors.read])
def test_a_missing_file_and_a_folder_are_named(load: Any, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    with pytest.raises(FileNotFoundError, match=f"there is no file {missing}; check the path"):
        load(missing)
    with pytest.raises(FileNotFoundError, match=f"{tmp_path} is a folder, but a file is expected; give one in it"):
        load(tmp_path)


# A file is complete, or it is the old one


@pytest.mark.parametrize("step", ["fsync", "chmod", "replace"])
def test_a_failure_while_saving_leaves_the_old_file_and_nothing_else(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m"
    fitted("vanilla").save(path)
    before = path.read_bytes()

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(f"npae.utils.files.os.{step}", fail)
        with pytest.raises(OSError, match="no space left"):
            fitted("vanilla", random_state=1).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, OSError])
def test_whatever_happens_between_two_writes_leaves_the_old_file(error: type[BaseException], tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.write_bytes(b"old")
    for old in (True, False):
        if not old:
            path.unlink()
        with pytest.raises(error), atomic_write(path) as file:  # noqa: PT012
            file.write(b"half")
            file.flush()
            assert path.exists() is old
            raise error
        assert list(tmp_path.iterdir()) == ([path] if old else [])
    with atomic_write(path) as file:
        file.write(b"whole")
    assert path.read_bytes() == b"whole"


def test_a_file_is_written_beside_its_place_with_the_usual_permissions(tmp_path: Path) -> None:
    plain, path = tmp_path / "plain", tmp_path / "m"
    plain.touch()
    fitted("vanilla").save(path)
    assert path.stat().st_mode == plain.stat().st_mode


def test_saving_to_a_missing_folder_or_onto_a_folder_is_refused_in_a_sentence(tmp_path: Path) -> None:
    model = fitted("vanilla")
    with pytest.raises(FileNotFoundError, match=f"the folder {tmp_path / 'none'} does not exist; make it, or choose"):
        model.save(tmp_path / "none" / "m")
    with pytest.raises(IsADirectoryError, match=f"{tmp_path} is a folder; give the name of a file"):
        model.save(tmp_path)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        save(own_network(), tmp_path / "none" / "m")
    assert list(tmp_path.iterdir()) == []


def test_paths_may_be_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model, x = fitted("vanilla"), data_for("vanilla")
    model.save("m.safetensors")
    assert same(npae.load("m.safetensors").transform(x), model.transform(x))
    assert npae.load_encoder("m.safetensors").code_shape == (4,)


@pytest.mark.parametrize("kind", TYPES)
def test_an_encoder_can_be_copied_and_pickled(kind: str, tmp_path: Path) -> None:
    fitted(kind).save(tmp_path / "model.safetensors")
    encoder, x = npae.load_encoder(tmp_path / "model.safetensors"), data_for(kind)
    for twin in (pickle.loads(pickle.dumps(encoder)), copy.deepcopy(encoder)):
        assert np.array_equal(twin.transform(x), encoder.transform(x))
        assert (twin.input_shape, twin.code_shape) == (encoder.input_shape, encoder.code_shape)


@pytest.mark.skipif(not windows.CAN_SIMULATE, reason="the system does not tell which files are open")
def test_on_windows_a_file_that_is_in_use_can_be_saved_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated: there a file that is open or mapped cannot be replaced."""
    windows.simulate(monkeypatch)
    path, one, other = tmp_path / "file", fitted("vanilla"), fitted("deep")
    for load in (safetensors.read, npae.load, npae.load_encoder):
        one.save(path)
        held = load(path)
        other.save(path)
        assert type(npae.load(path)) is type(other), held
    index = Index(np.eye(3, dtype=np.float32))
    index.save(path)
    held = Index.load(path)
    index.save(path)
    assert np.array_equal(held.codes, index.codes)
    assert not held.codes.flags.writeable


def test_on_windows_a_file_that_is_shortened_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("npae.utils.files.IS_WINDOWS", True)
    safetensors.write(tmp_path / "file", {"a": np.arange(4.0)}, {})
    fromfile = np.fromfile

    def shortened(path: Path, *arguments: Any, **options: Any) -> Array:
        path.write_bytes(path.read_bytes()[:-8])
        return fromfile(path, *arguments, **options)

    monkeypatch.setattr(np, "fromfile", shortened)
    with pytest.raises(FileFormatError, match="its arrays take 32 bytes, but 24 are there; make or fetch it again"):
        safetensors.read(tmp_path / "file")
