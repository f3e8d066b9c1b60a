"""``-`` for standard input and standard output, where a verb reads or writes one array: a .npy stream."""

import argparse
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from npae.cli.paths import declared_inputs, declared_outputs
from npae.utils.console import named, renamed

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
        If two arguments are to read standard input, or a terminal would have to hold an array.
    """
    inputs = [given for given in declared_inputs(args) if given.is_stream and getattr(args, given.dest) == STREAM]
    outputs = [output for output in declared_outputs(args) if output.is_stream and getattr(args, output.dest) == STREAM]
    if not inputs and not outputs:
        yield
        return
    if len(inputs) > 1:
        raise ValueError(f"{inputs[0].option} and {inputs[1].option} are both -; standard input can be read once only")
    with TemporaryDirectory(prefix="npae-") as folder:
        read, written = Path(folder, "input.npy"), Path(folder, "output.npy")
        with named({str(read): "standard input", str(written): "standard output"}):
            for given in inputs:
                _refuse_terminal(sys.stdin.isatty(), given.option, "reads an array from standard input")
                with read.open("wb") as file:
                    shutil.copyfileobj(sys.stdin.buffer, file)
                setattr(args, given.dest, str(read))
            for output in outputs:
                _refuse_terminal(sys.stdout.isatty(), output.option, "writes an array to standard output")
                setattr(args, output.dest, str(written))
            try:
                yield
            except Exception as error:  # it may be printed where the names hold no longer
                error.args = tuple(renamed(part) if isinstance(part, str) else part for part in error.args)
                raise
            if outputs:
                with written.open("rb") as file:
                    shutil.copyfileobj(file, sys.stdout.buffer)
                sys.stdout.buffer.flush()


def _refuse_terminal(is_terminal: bool, option: str, does: str) -> None:
    if is_terminal:
        raise ValueError(f"{option} - {does}, which is a terminal; use a pipe, or name a file")
