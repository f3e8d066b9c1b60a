"""npae retrieve: precision of nearest-neighbour search among codes, beside PCA and raw features."""

import argparse

from npae.applications import retrieval
from npae.cli.arguments import add_model, add_neighbours, read_model
from npae.cli.sides import add_sides, read_sides
from npae.cli.tables import add_json, say_table

HELP = "measure the precision of a search among codes, beside PCA and raw features"
EXAMPLE = "npae retrieve runs/deep --train digits -k 10"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL, the data, -k."""
    add_model(parser)
    add_sides(parser)
    add_neighbours(parser, "nearest neighbours that are looked at")
    add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Print the table."""
    model = read_model(args)
    sides = read_sides(args, model)
    rows = retrieval.compare(model, sides.train, sides.train_labels, sides.test, sides.test_labels, args.k)
    say_table("precision", retrieval.HEADER, rows)
