"""Messages of the package in the words of the command line: options in place of the parameters of Python."""

import argparse
import re
from collections.abc import Iterator, Mapping

#: The verb that has an option for each parameter of an estimator.
TRAIN = "train"

#: Parameters of ``Checkpoints``, which npae train makes.
OF_CHECKPOINTS = {"every": "--checkpoint-every", "keep": "--keep-checkpoints"}

#: What a message says to readers of Python alone, and what it says to them in place of an option.
TO_PYTHON = re.compile(r" ?\(in Python (?:[^()]|\([^()]*\))*\)")
INSTEAD = re.compile(r"(\((?:[^():]*: )?)(?:[^():]|\([^()]*\))*, on the command line (?=--)")

#: The value after the "=" of a parameter: in quotes, in brackets, a number or a name.
VALUE = r"=(\"[^\"]*\"|'[^']*'|\[[^\]]*\]|\([^()]*\)|[\w.+-]*\w)?"

#: Quotes, brackets and commas, which are not typed on the command line.
MARKS = r"[\"'()\[\],]"


def in_options(text: str, args: argparse.Namespace) -> str:
    """A message with the options of the verb that was called, where it names parameters of Python.

    Parameters
    ----------
    text : str
        Such as "lower batch_size" or 'a new model with loss="mse"'.
    args : Namespace
        Of the whole command line. Names that a person typed, such as that of a file, are theirs and stay.

    Returns
    -------
    str
        Such as "lower --batch-size" or "a new model with --loss mse".
    """
    text = INSTEAD.sub(r"\1", TO_PYTHON.sub("", text))
    typed = repr([value for name, value in vars(args).items() if name not in ("verb", "type", "whole_parser")])
    before = text
    for name, option in option_names(args.whole_parser, args.verb).items():
        if name not in typed and name in text:
            text = _renamed(text, name, option)
    # A None in a message that names no option is none of a parameter, and stays.
    return text if text == before else re.sub(r"\b(is|or) None\b", r"\1 none", text)


def described(text: str, names: Mapping[str, str]) -> str:
    """The description of a parameter as a help text: options for the names in double backquotes, "none" for None."""
    text = re.sub(r"``(\w+)``", lambda found: names.get(found[1], found[1]), text)
    return re.sub(r"\bNone\b", "none", text).replace("``", "")


def option_names(parser: argparse.ArgumentParser, verb: str) -> dict[str, str]:
    """Names of parameters, each with its option: those of the verb, then those that npae train has besides."""
    names = dict(OF_CHECKPOINTS) if verb == TRAIN else {}
    for name in (verb, TRAIN):
        for option, destination in _options(_below(parser)[name]):
            for key in (destination, option[2:].replace("-", "_")):
                names.setdefault(key, option)
    return names


def _options(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """The long options of a parser and of those below it, each with the name that its value gets."""
    for action in parser._actions:
        option = next((word for word in action.option_strings if word.startswith("--")), None)
        if option is not None:
            yield option, action.dest
    for below in _below(parser).values():
        yield from _options(below)


def _below(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    found = [action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return found[0] if found else {}


def _renamed(text: str, name: str, option: str) -> str:
    """The text with the option in place of one name; a name of one word is known by what follows it."""
    outside = r"(?<![\w'\"./\\-])(?<!\w\()"
    text = re.sub(rf"{outside}{name}{VALUE}", lambda found: _given(option, found[1]), text)
    text = re.sub(rf"^(a value in )?{name}(?= is .*; expected )", rf"\1{option}", text)
    return re.sub(rf"{outside}{name}(?![\w'\"./\\=(])", option, text) if "_" in name else text


def _given(option: str, value: str | None) -> str:
    """An option with a value of Python, as it is typed."""
    if value in ("True", "False"):
        return option if value == "True" else f"--no-{option[2:]}"
    return f"{option} {re.sub(MARKS, '', value)}" if value else option
