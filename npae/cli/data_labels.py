"""The option --labels, beside --data: labels of a file, of folders of images, or of the digits."""

import argparse
from pathlib import Path

import numpy as np

from npae import datasets
from npae.cli.paths import add_input
from npae.datasets.image_files import find_images
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
