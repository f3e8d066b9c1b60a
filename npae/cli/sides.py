"""Training and test data with labels, of several verbs: the options, and what is read for them."""

import argparse
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from npae import datasets
from npae.cli.arguments import DATA, add_reading, check_options, count, read_sources, samples_in
from npae.cli.paths import add_input
from npae.cli.shared_samples import NOT_NEW, warn_of_shared
from npae.datasets.image_files import find_images
from npae.datasets.labels import numbers_or_names
from npae.datasets.music.music_files import is_music
from npae.datasets.open_source import is_source
from npae.estimators import AutoencoderEstimator
from npae.utils.errors import Hint, quoted
from npae.utils.types import Array
from npae.utils.wording import counted


@dataclass(frozen=True)
class Sides:
    """Training and test samples, with labels."""

    train: Array
    train_labels: Array
    test: Array
    test_labels: Array
    test_index: Array  # place of each test sample in the data


LABELS_HELP = (
    "a whole number or a name for each sample: a .csv or .txt with one a line, .npy or idx (default: the folder that "
    "an image is in); the digits have their own"
)

LABELS_NEEDED = "give a file with a label for each sample, or images in one folder for each label"


def add_sides(parser: argparse.ArgumentParser, *, instead: str = "") -> None:
    """Add the options for training and test data with labels: the digits, or files; ``instead`` as in ``Input``."""
    add_input(
        parser,
        "--train",
        needed=DATA,
        holds=samples_in,
        is_stream=True,
        instead=instead,
        help=f"what PCA is fitted to ({f'needed without --{instead}' if instead else 'needed'}): {DATA}",
    )
    add_input(parser, "--train-labels", metavar="FILE", help=LABELS_HELP)
    add_input(
        parser,
        "--test",
        holds=samples_in,
        is_stream=True,
        help="what is measured, as --train; with --train digits other digits",
    )
    add_input(parser, "--test-labels", metavar="FILE", help=LABELS_HELP)
    parser.add_argument("--first", type=count, metavar="N", help="only the first N samples of each")
    add_reading(parser)


def read_sides(
    args: argparse.Namespace,
    model: AutoencoderEstimator | None = None,
    *,
    labels: bool = True,
    others: Sequence[str] = (),
) -> Sides:
    """The data that ``add_sides`` asks for; without ``labels`` they are all zero where there are none.

    ``model`` and ``others`` are as in ``read_sources``.
    """
    if args.train == "digits":
        for name in ("test", "train_labels", "test_labels"):
            if getattr(args, name) is not None:
                option = name.replace("_", "-")
                raise ValueError(
                    f"--{option} was given with --train digits, which have their own; leave it out, or give other data"
                )
        check_options(args, args.train, *others)
        digits = datasets.load_digits()
        sides = [digits.train_images, digits.train_labels, digits.test_images, digits.test_labels]
        sides.append(np.arange(len(digits.test_images)))
    elif args.test is None:
        raise ValueError(f"--train {args.train} was given without --test; give what is to be measured, too")
    else:
        train, test = read_sources(args, args.train, args.test, model=model, others=others)
        train_labels, test_labels = _labels(args, len(train), len(test), labels)
        train_order, test_order = _order(args, "train", train_labels), _order(args, "test", test_labels)
        sides = [train[train_order], train_labels[train_order], test[test_order], test_labels[test_order]]
        sides.append(np.arange(len(test))[test_order])
    warn_of_order("--train", sides[1], args.first)
    warn_of_order("--test", sides[3], args.first)
    read = Sides(*(side[: args.first] for side in sides))
    warn_of_shared("--test", read.test, "--train", read.train, NOT_NEW)
    return read


def read_train(
    args: argparse.Namespace, *others: str, model: AutoencoderEstimator | None = None
) -> tuple[Array, Array, list[Array]]:
    """The training samples that ``add_sides`` asks for, their labels, which are needed, and the samples of others."""
    if args.train == "digits":
        if args.train_labels is not None:
            raise ValueError("--train-labels was given with --train digits, which have their own; leave it out")
        digits = datasets.load_digits()
        rest = read_sources(args, *others, model=model, others=[args.train])
        X, labels = digits.train_images, digits.train_labels
    else:
        X, *rest = read_sources(args, args.train, *others, model=model)
        found = labels_of_side(args, "train", len(X))
        if found is None:
            raise ValueError(f"--train-labels is missing; {LABELS_NEEDED}")
        labels = found
    order = _order(args, "train", labels)
    warn_of_order("--train", labels[order], args.first)
    return X[order][: args.first], labels[order][: args.first], [other[: args.first] for other in rest]


