"""npae reduce: measure how much information codes keep, beside PCA, and draw a map of them."""

import argparse
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path

from npae.applications import reduction
from npae.cli.arguments import add_model, read_model
from npae.cli.output import write_bytes
from npae.cli.paths import add_output
from npae.cli.rows import ROW_SUFFIXES, sample_names, write_rows
from npae.cli.sides import Sides, add_sides, folder_labels, read_sides
from npae.cli.tables import add_json, say_table

HELP = "measure what a model's codes keep, beside PCA of the same size, and draw a map"
EXAMPLE = "npae reduce runs/deep --train digits --out map.svg"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL, the data, --method, --out."""
    add_model(parser)
    add_sides(parser)
    parser.add_argument(
        "--method",
        choices=reduction.METHODS,
        default="pca",
        help="of the map: principal coordinates of the codes, or t-SNE (default: pca)",
    )
    add_output(
        parser,
        "--out",
        declared={"suffixes": (".svg", ".png", *ROW_SUFFIXES)},
        metavar="FILE",
        help="the map to write, a .svg or .png; or its coordinates, a .csv or .json",
    )
    add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Print the table, write the map."""
    if args.method != "pca" and not args.out:
        raise ValueError("--method is for the map that --out writes; give --out, or leave --method out")
    model = read_model(args)
    sides = read_sides(args, model, labels=False)
    say_table("reduction", reduction.HEADER, map(astuple, reduction.compare(model, sides.train, sides.test)))
    if not args.out:
        return
    plane = reduction.plane(model.network_.encode(sides.test), args.method)
    labels, suffix = sides.test_labels if _has_labels(args) else None, Path(args.out).suffix.lower()
    if suffix in ROW_SUFFIXES:
        files = None if args.train == "digits" else sample_names(args.test)
        columns = ["index", *(["file"] if files else []), *(["label"] if labels is not None else [])]
        write_rows(args.out, [*columns, *filter(None, plane.axes)], _rows(sides, files, labels is not None, plane))
    else:
        from npae.utils import charts

        write_bytes(args.out, charts.code_map(plane.points, labels, axes=plane.axes, suffix=suffix))


def _has_labels(args: argparse.Namespace) -> bool:
    """Whether the test samples have labels, of their own, of a file or of folders."""
    if args.train == "digits" or args.test_labels is not None:
        return True
    return folder_labels(Path(args.test)) is not None


def _rows(sides: Sides, files: list[str] | None, labelled: bool, plane: reduction.Plane) -> Iterator[list[object]]:
    """A row for each test sample: its place in the data, its file and label if it has some, its coordinates."""
    n = len(list(filter(None, plane.axes)))
    for index, label, point in zip(sides.test_index, sides.test_labels, plane.points, strict=True):
        yield [index, *([files[index]] if files else []), *([label] if labelled else []), *point[:n]]
