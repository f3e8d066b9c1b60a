"""npae export: write the encoder alone, an ONNX graph, or one Python file."""

import argparse
from pathlib import Path

from npae.cli.arguments import add_model, beside_model, read_model
from npae.cli.paths import add_output
from npae.storage.export import export_encoder, export_onnx, export_python
from npae.utils.console import say

HELP = "write a model as an encoder alone, as ONNX, or as one Python file"
EXAMPLE = "npae export runs/deep --to onnx --out deep.onnx"
SUFFIXES = {"encoder": ".encoder.safetensors", "onnx": ".onnx", "python": ".py"}
EXPORTERS = {"encoder": export_encoder, "onnx": export_onnx, "python": export_python}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL --to --out."""
    add_model(parser)
    parser.add_argument(
        "--to",
        required=True,
        choices=EXPORTERS,
        help="encoder: the encoding half, for npae.load_encoder; onnx: a graph for other runtimes, needs the package "
        "onnx; python: one file with encode and decode, which needs NumPy alone",
    )
    add_output(
        parser,
        "--out",
        declared={"default": lambda args: beside_model(args, SUFFIXES[args.to])},
        metavar="FILE",
        help="the file to write (default: beside the model)",
    )


def run(args: argparse.Namespace) -> None:
    """Write, and print the file's size."""
    network = read_model(args).network_
    out = Path(args.out)
    EXPORTERS[args.to](network, out)
    say(f"{out.stat().st_size:,} bytes in {out}")
