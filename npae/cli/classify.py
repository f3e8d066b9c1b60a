"""npae classify: fit a classifier to codes, keep it, and label new samples; or compare codes with other features."""

import argparse

from npae.applications import classification
from npae.applications.classifier import Classifier
from npae.cli.arguments import DATA, add_model, read_model, read_sources, refuse_with, samples_in
from npae.cli.labelled import about_draw, add_few, add_labelled_out, few_labels, write_labelled
from npae.cli.paths import add_input, add_output
from npae.cli.rows import sample_names
from npae.cli.sides import add_sides, read_sides, read_train
from npae.cli.tables import say_table
from npae.estimators import AutoencoderEstimator
from npae.utils.console import say
from npae.utils.types import Array
from npae.utils.wording import counted

HELP = "label the samples of --data by a classifier of codes, or without it measure how well codes serve one"
EXAMPLE = "npae classify runs/deep --train known.npy --train-labels labels.csv --data new.npy --out labelled.csv"
OF_FITTING = ("train", "train_labels", "test", "test_labels", "few", "seed", "save")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL, the data to learn from and to measure on, the classifier, and the data to label."""
    add_model(parser)
    add_sides(parser, instead="classifier")
    add_few(parser)
    add_output(
        parser,
        "--save",
        declared={"suffixes": (".safetensors",)},
        metavar="FILE",
        help="keep the classifier that was fitted to all of --train in this .safetensors file",
    )
    add_input(parser, "--classifier", metavar="FILE", help="a file of --save of the same model, in place of --train")
    add_input(parser, "--data", holds=samples_in, is_stream=True, help=f"samples to label: {DATA}")
    add_labelled_out(parser)


def run(args: argparse.Namespace) -> None:
    """Print the comparison, keep the classifier, write the labels."""
    if args.data is None:
        refuse_with(args, ("out",), "is for --data, which is not given; give the samples to label")
    model = read_model(args)
    if args.classifier is not None:
        reason = "is for fitting, but the one of --classifier is fitted already; leave one of the two out"
        refuse_with(args, OF_FITTING, reason)
        if args.data is None:
            raise ValueError("--classifier was given without --data; give the samples to label")
        classifier = Classifier.load(args.classifier, model)
        (X,) = read_sources(args, args.data, model=model)
        _label(args, classifier, model, X[: args.first])
        return
    if args.test is not None or not (args.save or args.data):
        _compare(args, model)
    else:
        refuse_with(args, ("few", "seed", "test_labels"), "is for a comparison, which --test asks for; give both")
    if args.save or args.data:
        train, labels, new = read_train(args, *([args.data] if args.data else []), model=model)
        classifier = Classifier.of(model, train, labels)
        if args.save:
            classifier.save(args.save)
            say(
                f"a classifier of {counted(len(classifier.labels), 'label')}, fitted to "
                f"{counted(len(train), 'sample')}: {args.save}"
            )
        for X in new:
            _label(args, classifier, model, X)


def _compare(args: argparse.Namespace, model: AutoencoderEstimator) -> None:
    s = read_sides(args, model, others=[args.data] if args.data else [])
    few, seed = few_labels(args)
    rows = classification.compare(model, s.train, s.train_labels, s.test, s.test_labels, few, seed)
    say_table("accuracy", [title.format(few=min(few, len(s.train))) for title in classification.HEADER], rows)
    say(about_draw(few, seed, len(s.train)))


def _label(args: argparse.Namespace, classifier: Classifier, model: AutoencoderEstimator, X: Array) -> None:
    labels, probabilities = classifier.predict_samples(model, X)
    write_labelled(args, sample_names(args.data), labels, probabilities)
