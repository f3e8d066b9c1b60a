"""npae info: print the layers, parameters and training record of a model file."""

import argparse

from npae.cli.arguments import add_model, read_model
from npae.datasets.music.layout import Layout

HELP = "show a model's layers, parameters and training record"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL."""
    add_model(parser)


def run(args: argparse.Namespace) -> None:
    """Print the description."""
    model = read_model(args)
    net = model.network_
    print(model)
    print(f"\nsamples {net.input_shape}, code {net.code_shape}, loss {net.loss.name}, {net.arena.dtype}\n")
    print(net.summary())
    if (layout := Layout.from_metadata(model.metadata_)) is not None:
        print(f"\nmusic: {layout}, {layout.tempo:g} quarter notes a minute")
    print(f"\ntrained for {model.n_iter_} epochs, {net.run.step:,} steps, seed {net.run.seed}")
    for name, values in model.history_.items():
        if values:
            ends = f"{values[0]:.6g} -> {values[-1]:.6g}"
            print(f"  {name}: {sum(values):.1f}" if name == "seconds" else f"  {name}: {ends}")
