"""npae retrieve: precision of nearest-neighbour search among codes, beside PCA and raw features."""

import argparse

from npae.applications import retrieval
from npae.cli.arguments import add_model, count, read_model
from npae.cli.output import table
from npae.cli.sides import add_sides, read_sides
from npae.utils.console import say

HELP = "measure the precision of a search among codes, beside PCA and raw features"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL, the data, -k."""
    add_model(parser)
    add_sides(parser)
    parser.add_argument("-k", type=count, default=10, help="nearest neighbours that are looked at (default: 10)")


def run(args: argparse.Namespace) -> None:
    """Print the table."""
    model = read_model(args)
    sides = read_sides(args, model)
    rows = retrieval.compare(model, sides.train, sides.train_labels, sides.test, sides.test_labels, args.k)
    say(table(retrieval.HEADER, rows))
