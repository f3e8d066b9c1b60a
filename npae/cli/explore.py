"""npae explore: a trained model as one HTML page to look into."""

import argparse
from pathlib import Path

from npae.cli.arguments import MODEL_FILE, add_data, add_model, count, read_data, read_model
from npae.cli.data_labels import add_labels, condition_of, labels_of_data
from npae.cli.paths import add_output
from npae.cli.sides import warn_of_order
from npae.utils.console import say
from npae.utils.memory import format_bytes
from npae.utils.wording import counted

HELP = "write a page that explores a model: drag in its codes, and watch its gradients"
EXAMPLE = "npae explore runs/variational --data digits --out explore.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL --data --labels --first --weights --out."""
    add_model(parser)
    add_data(parser)
    add_labels(parser, "for colours and shapes on the map, and for a conditional model")
    parser.add_argument(
        "--first", type=count, default=1000, metavar="N", help="the page holds the first N samples (default: 1000)"
    )
    parser.add_argument(
        "--weights",
        choices=("float32", "float16"),
        default="float32",
        help="numbers of the parameters in the page; float16 takes half the room and errs by about 1e-3 "
        "(default: float32)",
    )
    add_output(
        parser,
        "--out",
        declared={"suffixes": (".html", ".htm")},
        default="explore.html",
        metavar="FILE",
        help="the page to write (default: explore.html)",
    )


def run(args: argparse.Namespace) -> None:
    """Write the page and print its size."""
    from npae.applications.explore import explore

    model = read_model(args)
    X = read_data(args, model)
    labels = labels_of_data(args, len(X))
    condition_of(model, labels)
    title = f"{_name(Path(args.model))}: {type(model).__name__}"
    if labels is not None:
        warn_of_order("--data", labels, args.first)
    explorer = explore(model, X, labels, args.out, first=args.first, weights=args.weights, title=title)
    which = counted(explorer.n_samples, "sample")
    if explorer.n_samples < len(X):
        which = f"the first {explorer.n_samples:,} of {len(X):,} samples"
    say(f"{args.out} has {format_bytes(explorer.size)}, with {which}: open it in a browser")


def _name(path: Path) -> str:
    """The name of the model: of a run, whose file is always ``model.safetensors``, that of its folder."""
    return path.resolve().parent.name if path.name == MODEL_FILE and path.resolve().parent.name else path.stem
