"""npae classify: logistic regression on codes, beside PCA and raw features."""

import argparse

from npae.applications import classification
from npae.cli.arguments import add_model, add_sides, count, read_model, read_sides
from npae.cli.output import table
from npae.utils.console import say

HELP = "measure how well codes serve a classifier, beside PCA and raw features"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL, the data, --few."""
    add_model(parser)
    add_sides(parser)
    parser.add_argument("--few", type=count, default=100, metavar="N", help="labels, where they are few (default: 100)")


def run(args: argparse.Namespace) -> None:
    """Print the table."""
    model, s = read_model(args), read_sides(args)
    rows = classification.compare(model, s.train, s.train_labels, s.test, s.test_labels, args.few)
    say(table([title.format(few=args.few) for title in classification.HEADER], rows))
