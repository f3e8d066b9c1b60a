"""npae index: write the codes of many samples as an index for npae search."""

import argparse
from pathlib import Path

from npae.applications.retrieval import METRICS, Index
from npae.cli.arguments import add_data, add_model, read_data, read_model
from npae.utils.files import check_writable

HELP = "encode samples into an index, in which npae search finds the nearest"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL --data --metric --out."""
    add_model(parser)
    add_data(parser)
    parser.add_argument("--metric", choices=METRICS, default="cosine", help="of distance (default: cosine)")
    parser.add_argument("--out", metavar="FILE", help="the file to write (default: beside the model)")


def run(args: argparse.Namespace) -> None:
    """Encode and write."""
    model = read_model(args)
    out = Path(args.out or Path(args.model).with_suffix(".index.safetensors"))
    check_writable(out)
    index = Index.of(model, read_data(args), args.metric)
    index.save(out)
    print(f"{len(index.codes):,} codes of {index.codes.shape[1]} values in {out}")
