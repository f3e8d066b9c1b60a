"""Arguments that several verbs share."""

import argparse
from pathlib import Path
from typing import Any

from npae import datasets
from npae.cli.output import SUFFIXES
from npae.estimators import AutoencoderEstimator
from npae.files import check_writable
from npae.models import load
from npae.types import Array


def add_model(parser: argparse.ArgumentParser) -> None:
    """The saved model to use."""
    parser.add_argument("model", metavar="MODEL", help="a file that npae train or save wrote")


def add_data(parser: argparse.ArgumentParser) -> None:
    """The data to read."""
    parser.add_argument(
        "--data",
        default="digits",
        help='a .npy, .npz, .csv or idx file, a folder of images, or "digits" (the default)',
    )


def add_out(parser: argparse.ArgumentParser, default: str) -> None:
    """The file to write."""
    parser.add_argument(
        "--out",
        default=default,
        help=f"the file to write: .npy, .csv, or .png for images (default: {default})",
    )


def check_out(args: argparse.Namespace) -> None:
    """Refuse a file that cannot be written before there is anything to write."""
    if Path(args.out).suffix.lower() not in SUFFIXES:
        raise ValueError(f"--out {args.out} has a suffix that is not known; give a .npy, .csv or .png file")
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


def count(text: str) -> int:
    """A whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least 1")
    return number
