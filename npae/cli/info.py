"""npae info: print the layers, parameters and training record of a model file, or what kernels are compiled for."""

import argparse
from typing import Any

from npae.cli.arguments import add_model, read_model
from npae.cli.machine_description import described_machine, lines
from npae.cli.tables import add_json, say_json
from npae.datasets.music.layout import Layout
from npae.estimators import AutoencoderEstimator
from npae.network.summary import layer_sizes
from npae.utils.console import say
from npae.utils.wording import counted

HELP = "show a model's layers, parameters and training record, or the machine"
EXAMPLE = "npae info runs/deep"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL --machine --json."""
    add_model(parser, instead="machine")
    parser.add_argument(
        "--machine",
        action="store_true",
        default=None,
        help="show instead which vectors of this machine's processor the kernels are compiled for, and why",
    )
    add_json(parser, "print all that is shown as JSON")


def run(args: argparse.Namespace) -> None:
    """Print the description."""
    if args.machine:
        if args.model is not None:
            raise ValueError(f"MODEL {args.model} and --machine were given; give one of the two")
        found = described_machine()
        say_json(found) if args.json else say("\n".join(lines(found)))
        return
    model = read_model(args)
    if args.json:
        say_json(_described(model))
    else:
        _print(model)


def _print(model: AutoencoderEstimator) -> None:
    net = model.network_
    say(model)
    say(f"\nsamples {net.input_shape}, code {net.code_shape}, loss {net.loss.name}, {net.arena.dtype}\n")
    say(net.summary())
    if (layout := Layout.from_metadata(model.metadata_)) is not None:
        say(f"\nmusic: {layout}, {layout.tempo:g} quarter notes a minute")
    say(f"\ntrained for {counted(model.n_iter_, 'epoch')}, {counted(net.run.step, 'step')}, seed {net.run.seed}")
    for name, values in model.history_.items():
        if values:
            ends = f"{values[0]:.6g} -> {values[-1]:.6g}"
            say(f"  {name}: {sum(values):.1f}" if name == "seconds" else f"  {name}: {ends}")


def _described(model: AutoencoderEstimator) -> dict[str, Any]:
    """The description as values of JSON; sizes are of one sample."""
    net = model.network_
    return {
        "estimator": type(model).__name__,
        "parameters": model.get_params(),
        "sample_shape": net.input_shape,
        "code_shape": net.code_shape,
        "loss": net.loss.name,
        "dtype": net.arena.dtype.name,
        "layers": [layer._asdict() for layer in layer_sizes(net.arena)],
        "epochs": model.n_iter_,
        "steps": net.run.step,
        "seed": net.run.seed,
        "history": model.history_,
        "metadata": model.metadata_,
    }
