"""Every reader of npae: files that it reads, how to call it and use what it returns, and what it may answer.

A reader has three answers: a result that can be used, one sentence as a ``FileFormatError``, and the few others that it
names in its docstring. Everything else is a finding.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import prod
from pathlib import Path
from random import Random

import numpy as np

import npae
from npae import datasets
from npae.applications.classifier import Classifier
from npae.applications.compression import decompress_file
from npae.applications.retrieval import Index
from npae.applications.texts import WordWeights
from npae.datasets.arrays import read_npy, read_npz
from npae.datasets.idx import read_idx
from npae.datasets.images import read_images
from npae.datasets.labels import read_labels
from npae.datasets.music import read_bars
from npae.datasets.table import read_table
from npae.datasets.texts import read_new_texts, read_texts
from npae.storage import safetensors
from npae.storage.import_weights import import_weights
from npae.training.checkpoint import checkpointing
from npae.training.state import Data
from npae.utils.errors import FileFormatError

from . import mutations, seeds

#: Bytes of buffers up to which a model that was read is used too; a larger one is right, and slow.
USED = 2**18
LONGEST_SENTENCE = 1000  # characters


class Finding(AssertionError):  # noqa: N818 (a fuzzer's word)
    """A reader gave an answer that it must not give."""


@dataclass(frozen=True)
class Target:
    """A reader.

    Attributes
    ----------
    name : str
    file : str
        What its files are called here.
    seeds : function
        Valid files, made once.
    read : function of Path
        Reads the file and uses what was read.
    edited : function of bytes and Random
        Another file, of which checksums and lengths are right.
    memory : int
        Bytes that reading a file of up to 64 KiB may take, whatever the file claims.
    others : str
        Words of the sentences that it may also raise as a plain ``ValueError``; none if empty.
    """

    name: str
    file: str
    seeds: Callable[[], list[bytes]]
    read: Callable[[Path], object]
    edited: mutations.Mutation = mutations.bytes_edited
    memory: int = 16_000_000
    others: tuple[str, ...] = ()

    def try_on(self, content: bytes, folder: Path) -> bool:
        """Whether the reader gives a result for this content; raises ``Finding`` for an answer that is none."""
        path = folder / self.file
        path.write_bytes(content)
        try:
            with np.errstate(all="ignore"):  # weights of 1e38 are numbers, and what they give may not be
                self.read(path)
        except FileFormatError as error:
            _check_sentence(error)
            return False
        except ValueError as error:
            if not any(words in str(error) for words in self.others):
                raise Finding(f"{type(error).__name__}: {str(error)[:300]}") from error
            _check_sentence(error)
            return False
        except Finding:
            raise
        except Exception as error:
            raise Finding(f"{type(error).__name__}: {str(error)[:300]}") from error
        return True

    def mutated(self, content: bytes, chance: Random) -> bytes:
        """A changed file: half of them by this format's own rules."""
        return (self.edited if chance.random() < 0.5 else mutations.bytes_edited)(content, chance)


def _check_sentence(error: Exception) -> None:
    text = str(error)
    if not text or not text.isprintable() or len(text) > LONGEST_SENTENCE:
        raise Finding(f"the answer is no sentence: {text[:300]!r}") from error


# How each is called, and what is done with the result


def read_model(path: Path) -> None:
    """Load as a model and as an encoder; use it once where it is small."""
    try:
        model = npae.load(path)
    except FileFormatError as error:
        _check_sentence(error)
    else:
        repr(model)
        net = getattr(model, "network_", model)
        net.summary()
        if net.arena.bytes_per_sample + net.arena.workspace_bytes < USED:
            net.encode(np.full((2, *net.input_shape), 0.5))
            labels = np.zeros(2, int) if net.condition.n_labels else None
            net.decode(np.full((2, *net.code_shape), 0.5), labels)
            net.gradient(np.full((2, *net.input_shape), 0.5), labels=labels)
            net.losses(np.full((2, *net.input_shape), 0.5), labels=labels)
            if len(net.code_shape) == 1 and model is not net:
                model.transform(np.full((2, *net.input_shape), 0.5))
    encoder = npae.load_encoder(path)
    if prod(encoder.input_shape) * 8 < USED and encoder._arena.bytes_per_sample < USED:
        encoder.transform(np.full((2, *encoder.input_shape), 0.5))


def go_on(path: Path) -> None:
    """Bring a run to where the checkpoint is, as ``fit`` does before its first step."""
    for damaged in path.parent.glob("*.damaged"):
        damaged.unlink()
    training, (x, validation) = seeds.training(), seeds.run_data()
    checkpoints = npae.Checkpoints(path.parent, resume=True)
    checkpoints.seed()
    with checkpointing(checkpoints, training, Data(x, validation=validation), patience=5) as checkpoint_writer:
        assert checkpoint_writer is not None
        if checkpoint_writer.resumed is None:
            raise Finding("the run begins anew")
    training.network.gradient(x)


def read_safetensors(path: Path) -> None:
    """What npae accepts, the official package accepts too, and reads the same."""
    arrays, metadata = safetensors.read(path)
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        theirs = load(path.read_bytes())
    except SafetensorError as error:
        raise Finding(f"the official package refuses it: {error}") from error
    if {name: (a.dtype, a.shape, a.tobytes()) for name, a in arrays.items()} != {
        name: (a.dtype, a.shape, a.tobytes()) for name, a in theirs.items()
    }:
        raise Finding("the official package reads other arrays")
    "".join([*metadata, *metadata.values()]).encode()


