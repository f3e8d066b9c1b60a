"""npae cluster: groups that k-means finds among codes, beside PCA and raw features."""

import argparse

from npae.applications import clustering
from npae.cli.arguments import add_model, add_sides, read_model, read_sides
from npae.cli.output import table
from npae.utils.console import say

HELP = "measure how well groups of codes agree with labels, beside PCA and raw features"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL, the data."""
    add_model(parser)
    add_sides(parser)


def run(args: argparse.Namespace) -> None:
    """Print the table."""
    model = read_model(args)
    sides = read_sides(args, model)
    say(table(clustering.HEADER, clustering.compare(model, sides.train, sides.test, sides.test_labels)))
