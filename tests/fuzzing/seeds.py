"""Small valid files of every kind, as npae, NumPy and Pillow write them."""

import gzip
import io
import struct
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from helpers.small_models import TYPES, data_for, fitted, samples, unfitted

import npae
from npae.applications import compression
from npae.applications.classifier import Classifier
from npae.applications.retrieval import Index
from npae.applications.texts import WordWeights
from npae.datasets.music import Layout
from npae.estimators import AutoencoderEstimator
from npae.layers import (
    ActivityL1,
    AveragePool2D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GaussianNoise,
    LeakyReLU,
    MaxPool2D,
    Reparameterization,
    Reshape,
    Tanh,
    TiedDense,
    UpSample2D,
)
from npae.network.saving import save
from npae.storage import safetensors
from npae.storage.export import export_encoder
from npae.training.optimizers import optimizer_by_name
from npae.training.trainer import Training

PIXELS = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3) * 4


def written(write: Callable[[Path], object]) -> bytes:
    """What ``write`` puts into the file that it is given."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        write(path)
        return path.read_bytes()


def images_network() -> npae.Autoencoder:
    """Layers that the five types do not use, in one network."""
    return npae.Autoencoder(
        [Conv2D(2, padding=((1, 1), (0, 2))), LeakyReLU(0.1), MaxPool2D((2, 1)), AveragePool2D(2, stride=1), Flatten()],
        [Dense(12), Tanh(), Reshape((3, 2, 2)), UpSample2D((2, 2), mode="bilinear"), UpSample2D((1, 1)), Conv2D(1)],
        corrupt=[GaussianNoise(0.1, clip=(0, 1)), Dropout(0.1)],
        code=[Reparameterization(3, beta=0.5, warm_up_steps=4), ActivityL1(0.1)],
        loss="mse",
        weight_decay=0.01,
    ).build((6, 4, 1), seed=3)


def tied_network() -> npae.Autoencoder:
    """A network in which one W stands twice."""
    return npae.Autoencoder([Dense(3)], [TiedDense("encoder.0")], loss="bce_on_probabilities").build(
        (5,), dtype="float64"
    )


@cache
def model() -> AutoencoderEstimator:
    """The one that codes, indexes and compressed files belong to."""
    return fitted("vanilla")


def music_model() -> AutoencoderEstimator:
    """One of bars of four steps and three pitches."""
    model = unfitted("vanilla").fit(samples(12, 4, 3, 2))
    model.metadata_ = Layout((4, 4), 4, 60, 62).to_metadata()
    return model


@cache
def models() -> list[bytes]:
    """Of the five types, of two bare networks, and of an encoder alone."""
    return [
        *(written(fitted(kind).save) for kind in TYPES),
        written(music_model().save),
        *(written(lambda path, net=net: save(net, path)) for net in (images_network(), tied_network())),
        written(lambda path: export_encoder(fitted("variational").network_, path)),
    ]


def training() -> Training:
    """A run that is about to begin."""
    network = npae.Autoencoder([Dense(3)], [Dense(5)], loss="mse").build((5,), seed=1)
    return Training(network, optimizer_by_name("sgd", 1e-2, momentum=0.9), batch_size=4)


@cache
def run_data() -> tuple[np.ndarray, np.ndarray]:
    """What it learns from, and what it is measured on."""
    return samples(12, 5), samples(4, 5, seed=1)


@cache
def checkpoints() -> list[bytes]:
    """Of that run, after one epoch and after two."""
    x, validation = run_data()
    with tempfile.TemporaryDirectory() as folder:
        run = training()
        run.fit(x, 2, validation=validation, patience=5, checkpoints=npae.Checkpoints(folder))
        return [path.read_bytes() for path in sorted(Path(folder).glob("*.safetensors"))]


@cache
def tables() -> list[bytes]:
    """Arrays of every dtype of safetensors, an empty and a scalar one, and text."""
    every = {name: np.arange(4).reshape(2, 2).astype(code) % 2 for name, code in safetensors.DTYPES.items()}
    every["BOOL"] = every["BOOL"].astype(bool)
    every |= {"scalar": np.array(3.5), "empty": np.zeros((0, 3), "<i8"), "ü·λ": np.zeros(0, "u1")}
    return [
        written(lambda path: safetensors.write(path, every, {"text": "ü", "more": '{"a": [1, {"b": null}]}'})),
        written(lambda path: safetensors.write(path, {"a": np.zeros((2, 3), "<f4"), "b": np.ones(3, "u1")}, {})),
    ]


@cache
def indexes() -> list[bytes]:
    """By both metrics."""
    return [written(Index.of(model(), data_for("vanilla"), metric).save) for metric in ("euclidean", "cosine")]


@cache
def compressed() -> list[bytes]:
    """With codes of 4 and of 12 bits."""
    return [compression.compress(model(), data_for("vanilla"), bits) for bits in (4, 12)]


@cache
def weights() -> list[bytes]:
    """What another library would have saved for ``images_network``."""
    arrays = {name: value.T.copy() for name, value, _ in images_network().arena.parameters()}
    arrays["encoder.0.W"] = np.ones((2, 1, 3, 3), "float32")
    arrays["decoder.5.W"] = np.ones((1, 2, 3, 3), "float64")
    return [written(lambda path: safetensors.write(path, arrays, {}))]


@cache
def idx() -> list[bytes]:
    """Plain and compressed."""
    plain = bytes([0, 0, 8, 3]) + struct.pack(">3I", *PIXELS.shape) + PIXELS.tobytes()
    floats = bytes([0, 0, 0x0D, 1]) + struct.pack(">I", 3) + np.ones(3, ">f4").tobytes()
    return [plain, floats, gzip.compress(plain, mtime=0)]


@cache
def npy() -> list[bytes]:
    """Of two versions, orders and types."""
    arrays = [PIXELS, np.asfortranarray(PIXELS.astype(">f4")), np.array(3), np.zeros((0, 2), bool), np.ones(3, "g")]
    return [written(lambda path, x=x: _save(path, x)) for x in arrays]


def _save(path: Path, x: np.ndarray) -> None:
    with path.open("wb") as file:
        np.lib.format.write_array(file, x, version=(2, 0) if x.ndim == 1 else (1, 0))


@cache
def npz() -> list[bytes]:
    """One array, several, compressed or not."""
    found = []
    for write, arrays in ((np.savez, {"x": PIXELS, "y": np.ones(3)}), (np.savez_compressed, {"anything": PIXELS})):
        file = io.BytesIO()
        write(file, **arrays)
        found.append(file.getvalue())
    return found


@cache
def tables_of_numbers() -> list[bytes]:
    """By commas, semicolons and tabs; with and without a header, a mark, quotation marks and blank lines."""
    return [
        b"a,b\n1,2\n3,4\n",
        b"1;2\r\n3;4",
        b'\xef\xbb\xbf"1"\t2\n\n-3e4\t.5\n',
        b'"a\nb",c\n1,2\n',
        gzip.compress(b'"a;b",c\n0.5,-2\n4,1\n', mtime=0),
        b"1,2,3\n2,4,6\n3,5,7\n5,10,15\n",  # evenly spaced, as names may be
        b"0.5,3,4e-1\n-1,12,.25\n7,1,2\n0,0,1\n",
        b"mean,50%,# a\n1,2,3\n",
    ]


@cache
def tables_to_be_explained() -> list[bytes]:
    """Tables with an index, or a header of numbers, that are read with ``header=True, drop=["index", "2"]``."""
    return [
        b",0,1,2\n0,0.5,0.25,1\n1,0.5,0.75,2\n",
        b"Unnamed: 0;a;b\ns1;x;2.5\ns2;y;3.5\n",
        b"index\t400.5\t410.5\n2024-01-01\t\t3\n",
        gzip.compress(b",1,2\n7,1,2\n5,3,4\n", mtime=0),
    ]


@cache
def labels() -> list[bytes]:
    """Numbers and names, with and without the name of the column, quotation marks and a mark."""
    return [
        b"label\n-1\n+1\n3.0\n",
        'Ångström unit\r\n"cat, black"\r\n\r\n'.encode(),
        b"\xef\xbb\xbf007\n1",
        gzip.compress(b"cat\ndog\n", mtime=0),
    ]


@cache
def npy_labels() -> list[bytes]:
    """Numbers and texts."""
    arrays = [np.array([-1, 1]), np.array([[2.0], [3.0]]), np.array(["a dog", "Ä"]), np.array([True, False])]
    return [written(lambda path, x=x: _save(path, x)) for x in arrays]


@cache
def texts() -> list[bytes]:
    """Labels and texts."""
    orange = b"Category\tText\nd\tstring\nclass\t\nx\ty\n"
    return ["label\ttext\n1\tein Wörtchen\n0\tanother\n".encode(), b"class\tdoc\r\nx\ty\r\n\r\n", orange]


@cache
def tables_of_texts() -> list[bytes]:
    """Columns of texts and labels, with quotation marks and more columns."""
    return [
        b'label,text\nspam,"Win, ""win""!"\nham,x\n',
        "\ufefftext;n;label\r\nGrüße;3;a\r\n\r\nx;4;b\r\n".encode(),
        gzip.compress(b"label,text\na,b\n", mtime=0),
    ]


@cache
def lines_of_text() -> list[bytes]:
    """One text a line."""
    return ["ein Wörtchen\nanother\n".encode(), b"one", gzip.compress(b"a\nb", mtime=0)]


@cache
def classifiers() -> list[bytes]:
    """Of numbers and of names."""
    arrays = {"mean": np.zeros(2), "scale": np.ones(2), "W": np.ones((2, 2)), "b": np.zeros(2)}
    found = [Classifier(**arrays, labels=labels) for labels in (np.array([-1, 1]), np.array(["a dog", "Ä"]))]
    return [written(classifier.save) for classifier in found]


@cache
def words() -> list[bytes]:
    """Words and weights."""
    return [written(WordWeights(["corn", "Öl"], np.array([1.0, 2.5])).save)]


@cache
def images() -> list[bytes]:
    """Of every format, grey, with a palette, with transparency, in colour."""
    from PIL import Image

    found = []
    for kind in ("png", "jpeg", "gif", "bmp", "tiff", "ppm", "webp"):
        for mode in ("L", "RGB", "P", "RGBA", "1", "CMYK"):
            file = io.BytesIO()
            try:
                Image.fromarray(PIXELS).convert(mode).save(file, kind)
            except (OSError, ValueError):  # a format does not know every mode
                continue
            found.append(file.getvalue())
    for orientation in (3, 6):  # and what is refused after that only if it has changed
        for kind in ("png", "jpeg", "tiff", "webp"):
            exif = Image.Exif()
            exif[0x0112] = orientation
            file = io.BytesIO()
            Image.fromarray(PIXELS).save(file, kind, exif=exif)
            found.append(file.getvalue())
    for options in ({"compression": "tiff_lzw"}, {"compression": "tiff_adobe_deflate"}, {"compression": "jpeg"}):
        file = io.BytesIO()
        Image.fromarray(PIXELS).save(file, "tiff", **options)
        found.append(file.getvalue())
    return found


def midi_file(kind: int = 1, meter: tuple[int, int] = (4, 4), pitches: tuple[int, ...] = (60, 64, 67)) -> bytes:
    """Two bars: a chord of a bar, and one note on each beat; with ``kind`` 0 in one track."""
    import mido

    file = mido.MidiFile(type=kind, ticks_per_beat=24)
    track = file.add_track()
    track.append(mido.MetaMessage("set_tempo", tempo=500_000))
    track.append(mido.MetaMessage("time_signature", numerator=meter[0], denominator=meter[1]))
    bar = 96 * meter[0] // meter[1]
    for velocity, time in ((80, 0), (0, bar)):
        for i, pitch in enumerate(pitches):
            track.append(mido.Message("note_on", note=pitch, velocity=velocity, time=time if i == 0 else 0))
    if kind == 1:
        track = file.add_track()
    for i in range(meter[0]):
        wait = bar if kind == 1 and i == 0 else 0
        track.append(mido.Message("note_on", note=pitches[i % len(pitches)] + 12, channel=1, time=wait))
        track.append(mido.Message("note_off", note=pitches[i % len(pitches)] + 12, channel=1, time=96 // meter[1]))
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


@cache
def midi() -> list[bytes]:
    """Of two types, in two meters."""
    return [midi_file(), midi_file(0), midi_file(1, (3, 4)), midi_file(1, (6, 8))]


def score(inside: str = "", divisions: int = 2, meter: tuple[int, int] = (4, 4)) -> bytes:
    """MusicXML of one bar: a chord of two half notes, a tie, and ``inside``."""

    def note(step: str, duration: int, more: str = "") -> str:
        pitch = f"<pitch><step>{step}</step><octave>4</octave></pitch>"
        return f"<note>{more if 'chord' in more else ''}{pitch}<duration>{duration}</duration></note>"

    notes = note("C", 2 * divisions) + note("E", 2 * divisions, "<chord/>") + note("G", 2 * divisions)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><score-partwise version="3.1">'
        f'<part-list><score-part id="P1"><part-name>Piano</part-name></score-part></part-list><part id="P1">'
        f'<measure number="1"><attributes><divisions>{divisions}</divisions><key><fifths>0</fifths></key>'
        f"<time><beats>{meter[0]}</beats><beat-type>{meter[1]}</beat-type></time></attributes>"
        f'<direction><sound tempo="90"/></direction>{notes}{inside}</measure></part></score-partwise>'
    ).encode()


def compressed_score(text: bytes, name: str = "score.xml") -> bytes:
    """A .mxl file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "META-INF/container.xml",
            f'<?xml version="1.0"?><container><rootfiles><rootfile full-path="{name}"/></rootfiles></container>',
        )
        archive.writestr(name, text)
    return file.getvalue()