def _order(args: argparse.Namespace, side: str, labels: Array) -> Array | slice:
    """The order of a side's samples: of images in folders one of each label in turn, so that the first few have all."""
    if getattr(args, f"{side}_labels") is not None or not Path(getattr(args, side)).is_dir():
        return slice(None)
    turn = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        turn[labels == label] = np.arange((labels == label).sum())
    return np.argsort(turn, kind="stable")


def _labels(args: argparse.Namespace, train: int, test: int, needed: bool) -> list[Array]:
    """The labels of both sides, of files or of folders; all zero where there are none and none are needed.

    Labels of both sides are of one kind: names, where those of one side are.
    """
    found = {side: labels_of_side(args, side, n) for side, n in (("train", train), ("test", test))}
    missing = [side for side, labels in found.items() if labels is None]
    if needed and missing:
        raise ValueError(f"--{missing[0]}-labels is missing; {LABELS_NEEDED}")
    named = [side for side, labels in found.items() if labels is not None and labels.dtype.kind == "U"]
    numbered = [side for side in found if side not in named and side not in missing]
    if named and numbered:
        names, numbers = (np.asarray(found[sides[0]]).astype(str) for sides in (named, numbered))
        if not np.isin(numbers, names).any():
            raise ValueError(
                f"--{numbered[0]} has labels that are numbers, but those of --{named[0]} are names; give labels of one "
                f"kind for both"
            )
        found[numbered[0]] = numbers
    return [
        np.zeros(n, np.int64) if labels is None else labels
        for n, labels in zip((train, test), found.values(), strict=True)
    ]


def warn_of_order(option: str, labels: Array, first: int | None) -> None:
    """A hint where the first samples lack labels that later ones have, as in data in the order of its labels."""
    n_some, n_all = len(np.unique(labels[:first])), len(np.unique(labels))
    if n_some < n_all:
        warnings.warn(
            f"the first {first:,} samples of {option} have {n_some} of {counted(n_all, 'label')}; if they are in the "
            f"order of their labels, shuffle them, or leave --first out",
            Hint,
            stacklevel=2,
        )


def folder_labels(source: Path) -> list[str] | None:
    """The sub-folder of each image of a folder; None where there are none, and for other data, such as music."""
    is_of_images = source.is_dir() and not is_music(source) and not is_source(source)
    return find_images(source).labels if is_of_images else None


def labels_of_side(args: argparse.Namespace, side: str, n: int) -> Array | None:
    """Labels (n,) of the file that the option ``--SIDE-labels`` names, or of folders of images; None without both.

    They are whole numbers (int64) or names (str).
    """
    path, source = getattr(args, f"{side}_labels"), getattr(args, side)
    if path is not None:
        return read_labels(path, n)
    folders = folder_labels(Path(source)) if isinstance(source, str) else None  # of several sources there are none
    return None if folders is None else numbers_or_names(folders)


def read_labels(path: str, n: int) -> Array:
    """Labels (n,) of a file, int64 or str, one for each of n samples.

    Of a text of names with one line more, whose first is no other's label, the first line is the name of the column,
    and a hint says so.
    """
    labels = datasets.read_labels(path)
    may_have_header = labels.dtype.kind == "U" and Path(path).is_file() and not path.lower().endswith(".npy")
    if may_have_header and len(labels) == n + 1 and labels[0] not in labels[1:]:
        name = str(labels[0])
        labels = datasets.read_labels(path, header=True)
        warnings.warn(
            f"{path} holds {n + 1} lines for {n} samples, so its first, {quoted(name)}, was taken for the name of the "
            f"column",
            Hint,
            stacklevel=2,
        )
    if len(labels) != n:
        header = ", without a header that is a number" if len(labels) == n + 1 else ""
        raise ValueError(
            f"{path} holds {counted(len(labels), 'label')} for {counted(n, 'sample')}; give one for each{header}"
        )
    return labels
