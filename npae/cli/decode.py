"""npae decode: decode codes into samples."""

import argparse

from npae.cli.arguments import add_model, add_reading, add_samples_out, read_model, read_sources
from npae.cli.paths import add_input
from npae.cli.samples_file import write_samples

HELP = "turn codes back into samples"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL CODES --out."""
    add_model(parser)
    add_input(parser, "codes", metavar="CODES", help="a .npy or .csv file of codes, as npae encode writes it")
    add_reading(parser)
    add_samples_out(parser, "decoded.npy")


def run(args: argparse.Namespace) -> None:
    """Decode and write."""
    model = read_model(args)
    samples = model.inverse_transform(read_sources(args, args.codes)[0])
    write_samples(args.out, model, samples)
    print(f"{len(samples):,} samples of shape {samples.shape[1:]} in {args.out}")
