"""npae cluster: groups of samples by their codes; or how well they agree with labels, beside PCA and raw features."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from npae import datasets
from npae.applications import clustering, deep_clustering
from npae.applications.clustering import Groups
from npae.applications.features import require_sklearn
from npae.cli.arguments import DATA, add_model, check_picture, read_data, read_model, refuse_with, samples_in
from npae.cli.output import write_bytes
from npae.cli.paths import add_input, add_output
from npae.cli.rows import ROW_SUFFIXES, sample_names, write_rows
from npae.cli.sides import LABELS_HELP, add_sides, folder_labels, read_labels, read_sides, warn_of_order
from npae.cli.tables import add_json, say_table
from npae.estimators import AutoencoderEstimator
from npae.utils.console import say, shows_progress
from npae.utils.pictures import grid, png
from npae.utils.types import Array
from npae.utils.wording import counted

HELP = "group --data by codes, or without it measure how well groups agree with labels, beside PCA and raw features"
EXAMPLE = "npae cluster runs/deep --data table.csv --clusters 10 --out groups.csv"
FOR_DATA = ("out", "clusters", "method", "save", "labels", "picture")
FOR_COMPARISON = ("train", "test", "train_labels", "test_labels")
METHODS = ("kmeans", "dec")
AUTO = range(2, 13)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL, and either the data to group with the files to write, or two sides to compare."""
    add_model(parser)
    add_sides(parser, instead="data")
    add_input(parser, "--data", holds=samples_in, is_stream=True, help=f"samples to group: {DATA}")
    add_output(
        parser,
        "--out",
        declared={"suffixes": ROW_SUFFIXES, "default": lambda args: "groups.csv" if args.data else None},
        metavar="FILE",
        help="a .csv or .json with a row for each sample of --data: index from 0, file of an image, group from 0, "
        "distance of its code from the group's centroid (default: groups.csv)",
    )
    parser.add_argument(
        "--clusters",
        type=numbers,
        metavar="K",
        help='number of groups; of "2-12" that with the largest silhouette; "auto" is the same (default: auto)',
    )
    parser.add_argument(
        "--method",
        choices=METHODS,
        help=f"k-means on codes, or deep embedded clustering, which trains a copy of the model for groups (default: "
        f"{METHODS[0]})",
    )
    add_output(
        parser,
        "--save",
        declared={"suffixes": (".safetensors",)},
        metavar="FILE",
        help="the model that --method dec has trained, a .safetensors",
    )
    add_input(parser, "--labels", metavar="FILE", help=f"to compare the groups of --data with: {LABELS_HELP}")
    add_output(
        parser,
        "--picture",
        declared={"suffixes": (".png",)},
        metavar="FILE",
        help="a .png of the centroids, decoded",
    )
    add_json(parser)


def numbers(text: str) -> Sequence[int]:
    """The numbers of groups to try: "10", "2-12" or "auto"."""
    if text == "auto":
        return AUTO
    found = re.fullmatch(r"([1-9]\d{0,6})(?:-([1-9]\d{0,6}))?", text)
    if found is None:
        raise argparse.ArgumentTypeError(f'{text} is no number of groups; give one such as 10, a range 2-12, or "auto"')
    first, last = int(found[1]), int(found[2] or found[1])
    if last < first or (last > first and first < 2):
        raise argparse.ArgumentTypeError(f"{text} is no range of numbers of groups; give one such as 2-12, from 2 on")
    return range(first, last + 1)


def run(args: argparse.Namespace) -> None:
    """Write the groups, or print the comparison."""
    if args.data is None:
        refuse_with(args, FOR_DATA, "is for --data, which is not given; give the samples to group")
        model = read_model(args)
        sides = read_sides(args, model)
        rows = clustering.compare(model, sides.train, sides.test, sides.test_labels)
        say_table("agreement", clustering.HEADER, rows)
    else:
        refuse_with(args, FOR_COMPARISON, "is for the comparison without --data; leave one of the two out")
        _cluster(args)


