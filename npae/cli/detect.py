"""npae detect: how well the reconstruction error tells outliers from samples like the training data, beside PCA."""

import argparse

from npae.applications import anomaly
from npae.cli.arguments import add_model, add_sides, read_model, read_sides, read_sources, samples_in
from npae.cli.output import table
from npae.cli.paths import add_input
from npae.utils.console import say

HELP = "measure how well the reconstruction error separates outliers from known samples, beside PCA"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL, the data, --outliers."""
    add_model(parser)
    add_sides(parser)
    add_input(
        parser,
        "--outliers",
        holds=samples_in,
        action="append",
        default=[],
        metavar="DATA",
        help="of another kind, as --train; repeatable",
    )


def run(args: argparse.Namespace) -> None:
    """Print the table; noise is always among the outliers."""
    model = read_model(args)
    sides = read_sides(args, model, labels=False, others=args.outliers)
    read = read_sources(args, *args.outliers, model=model, others=[args.train, args.test or args.train])
    outliers = {name: samples[: len(sides.test)] for name, samples in zip(args.outliers, read, strict=True)}
    outliers["noise"] = anomaly.noise_like(sides.test)
    say(table(anomaly.HEADER, anomaly.compare(model, sides.train, sides.test, outliers)))
