"""npae completion: print a script with which a shell completes verbs and options."""

import argparse

from npae.utils.console import say_result
from npae.utils.errors import MissingExtraError

HELP = "print a script with which a shell completes verbs and options, for its start-up file"
EXAMPLE = "npae completion bash > ~/.local/share/bash-completion/completions/npae"
SHELLS = ("bash", "zsh", "fish")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """SHELL."""
    parser.add_argument("shell", metavar="SHELL", choices=SHELLS, help=", ".join(SHELLS))


def run(args: argparse.Namespace) -> None:
    """Print the script."""
    try:
        import shtab
    except ImportError:
        raise MissingExtraError("completion needs shtab; install it: pip install 'npae[completion]'") from None
    say_result(shtab.complete(args.whole_parser, args.shell))
