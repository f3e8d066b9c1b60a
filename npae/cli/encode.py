"""npae encode: encode samples into codes."""

import argparse

from npae.cli.arguments import add_data, add_model, add_out, read_data, read_model
from npae.cli.output import write_array
from npae.utils.console import say
from npae.utils.wording import counted

HELP = "turn samples into codes"
EXAMPLE = "npae encode runs/deep --data digits --out codes.npy"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL --data --out."""
    add_model(parser)
    add_data(parser)
    add_out(parser, "codes.npy")


def run(args: argparse.Namespace) -> None:
    """Encode and write."""
    model = read_model(args)
    codes = model.transform(read_data(args, model))
    write_array(args.out, codes)
    say(f"{counted(len(codes), 'code')} of {counted(codes.shape[1], 'value')} in {args.out}")
