"""npae demo: train all five on real digits and compare them with PCA."""

import argparse
from pathlib import Path

from npae.cli.output import write_bytes
from npae.cli.paths import add_output
from npae.cli.tables import add_json, say_table
from npae.utils.console import say, shows_progress

HELP = "train all five types on handwritten digits, compare them with PCA, and write a report with pictures"
EXAMPLE = "npae demo --out report.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--out --picture --force."""
    add_output(
        parser,
        "--out",
        declared={"is_own": _is_page_of_demo},
        default="report.html",
        metavar="FILE",
        help="the page to write; one that demo wrote before is replaced (default: report.html)",
    )
    add_output(
        parser,
        "--picture",
        declared={"suffixes": (".png",)},
        metavar="FILE",
        help="also write originals and reconstructions as one .png",
    )
    add_json(parser)


def _is_page_of_demo(args: argparse.Namespace, path: Path) -> bool:
    from npae.cli.demo.page import is_report

    return is_report(path)


def run(args: argparse.Namespace) -> None:
    """Train, print the table, write the page."""
    from npae.cli.demo.comparison import COLUMNS, FORMATS, demonstrate, restored, row
    from npae.cli.demo.page import comparison_strips, report
    from npae.utils import charts, pictures

    # A missing library is found now, not after the training.
    charts.require_matplotlib()
    pictures.require_pillow()
    demonstration = demonstrate(lambda line: say(line, to_errors=True), verbose=shows_progress())
    say_table("comparison", COLUMNS, map(row, demonstration.results), formats=FORMATS)
    say(f"\n{restored(demonstration)}")
    write_bytes(args.out, report(demonstration).encode())
    if args.picture:
        write_bytes(args.picture, charts.strips(comparison_strips(demonstration)))
    say(f"\npictures: open {args.out} in a browser")
