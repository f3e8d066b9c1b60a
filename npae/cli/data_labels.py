"""The option --labels, beside --data: labels of a file, of folders or of the digits; and --label, one for all."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from npae import datasets
from npae.cli.paths import add_input
from npae.datasets.image_files import find_images
from npae.estimators import AutoencoderEstimator
from npae.estimators.labels import as_typed, listed
from npae.utils.types import Array


def add_labels(parser: argparse.ArgumentParser, use: str) -> None:
    """Add --labels; ``use`` says what they are for."""
    add_input(
        parser,
        "--labels",
        metavar="FILE",
        help=f"{use}: a label for each sample of --data (default: the folder that an image is in; those of the digits)",
    )


def labels_of_data(args: argparse.Namespace, n: int) -> Array | None:
    """Labels (n,) of ``args.data``: whole numbers or texts; None where there are none."""
    if args.data == "digits":
        if args.labels is not None:
            raise ValueError("--labels was given with the digits, which have their own; leave it out")
        return datasets.load_digits().train_labels
    if args.labels is None:
        folders = find_images(Path(args.data)).labels if Path(args.data).is_dir() else None
        return None if folders is None else np.array(folders)
    labels = datasets.read_labels(args.labels)
    if len(labels) != n:
        raise ValueError(f"{args.labels} holds {len(labels)} labels for {n} samples; give one for each")
    return labels


def condition_of(model: AutoencoderEstimator, labels: Array | None) -> Array | None:
    """The labels, which a conditional model needs; None of another model, which takes none."""
    if not model.network_.condition.n_labels:
        return None
    if labels is None:
        raise ValueError("this model is conditional; give --labels, or images in one folder for each label")
    return labels


def add_label(parser: argparse.ArgumentParser, use: str) -> None:
    """Add --label; ``use`` says what it is of."""
    parser.add_argument("--label", help=f"{use}; of a conditional model, which needs it")


def label_for(model: AutoencoderEstimator, args: argparse.Namespace) -> Any:
    """The label that --label names, of the type of those of the model; None of a model that takes none."""
    if not model.network_.condition.n_labels:
        if args.label is not None:
            raise ValueError(f"--label is {args.label!r}, but this model is not conditional; leave it out")
        return None
    if args.label is None:
        raise ValueError(f"this model is conditional; give --label, one of {listed(model.classes_)}")
    return as_typed(args.label, model.classes_)
