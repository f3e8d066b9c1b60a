"""npae sample: draw new samples from a model."""

import argparse
from typing import Any

from npae.cli.arguments import add_model, add_out, count, read_model
from npae.cli.output import write_array
from npae.estimators import AutoencoderEstimator
from npae.estimators.labels import as_typed, listed
from npae.estimators.sampling import SAMPLERS

HELP = "draw new samples"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL -n --seed --sampler --label --out."""
    add_model(parser)
    parser.add_argument("-n", type=count, default=64, help="how many (default: 64)")
    parser.add_argument("--seed", type=int, help="of the draw (default: the model's own)")
    add_sampler(parser)
    parser.add_argument("--label", help="what the samples are to be, of a conditional model, which needs it")
    add_out(parser, "samples.png")


def add_sampler(parser: argparse.ArgumentParser) -> None:
    """Add the option --sampler."""
    parser.add_argument(
        "--sampler",
        choices=SAMPLERS,
        help="what codes are drawn from: the prior N(0, 1) of a variational model (its default), the Gaussian of the "
        "training codes (default of the others), or a mixture of ten of them, gmm",
    )


def run(args: argparse.Namespace) -> None:
    """Draw and write."""
    model = read_model(args)
    samples = model.sample(args.n, random_state=args.seed, sampler=args.sampler, labels=_label(model, args.label))
    write_array(args.out, samples)
    print(f"{args.n} samples in {args.out}")


def _label(model: AutoencoderEstimator, text: str | None) -> Any:
    """The label that --label names, of the type of those of the model; None of a model without."""
    if not model.network_.condition.n_labels:
        if text is not None:
            raise ValueError(f"--label is {text!r}, but this model is not conditional; leave it out")
        return None
    if text is None:
        raise ValueError(f"this model is conditional; give --label, one of {listed(model.classes_)}")
    return as_typed(text, model.classes_)
