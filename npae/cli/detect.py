"""npae detect: which of new samples are anomalies; or how well scores tell outliers from known samples."""

import argparse
from collections.abc import Sequence

import numpy as np

from npae.applications import anomaly
from npae.applications.anomaly_scores import SCORES, check_score
from npae.applications.detector import Detection, Detector
from npae.cli.arguments import DATA, add_model, check_picture, read_model, read_sources, refuse_with, samples_in
from npae.cli.output import write_bytes
from npae.cli.paths import add_input, add_output
from npae.cli.rows import ROW_SUFFIXES, sample_names, write_rows
from npae.cli.shared_samples import warn_of_shared
from npae.cli.sides import add_sides, read_labels, read_sides
from npae.cli.tables import add_json, say_table
from npae.datasets.file_columns import check_file_columns
from npae.estimators import AutoencoderEstimator
from npae.utils.columns import columns_of
from npae.utils.console import say
from npae.utils.pictures import png, rows
from npae.utils.randomness import generator
from npae.utils.types import Array

HELP = "find anomalies among --data, or without it measure how well scores separate --outliers from known samples"
EXAMPLE = "npae detect runs/deep --train good.csv --data new.csv --out scores.csv"
FOR_DATA = ("out", "labels", "picture", "score", "false_positive_rate")
FOR_COMPARISON = ("test", "train_labels", "test_labels", "outliers")
RATE = 0.01
SHOWN = 8  # samples in the picture


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL, known samples, and either new ones with the files to write, or others to compare with."""
    add_model(parser)
    add_sides(parser)
    add_input(
        parser,
        "--outliers",
        holds=samples_in,
        is_stream=True,
        action="append",
        default=[],
        metavar="DATA",
        help="of another kind, as --train; as many as there are test samples are drawn at random; repeatable",
    )
    add_input(
        parser,
        "--data",
        holds=samples_in,
        is_stream=True,
        help=f"where to look for anomalies; --train is then known-good samples, best not those of training: {DATA}",
    )
    add_output(
        parser,
        "--out",
        declared={"suffixes": ROW_SUFFIXES, "default": lambda args: "scores.csv" if args.data else None},
        metavar="FILE",
        help="a .csv or .json with a row for each sample of --data: index from 0, file of an image, score, is_anomaly, "
        "the value that is reconstructed worst, what it is and its reconstruction (default: scores.csv)",
    )
    parser.add_argument(
        "--score", choices=SCORES, help=f"measure of being unlike known-good samples (default: {SCORES[0]})"
    )
    parser.add_argument(
        "--false-positive-rate",
        type=float,
        metavar="X",
        help=f"share of new good samples that may be taken for anomalies (default: {RATE})",
    )
    add_input(parser, "--labels", metavar="FILE", help="1 for each sample of --data that is an anomaly, else 0")
    add_output(
        parser,
        "--picture",
        declared={"suffixes": (".png",)},
        metavar="FILE",
        help=f"a .png of the {SHOWN} images with the highest scores: image, reconstruction, error",
    )
    add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Write the scores, or print the comparison."""
    if args.data is None:
        refuse_with(args, FOR_DATA, "is for --data, which is not given; give the samples to look for anomalies in")
        _compare(args)
    else:
        refuse_with(args, FOR_COMPARISON, "is for the comparison without --data; leave one of the two out")
        _detect(args)


def _compare(args: argparse.Namespace) -> None:
    """Print the table; noise is always among the outliers."""
    model = read_model(args)
    sides = read_sides(args, model, labels=False, others=args.outliers)
    read = read_sources(args, *args.outliers, model=model, others=[args.train, args.test or args.train])
    outliers = {name: _drawn(name, X, len(sides.test)) for name, X in zip(args.outliers, read, strict=True)}
    for name, X in outliers.items():
        so = "whose samples count as inliers, so no score tells them apart; give others"
        warn_of_shared(f"--outliers {name}", X, "--test", sides.test, so)
    outliers["noise"] = anomaly.noise_like(sides.test)
    areas = anomaly.compare(model, sides.train, sides.test, outliers)
    methods = list(areas["noise"])
    say_table("areas", ("outliers", *methods), [(name, *by_method.values()) for name, by_method in areas.items()])
    if anomaly.FOREST not in methods:
        say(f"{anomaly.FOREST} is left out, since scikit-learn is not installed; pip install 'npae[sklearn]'")


def _drawn(name: str, X: Array, n: int) -> Array:
    """At most n of the samples, drawn at random, since the first may all be of one kind; a sentence says so."""
    if len(X) <= n:
        return X
    say(f"{n:,} of the {len(X):,} outliers in {name} were drawn at random, as many as there are test samples")
    return X[np.sort(generator(0, "outliers").permutation(len(X))[:n])]


