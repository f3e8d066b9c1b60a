"""npae reconstruct: encode and decode samples."""

import argparse

import numpy as np

from npae.cli.arguments import add_data, add_model, add_samples_out, count, read_data, read_model
from npae.cli.data_labels import add_labels, condition_of, labels_of_data
from npae.cli.samples_file import write_samples
from npae.utils.console import say
from npae.utils.wording import counted

HELP = "encode and decode samples; a denoising model removes their noise"
EXAMPLE = "npae reconstruct runs/deep --data digits --out reconstructed.npy"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL --data --labels --first --out."""
    add_model(parser)
    add_data(parser)
    add_labels(parser, "for a conditional model")
    parser.add_argument("--first", type=count, metavar="N", help="only the first N samples")
    add_samples_out(parser, "reconstructed.npy")


def run(args: argparse.Namespace) -> None:
    """Reconstruct, write, and print the mean squared error."""
    model = read_model(args)
    X = read_data(args, model)
    if args.data_labels is not None and not model.network_.condition.n_labels:
        raise ValueError("--labels was given, but this model is not conditional; leave it out")
    labels = condition_of(model, labels_of_data(args, len(X)))
    X = X[: args.first]
    rebuilt = model.reconstruct(X, None if labels is None else labels[: args.first])
    write_samples(args.out, model, rebuilt)
    error = float(np.square(rebuilt - X, dtype=np.float64).mean())
    say(f"{counted(len(X), 'sample')} rebuilt in {args.out}, mean squared error {error:.4f}")
