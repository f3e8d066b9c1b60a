"""The parser of the command line: an example at the end of every help text, and errors that suggest what was meant."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from npae.cli.ranks import speaks
from npae.utils.console import say_help, shown

#: The functions that read a number which need not be whole.
FRACTIONS = ("float", "divisor", "_float_or_none", "_number_or_pair")


class Parser(argparse.ArgumentParser):
    """A parser of the command line, of a verb or of a part of a verb; all have ``--quiet``.

    Parameters
    ----------
    example : str
        A command that begins with ``npae VERB``: the last line of the help text.
    *args, **options
        Those of ``argparse.ArgumentParser``.
    """

    def __init__(self, *args: Any, example: str = "", **options: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False, **options})
        self.example = example
        self._given: list[str] = []
        self.add_argument(
            "--quiet",
            "-q",
            action="store_true",
            default=argparse.SUPPRESS,  # so that the parser of a verb does not undo what was given before the verb
            help="print errors and what --json asks for, and nothing else",
        )

    def format_help(self) -> str:
        """The help text, with the example."""
        return super().format_help() + (f"\nexample:\n  {self.example}\n" if self.example else "")

    # Of a verb's own arguments its own parser says what is wrong with them, with its own usage.
    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As that of ``argparse.ArgumentParser``, but what is not known is an error."""
        self._given = list(args or ())
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(self._about(unknown))
        return known, unknown

    def _about(self, unknown: Sequence[str]) -> str:
        option = next((word for word in unknown if word.startswith("-") and len(word) > 1), None)
        if option is None:
            return f"{' '.join(unknown)} is more than {self.prog} takes; leave it out"
        name = option.partition("=")[0]
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                for below in action.choices.values():
                    if name in below._option_string_actions:
                        return f"{name} comes after {action.metavar}, as in {below.prog} {name}"
        meant = suggestion(name, self._option_string_actions)
        return f"there is no option {name}{meant or f'; {self.prog} --help lists those that there are'}"

    def _get_values(self, action: argparse.Action, arg_strings: Any) -> Any:
        try:
            return super()._get_values(action, arg_strings)
        except argparse.ArgumentError as error:
            kind, _, word = error.message.partition(" value: ")
            if word and kind.startswith("invalid "):  # argparse names the function that could not read the word
                number = "number" if kind.removeprefix("invalid ") in FRACTIONS else "whole number"
                error.message = f"{word} is not a {number}"
            raise

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            if isinstance(action, argparse._SubParsersAction):  # which takes the value of an option that is not its own
                wrong = self._about_options(self._given[: self._given.index(value)])
                if wrong is not None:
                    raise argparse.ArgumentError(None, wrong)
            choices = list(map(str, action.choices))
            meant = suggestion(str(value), choices) or f"; choose from {', '.join(choices)}"
            raise argparse.ArgumentError(action, f"there is no {value!r}{meant}")

    def error(self, message: str) -> NoReturn:
        """Print usage and message and exit with code 2; what would move the cursor is shown, not sent."""
        _, is_missing, names = message.partition("the following arguments are required: ")
        if is_missing:  # unless a wrong option is what was given in their place
            are = "are" if "," in names else "is"
            message = self._about_options(self._given) or f"{names} {are} missing; {self.prog} --help says what to give"
        super().error(shown(message))

    def _about_options(self, words: Sequence[str]) -> str | None:
        """What is wrong with the first of the words that is an option, but none of this parser."""
        options = (word for word in words if word.startswith("-") and not self._negative_number_matcher.match(word))
        unknown = [word for word in options if word.strip("-") and not self._knows(word)]
        return self._about(unknown[:1]) if unknown else None

    def _knows(self, word: str) -> bool:
        """Whether a word is an option, perhaps with its value."""
        known = self._option_string_actions
        return word.partition("=")[0] in known or (word[1] != "-" and word[:2] in known)

    def _print_message(self, message: str, file: Any = None) -> None:
        if speaks() and message:  # argparse takes no notice of a stream that is closed or full
            say_help(message, to_errors=file is not sys.stdout)


def suggestion(word: str, known: Iterable[str]) -> str:
    """The question whether what is known and written most alike was meant, or nothing."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""
