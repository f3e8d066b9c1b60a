"""The command line: one module for each verb, with ``HELP``, ``add_arguments`` and ``run``."""

import argparse
import os
import sys
import warnings
from collections.abc import Generator, Sequence
from contextlib import nullcontext
from types import ModuleType

from npae.cli import (
    attribute,
    bench,
    classify,
    cluster,
    completion,
    compress,
    crop,
    decode,
    decompress,
    demo,
    detect,
    encode,
    explore,
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
from npae.cli.option_names import in_options
from npae.cli.parser import Parser
from npae.cli.paths import checked
from npae.cli.ranks import processes
from npae.cli.streams import standard_streams, writes_stream
from npae.cli.tables import as_json
from npae.datasets.shards import listed_once
from npae.utils.console import be_readable, discard, say, say_error, speaking
from npae.utils.errors import one_line
from npae.utils.version import __version__

#: The verbs by what they are for, as the help text lists them.
GROUPS: dict[str, dict[str, ModuleType]] = {
    "begin": {"demo": demo, "train": train, "info": info},
    "use a model": {
        "encode": encode,
        "decode": decode,
        "reconstruct": reconstruct,
        "sample": sample,
        "interpolate": interpolate,
        "attribute": attribute,
        "export": export,
    },
    "apply a model": {
        "explore": explore,
        "reduce": reduce,
        "index": index,
        "search": search,
        "retrieve": retrieve,
        "compress": compress,
        "decompress": decompress,
        "cluster": cluster,
        "classify": classify,
        "texts": texts,
        "detect": detect,
        "generate": generate,
    },
    "prepare data": {"crop": crop},
    "learn and teach": {"learn": learn, "grade": grade, "gradcheck": gradcheck},
    "this machine": {"bench": bench, "warmup": warmup, "completion": completion},
}
VERBS = {name: module for group in GROUPS.values() for name, module in group.items()}

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
        discard(sys.stdout, sys.stderr)
        return 141


def _run(arguments: Sequence[str] | None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] in ([], ["help"]):
        given = [*given[1:], "--help"]
    try:
        args = make_parser().parse_args(given)
    except BrokenPipeError:
        raise
    except OSError as error:  # a help text that could not be written
        say_error(f"npae: {error}")
        return 2
    is_json, is_quiet = getattr(args, "json", None) is True, getattr(args, "quiet", False)
    with speaking(quiet=is_quiet, results=is_json or writes_stream(args)), warnings.catch_warnings(), listed_once():
        # Show warnings without the line of code that issued them.
        warnings.showwarning = lambda message, *_, **__: say(
            f"npae: {in_options(_without_traceback(str(message)), args)}", to_errors=True
        )
        try:
            with processes(args), standard_streams(args), checked(args), as_json() if is_json else nullcontext():
                return VERBS[args.verb].run(args) or 0
        except BrokenPipeError:
            raise
        except MISTAKES as error:
            say_error(f"npae {args.verb}: {in_options(_sentence(error), args)}")
            return 2
        except KeyboardInterrupt:
            say_error(f"npae {args.verb}: interrupted")
            return 130


def _sentence(error: BaseException) -> str:
    """What an error says; of one that the system reports, its words without its number."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        name = one_line(os.fsdecode(error.filename) if isinstance(error.filename, bytes) else error.filename)
        return f"{name}: {error.strerror.lower()}; check that you may use it, or give another"
    if isinstance(error, OSError) and error.filename is None and error.strerror:
        if isinstance(error, FileNotFoundError) and not _has_working_folder():
            return "the folder that you are in does not exist any more; change into another, as with cd"
        return f"the system reports: {error.strerror.lower()}; check that there is room, and that nothing was removed"
    if isinstance(error, MemoryError) and not str(error):  # Python's own
        return "there is too little memory left; raise the limit of this process, or give fewer samples"
    return str(error)


def _without_traceback(warning: str) -> str:
    """A warning of another library, without the traceback that it may end in and the line that announces it."""
    lines = warning.partition("\nTraceback (most recent call last):")
    return warning if not lines[1] else lines[0].partition("\n")[0]


def _has_working_folder() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Leaves the list of verbs to the text below the options, which has them in groups."""

    def _iter_indented_subactions(self, action: argparse.Action) -> Generator[argparse.Action, None, None]:
        yield from ()


def make_parser() -> Parser:
    """The parser of all verbs."""
    about = "Five autoencoders, written by hand: train them, use them, look inside."
    parser = Parser(
        prog="npae",
        description=about,
        epilog=_listed(),
        formatter_class=_Formatter,
        example="npae train deep --data digits",
    )
    parser.set_defaults(whole_parser=parser)  # for the verb that writes completions of all verbs
    parser.add_argument("--version", action="version", version=f"npae {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB", help="one of those below")
    for name, module in VERBS.items():
        module.add_arguments(verbs.add_parser(name, help=module.HELP, description=module.HELP, example=module.EXAMPLE))
    return parser


def _listed() -> str:
    """The verbs by group, each with its line."""
    lines = []
    for title, verbs in GROUPS.items():
        lines += [f"{title}:", *(f"  {name:<12} {_shortened(module.HELP)}" for name, module in verbs.items()), ""]
    return "\n".join([*lines, "npae help VERB, or npae VERB --help, says what a verb takes."])


def _shortened(text: str, longest: int = 65) -> str:
    """A text's first parts, between semicolons or commas, as many as fit into a line of 80 characters."""
    while len(text) > longest:
        text = text[: max(text.rfind("; "), text.rfind(", "))]
    return text
