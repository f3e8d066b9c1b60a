"""npae compress: images as quantised, entropy-coded codes."""

import argparse
from dataclasses import astuple
from math import prod

import numpy as np

from npae.applications import codec_comparison, compression
from npae.cli.arguments import add_model, read_model, read_sources, samples_in
from npae.cli.open_data import add_large_data, open_data
from npae.cli.output import write_bytes
from npae.cli.paths import add_input, add_output
from npae.cli.shared_samples import warn_of_shared
from npae.cli.tables import add_json, say_table
from npae.utils.console import say
from npae.utils.sources import Source
from npae.utils.types import Array
from npae.utils.wording import counted

HELP = "compress samples into a file of quantised, entropy-coded codes"
EXAMPLE = "npae compress runs/deep --data digits --out digits.npaez"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL --data --bits --out --compare."""
    add_model(parser)
    add_large_data(parser)
    parser.add_argument(
        "--bits", type=int, metavar="N", help="of the code's widest dimension, 1 to 16 (default: chosen from the data)"
    )
    add_output(parser, "--out", default="images.npaez", metavar="FILE", help="the file to write (images.npaez)")
    add_input(
        parser,
        "--compare",
        holds=samples_in,
        is_stream=True,
        metavar="DATA",
        help="also show PCA, fitted to this data, and JPEG; give what the model learned",
    )
    add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Compress, write, and print size and quality."""
    model = read_model(args)
    learned: Array | None = None
    X: Array | Source
    if args.compare:
        if not isinstance(args.data, str):
            raise ValueError("--compare is for one --data, of which PCA and JPEG need all in memory; leave it out")
        X, learned = read_sources(args, args.data, args.compare, model=model)
        codec_comparison.check_comparable(learned, X)
        so = "to which PCA is fitted, so what is shown of it need not hold for new ones; give others"
        warn_of_shared("--data", X, "--compare", learned, so)
    else:
        X = open_data(args, model)
    content = compression.compress(model, X, args.bits)
    write_bytes(args.out, content)
    size, quality = len(content), compression.quality(model, content, X)
    say(f"{counted(len(X), 'sample')} in {counted(size, 'byte')}: {args.out}")
    say(f"{8 * size / prod(X.shape):.4f} bits per value, PSNR {quality:.2f} dB")
    if learned is not None and isinstance(X, np.ndarray):
        rows = codec_comparison.compare(model, learned, X, args.bits)
        say_table("coders", codec_comparison.HEADER, map(astuple, rows))
