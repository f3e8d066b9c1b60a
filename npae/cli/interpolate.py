"""npae interpolate: samples on the line between the codes of two samples."""

import argparse

from npae.cli.arguments import add_data, add_model, add_samples_out, count, read_data, read_model
from npae.cli.data_labels import add_label, label_for
from npae.cli.samples_file import write_samples
from npae.utils.console import say
from npae.utils.wording import counted

HELP = "walk from one sample to another through the code"
EXAMPLE = "npae interpolate runs/deep --data digits --start 0 --end 7 --out walk.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL --data --start --end --steps --label --out."""
    add_model(parser)
    add_data(parser)
    parser.add_argument("--start", type=int, default=0, metavar="I", help="index of the first sample (default: 0)")
    parser.add_argument("--end", type=int, default=1, metavar="J", help="index of the last sample (default: 1)")
    parser.add_argument("--steps", type=count, default=9, help="samples on the way, both ends included (default: 9)")
    add_label(parser, "what all samples on the way are to be")
    add_samples_out(parser, "interpolation.png")


def run(args: argparse.Namespace) -> None:
    """Interpolate and write."""
    model = read_model(args)
    X = read_data(args, model)
    for option in ("start", "end"):
        if not 0 <= getattr(args, option) < len(X):
            raise ValueError(f"--{option} is {getattr(args, option)}; expected an index from 0 to {len(X) - 1}")
    walk = model.interpolate(X[args.start], X[args.end], args.steps, labels=label_for(model, args))
    write_samples(args.out, model, walk, columns=args.steps)
    say(f"{counted(args.steps, 'sample')} in {args.out}")
