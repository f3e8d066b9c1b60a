"""What the verbs that classify share: the options for learning from few labels, and the file of labels."""

import argparse
from collections.abc import Sequence

import numpy as np

from npae.applications.classification import DRAWS
from npae.cli.arguments import count, seed_number
from npae.cli.paths import add_output
from npae.cli.rows import ROW_SUFFIXES, write_rows
from npae.cli.tables import add_json, say_table
from npae.utils.console import say
from npae.utils.types import Array
from npae.utils.wording import counted

FEW, SEED = 100, 0
SHOWN = 20  # labels in the summary


def add_few(parser: argparse.ArgumentParser) -> None:
    """Add --few and --seed: the labels to learn from where they are few."""
    parser.add_argument(
        "--few",
        type=count,
        metavar="N",
        help=f"labels, where they are few: {DRAWS} times drawn at random, each label by its share and once at least "
        f"(default: {FEW})",
    )
    parser.add_argument(
        "--seed", type=seed_number, metavar="N", help=f"of the first of {DRAWS} draws (default: {SEED})"
    )


def few_labels(args: argparse.Namespace) -> tuple[int, int]:
    """How many are drawn, and the seed."""
    return FEW if args.few is None else args.few, SEED if args.seed is None else args.seed


def about_draw(few: int, seed: int, n: int) -> str:
    """How the few labels were chosen among n, as a sentence."""
    if few >= n:
        return f"all labels were used in both columns, since {n:,} are not more than {few:,} (--few)"
    return (
        f"{few:,} of {n:,} labels were drawn at random, stratified, with the seeds {seed} to {seed + DRAWS - 1}; the "
        f"accuracy is the mean of these {DRAWS}"
    )


def add_labelled_out(parser: argparse.ArgumentParser) -> None:
    """Add --out, the labels of --data."""
    add_output(
        parser,
        "--out",
        declared={"suffixes": ROW_SUFFIXES, "default": lambda args: "labels.csv" if args.data else None},
        metavar="FILE",
        help="a .csv or .json with a row for each sample of --data: index from 0, file where it has one, label, and "
        "the probability of that label (default: labels.csv)",
    )
    add_json(parser)


def write_labelled(args: argparse.Namespace, names: Sequence[str] | None, labels: Array, probabilities: Array) -> None:
    """Write --out, and print how many samples have each label."""
    header = ["index", *([] if names is None else ["file"]), "label", "probability"]
    rows = (
        (i, *([] if names is None else [names[i]]), label, probability)
        for i, (label, probability) in enumerate(zip(labels.tolist(), probabilities.tolist(), strict=True))
    )
    write_rows(args.out, header, rows)
    found, counts = np.unique(labels, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    shown = [(found[i], counts[i]) for i in order[:SHOWN]]
    say_table("labels", ("label", "samples"), shown, formats={"label": ""})
    if len(order) > SHOWN:
        say(f"and {counted(len(order) - SHOWN, 'more label')}")
    say(f"{counted(len(labels), 'sample')} labelled: {args.out}")
