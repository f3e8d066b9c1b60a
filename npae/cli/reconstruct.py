"""npae reconstruct: encode and decode samples."""

import argparse

import numpy as np

from npae.cli.arguments import add_data, add_model, add_samples_out, count, read_data, read_model
from npae.cli.samples_file import write_samples

HELP = "encode and decode samples; a denoising model removes their noise"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL --data --first --out."""
    add_model(parser)
    add_data(parser)
    parser.add_argument("--first", type=count, metavar="N", help="only the first N samples")
    add_samples_out(parser, "reconstructed.npy")


def run(args: argparse.Namespace) -> None:
    """Reconstruct, write, and print the mean squared error."""
    X = read_data(args)[: args.first]
    model = read_model(args)
    rebuilt = model.reconstruct(X)
    write_samples(args.out, model, rebuilt)
    error = float(np.square(rebuilt - X, dtype=np.float64).mean())
    print(f"{len(X):,} samples rebuilt in {args.out}, mean squared error {error:.4f}")
