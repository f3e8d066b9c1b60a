"""npae sample: draw new samples from a model."""

import argparse

from npae.cli.arguments import add_model, add_out, count, read_model
from npae.cli.output import write_array
from npae.utils.console import say
from npae.utils.wording import counted

HELP = "draw new samples"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL -n --seed --out."""
    add_model(parser)
    parser.add_argument("-n", type=count, default=64, help="how many (default: 64)")
    parser.add_argument("--seed", type=int, help="of the draw (default: the model's own)")
    add_out(parser, "samples.png")


def run(args: argparse.Namespace) -> None:
    """Draw and write."""
    write_array(args.out, read_model(args).sample(args.n, random_state=args.seed))
    say(f"{counted(args.n, 'sample')} in {args.out}")
