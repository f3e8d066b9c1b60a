"""npae texts: a collection of texts as codes for a classifier, beside truncated SVD and raw features."""

import argparse

from npae.applications import classification
from npae.cli.arguments import count
from npae.cli.output import table
from npae.cli.paths import add_input
from npae.datasets import read_texts
from npae.utils.console import say
from npae.utils.wording import counted

HELP = "train on texts, and measure how well their codes serve a classifier, beside truncated SVD and raw features"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """TRAIN TEST --code-size --few."""
    for side in ("train", "test"):
        add_input(parser, side, metavar=side.upper(), help="a .tsv: a header, then label, tab, text; or Orange's .tab")
    parser.add_argument("--code-size", type=count, default=16, metavar="N", help="values in a code (default: 16)")
    parser.add_argument("--few", type=count, default=100, metavar="N", help="labels, where they are few (default: 100)")


def run(args: argparse.Namespace) -> None:
    """Train and print the table."""
    train, test = read_texts(args.train), read_texts(args.test)
    say(
        f"{counted(len(train[0]), 'text')} to learn from, {len(test[0]):,} to test, "
        f"{counted(len(set(train[1])), 'label')}"
    )
    rows = classification.compare_texts(*train, *test, model=classification.text_model(args.code_size), few=args.few)
    say(table([title.format(few=args.few) for title in classification.HEADER], rows))
