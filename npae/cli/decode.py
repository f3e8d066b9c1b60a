"""npae decode: decode codes into samples."""

import argparse

from npae.cli.arguments import add_model, add_reading, add_samples_out, read_model, read_sources
from npae.cli.data_labels import add_label, label_for
from npae.cli.paths import add_input
from npae.cli.samples_file import write_samples
from npae.utils.console import say
from npae.utils.wording import counted

HELP = "turn codes back into samples"
EXAMPLE = "npae decode runs/deep codes.npy --out decoded.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL CODES --label --out."""
    add_model(parser)
    add_input(
        parser,
        "codes",
        metavar="CODES",
        is_stream=True,
        help="a .npy or .csv file of codes, as npae encode writes it, or - for a .npy on standard input",
    )
    add_reading(parser)
    add_label(parser, "what all samples are to be")
    add_samples_out(parser, "decoded.npy")


def run(args: argparse.Namespace) -> None:
    """Decode and write."""
    model = read_model(args)
    samples = model.inverse_transform(read_sources(args, args.codes)[0], label_for(model, args))
    write_samples(args.out, model, samples)
    say(f"{counted(len(samples), 'sample')} of shape {samples.shape[1:]} in {args.out}")
