"""``-`` for standard input and standard output, where a verb reads or writes one array: a .npy stream."""

import argparse
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from npae.cli.paths import Input, declared_inputs, declared_outputs, values_of
from npae.utils.console import discard, has_output, named, renamed, unfinished

STREAM = "-"


def writes_stream(args: argparse.Namespace) -> bool:
    """Whether standard output is to hold an array."""
    return any(getattr(args, output.dest) == STREAM for output in declared_outputs(args) if output.is_stream)


@contextmanager
def standard_streams(args: argparse.Namespace) -> Iterator[None]:
    """Within, files stand for the ``-`` among the arguments; what is written to one goes to standard output at the end.

    Raises
    ------
    ValueError
        If two arguments are to read standard input, or it is empty, or a terminal would have to hold an array, or an
        argument for something else than one array is ``-``.
    """
    _refuse_other(args)
    inputs = [
        given for given in declared_inputs(args) for value in values_of(getattr(args, given.dest)) if value == STREAM
    ]
    outputs = [output for output in declared_outputs(args) if output.is_stream and getattr(args, output.dest) == STREAM]
    if not inputs and not outputs:
        yield
        return
    if len(inputs) > 1:
        which = [given.option for given in inputs[:2]]
        both = f"{which[0]} is - twice" if which[0] == which[1] else f"{which[0]} and {which[1]} are both -"
        raise ValueError(f"{both}; standard input can be read once only")
    with TemporaryDirectory(prefix="npae-") as folder:
        read, written = Path(folder, "input.npy"), Path(folder, "output.npy")
        with named({str(read): "standard input", str(written): "standard output"}):
            for given in inputs:
                _refuse_terminal(sys.stdin.isatty(), given.option, "reads an array from standard input")
                with read.open("wb") as file:
                    shutil.copyfileobj(sys.stdin.buffer, file)
                if not read.stat().st_size:
                    raise ValueError(
                        f"{given.option} - read nothing from standard input; see whether the command before it in the "
                        f"pipe ended with an error"
                    )
                _replace(args, given, str(read))
            for output in outputs:
                if not has_output():
                    raise ValueError(
                        f"{output.option} - writes an array to standard output, which is closed; name a file"
                    )
                _refuse_terminal(sys.stdout.isatty(), output.option, "writes an array to standard output")
                setattr(args, output.dest, str(written))
            with unfinished(str(written)):
                try:
                    yield
                except Exception as error:  # it may be printed where the names hold no longer
                    error.args = tuple(renamed(part) if isinstance(part, str) else part for part in error.args)
                    raise
                if outputs:
                    _copied_to_output(written)


def _copied_to_output(written: Path) -> None:
    try:
        with written.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        discard(sys.stdout)
        raise OSError(
            f"standard output cannot be written ({error.strerror}), and is incomplete; make room, or send it elsewhere"
        ) from None


def _replace(args: argparse.Namespace, given: Input, name: str) -> None:
    value = getattr(args, given.dest)
    is_one = isinstance(value, str)
    setattr(args, given.dest, name if is_one else [name if each == STREAM else each for each in value])


def _refuse_other(args: argparse.Namespace) -> None:
    """Raise where ``-`` is given for what is no single array: nothing of that name is read or written by accident."""
    for kind, declared in (("input", declared_inputs(args)), ("output", declared_outputs(args))):
        for one in declared:
            if not one.is_stream and STREAM in values_of(getattr(args, one.dest)):
                raise ValueError(
                    f"{one.option} is -, but standard {kind} is for one array and this is none; give a name (./- for "
                    f"something that is called -)"
                )


def _refuse_terminal(is_terminal: bool, option: str, does: str) -> None:
    if is_terminal:
        raise ValueError(f"{option} - {does}, which is a terminal; use a pipe, or name a file")
