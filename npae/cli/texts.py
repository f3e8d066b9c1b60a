"""npae texts: learn to label texts from their words, keep what was learned, and label new texts; or compare methods."""

import argparse
from typing import Any

import numpy as np

from npae import datasets
from npae.applications import classification
from npae.applications.texts import FILES, TextClassifier, compare, text_model
from npae.cli.arguments import count, refuse_with
from npae.cli.labelled import about_draw, add_few, add_labelled_out, few_labels, write_labelled
from npae.cli.paths import add_input, add_output
from npae.cli.shared_samples import NOT_NEW, warn_of_shared_texts
from npae.cli.tables import say_table
from npae.datasets.texts import LABEL_COLUMN, LABELLED, NEW, TEXT_COLUMN, has_first_line, is_table
from npae.utils.console import say
from npae.utils.wording import counted

HELP = "learn to label texts and label new ones, or measure how well codes serve a classifier, beside truncated SVD"
EXAMPLE = "npae texts train.csv test.csv --header"
CODE_SIZE = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """TRAIN TEST or --model, how texts are read, --code-size --few --seed --save, and --data with its labels."""
    add_input(
        parser,
        "train",
        nargs="?",
        metavar="TRAIN",
        needed="texts to learn from",
        instead="model",
        help=f"texts to learn from, with labels (needed without --model): {LABELLED}",
    )
    add_input(parser, "test", nargs="?", metavar="TEST", help="what is measured, as TRAIN")
    parser.add_argument(
        "--text-column",
        metavar="COLUMN",
        help=f"column of texts of a .csv or .tsv, by name or by number from 1 (default: {TEXT_COLUMN})",
    )
    parser.add_argument("--label-column", metavar="COLUMN", help=f"column of its labels (default: {LABEL_COLUMN})")
    parser.add_argument(
        "--header",
        action=argparse.BooleanOptionalAction,
        help="whether the first line names the columns (default: that of a .csv does, of others usual names do)",
    )
    parser.add_argument("--encoding", metavar="NAME", help="of all texts, such as latin-1 (default: utf-8)")
    parser.add_argument("--code-size", type=count, metavar="N", help=f"values in a code (default: {CODE_SIZE})")
    add_few(parser)
    add_output(
        parser,
        "--save",
        declared={"is_folder": True, "files": lambda args, folder: [folder / name for name in FILES]},
        metavar="FOLDER",
        help=f"keep what was learned from TRAIN in this folder: {', '.join(FILES)}",
    )
    add_input(
        parser,
        "--model",
        metavar="FOLDER",
        help="a folder of --save, in place of TRAIN",
    )
    add_input(parser, "--data", metavar="TEXTS", help=f"texts to label: {NEW}")
    add_labelled_out(parser)


def run(args: argparse.Namespace) -> None:
    """Learn or load, print the comparison, keep what was learned, write the labels."""
    if args.data is None:
        refuse_with(args, ("out",), "is for --data, which is not given; give the texts to label")
    if args.model is not None:
        reason = "is for learning, but --model has learned already; leave one of the two out"
        if args.train is not None:
            raise ValueError(f"TRAIN {args.train} {reason}")
        refuse_with(args, ("label_column", "code_size", "few", "seed", "save"), reason)
        if args.data is None:
            raise ValueError("--model was given without --data; give the texts to label")
        _check_options(args)
        _label(args, TextClassifier.load(args.model), *_new(args))
        return
    if args.test is None:
        refuse_with(args, ("few", "seed"), "is for the comparison, which TEST asks for; give both")
        if not (args.save or args.data):
            raise ValueError("TRAIN was given alone; give TEST to measure, --save to keep what is learned, or --data")
    _check_options(args)
    train = _labelled(args, args.train)
    test = None if args.test is None else _labelled(args, args.test)
    if test is not None:
        warn_of_shared_texts("TEST", test[0], "TRAIN", train[0], NOT_NEW)
    new = None if args.data is None else _new(args)
    to_test = "" if test is None else f", {len(test[0]):,} to test"
    say(f"{counted(len(train[0]), 'text')} to learn from{to_test}, {counted(len(set(train[1])), 'label')}")
    code_size = CODE_SIZE if args.code_size is None else args.code_size
    fitted = TextClassifier.fit(*train, text_model(code_size, n_texts=len(train[0])))
    if test is not None:
        few, seed = few_labels(args)
        rows = compare(fitted, *train, *test, few, seed)
        say_table("accuracy", [title.format(few=min(few, len(train[0]))) for title in classification.HEADER], rows)
        say(about_draw(few, seed, len(train[0])))
    if args.save:
        fitted.save(args.save)
        say(f"what was learned is in {args.save}")
    if new is not None:
        _label(args, fitted, *new)


def _check_options(args: argparse.Namespace) -> None:
    """Refuse an option that none of the sources has a use for."""
    labelled = [source for source in (args.train, args.test) if source is not None]
    every = [*labelled, *([] if args.data is None else [args.data])]
    for name, sources in (("text_column", every), ("label_column", labelled), ("header", every)):
        has_use = has_first_line if name == "header" else is_table
        if getattr(args, name) is not None and not any(map(has_use, sources)):
            option = "no-header" if getattr(args, name) is False else name.replace("_", "-")
            raise ValueError(f"--{option} was given with {', '.join(sources)}, but is for a .csv or .tsv; leave it out")


def _options(args: argparse.Namespace, source: str) -> dict[str, Any]:
    """How a source is read: the options that it has a use for."""
    if not is_table(source):
        return {"encoding": args.encoding} | ({"header": args.header} if has_first_line(source) else {})
    has_columns = args.text_column is not None or args.label_column is not None
    column = TEXT_COLUMN if has_columns and args.text_column is None else args.text_column
    return {"text_column": column, "header": args.header, "encoding": args.encoding}


def _labelled(args: argparse.Namespace, source: str) -> tuple[list[str], list[str]]:
    columns = {"label_column": args.label_column} if is_table(source) else {}
    return datasets.read_texts(source, **_options(args, source), **columns)


def _new(args: argparse.Namespace) -> tuple[list[str], list[str] | None]:
    return datasets.read_new_texts(args.data, **_options(args, args.data))


def _label(args: argparse.Namespace, fitted: TextClassifier, texts: list[str], names: list[str] | None) -> None:
    labels, probabilities, known = fitted.predict(texts)
    write_labelled(args, names, labels, probabilities)
    if not known.all():
        unknown = counted(int((known == 0).sum()), "text")
        say(
            f"{unknown} without any word that the model knows, the first at index {int(np.argmin(known > 0))}: the "
            f"label is that of an empty text"
        )
