"""Data sets: digits of MNIST that come with npae, and readers for npy, npz, csv, tsv, idx, images and texts."""

from npae.datasets.digits import Digits, load_digits
from npae.datasets.faces import Crop, crop_faces
from npae.datasets.formats import read
from npae.datasets.labels import read_labels
from npae.datasets.texts import read_new_texts, read_texts

__all__ = ["Crop", "Digits", "crop_faces", "load_digits", "read", "read_labels", "read_new_texts", "read_texts"]
