"""npae index: write the codes of many samples as an index for npae search."""

import argparse
from math import prod

from npae.applications.retrieval import METRICS, Index
from npae.cli.arguments import add_model, beside_model, read_model
from npae.cli.open_data import add_large_data, open_data
from npae.cli.paths import add_output
from npae.cli.rows import sample_names
from npae.utils.console import say
from npae.utils.wording import counted

HELP = "encode samples into an index, in which npae search finds the nearest"
EXAMPLE = "npae index runs/deep --data digits --out digits.index.safetensors"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL --data --metric --out."""
    add_model(parser)
    add_large_data(parser)
    parser.add_argument("--metric", choices=METRICS, default="cosine", help="of distance (default: cosine)")
    add_output(
        parser,
        "--out",
        declared={"default": lambda args: beside_model(args, ".index.safetensors")},
        metavar="FILE",
        help="the file to write (default: beside the model)",
    )


def run(args: argparse.Namespace) -> None:
    """Encode and write."""
    model = read_model(args)
    n = Index.write(args.out, model, open_data(args, model), args.metric, sample_names(args.data))
    say(f"{counted(n, 'code')} of {counted(prod(model.network_.code_shape), 'value')} in {args.out}")
