"""The command line: one module for each verb, with ``HELP``, ``add_arguments`` and ``run``."""

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from types import ModuleType
from typing import NoReturn

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
from npae.utils.console import be_readable, say, shown
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
        The exit code: 0, 1 where the command found something wrong, 2 for a mistake in use, 130 after Ctrl-C, 141 where
        what reads the output has ended.
    """
    be_readable()
    try:
        return _run(arguments)
    except BrokenPipeError:  # what reads the output, such as head, has ended
        with suppress(OSError, ValueError):  # nothing more is written, not even at the end of the process
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _run(arguments: Sequence[str] | None) -> int:
    try:
        args = _parser().parse_args(arguments)
    finally:
        sys.stdout.flush()  # of a help text
    try:
        with warnings.catch_warnings():
            # Show warnings without the line of code that issued them.
            warnings.showwarning = lambda message, *_, **__: say(f"npae: {message}", to_errors=True)
            with checked(args):
                return VERBS[args.verb].run(args) or 0
    except BrokenPipeError:
        raise
    except MISTAKES as error:
        say(f"npae {args.verb}: {_sentence(error)}", to_errors=True)
        return 2
    except KeyboardInterrupt:
        say(f"npae {args.verb}: interrupted", to_errors=True)
        return 130


def _sentence(error: BaseException) -> str:
    """What an error says; of one that the system reports, its words without its number."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror.lower()}; check that you may use it, or give another"
    if isinstance(error, MemoryError) and not str(error):  # Python's own
        return "there is too little memory left; raise the limit of this process, or give fewer samples"
    return str(error)


class _Parser(argparse.ArgumentParser):
    """A parser whose messages show what would move the cursor, instead of sending it."""

    def error(self, message: str) -> NoReturn:
        super().error(shown(message))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="npae", description="Five autoencoders, written by hand: train them, use them, look inside.")
    parser.add_argument("--version", action="version", version=f"npae {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, module in VERBS.items():
        module.add_arguments(verbs.add_parser(name, help=module.HELP, description=module.HELP, allow_abbrev=False))
    return parser
