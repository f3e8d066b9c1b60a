"""npae generate: samples, interpolations and grids of a model as pictures, and the ELBO of a variational model."""

import argparse
from pathlib import Path

import numpy as np

from npae.applications import generation
from npae.cli.arguments import add_data, add_model, count, read_data, read_model
from npae.cli.output import table, write_bytes
from npae.cli.paths import add_output
from npae.estimators import VariationalAutoencoder
from npae.utils.console import say
from npae.utils.wording import counted

HELP = "draw samples, interpolations, traversals and a grid of a model; judge a variational one"
PICTURES = ("samples", "walks", "traversals", "grid")
WALKED = 4  # samples that interpolations start and end at, in pairs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL --data --first --draws --out."""
    add_model(parser)
    add_data(parser)
    parser.add_argument("--first", type=count, default=500, metavar="N", help="samples for the bounds (default: 500)")
    parser.add_argument("--draws", type=count, default=50, metavar="K", help="codes for each of them (default: 50)")
    add_output(
        parser,
        "--out",
        declared={"is_folder": True, "files": _pictures_in},
        default="generated",
        metavar="FOLDER",
        help="for the pictures (default: generated)",
    )


def _pictures_in(args: argparse.Namespace, folder: Path) -> list[Path]:
    return [folder / f"{name}.png" for name in PICTURES]


def run(args: argparse.Namespace) -> None:
    """Print the bounds, write the pictures."""
    from npae.utils import pictures

    model = read_model(args)
    X = read_data(args, model)
    if len(X) < WALKED:
        raise ValueError(f"--data has {counted(len(X), 'sample')}; give at least {WALKED}, to walk from one to another")
    if isinstance(model, VariationalAutoencoder):
        judged = generation.bounds(model, X[: args.first], args.draws)
        active = ["yes" if is_active else "no" for is_active in judged.active]
        say(table(generation.HEADER, zip(map(str, range(len(active))), judged.kl.tolist(), active, strict=True)))
        say(f"{judged.active.sum()} of {counted(len(active), 'dimension')} active")
        say(f"ELBO {judged.elbo:.2f} nats, with {args.draws} draws {judged.importance_weighted:.2f}")
    if not pictures.are_images(X):
        say("no pictures: the samples are no images")
        return
    pictures.require_pillow()
    folder = Path(args.out)
    walks = [
        generation.walk(model, X[i], X[i + 1], 12, spherical=bent)
        for i in range(0, WALKED, 2)
        for bent in (False, True)
    ]
    along = generation.traversals(model, X[0], 12)
    shown = (
        (model.sample(48), 12),
        (np.concatenate(walks), 12),
        (along.reshape(-1, *along.shape[2:]), 12),
        (generation.latent_grid(model, X), 15),
    )
    for path, (samples, columns) in zip(_pictures_in(args, folder), shown, strict=True):
        write_bytes(path, pictures.png(pictures.grid(samples, columns), scale=1))
    say(f"pictures in {folder}: samples, walks (straight and on the sphere), traversals, grid")
