"""npae attribute: give an attribute to samples, or take it away, in steps."""

import argparse
from pathlib import Path

import numpy as np

from npae.applications.attributes import apply_attribute, attribute_vector
from npae.cli.arguments import DATA, add_model, add_out, add_reading, count, read_model, read_sources, samples_in
from npae.cli.data_labels import add_label, label_for
from npae.cli.output import write_array
from npae.cli.paths import add_input
from npae.cli.samples_file import column_names
from npae.cli.shared_samples import warn_of_shared
from npae.utils.console import say
from npae.utils.wording import counted

HELP = "give samples what distinguishes one group from another, such as glasses, or take it away, in steps"
EXAMPLE = "npae attribute runs/faces --data all --plus glasses --minus without --out glasses.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL --data --plus --minus --first --strength --steps --label --out."""
    add_model(parser)
    for name, what in (
        ("--data", "samples to change"),
        ("--plus", "samples that have the attribute"),
        ("--minus", "samples that lack it, and are else alike"),
    ):
        add_input(parser, name, needed=DATA, holds=samples_in, is_stream=True, help=f"{what} (needed): {DATA}")
    parser.add_argument("--first", type=count, metavar="N", help="only the first N of the samples to change")
    parser.add_argument(
        "--strength",
        type=float,
        default=1.0,
        metavar="X",
        help="from -X to X times the difference of the two groups' mean codes is added (default: 1)",
    )
    parser.add_argument(
        "--steps", type=count, default=7, help="strengths from -X to X, both included; of an odd number one is 0"
    )
    add_label(parser, "what the changed samples are")
    add_reading(parser)
    add_out(parser, "attribute.png")


def run(args: argparse.Namespace) -> None:
    """Compute the attribute, apply it, write the samples; in a picture the originals come first in each row."""
    if not 0 < args.strength < np.inf:
        raise ValueError(f"--strength is {args.strength:g}; expected a number above 0")
    if args.steps < 2:
        raise ValueError(f"--steps is {args.steps}; expected a whole number of at least 2, for both ends")
    model = read_model(args)
    plus, minus, X = read_sources(args, args.plus, args.minus, args.data, model=model)
    X = X[: args.first]
    strengths = np.linspace(-args.strength, args.strength, args.steps)
    warn_of_shared("--plus", plus, "--minus", minus, "where they lack the attribute; give others to one of the two")
    vector = attribute_vector(model, plus, minus)
    changed = apply_attribute(model, X, vector, strengths, labels=label_for(model, args))
    if Path(args.out).suffix.lower() == ".png":
        shown = np.concatenate([X.reshape(len(X), 1, *changed.shape[2:]), changed], axis=1)
        write_array(args.out, shown.reshape(-1, *shown.shape[2:]), columns=shown.shape[1])
    else:
        names = column_names(model)
        by_strength = None if names is None else [f"{name} at {s:g}" for s in strengths for name in names]
        write_array(args.out, changed, names=by_strength)
    say(
        f"{counted(len(X), 'sample')} in {counted(args.steps, 'strength')} from {-args.strength:g} to "
        f"{args.strength:g} in {args.out}; the attribute is that of {counted(len(plus), 'sample')} less that of "
        f"{len(minus):,}"
    )
