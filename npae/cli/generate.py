"""npae generate: samples, walks and grids as pictures, the Fréchet distance of samples, and a variational ELBO."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from npae.applications import frechet, generation
from npae.cli.arguments import add_data, add_model, count, read_data, read_model
from npae.cli.data_labels import add_labels, condition_of, labels_of_data
from npae.cli.output import write_bytes
from npae.cli.paths import add_output
from npae.cli.sample import add_sampler
from npae.cli.samples_file import write_samples
from npae.cli.sides import warn_of_order
from npae.cli.tables import add_json, say_table
from npae.datasets.music.layout import Layout
from npae.estimators import AutoencoderEstimator, VariationalAutoencoder
from npae.estimators.hints import CARRIED
from npae.utils.console import say
from npae.utils.randomness import generator
from npae.utils.scikit_learn import has_sklearn
from npae.utils.types import Array
from npae.utils.wording import counted

HELP = "draw samples, interpolations, traversals and a grid of a model; judge a variational one"
EXAMPLE = "npae generate runs/variational --data digits --out generated"
PICTURES = ("samples", "walks", "traversals", "grid")
WALKED = 4  # samples that interpolations start and end at, in pairs
JUDGED = 500  # samples that the bounds are of
DRAWN, COLUMNS = 48, 12  # samples in a picture, and in a row of it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL --data --labels --sampler --first --draws --out."""
    add_model(parser)
    add_data(parser)
    add_labels(parser, "to judge samples by the features of a classifier of them, and for a conditional model")
    add_sampler(parser)
    parser.add_argument(
        "--first",
        type=count,
        metavar="N",
        help=f"the bounds are of the first N samples (default: of {JUDGED}, drawn at random)",
    )
    parser.add_argument("--draws", type=count, default=50, metavar="K", help="codes for each of them (default: 50)")
    add_output(
        parser,
        "--out",
        declared={"is_folder": True, "files": _pictures_in},
        default="generated",
        metavar="FOLDER",
        help="for the pictures (default: generated)",
    )
    add_json(parser)


def _pictures_in(args: argparse.Namespace, folder: Path) -> list[Path]:
    return [folder / f"{name}.png" for name in PICTURES]


def run(args: argparse.Namespace) -> None:
    """Print the bounds and distances, write the pictures."""
    from npae.utils import pictures

    model = read_model(args)
    X = read_data(args, model)
    if len(X) < WALKED:
        raise ValueError(f"--data has {counted(len(X), 'sample')}; give at least {WALKED}, to walk from one to another")
    labels = labels_of_data(args, len(X))
    condition = condition_of(model, labels)
    if isinstance(model, VariationalAutoencoder):
        if args.first and labels is not None:
            warn_of_order("--data", labels, args.first)
        _print_bounds(args, model, X, condition)
    _print_distances(model, X, labels)
    is_music = Layout.from_metadata(model.metadata_) is not None
    if is_music:
        _draw(args, model, X, condition, is_music=True)
        say(f"piano rolls in {args.out}, bar after bar: samples, walks (straight and on the sphere), traversals")
    elif pictures.are_images(X):
        pictures.require_pillow()
        _draw(args, model, X, condition, is_music=False)
        say(f"pictures in {args.out}: samples, walks (straight and on the sphere), traversals, grid")
    else:
        say("no pictures: the samples are neither images nor music")


def _draw(
    args: argparse.Namespace, model: AutoencoderEstimator, X: Array, condition: Array | None, *, is_music: bool
) -> None:
    """Write the pictures; of music piano rolls, and no grid, since a roll has no second direction."""
    from npae.utils import pictures

    each: list[Any] = [None] * WALKED if condition is None else condition[:WALKED].tolist()
    walks = [
        generation.walk(model, X[i], X[i + 1], 12, spherical=bent, labels=each[i])
        for i in range(0, WALKED, 2)
        for bent in (False, True)
    ]
    along = generation.traversals(model, X[0], 12, labels=each[0])
    shown = [
        _samples(model, args.sampler),
        (np.concatenate(walks), 12),
        (along.reshape(-1, *along.shape[2:]), 12),
    ]
    if not is_music:
        shown.append((generation.latent_grid(model, X, labels=each[0]), 15))
    for path, (samples, columns) in zip(_pictures_in(args, Path(args.out)), shown, strict=False):
        if is_music:
            write_samples(str(path), model, samples)
        else:
            write_bytes(path, pictures.png(pictures.grid(samples, columns), scale=1))


def _print_bounds(args: argparse.Namespace, model: AutoencoderEstimator, X: Array, condition: Array | None) -> None:
    chosen = np.arange(len(X))[: args.first]
    if args.first is None:
        chosen = np.sort(generator(0, "bounds").permutation(len(X))[:JUDGED])
    labels = None if condition is None else condition[chosen]
    judged = generation.bounds(model, X[chosen], args.draws, labels=labels)
    active = judged.active.tolist()
    columns = range(len(active)), judged.kl.tolist(), judged.variance.tolist(), active
    say_table("dimensions", generation.HEADER, zip(*columns, strict=True))
    say(
        f"{judged.active.sum()} of {counted(len(active), 'dimension')} {'is' if len(active) == 1 else 'are'} active, "
        f"with {CARRIED:g} nats or more; the means of {judged.varying.sum()} have a variance above "
        f"{generation.VARYING:g}"
    )
    say(f"ELBO {judged.elbo:.2f} nats, with {args.draws} draws {judged.importance_weighted:.2f}{_of_which(args, X)}")


def _of_which(args: argparse.Namespace, X: Array) -> str:
    """Which samples the bounds are of, where it is not all."""
    n = args.first or JUDGED
    if n >= len(X):
        return ""
    which = f"the first {n:,}" if args.first else f"{n:,}, drawn at random,"
    return f", of {which} of {len(X):,} samples"


def _print_distances(model: AutoencoderEstimator, X: Array, labels: Array | None) -> None:
    """The Fréchet distance of each sampler, and of one half of the data from the other."""
    if labels is not None and not has_sklearn():
        say("no classifier of the labels, which needs scikit-learn (pip install 'npae[sklearn]')")
    try:
        found = frechet.compare(model, X, labels)
    except frechet.TooFewSamplesError as error:
        say(f"no Fréchet distance: {error}")
        return
    say_table("distances", frechet.HEADER, found.rows)
    say(f"to half of the data, {found.n:,} samples a side, in {found.size} features of {found.features}")


def _samples(model: AutoencoderEstimator, sampler: str | None) -> tuple[Array, int]:
    """Samples and how many are in a row: of a conditional model each column has a label, up to twelve of them."""
    if not model.network_.condition.n_labels:
        return model.sample(DRAWN, sampler=sampler), COLUMNS
    classes = model.classes_[:COLUMNS]
    n_rows = DRAWN // COLUMNS
    return model.sample(n_rows * len(classes), sampler=sampler, labels=np.tile(classes, n_rows)), len(classes)