def _cluster(args: argparse.Namespace) -> None:
    require_sklearn("k-means")
    model, is_dec = read_model(args), args.method == "dec"
    if is_dec:
        deep_clustering.refuse_variational(model)
    elif args.save:
        raise ValueError("--save is for the model that --method dec trains; give that too, or leave it out")
    if args.picture:
        check_picture(model)
        if getattr(model, "conditional", False):
            raise ValueError("--picture decodes centroids, for which a conditional model needs labels; leave it out")
    X = read_data(args, model)
    labels = _labels(args, len(X))
    names = sample_names(args.data)
    if labels is not None:
        warn_of_order("--data", labels, args.first)
    X = X[: args.first]
    codes = model.network_.encode(X)
    k = _number(args, codes)
    if is_dec:
        model, found = _trained(model, X, k)
        codes = model.network_.encode(X)
        if args.save:
            model.save(args.save)
    else:
        found = clustering.cluster(codes, k)
    _write(args, model, found, names)
    say(_judged(codes, found, None if labels is None else labels[: args.first]))


def _trained(model: AutoencoderEstimator, X: Array, k: int) -> tuple[AutoencoderEstimator, Groups]:
    """The model after training for k groups, and the groups of X; prints how long it took."""
    trained = deep_clustering.deep_cluster(model, X, k, verbose=shows_progress())
    say(
        f"trained for groups with {counted(len(trained.changed), 'update')} of the target; at the last "
        f"{trained.changed[-1]:.2%} of the samples changed their group"
    )
    return trained.model, trained.groups


def _labels(args: argparse.Namespace, n: int) -> Array | None:
    """Those of the file, the folders of the images, or the digits' own; None where there are none."""
    if args.labels is not None:
        if args.data == "digits":
            raise ValueError("--labels was given with --data digits, which have their own; leave it out")
        return read_labels(args.labels, n)
    if args.data == "digits":
        return datasets.load_digits().train_labels
    folders = folder_labels(Path(args.data))
    return None if folders is None else np.array(folders)


def _number(args: argparse.Namespace, codes: Array) -> int:
    """The number of groups: the one that was given, or the best of several, whose silhouettes are printed."""
    candidates = AUTO if args.clusters is None else args.clusters
    if len(candidates) == 1:
        return int(candidates[0])
    n_different = len(np.unique(codes, axis=0))
    most = min(candidates[-1], n_different)
    if most < candidates[0]:
        raise ValueError(
            f"{counted(n_different, 'different sample')} cannot be divided into {candidates[0]} groups or more; give "
            f"--clusters {n_different}, or other data"
        )
    measured = clustering.silhouettes(codes, range(candidates[0], most + 1))
    k = clustering.best_number(measured)
    say_table("silhouettes", ("groups", "silhouette"), measured)
    if most < candidates[-1]:
        say(f"more than {most} groups were not tried, since only {n_different} samples differ from one another")
    return k


def _write(args: argparse.Namespace, model: AutoencoderEstimator, found: Groups, names: list[str] | None) -> None:
    header = ["index", *([] if names is None else ["file"]), "group", "distance"]
    write_rows(
        args.out,
        header,
        (
            (i, *([] if names is None else [names[i]]), group, distance)
            for i, (group, distance) in enumerate(zip(found.groups, found.distances, strict=True))
        ),
    )
    if args.picture:
        write_bytes(args.picture, png(grid(model.inverse_transform(found.centroids))))


def _judged(codes: Array, found: Groups, labels: Array | None) -> str:
    sizes = np.bincount(found.groups, minlength=len(found.centroids))
    parts = [f"{counted(len(sizes), 'group')} of {sizes.min():,} to {sizes.max():,} samples"]
    value = clustering.silhouette(codes, found.groups)
    undefined = "no silhouette, which needs several groups, and fewer than there are samples"
    parts.append(undefined if value is None else f"silhouette {value:.4f}")
    if labels is not None:
        rand, information = clustering.agreement(labels, found.groups)
        parts.append(f"adjusted Rand index {rand:.4f}, mutual information {information:.4f}")
    return "; ".join(parts)
