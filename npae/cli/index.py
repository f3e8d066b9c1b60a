"""npae index: write the codes of many samples as an index for npae search."""

import argparse

from npae.applications.retrieval import METRICS, Index
from npae.cli.arguments import add_data, add_model, beside_model, read_data, read_model
from npae.cli.paths import add_output
from npae.cli.rows import sample_names

HELP = "encode samples into an index, in which npae search finds the nearest"


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
    index = Index.of(model, read_data(args), args.metric, sample_names(args.data))
    index.save(args.out)
    print(f"{len(index.codes):,} codes of {index.codes.shape[1]} values in {args.out}")
