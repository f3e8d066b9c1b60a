"""The command line: one module for each verb, with ``HELP``, ``add_arguments`` and ``run``."""

import argparse
import sys
import warnings
from collections.abc import Sequence
from types import ModuleType

from npae.cli import (
    attribute,
    bench,
    classify,
    cluster,
    compress,
    crop,
    decode,
    decompress,
    demo,
    detect,
    encode,
    export,
    generate,
    gradcheck,
    grade,
    index,
    info,
    interpolate,
    learn,
    reconstruct,
    reduce,
    retrieve,
    sample,
    search,
    texts,
    train,
    warmup,
)
from npae.cli.paths import checked
from npae.utils.console import be_readable, shown
from npae.utils.version import __version__

VERBS: dict[str, ModuleType] = {
    "demo": demo,
    "crop": crop,
    "train": train,
    "info": info,
    "encode": encode,
    "decode": decode,
    "reconstruct": reconstruct,
    "sample": sample,
    "interpolate": interpolate,
    "attribute": attribute,
    "generate": generate,
    "reduce": reduce,
    "retrieve": retrieve,
    "index": index,
    "search": search,
    "compress": compress,
    "decompress": decompress,
    "cluster": cluster,
    "classify": classify,
    "texts": texts,
    "detect": detect,
    "export": export,
    "gradcheck": gradcheck,
    "learn": learn,
    "grade": grade,
    "bench": bench,
    "warmup": warmup,
}

#: Exceptions for mistakes in use, shown as one sentence; any other is a mistake in npae and keeps its traceback.
MISTAKES = (ValueError, OSError, ImportError, ArithmeticError, MemoryError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the process, ``sys.argv[1:]``.

    Returns
    -------
    int
        The exit code: 0, 1 where the command found something wrong, 2 for a mistake in use, 130 after Ctrl-C.
    """
    be_readable()
    args = _parser().parse_args(arguments)
    try:
        with warnings.catch_warnings():
            # Show warnings without the line of code that issued them.
            warnings.showwarning = lambda message, *_, **__: print(shown(f"npae: {message}"), file=sys.stderr)
            with checked(args):
                return VERBS[args.verb].run(args) or 0
    except MISTAKES as error:
        print(shown(f"npae {args.verb}: {error}"), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"npae {args.verb}: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="npae", description="Five autoencoders, written by hand: train them, use them, look inside."
    )
    parser.add_argument("--version", action="version", version=f"npae {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, module in VERBS.items():
        module.add_arguments(verbs.add_parser(name, help=module.HELP, description=module.HELP, allow_abbrev=False))
    return parser
