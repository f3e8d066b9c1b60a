"""Arguments that several verbs share."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from npae import datasets
from npae.cli.output import SUFFIXES
from npae.estimators import AutoencoderEstimator
from npae.estimators.load import load
from npae.utils.files import check_writable
from npae.utils.types import Array


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the argument MODEL, a saved model."""
    parser.add_argument("model", metavar="MODEL", help="a file that npae train or save wrote")


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add the option --data."""
    parser.add_argument(
        "--data",
        default="digits",
        help='a .npy, .npz, .csv or idx file, a folder of images, or "digits" (the default)',
    )


def add_out(parser: argparse.ArgumentParser, default: str) -> None:
    """Add the option --out, the file to write."""
    parser.add_argument(
        "--out",
        default=default,
        help=f"the file to write: .npy, .csv, or .png for images (default: {default})",
    )


def check_out(args: argparse.Namespace) -> None:
    """Refuse an --out that has an unknown suffix or cannot be written, before any computation."""
    if Path(args.out).suffix.lower() not in SUFFIXES:
        raise ValueError(f"--out {args.out} has a suffix that is not known; give a .npy, .csv or .png file")
    check_writable(args.out)


def check_picture(args: argparse.Namespace, suffix: str) -> None:
    """Refuse an --out that has another suffix or cannot be written; nothing to check where --out is not given."""
    if args.out is None:
        return
    if Path(args.out).suffix.lower() != suffix:
        raise ValueError(f"--out {args.out} does not end in {suffix}, which is what is written; give a {suffix} file")
    check_writable(args.out)


def read_model(args: argparse.Namespace) -> AutoencoderEstimator:
    """The estimator in ``args.model``."""
    model: Any = load(args.model)
    if not isinstance(model, AutoencoderEstimator):
        raise ValueError(
            f"{args.model} holds a bare network; the command line uses models of npae train, load this one in Python"
        )
    return model


def read_data(args: argparse.Namespace) -> Array:
    """The samples that ``args.data`` names."""
    return datasets.read(args.data)


@dataclass(frozen=True)
class Sides:
    """Training and test samples, with labels."""

    train: Array
    train_labels: Array
    test: Array
    test_labels: Array


def add_sides(parser: argparse.ArgumentParser) -> None:
    """Add the options for training and test data with labels: the digits, or files."""
    parser.add_argument("--train", default="digits", help="what PCA is fitted to, as for --data (default: digits)")
    parser.add_argument("--train-labels", metavar="FILE", help="a whole number for each sample; those of the digits")
    parser.add_argument("--test", help="what is measured, as for --data (default: other digits)")
    parser.add_argument("--test-labels", metavar="FILE", help="a whole number for each sample; those of the digits")
    parser.add_argument("--first", type=count, metavar="N", help="only the first N samples of each")


def read_sides(args: argparse.Namespace, *, labels: bool = True) -> Sides:
    """The data of the options from ``add_sides``; with ``labels=False`` missing labels are zeros."""
    if args.train == "digits":
        for name in ("test", "train_labels", "test_labels"):
            if getattr(args, name) is not None:
                option = name.replace("_", "-")
                raise ValueError(f"--{option} was given without --train; give both, or neither for the digits")
        digits = datasets.load_digits()
        sides = [digits.train_images, digits.train_labels, digits.test_images, digits.test_labels]
    elif args.test is None:
        raise ValueError(f"--train {args.train} was given without --test; give both, or neither for the digits")
    else:
        train, test = datasets.read(args.train), datasets.read(args.test)
        sides = [train, _labels(args, "train", train, labels), test, _labels(args, "test", test, labels)]
    return Sides(*(side[: args.first] for side in sides))


def _labels(args: argparse.Namespace, side: str, X: Array, needed: bool) -> Array:
    path = getattr(args, f"{side}_labels")
    if path is None:
        if needed:
            raise ValueError(f"--{side}-labels is missing; give a file with a whole number for each sample")
        return np.zeros(len(X), np.int64)
    labels = datasets.read(path).ravel()
    whole = (np.abs(labels) < 2**53) & (labels == np.rint(labels))  # neither NaN nor infinity is
    if len(labels) != len(X) or not whole.all():
        raise ValueError(f"{path} holds {len(labels)} values for {len(X)} samples; give a whole number for each")
    return labels.astype(np.int64)


def count(text: str) -> int:
    """A whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least 1")
    return number
