"""npae demo: train all five on real digits and compare them with PCA."""

import argparse
import sys
from pathlib import Path

from npae.cli.output import write_bytes

HELP = "train all five types on handwritten digits, compare them with PCA, and write a report with pictures"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--out."""
    parser.add_argument("--out", default="report.html", help="the page to write (default: report.html)")


def run(args: argparse.Namespace) -> None:
    """Train, print the table, write the page."""
    from npae import charts, pictures
    from npae.demo import demonstrate, table
    from npae.report import report

    # A missing library or folder is found now, not after the training.
    charts.require_matplotlib()
    pictures.require_pillow()
    out = Path(args.out)
    if not out.parent.is_dir():
        raise FileNotFoundError(f"the folder {out.parent} does not exist; make it, or choose another --out")
    demonstration = demonstrate(lambda line: print(line, file=sys.stderr), verbose=sys.stderr.isatty())
    print(table(demonstration))
    write_bytes(out, report(demonstration).encode())
    print(f"\npictures: open {out} in a browser")
