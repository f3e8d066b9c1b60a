"""npae sample: draw new samples from a model."""

import argparse

from npae.cli.arguments import add_model, add_samples_out, count, read_model, seed_number
from npae.cli.data_labels import add_label, label_for
from npae.cli.samples_file import write_samples
from npae.estimators.sampling import SAMPLERS
from npae.utils.console import say
from npae.utils.wording import counted

HELP = "draw new samples"
EXAMPLE = "npae sample runs/variational -n 16 --out new.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL -n --seed --sampler --label --out."""
    add_model(parser)
    parser.add_argument("-n", "--number", dest="n", type=count, default=64, metavar="N", help="how many (default: 64)")
    parser.add_argument("--seed", type=seed_number, metavar="N", help="of the draw (default: the model's own)")
    add_sampler(parser)
    add_label(parser, "what the samples are to be")
    add_samples_out(parser, "samples.png")


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
    samples = model.sample(args.n, random_state=args.seed, sampler=args.sampler, labels=label_for(model, args))
    write_samples(args.out, model, samples)
    say(f"{counted(args.n, 'sample')} in {args.out}")
