"""npae index: write the codes of many samples as an index for npae search."""

import argparse

from npae.applications.retrieval import METRICS, Index
from npae.cli.arguments import add_data, add_model, beside_model, read_data, read_model
from npae.cli.paths import add_output
from npae.cli.rows import sample_names
from npae.utils.console import say
from npae.utils.wording import counted

HELP = "encode samples into an index, in which npae search finds the nearest"
EXAMPLE = "npae index runs/deep --data digits --out digits.index.safetensors"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL --data --metric --out."""
    add_model(parser)
    add_data(parser)
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
    index = Index.of(model, read_data(args, model), args.metric, sample_names(args.data))
    index.save(args.out)
    say(f"{counted(len(index.codes), 'code')} of {counted(index.codes.shape[1], 'value')} in {args.out}")
