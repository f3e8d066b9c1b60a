"""Malicious model files: each is refused with one sentence, in little memory and time."""

import gzip
import io
import json
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fuzzing.seeds import images_network
from helpers.small_models import data_for, fitted

import npae
from npae.applications import compression
from npae.applications.compression import codec, packing
from npae.applications.quantization import Quantizer
from npae.applications.retrieval import Index
from npae.cli import main
from npae.datasets import formats, pixels, read, read_texts, table, table_rows, texts
from npae.datasets.arrays import read_npz
from npae.datasets.idx import read_idx
from npae.datasets.images import read_images
from npae.layers import Conv2D, Dense, Flatten, LeakyReLU, MaxPool2D, ReLU, Reshape, UpSample2D
from npae.network import saving
from npae.storage import safetensors
from npae.storage.import_weights import import_weights
from npae.storage.limits import LARGEST_BUFFERS, MOST_LAYERS
from npae.utils.errors import FileFormatError, one_line, quoted

LITTLE = 8_000_000  # bytes
LOADERS: tuple[Callable[[Path], Any], ...] = (npae.load, npae.load_encoder)


def refused(action: Callable[[], Any], words: str, most: int = LITTLE) -> None:
    """The action ends in one printable sentence of a FileFormatError, and has taken no more than ``most`` bytes."""
    tracemalloc.start()
    try:
        with pytest.raises(FileFormatError, match=words) as caught:
            action()
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


