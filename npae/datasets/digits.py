"""Digits that come with npae: a subset of MNIST, so that no download is needed."""

from importlib import resources
from typing import NamedTuple

import numpy as np

from npae.utils.types import Array


class Digits(NamedTuple):
    """Handwritten digits, for training and for testing.

    Attributes
    ----------
    train_images : (5000, 28, 28) ndarray of float32 in [0, 1]
        White digits on black.
    train_labels : (5000,) ndarray of int64
        0 to 9.
    test_images : (1000, 28, 28) ndarray of float32 in [0, 1]
        Digits by other writers.
    test_labels : (1000,) ndarray of int64
        0 to 9.

    Examples
    --------
    >>> from npae.datasets import load_digits
    >>> digits = load_digits()
    >>> digits.train_images.shape, digits.train_labels[:5].tolist()
    ((5000, 28, 28), [5, 0, 4, 1, 9])
    """

    train_images: Array  # (5000, 28, 28)
    train_labels: Array  # (5000,)
    test_images: Array  # (1000, 28, 28)
    test_labels: Array  # (1000,)


def load_digits() -> Digits:
    """Load the first 5,000 training and 1,000 test images of MNIST (LeCun, Cortes, Burges; CC BY-SA 3.0).

    Returns
    -------
    Digits
        New arrays at each call, so they may be changed.

    Examples
    --------
    >>> from npae.datasets import load_digits
    >>> load_digits().test_images.shape
    (1000, 28, 28)
    """
    file = resources.files("npae.datasets") / "data" / "mnist-small.npz"
    with file.open("rb") as stream, np.load(stream, allow_pickle=False) as data:
        return Digits(
            data["train_images"] / np.float32(255),
            data["train_labels"].astype(np.int64),
            data["test_images"] / np.float32(255),
            data["test_labels"].astype(np.int64),
        )
