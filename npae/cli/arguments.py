"""Arguments that several verbs share."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from npae import datasets
from npae.cli.output import SUFFIXES
from npae.cli.paths import add_input, add_output
from npae.estimators import AutoencoderEstimator
from npae.estimators.load import load
from npae.utils.types import Array

DATA = 'a .npy, .npz, .csv or idx file, a folder of images, or "digits" for those that come with npae'


def add_model(parser: argparse.ArgumentParser) -> None:
    """The saved model to use."""
    add_input(parser, "model", metavar="MODEL", help="a file that npae train or save wrote")


def samples_in(value: str) -> list[Path]:
    """The file or folder that ``--data`` and its like name; none for the digits that come with npae."""
    return [] if value == "digits" else [Path(value)]


def add_data(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    """The data to read, which must be given where there is no default."""
    add_input(
        parser,
        "--data",
        needed=DATA,
        holds=samples_in,
        default=default,
        help=DATA + (f" (default: {default})" if default else " (needed)"),
    )


def add_out(parser: argparse.ArgumentParser, default: str) -> None:
    """The file to write."""
    add_output(
        parser,
        "--out",
        declared={"suffixes": SUFFIXES},
        default=default,
        help=f"the file to write: .npy, .csv, or .png for images (default: {default})",
    )


def beside_model(args: argparse.Namespace, suffix: str) -> str:
    """The model's path with another suffix."""
    path = Path(args.model)
    if not path.name:
        raise FileNotFoundError(f"there is no file {args.model!r}; give a model that npae train or save wrote")
    return str(path.with_suffix(suffix))


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
    """What a model was trained on and what it is measured on, with labels."""

    train: Array
    train_labels: Array
    test: Array
    test_labels: Array


def add_sides(parser: argparse.ArgumentParser) -> None:
    """Data and labels for training and for testing: the digits, or files."""
    add_input(parser, "--train", needed=DATA, holds=samples_in, help=f"what PCA is fitted to (needed): {DATA}")
    add_input(parser, "--train-labels", metavar="FILE", help="a whole number for each sample; digits have their own")
    add_input(parser, "--test", holds=samples_in, help="what is measured, as --train; with --train digits other digits")
    add_input(parser, "--test-labels", metavar="FILE", help="a whole number for each sample; digits have their own")
    parser.add_argument("--first", type=count, metavar="N", help="only the first N samples of each")


def read_sides(args: argparse.Namespace, *, labels: bool = True) -> Sides:
    """The data that ``add_sides`` asks for; without ``labels`` they are all zero where no file is given."""
    if args.train == "digits":
        for name in ("test", "train_labels", "test_labels"):
            if getattr(args, name) is not None:
                option = name.replace("_", "-")
                raise ValueError(
                    f"--{option} was given with --train digits, which have their own; leave it out, or give other data"
                )
        digits = datasets.load_digits()
        sides = [digits.train_images, digits.train_labels, digits.test_images, digits.test_labels]
    elif args.test is None:
        raise ValueError(f"--train {args.train} was given without --test; give what is to be measured, too")
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