def written(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# safetensors: the official package is the oracle


def raw(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def entry(**changes: Any) -> dict[str, Any]:
    return {"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24], **changes}}


def two(first: list[int], second: list[int]) -> dict[str, Any]:
    places = {"a": first, "b": second}
    return {n: {"dtype": "U8", "shape": [p[1] - p[0]], "data_offsets": p} for n, p in places.items()}


def verdict(content: bytes) -> bool:
    """Whether the official package reads it."""
    official = pytest.importorskip("safetensors")
    try:
        official.deserialize(content)
    except official.SafetensorError:
        return False
    return True


@pytest.mark.parametrize("name", safetensors.DTYPES)
def test_every_supported_dtype_written_by_the_official_package_is_read(name, tmp_path):
    numpy_side = pytest.importorskip("safetensors.numpy")
    x = np.random.default_rng(0).integers(0, 2, (3, 5)).astype(safetensors.DTYPES[name])
    content = numpy_side.save({"x": x, "none": x[:0]}, {"who": "another"})
    assert f'"dtype":"{name}"'.encode() in content
    arrays, metadata = safetensors.read(written(tmp_path, "x", content))
    assert metadata == {"who": "another"}
    for key, expected in (("x", x), ("none", x[:0])):
        assert arrays[key].dtype == expected.dtype
        assert np.array_equal(arrays[key], expected)


OTHER_DTYPES = {
    "BF16": 16, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "F4": 4, "F6_E2M3": 6,
    "F6_E3M2": 6, "C64": 64,
}  # fmt: skip


@pytest.mark.parametrize(("name", "bits"), OTHER_DTYPES.items())
def test_a_dtype_that_numpy_does_not_have_is_refused_by_name(name, bits, tmp_path):
    content = raw(entry(dtype=name, shape=[24 * 8 // bits]), bytes(24))
    assert verdict(content)
    path = written(tmp_path, "x", content)
    refused(lambda: safetensors.read(path), f"the array 'a' of dtype '{name}', which npae does not read; convert it to")


DATA = bytes(24)
GOOD = json.dumps(entry()).encode()
#: What the format's description rules out: the content, and whether the official package refuses it as well.
MALFORMED: dict[str, tuple[bytes, bool]] = {
    "an empty file": (b"", True),
    "a file of seven bytes": (bytes(7), True),
    "a header of no bytes": (bytes(8), True),
    "a header of more than 100 MB": (raw(GOOD + b" " * 100_000_001, DATA), True),
    "a header of more than 4 million values": (raw(GOOD[:-2] + b',"x":[' + b"1," * 2**22 + b"1]}}", DATA), False),
    "a header that is longer than the file": (raw(entry(), DATA, length=10_000), True),
    "a header that begins with a space": (raw(b" " + GOOD, DATA), False),
    "a header that ends with a line break": (raw(GOOD + b"\n", DATA), False),
    "a header that begins with a byte order mark": (raw(b"\xef\xbb\xbf" + GOOD, DATA), True),
    "a header that is a list": (raw([entry()], DATA), True),
    "a header that is no UTF-8": (raw(b'{"\xff":' + GOOD[5:], DATA), True),
    "a header that is no JSON": (raw(b"{a: 1}"), True),
    "a control character in a name": (raw(GOOD.replace(b"a", b"\x01", 1), DATA), True),
    "half a pair of escapes in a name": (raw(GOOD.replace(b'"a"', b'"\\ud800"', 1), DATA), True),
    "a NaN where nobody looks": (raw(GOOD[:-2] + b',"x":NaN}}', DATA), True),
    "a name twice": (raw(GOOD[:-1] + b"," + GOOD[1:], DATA), False),
    "a key twice": (raw(GOOD.replace(b'"shape"', b'"dtype": "F32", "shape"'), DATA), True),
    "metadata twice": (raw(b'{"__metadata__":{},"__metadata__":{}}'), True),
    "metadata of numbers": (raw({"__metadata__": {"a": 1}}), True),
    "metadata that is null": (raw({"__metadata__": None, **entry()}, DATA), False),
    "an overlap": (raw(two([0, 4], [3, 7]), bytes(7)), True),
    "a hole": (raw(two([0, 4], [5, 9]), bytes(9)), True),
    "a hole at the beginning": (raw(entry(data_offsets=[8, 32]), bytes(32)), True),
    "a place beyond the end": (raw(entry(), DATA[:-1]), True),
    "bytes after the last array": (raw(entry(), DATA + b"x"), True),
    "a place that runs backwards": (raw(entry(data_offsets=[24, 0]), DATA), True),
    "a negative place": (raw(entry(data_offsets=[-24, 0]), DATA), True),
    "a place of another size than the shape": (raw(entry(shape=[7]), DATA), True),
    "a negative shape": (raw(entry(shape=[-2, -3]), DATA), True),
    "a shape of fractions": (raw(entry(shape=[2.0, 3.0]), DATA), True),
    "a shape of truth values": (raw(entry(shape=[True, 6]), DATA), True),
    "a shape whose product overflows": (raw(entry(shape=[2**32, 2**32]), DATA), True),
    "an empty array whose other sizes overflow": (raw(entry(shape=[0, 2**62, 2**62], data_offsets=[0, 0])), False),
    "an array of 33 axes": (raw(entry(shape=[1] * 31 + [2, 3]), DATA), False),
    "an entry that is a list": (raw({"a": ["F32", [2, 3], [0, 24]]}, DATA), False),
    "an unknown dtype": (raw(entry(dtype="F7"), DATA), True),
}


@pytest.mark.parametrize(("content", "refused_by_both"), MALFORMED.values(), ids=MALFORMED)
def test_what_the_format_rules_out_is_refused(content, refused_by_both, tmp_path):
    assert verdict(raw(entry(), DATA))  # what they are made of is right
    assert verdict(content) is not refused_by_both
    path = written(tmp_path, "x", content)
    most = LITTLE + 2 * min(len(content), safetensors.LARGEST_HEADER)  # the header itself is read
    refused(lambda: safetensors.read(path), "x (is not a complete safetensors file|holds the array|has a header)", most)


def test_a_name_of_a_million_characters_is_shortened_in_the_message(tmp_path):
    name = "n" * 1_000_000
    path = written(tmp_path, "x", raw({name: {**entry()["a"], "shape": [7]}}, DATA))
    refused(lambda: safetensors.read(path), r"the array 'nnn[n.]*' of shape \(7,\)", most=20_000_000)
    assert quoted("short") == "'short'"
    assert len(quoted(name)) == 60
    assert one_line("a\nb\x1b[2J\ud800ü") == "a b\\x1b[2J\\ud800ü"


def test_a_header_that_could_not_be_read_again_is_not_written(tmp_path):
    for text, much in (("t" * 100_000_001, "100,000,"), ("[" * (safetensors.MOST_VALUES + 1), "4,194,30")):
        with pytest.raises(ValueError, match=f"would have a header of {much}.* are read again; save a shorter history"):
            safetensors.write(tmp_path / "x", {}, {"text": text})
    assert list(tmp_path.iterdir()) == []


# Models: what is described, and appears only when it is used


def changed(source: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """A copy of a model file with another record."""
    arrays, metadata = safetensors.read(source)
    record = json.loads(metadata["npae"])
    change(record)
    safetensors.write(source.with_name("changed"), arrays, {"npae": json.dumps(record)})
    return source.with_name("changed")


@pytest.fixture
def images(tmp_path) -> Path:
    """A network of all kinds of layers."""
    saving.save(images_network(), tmp_path / "images")
    return tmp_path / "images"


@pytest.fixture
def deep(tmp_path) -> Path:
    fitted("deep").save(tmp_path / "deep")
    return tmp_path / "deep"


def enlargement(**settings: Any) -> Callable[[dict[str, Any]], None]:
    """Two layers more, of which one undoes the other: an image that is huge only in between."""

    def change(record: dict[str, Any]) -> None:
        slot = record["network"]["encoder"]
        slot[:0] = [{"type": "UpSample2D", **settings}, {"type": "MaxPool2D", "size": settings["factor"]}]

    return change


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
@pytest.mark.parametrize("load", LOADERS)
def test_an_image_that_is_enlarged_a_million_fold_is_refused_with_its_size(load, mode, images):
    path = changed(images, enlargement(factor=10**6, mode=mode))
    refused(lambda: load(path), r"one sample would need [\d,]+ GiB of memory, where at most 16 are given")


@pytest.mark.parametrize("load", LOADERS)
def test_weights_for_rows_that_take_more_than_the_image_are_counted(load, tmp_path):
    resampling = UpSample2D(1, mode="bilinear")
    saving.save(npae.Autoencoder([resampling, Conv2D(1)], [Conv2D(1)]).build((4, 1, 1)), tmp_path / "rows")
    path = changed(tmp_path / "rows", lambda record: record.update(input_shape=[10**6, 1, 1]))
    refused(lambda: load(path), r"one sample would need [\d,]+ GiB of memory, where at most 16 are given")


def test_samples_that_are_images_of_a_gigapixel_are_refused(images):
    path = changed(images, lambda record: record.update(input_shape=[2**15, 2**15, 1]))
    for load in LOADERS:
        refused(lambda load=load: load(path), "one sample would need|the decoder returns|the array|cannot turn")


def test_a_network_for_large_images_is_read(tmp_path):
    """The limit is far from what is used: images of 1024×1024×3, with 32 and 64 filters."""
    encoder = [Conv2D(32), ReLU(), MaxPool2D(), Conv2D(64), ReLU(), MaxPool2D()]
    decoder = [Conv2D(64), ReLU(), UpSample2D(), Conv2D(32), ReLU(), UpSample2D(), Conv2D(3)]
    net = npae.Autoencoder(encoder, decoder).build((1024, 1024, 3))
    saving.save(net, tmp_path / "large")
    assert npae.load(tmp_path / "large").code_shape == (256, 256, 64)
    assert npae.load_encoder(tmp_path / "large").code_shape == (256, 256, 64)
    assert net.arena.bytes_per_sample < LARGEST_BUFFERS / 8


def test_an_encoder_alone_has_the_same_limits(tmp_path):
    saving.save(npae.Autoencoder([Conv2D(1)], [Conv2D(1)]).build((4, 4, 1)), tmp_path / "whole")
    path = changed(tmp_path / "whole", lambda r: (enlargement(factor=10**6)(r), r.update(part="encoder")))
    refused(lambda: npae.load_encoder(path), "one sample would need")


RECORDS: dict[str, tuple[str, Callable[[dict[str, Any]], Any]]] = {
    "a million layers": (
        r"it has [\d,]+ layers, where at most 1,000 are built",
        lambda r: r["network"]["encoder"].extend([{"type": "ReLU"}] * 200_000),
    ),
    "tables within tables": (
        "nested more than 16 deep",
        lambda r: r["network"]["encoder"][0].update(initializer=json.loads("[" * 500 + "]" * 500)),
    ),
    "an absurd number": ("a whole number of more than 64 bits", lambda r: r["network"].update(weight_decay=10**300)),
    "a negative absurd number": ("a whole number of more than 64 bits", lambda r: r.update(step=-(10**30))),
    "a sample of a thousand axes": ("input_shape is no list of up to 32", lambda r: r.update(input_shape=[1] * 1000)),
    "a shape that is a text": ("input_shape is no list", lambda r: r.update(input_shape="12")),
    "a negative shape": ("input_shape is no list", lambda r: r.update(input_shape=[-12])),
    "a seed of NaN": ("the seed is no whole number", lambda r: r.update(seed=float("nan"))),
    "a negative seed": ("the seed is no whole number", lambda r: r.update(seed=-1)),
    "a step of infinity": ("the step is no whole number", lambda r: r.update(step=float("inf"))),
    "a weight decay of NaN": ("weight_decay is nan", lambda r: r["network"].update(weight_decay=float("nan"))),
    "a weight decay that is a text": ("weight_decay is '0.1'", lambda r: r["network"].update(weight_decay="0.1")),
    "a layer that talks to the terminal": (
        r"unknown layer '\\x1b\[2J'",
        lambda r: r["network"]["encoder"][0].update(type="\x1b[2J"),
    ),
    "a layer of half a character": (
        r"unknown layer '\\ud800'",
        lambda r: r["network"]["encoder"][0].update(type="\ud800"),
    ),
    "a layer with a name of a million characters": (
        "unknown layer 'xxx",
        lambda r: r["network"]["encoder"][0].update(type="x" * 1_000_000),
    ),
    "a negative shape between layers": (
        "a size in the shape of Reshape is -3",
        lambda r: r["network"]["encoder"].insert(0, {"type": "Reshape", "shape": [-3, -4]}),
    ),
    "a shape of fractions between layers": (
        "a size in the shape of Reshape is 3.0",
        lambda r: r["network"]["encoder"].insert(0, {"type": "Reshape", "shape": [3.0, 4.0]}),
    ),
    "a shape of 100,000 axes between layers": (
        "Reshape is given 100,000 axes; expected at most 32",
        lambda r: r["network"]["encoder"].insert(0, {"type": "Reshape", "shape": [2**62] * 100_000}),
    ),
    "a slope that is a text": (
        "the slope of LeakyReLU is 'steep'",
        lambda r: r["network"]["encoder"].insert(0, {"type": "LeakyReLU", "slope": "steep"}),
    ),
    "a slope of NaN": (
        "the slope of LeakyReLU is nan",
        lambda r: r["network"]["encoder"].insert(0, {"type": "LeakyReLU", "slope": float("nan")}),
    ),
    "a billion threads": ("n_jobs is no number of threads up to 256", lambda r: r["params"].update(n_jobs=10**9)),
    "no thread": ("n_jobs is no number", lambda r: r["params"].update(n_jobs=0)),
    "threads that are a text": ("n_jobs is no number", lambda r: r["params"].update(n_jobs="2")),
    "a history of a million columns": (
        "the history is not a table of up to 100 columns",
        lambda r: r["history"].update({f"c{i}": [] for i in range(20_000)}),
    ),
    "a history that talks to the terminal": (
        "the history is not a table of up to 100 columns with names",
        lambda r: r.update(history={"\x1b[2J": [1.0], "loss": [1.0]}),
    ),
    "a history of lists": (
        "the history is not a table of numbers",
        lambda r: r.update(history={"loss": [[1.0]]}),
    ),
}


@pytest.mark.parametrize(("words", "change"), RECORDS.values(), ids=RECORDS)
def test_a_description_that_exceeds_the_limits_is_refused(words, change, deep):
    path = changed(deep, change)
    refused(lambda: npae.load(path), words, most=LITTLE + 30 * path.stat().st_size)


def test_a_thousand_layers_are_read(tmp_path):
    net = npae.Autoencoder([Dense(2), *(ReLU() for _ in range(MOST_LAYERS - 2))], [Dense(3)]).build((3,))
    saving.save(net, tmp_path / "m")
    assert len(npae.load(tmp_path / "m").encoder.layers) == MOST_LAYERS - 1


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("load", LOADERS)
def test_parameters_that_are_not_finite_are_refused_by_name(load, value, deep):
    arrays, metadata = safetensors.read(deep)
    W = np.array(arrays["encoder.2.W"])
    W[1, 2] = value
    safetensors.write(deep, {**arrays, "encoder.2.W": W}, metadata)
    refused(lambda: load(deep), r"the array 'encoder.2.W' contains NaN or infinity: 1 of 54 values")


@pytest.mark.parametrize("name", ["code_mean", "code_factor"])
def test_a_distribution_of_codes_that_is_not_finite_is_refused(name, deep):
    arrays, metadata = safetensors.read(deep)
    safetensors.write(deep, {**arrays, name: np.full_like(arrays[name], np.nan)}, metadata)
    refused(lambda: npae.load(deep), f"the array '{name}' contains NaN or infinity")


def test_info_of_a_model_that_was_not_trained_for_an_epoch_is_shown(deep, capsys):
    path = changed(deep, lambda record: record.update(history={"loss": [], "seconds": []}))
    assert main(["info", str(path)]) == 0
    assert "trained for 0 epochs" in capsys.readouterr().out


def test_layers_refuse_settings_that_no_kernel_can_take():
    for make in (
        lambda: LeakyReLU("0.1"),
        lambda: LeakyReLU(np.inf),
        lambda: Reshape((0, 3)),
        lambda: Reshape([1] * 33),
    ):
        with pytest.raises(ValueError, match="expected"):
            make()
    assert npae.Autoencoder([Flatten(), Dense(1)], [Dense(6), Reshape((2, 3))]).build((2, 3)).code_shape == (1,)


def test_an_enlargement_that_is_cut_to_one_cell_takes_no_time(kernels):
    """Its gradient looked at every place of the factor, though all but one lie outside."""
    net = npae.Autoencoder(
        [UpSample2D(10**6, output_size=(1, 1)), Flatten(), Dense(1)], [Dense(1), Reshape((1, 1, 1))], loss="mse"
    ).build((1, 1, 1), kernels=kernels)
    assert np.isfinite(net.gradient(np.full((2, 1, 1, 1), 0.5, "float32")))


# Indexes, compressed files, weights


def test_an_index_of_a_quadrillion_codes_without_values_is_refused(tmp_path):
    path = tmp_path / "i"
    record = json.dumps({"format": 1, "metric": "euclidean", "model": ""})
    safetensors.write(path, {"codes": np.zeros((2**50, 0), "<f4")}, {"npae-index": record})
    refused(lambda: Index.load(path), "is no index that this version reads")


INDEXES: dict[str, tuple[dict[str, Any], dict[str, np.ndarray]]] = {
    "of three axes": ({}, {"codes": np.zeros((2, 2, 2), "<f4")}),
    "of another dtype": ({}, {"codes": np.zeros((2, 2))}),
    "without codes": ({}, {"code": np.zeros((2, 2), "<f4")}),
    "by a metric that is a list": ({"metric": ["euclidean"]}, {"codes": np.zeros((2, 2), "<f4")}),
    "of a format that is a table": ({"format": {}}, {"codes": np.zeros((2, 2), "<f4")}),
    "with infinity": ({}, {"codes": np.full((2, 2), np.inf, "<f4")}),
}


@pytest.mark.parametrize(("record", "arrays"), INDEXES.values(), ids=INDEXES)
def test_an_index_that_does_not_fit_together_is_refused(record, arrays, tmp_path):
    text = json.dumps({"format": 1, "metric": "euclidean", "model": "", **record})
    safetensors.write(tmp_path / "i", arrays, {"npae-index": text})
    refused(lambda: Index.load(tmp_path / "i"), "is no index that this version reads")


def forged(header: dict[str, Any], rest: bytes) -> bytes:
    """A compressed file with a right checksum."""
    text = json.dumps(header).encode()
    body = struct.pack("<I", len(text)) + text + rest
    return packing.MAGIC + packing._checksum(body) + body


NOTHING = np.zeros(1, "<f4").tobytes() + np.zeros(2, "<u4").tobytes()  # one dimension, whose streams are empty
HEADER = {"n": 3, "size": 1, "step": 1.0, "model": "x"}
FORGED: dict[str, dict[str, Any]] = {
    "10¹² samples": {"n": 10**12},
    "10⁸ samples": {"n": 10**8},
    "as many samples as fit into 4 GiB": {"n": 2**31 - 1},
    "10⁹ dimensions": {"size": 10**9},
    "a number of 400 digits": {"step": 10**400},
    "a step of NaN": {"step": float("nan")},
    "a step of infinity": {"step": float("inf")},
    "a negative step": {"step": -1.0},
    "no step": {"step": 0.0},
    "a step beyond float32": {"step": 1e38},
    "a step that is a list": {"step": [1]},
    "a model that is a number": {"model": 3},
    "samples that are a fraction": {"n": 3.0},
    "samples that are true": {"n": True},
}


@pytest.mark.parametrize("change", FORGED.values(), ids=FORGED)
def test_a_forged_compressed_file_is_refused(change, tmp_path):
    numbers, _, maker = compression.unpack(forged(HEADER, NOTHING))
    assert (numbers.tolist(), maker) == ([[0], [0], [0]], "x")
    model = fitted("vanilla")
    path = written(tmp_path, "x.npaez", forged({**HEADER, **change}, NOTHING))
    refused(lambda: compression.decompress_file(model, path), r"x\.npaez: it is laid out in a way that")


@pytest.mark.parametrize("low", [np.nan, np.inf, -np.inf, 3e38])
def test_a_least_value_that_leads_beyond_float32_is_refused(low):
    content = forged({**HEADER, "step": 1e34}, np.full(1, low, "<f4").tobytes() + NOTHING[4:])
    refused(lambda: compression.unpack(content), "its steps are none")


def test_a_stream_that_holds_more_than_was_announced_is_expanded_no_further():
    stream = packing._encoded(np.ones(20_000_000, np.uint8))
    rest = np.zeros(1, "<f4").tobytes() + np.array([len(stream), 0], "<u4").tobytes() + stream
    refused(lambda: compression.unpack(forged(HEADER, rest)), "a stream holds 4 numbers, where 3 were announced")


def test_what_could_not_be_unpacked_is_not_packed():
    quantizer = Quantizer(np.zeros(1, "float32"), 1.0)
    numbers = np.zeros((10_000_000, 1), "uint16")
    with pytest.raises(ValueError, match=r"10,000,000 codes of 1 values, in .* bytes, are more than one file may hold"):
        compression.pack(quantizer, numbers, "x")
    for n in (100, 100_000):  # equal samples, as of a model that has collapsed
        unpacked, *_ = compression.unpack(compression.pack(quantizer, numbers[:n], "x"))
        assert len(unpacked) == n


def test_samples_and_files_beyond_the_limit_are_not_rebuilt(tmp_path, monkeypatch):
    model, x = fitted("vanilla"), data_for("vanilla")
    compression.compress_file(model, x, tmp_path / "x.npaez", bits=4)
    monkeypatch.setattr(codec, "MAX_BYTES", x.nbytes - 1)
    refused(lambda: compression.decompress_file(model, tmp_path / "x.npaez"), r"its samples, of shape \(24, 12\), take")
    monkeypatch.setattr(codec, "MAX_BYTES", 99)
    refused(lambda: compression.decompress_file(model, tmp_path / "x.npaez"), "is larger than 99 bytes")


def test_weights_beyond_float32_are_refused_and_the_network_is_unchanged(tmp_path):
    net = npae.Autoencoder([Dense(2)], [Dense(3)], loss="mse").build((3,))
    before = net.theta.copy()
    arrays = {name: np.full(shape, 1e300) for name, shape in net.arena.parameter_shapes().items()}
    safetensors.write(tmp_path / "w", arrays, {})
    with pytest.raises(ValueError, match=r"'encoder.0.W' in .*, as float32, contains NaN or infinity"):
        import_weights(net, tmp_path / "w", {name: name for name in arrays}, source="keras")
    assert np.array_equal(net.theta, before)


def test_only_some_names_of_a_file_of_weights_are_listed(tmp_path):
    net = npae.Autoencoder([Dense(2)], [Dense(3)], loss="mse").build((3,))
    safetensors.write(tmp_path / "w", {f"{i}{'n' * 10_000}": np.zeros(1) for i in range(30)}, {})
    with pytest.raises(ValueError, match=r"has no 'missing'; it has") as caught:
        import_weights(net, tmp_path / "w", dict.fromkeys(net.arena.parameter_shapes(), "missing"), source="keras")
    assert len(str(caught.value)) < 2000


# Data


def test_a_line_of_ten_million_columns_is_refused(tmp_path):
    path = written(tmp_path, "x.csv", "1," * 8_000_000 + "1\n")
    refused(lambda: read(path), "has a row of more than 16,777,216 characters or 1,048,576 cells", most=90_000_000)


def test_a_line_that_never_ends_is_refused(tmp_path):
    path = written(tmp_path, "x.csv", b"1" * (table_rows.MAX_LINE + 2))
    refused(lambda: read(path), "has a line of more than 16,777,216 characters", most=100_000_000)
    path = written(tmp_path, "x.tsv", b"label\ttext\n1\t" + b"x" * (texts.LARGEST_TEXT + 2))
    refused(lambda: read_texts(path), "has a line of more than 16,777,216 characters", most=100_000_000)


@pytest.mark.parametrize(("name", "most"), [("MAX_LINE", 50), ("MAX_COLUMNS", 20)])
def test_a_row_is_not_joined_endlessly_from_line_breaks_in_quotes(name, most, tmp_path, monkeypatch):
    monkeypatch.setattr(table_rows, name, most)
    path = written(tmp_path, "x.csv", '"\n",' * 60 + '"1"\n')
    refused(lambda: read(path), "has a row of more than")
    assert read(written(tmp_path, "x.csv", '"a\nb",c\n' + "1,2\n" * 60)).shape == (60, 2)


def test_a_table_that_would_take_more_than_the_limit_is_refused(tmp_path, monkeypatch):
    path = written(tmp_path, "x.csv", "1,2\n" * 60)
    monkeypatch.setattr(table, "MAX_BYTES", 300)
    refused(lambda: read(path), "has more than 37 numbers; split it")


@pytest.mark.parametrize(("dtype", "most"), [("u1", 95), ("i4", 191), ("f4", 95)])
def test_numbers_that_take_more_than_the_limit_as_floats_are_refused(dtype, most, tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", np.ones((4, 6), dtype))
    monkeypatch.setattr(formats, "MAX_BYTES", most)
    refused(lambda: read(tmp_path / "x.npy"), r"holds 24 numbers, which as float(32|64) take more than")
    monkeypatch.setattr(formats, "MAX_BYTES", most + 1)
    assert read(tmp_path / "x.npy").nbytes == most + 1


def test_a_gigabyte_of_zeros_in_a_megabyte_is_not_expanded(tmp_path):
    header = bytes([0, 0, 8, 1]) + struct.pack(">I", 10)
    bomb = written(tmp_path, "x.gz", gzip.compress(header, 9) + gzip.compress(bytes(2**25), 1) * 32)
    refused(lambda: read_idx(bomb), "holds more")
    with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        file = io.BytesIO()
        np.save(file, np.zeros(10))
        archive.writestr("x.npy", file.getvalue() + bytes(2**26))
    refused(lambda: read_npz(tmp_path / "x.npz"), "but holds")


def test_names_in_a_zip_are_shortened_in_the_message(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        for i in range(30):
            archive.writestr(f"{i}{'n' * 60_000}.npy", b"")
    tracemalloc.start()
    with pytest.raises(FileFormatError, match="holds 30 arrays and it is not clear") as caught:
        read_npz(tmp_path / "x.npz")
    tracemalloc.stop()
    assert len(str(caught.value)) < 2000


def test_an_image_file_that_is_too_large_is_not_read_at_all(tmp_path, monkeypatch):
    image = pytest.importorskip("PIL.Image")
    image.new("L", (64, 64)).save(tmp_path / "a.bmp")
    monkeypatch.setattr(pixels, "MAX_FILE", 1000)
    refused(lambda: read_images(tmp_path), "has more than 1,000 bytes; give a smaller image")


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_an_image_of_a_gigapixel_in_a_small_file_is_refused(kind, tmp_path):
    image = pytest.importorskip("PIL.Image")
    options = {"compression": "tiff_deflate"} if kind == "tiff" else {}
    image.new("1", (2**15, 2**12)).save(tmp_path / f"a.{kind}", **options)
    assert (tmp_path / f"a.{kind}").stat().st_size < 200_000
    refused(lambda: read_images(tmp_path), "bomb")


@pytest.mark.parametrize("value", [np.inf, np.nan, 1e300, 0.5])
def test_labels_that_are_no_whole_numbers_are_refused(value, tmp_path, capsys):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((4, 3), "float32"))
    np.save(tmp_path / "labels.npy", np.array([0, 1, 1, value]))
    data, labels = str(tmp_path / "x.npy"), str(tmp_path / "labels.npy")
    fitted("vanilla").save(tmp_path / "m")
    sides = ["--train", data, "--train-labels", labels, "--test", data, "--test-labels", labels]
    assert main(["classify", str(tmp_path / "m"), *sides]) == 2
    said = capsys.readouterr().err
    assert f"labels.npy' holds {value} at index 3, but a label is a whole number or a name; give whole" in said


def test_the_message_about_a_table_has_no_control_characters(tmp_path):
    """Found by fuzzing: the csv reader names a tab by the tab itself."""
    refused(lambda: read(written(tmp_path, "x.csv", b'1\t2\n3\t4\n"1"2\t\n')), "line 3: ' ' expected after")
