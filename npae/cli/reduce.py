"""npae reduce: measure how much information codes keep, beside PCA, and draw a map of them."""

import argparse
from dataclasses import astuple

from npae.applications import reduction
from npae.cli.arguments import add_model, add_sides, read_model, read_sides
from npae.cli.output import table, write_bytes
from npae.cli.paths import add_output
from npae.utils.console import say

HELP = "measure what a model's codes keep, beside PCA of the same size, and draw a map"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL, the data, --out."""
    add_model(parser)
    add_sides(parser)
    add_output(parser, "--out", declared={"suffixes": (".svg",)}, metavar="FILE", help="the map to write, a .svg")


def run(args: argparse.Namespace) -> None:
    """Print the table, write the map."""
    model = read_model(args)
    sides = read_sides(args, model, labels=False)
    say(table(reduction.HEADER, map(astuple, reduction.compare(model, sides.train, sides.test))))
    if args.out:
        from npae.utils import charts

        points = reduction.plane(model.network_.encode(sides.test))
        write_bytes(args.out, charts.code_map(points, sides.test_labels, "label").encode())
