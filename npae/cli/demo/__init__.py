"""npae demo: train all five on real digits and compare them with PCA."""

import argparse
import sys

from npae.cli.output import write_bytes
from npae.utils.files import check_writable

HELP = "train all five types on handwritten digits, compare them with PCA, and write a report with pictures"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--out --picture."""
    parser.add_argument("--out", default="report.html", help="the page to write (default: report.html)")
    parser.add_argument("--picture", metavar="FILE", help="also write originals and reconstructions as one .png")


def run(args: argparse.Namespace) -> None:
    """Train, print the table, write the page."""
    from npae.cli.demo.comparison import demonstrate, table
    from npae.cli.demo.page import comparison_strips, report
    from npae.utils import charts, pictures

    # A missing library or folder is found now, not after the training.
    charts.require_matplotlib()
    pictures.require_pillow()
    for path in filter(None, (args.out, args.picture)):
        check_writable(path)
    demonstration = demonstrate(lambda line: print(line, file=sys.stderr), verbose=sys.stderr.isatty())
    print(table(demonstration))
    write_bytes(args.out, report(demonstration).encode())
    if args.picture:
        write_bytes(args.picture, charts.strips(comparison_strips(demonstration)))
    print(f"\npictures: open {args.out} in a browser")
