"""npae decompress: rebuild samples from a file of npae compress."""

import argparse

from npae.applications.compression import decompress_file
from npae.cli.arguments import add_model, add_samples_out, read_model
from npae.cli.paths import add_input
from npae.cli.samples_file import write_samples
from npae.utils.console import say
from npae.utils.wording import counted

HELP = "rebuild the samples in a file of npae compress, with the same model"
EXAMPLE = "npae decompress runs/deep digits.npaez --out digits.npy"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL FILE --out."""
    add_model(parser)
    add_input(parser, "file", metavar="FILE", help="a file that npae compress wrote")
    add_samples_out(parser, "decompressed.npy")


def run(args: argparse.Namespace) -> None:
    """Rebuild and write."""
    model = read_model(args)
    X = decompress_file(model, args.file)
    write_samples(args.out, model, X)
    say(f"{counted(len(X), 'sample')} in {args.out}")
