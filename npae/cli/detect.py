"""npae detect: strangers have large errors; how well that tells them apart, beside PCA."""

import argparse

from npae import datasets
from npae.applications import anomaly
from npae.cli.arguments import add_model, add_sides, read_model, read_sides
from npae.cli.output import table

HELP = "measure how well the error of rebuilding tells strange samples from known ones, beside PCA"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL, the data, --strangers."""
    add_model(parser)
    add_sides(parser)
    parser.add_argument(
        "--strangers", action="append", default=[], metavar="DATA", help="of another kind, as for --data; repeatable"
    )


def run(args: argparse.Namespace) -> None:
    """Print the table; noise is always among the strangers."""
    model, sides = read_model(args), read_sides(args, labels=False)
    strangers = {name: datasets.read(name)[: len(sides.test)] for name in args.strangers}
    strangers["noise"] = anomaly.noise_like(sides.test)
    print(table(anomaly.HEADER, anomaly.compare(model, sides.train, sides.test, strangers)))