def _detect(args: argparse.Namespace) -> None:
    model, score = read_model(args), args.score or SCORES[0]
    check_score(model, score)
    if args.picture:
        check_picture(model)
    known_good, X = read_sources(args, args.train, args.data, model=model, compared=False)
    value_names = _value_names(X, model)
    known_good = check_file_columns(known_good, args.train, model.network_.columns)
    X = check_file_columns(X, args.data, model.network_.columns)
    labels = None if args.labels is None else _labels(args.labels, len(X))
    names = sample_names(args.data)
    known_good, X = known_good[: args.first], X[: args.first]
    so = "whose samples are taken to be good; give others as one of the two"
    warn_of_shared("--data", X, "--train", known_good, so)
    rate = RATE if args.false_positive_rate is None else args.false_positive_rate
    detector = Detector(model, known_good, score=score, false_positive_rate=rate)
    found = detector.find(X)
    header = ["index", *([] if names is None else ["file"]), "score", "is_anomaly", "furthest", "value", "rebuilt"]
    write_rows(
        args.out,
        header,
        (
            (i, *([] if names is None else [names[i]]), found.scores[i], found.is_anomaly[i], value_names[place],
             found.given[i], found.rebuilt[i])
            for i, place in enumerate(found.furthest.tolist())
        ),
    )  # fmt: skip
    if args.picture:
        write_bytes(args.picture, _picture(model, X, found))
    count = int(found.is_anomaly.sum())
    say(f"{count:,} of {len(X):,} samples have a {score} score above {detector.threshold:.4g}; {args.out}")
    say(_about_training(detector))
    if labels is not None:
        say(_judged(found, labels[: args.first] == 1))


def _labels(path: str, n: int) -> Array:
    labels = read_labels(path, n)
    wrong = labels[~np.isin(labels, (0, 1))] if labels.dtype.kind == "i" else labels
    if len(wrong):
        raise ValueError(f"--labels {path} holds {wrong[0]}; give 1 for an anomaly and 0 for any other sample")
    return labels


def _value_names(X: Array, model: AutoencoderEstimator) -> Sequence[str]:
    """What each value of a sample is called: its column's name or number from 1, or the index of a pixel."""
    shape = model.network_.input_shape
    if len(shape) > 1:
        return [str(list(index)) for index in np.ndindex(shape)]
    columns = columns_of(X) or model.network_.columns
    return [f"column {place + 1}" for place in range(shape[0])] if columns is None else columns.labels


def _picture(model: AutoencoderEstimator, X: Array, found: Detection) -> bytes:
    worst = X[np.argsort(-found.scores, kind="stable")[:SHOWN]]
    rebuilt = model.reconstruct(worst)
    error = np.abs(worst - rebuilt)
    return png(rows(worst, rebuilt, error / max(error.max(), np.finfo(error.dtype).tiny)))


def _about_training(detector: Detector) -> str:
    """Whether the model was fitted to the known-good samples, as far as its file says."""
    record, share = detector.record, f"a share of {detector.false_positive_rate:.2g} of new good samples"
    if record is None:
        return (
            f"the model's file does not say which samples it was fitted to; if these known-good ones are among them, "
            f"more than {share} may be taken for anomalies"
        )
    known = f"{len(record.hashes):,} training samples that the model's file knows"
    if detector.n_fitted:
        return (
            f"the model was fitted to known-good samples: {detector.n_fitted:,} of {known} are among them, so that "
            f"more than {share} may be taken for anomalies; give other ones as --train"
        )
    told = "" if record.is_complete else ", as far as these tell"
    return (
        f"none of {known} is among the known-good ones{told}: up to {share} of their kind are expected to be taken for "
        f"anomalies"
    )


def _judged(found: Detection, is_true: Array) -> str:
    """Precision and recall, and the area under the ROC curve where there are both kinds."""
    hits, taken, there = int((found.is_anomaly & is_true).sum()), int(found.is_anomaly.sum()), int(is_true.sum())
    parts = []
    if taken:
        parts.append(f"precision {hits / taken:.4f} ({hits:,} of {taken:,} samples taken for anomalies are labelled 1)")
    else:
        parts.append("no precision, since no sample was taken for an anomaly")
    if there:
        parts.append(f"recall {hits / there:.4f} ({hits:,} of {there:,} labelled 1 were found)")
    else:
        parts.append("no recall, since no sample is labelled 1")
    if 0 < there < len(is_true):
        area = anomaly.auroc(found.scores[~is_true], found.scores[is_true])
        parts.append(f"area under the ROC curve {area:.4f}")
    return "; ".join(parts)
