"""npae info: print the layers, parameters and training record of a model file."""

import argparse

from npae.cli.arguments import add_model, read_model
from npae.datasets.music.layout import Layout
from npae.utils.console import say
from npae.utils.wording import counted

HELP = "show a model's layers, parameters and training record"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL."""
    add_model(parser)


def run(args: argparse.Namespace) -> None:
    """Print the description."""
    model = read_model(args)
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
