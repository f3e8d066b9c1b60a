"""npae sample: draw new samples from a model."""

import argparse

from npae.cli.arguments import add_model, add_samples_out, count, read_model
from npae.cli.samples_file import write_samples

HELP = "draw new samples"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL -n --seed --out."""
    add_model(parser)
    parser.add_argument("-n", type=count, default=64, help="how many (default: 64)")
    parser.add_argument("--seed", type=int, help="of the draw (default: the model's own)")
    add_samples_out(parser, "samples.png")


def run(args: argparse.Namespace) -> None:
    """Draw and write."""
    model = read_model(args)
    write_samples(args.out, model, model.sample(args.n, random_state=args.seed))
    print(f"{args.n} samples in {args.out}")