def search_index(path: Path) -> None:
    """Load it, and look for a code in it."""
    index = Index.load(path)
    index.search(np.full((1, index.codes.shape[1]), 0.5), 3)


def use_classifier(path: Path) -> None:
    """Load it, and label features."""
    classifier = Classifier.load(path)
    labels, probabilities = classifier.predict(np.full((2, len(classifier.mean)), 0.5))
    if len(labels) != 2 or probabilities.shape != (2,):
        raise Finding(f"labels {labels}, probabilities {probabilities}")


def use_words(path: Path) -> None:
    """Load words and weights, which belong together."""
    words = WordWeights.load(path)
    if words.weights.shape != (len(words.words),):
        raise Finding(f"{len(words.words)} words, weights of shape {words.weights.shape}")


def read_weights(path: Path) -> None:
    """Into a network that has every kind of parameter."""
    network = _network()
    import_weights(network, path, {name: name for name in network.arena.parameter_shapes()}, source="torch")
    if not np.isfinite(network.theta).all():
        raise Finding("the network holds NaN or infinity")


@cache
def _network() -> npae.Autoencoder:
    return seeds.images_network()


def read_any(reader: Callable[[Path], object]) -> Callable[[Path], None]:
    """By the reader itself, and by ``datasets.read``, which finds out whose it is."""

    def read(path: Path) -> None:
        try:
            x = reader(path)
        except FileFormatError as error:
            _check_sentence(error)
        else:
            if not (isinstance(x, np.ndarray) and x.dtype.kind in "biuf"):
                raise Finding(f"the result is {type(x)}")
        datasets.read(path)

    return read


def read_shard(path: Path) -> None:
    """As a source, chunk by chunk."""
    source = datasets.open_source(path)
    for start, stop in pairwise(source.bounds.tolist()):
        if source.read(start, stop).shape != (stop - start, *source.shape[1:]):
            raise Finding("a chunk has another shape than the source says")


TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target("model", "x.safetensors", seeds.models, read_model, mutations.safetensors_edited, others=("infinity",)),
        Target(
            "checkpoint",
            "checkpoint-000000000001.safetensors",
            seeds.checkpoints,
            go_on,
            mutations.checkpoint_edited,
            others=("is a checkpoint of another run",),
        ),
        Target("safetensors", "x.safetensors", seeds.tables, read_safetensors, mutations.safetensors_edited),
        Target("index", "x.safetensors", seeds.indexes, search_index, mutations.safetensors_edited),
        Target(
            "weights",
            "x.safetensors",
            seeds.weights,
            read_weights,
            mutations.safetensors_edited,
            others=("has no '", "has shape", "NaN or infinity"),
        ),
        Target(
            "compressed",
            "x.npaez",
            seeds.compressed,
            lambda path: decompress_file(seeds.model(), path),
            mutations.compressed_edited,
            memory=320_000_000,
            others=("compressed with another model", "but the model expects", "NaN or infinity"),
        ),
        Target("idx", "x", seeds.idx, read_any(read_idx), mutations.gzip_edited),
        Target("npy", "x.npy", seeds.npy, read_any(read_npy)),
        Target("npz", "x.npz", seeds.npz, read_any(read_npz), mutations.zip_edited),
        Target("csv", "x.csv", seeds.tables_of_numbers, read_any(read_table), mutations.gzip_edited),
        Target(
            "csv with options",
            "x.csv",
            seeds.tables_to_be_explained,
            lambda path: datasets.read(path, header=True, drop=["index", "2"]),
            mutations.gzip_edited,
        ),
        Target(
            "any file",
            "x",
            lambda: [*seeds.npy(), *seeds.npz(), *seeds.idx()],
            datasets.read,
            mutations.begun_otherwise,
        ),
        Target("labels", "x.csv", seeds.labels, read_labels, mutations.gzip_edited),
        Target("labels of any file", "x", lambda: [*seeds.npy_labels(), *seeds.idx()[1:2]], read_labels),
        Target("texts", "x.tsv", seeds.texts, read_texts),
        Target("texts in columns", "x.csv", seeds.tables_of_texts, read_texts, mutations.gzip_edited),
        Target("new texts", "x.txt", seeds.lines_of_text, read_new_texts, mutations.gzip_edited),
        Target("classifier", "x.safetensors", seeds.classifiers, use_classifier, mutations.safetensors_edited),
        Target("words", "x.safetensors", seeds.words, use_words, mutations.safetensors_edited),
        Target(
            "midi",
            "x.mid",
            seeds.midi,
            read_any(lambda path: read_bars(path).X),
            mutations.midi_edited,
            memory=200_000_000,
        ),
        Target(
            "musicxml",
            "x.musicxml",
            seeds.scores,
            read_any(lambda path: read_bars(path, transpose="c").X),
            mutations.xml_edited,
            memory=400_000_000,
        ),
        Target(
            "images",
            "x.png",
            seeds.images,
            lambda path: read_images(path.parent),
            mutations.png_edited,
            memory=1_000_000_000,
        ),
    )
}

#: Read by libraries in C, whose crash would end all tests: for atheris alone, which has a process of its own.
CONTAINERS: dict[str, Target] = {
    target.name: target
    for target in (
        Target("parquet", "x.parquet", seeds.parquet, read_shard, memory=100_000_000),
        Target("hdf5", "x.h5", seeds.hdf5, read_shard, memory=100_000_000),
    )
}
