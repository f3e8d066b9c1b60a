"""npae warmup: compile all kernels ahead of time."""

import argparse

from npae.utils.console import say

HELP = "compile all kernels ahead of time, so that a first training starts as fast as later ones"
EXAMPLE = "npae warmup --dtype float32"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--dtype."""
    parser.add_argument(
        "--dtype",
        choices=["float32", "float64"],
        default="float32",
        help="the type of number to compile for (default: float32, as the models' own)",
    )


def run(args: argparse.Namespace) -> None:
    """Compile, and print the time for each model and the folder of the machine code."""
    from npae.estimators.precompile import cache_folder, warm_up

    folder = cache_folder()
    seconds = 0.0
    for warmed in warm_up(args.dtype):
        say(f"{warmed.name:<28}{warmed.seconds:6.1f} s")
        seconds += warmed.seconds
    say(f"{'all':<28}{seconds:6.1f} s; machine code is kept in {folder}")
