"""Data sets: digits of MNIST that come with npae, readers of files, and sources of data that is read in parts."""

from npae.datasets.digits import Digits, load_digits
from npae.datasets.faces import Crop, crop_faces
from npae.datasets.formats import read
from npae.datasets.labels import read_labels
from npae.datasets.open_source import open_source
from npae.datasets.shards import ShardSource
from npae.datasets.stream_source import StreamSource
from npae.datasets.texts import read_new_texts, read_texts
from npae.utils.sources import ArraySource, Source

__all__ = [
    "ArraySource",
    "Crop",
    "Digits",
    "ShardSource",
    "Source",
    "StreamSource",
    "crop_faces",
    "load_digits",
    "open_source",
    "read",
    "read_labels",
    "read_new_texts",
    "read_texts",
]