@cache
def scores() -> list[bytes]:
    """Plain and compressed; with a second voice, a tie and a transposing instrument."""
    voice = (
        "<backup><duration>8</duration></backup><note><pitch><step>C</step><octave>3</octave></pitch>"
        '<duration>8</duration><tie type="start"/><voice>2</voice></note>'
    )
    return [score(), score(voice), compressed_score(score())]


@cache
def parquet() -> list[bytes]:
    """Compressed and not, with one row group and with two."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"a": np.arange(4.0), "b": np.arange(4, dtype="f4")})
    options = (
        {},
        {"compression": "none", "use_dictionary": False},
        {"row_group_size": 2, "compression": "gzip", "write_page_checksum": True},
    )
    found = []
    for more in options:
        file = io.BytesIO()
        pq.write_table(table, file, **more)
        found.append(file.getvalue())
    return found


@cache
def hdf5() -> list[bytes]:
    """In one piece, in chunks, and in a group."""
    import h5py

    found = []
    for name, options in (
        ("x", {}),
        ("x", {"chunks": (2, 3), "compression": "gzip"}),
        ("g/x", {"maxshape": (None, 3)}),
    ):
        file = io.BytesIO()
        with h5py.File(file, "w") as archive:
            archive.create_dataset(name, data=np.arange(12.0).reshape(4, 3), **options)
        found.append(file.getvalue())
    return found
