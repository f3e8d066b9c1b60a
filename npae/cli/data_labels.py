"""The option --labels, beside --data: labels of a file, of folders or of the digits; and --label, one for all."""

import argparse
from typing import Any

from npae import datasets
from npae.cli.paths import add_input
from npae.cli.sides import LABELS_HELP, LABELS_NEEDED, labels_of_side
from npae.estimators import AutoencoderEstimator
from npae.estimators.labels import as_typed, listed
from npae.utils.types import Array


def add_labels(parser: argparse.ArgumentParser, use: str) -> None:
    """Add --labels; ``use`` says what they are for."""
    add_input(parser, "--labels", dest="data_labels", metavar="FILE", help=f"{use}: {LABELS_HELP}")


def labels_of_data(args: argparse.Namespace, n: int) -> Array | None:
    """Labels (n,) of ``args.data``: whole numbers or texts; None where there are none."""
    if args.data == "digits":
        if args.data_labels is not None:
            raise ValueError("--labels was given with the digits, which have their own; leave it out")
        return datasets.read_labels("digits")
    return labels_of_side(args, "data", n)


def condition_of(model: AutoencoderEstimator, labels: Array | None) -> Array | None:
    """The labels, which a conditional model needs; None of another model, which takes none."""
    if not model.network_.condition.n_labels:
        return None
    if labels is None:
        raise ValueError(f"this model is conditional; {LABELS_NEEDED} (--labels)")
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
