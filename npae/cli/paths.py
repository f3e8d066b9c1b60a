"""The files that a verb reads and writes: declared with its arguments, checked and locked before its work.

An output never replaces an input, whatever the options say, and replaces another file only with ``--force``.
"""

import argparse
import os
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from npae.utils.console import is_silent
from npae.utils.files import check_folder, check_writable, make_folder
from npae.utils.folder_lock import file_locked, locked


def _itself(value: str) -> Iterable[Path]:
    return [Path(value)]


def _never(args: argparse.Namespace, path: Path) -> bool:
    return False


def _another_name(args: argparse.Namespace) -> str:
    return "give another name"


def _as_declared(args: argparse.Namespace) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Input:
    """An argument that names what is read.

    Attributes
    ----------
    option : str
        As it is typed: "MODEL" or "--data".
    dest : str
        Its name in the namespace.
    needed : str
        What to give, where it must be given; else empty.
    instead : str
        The dest of another argument that may be given in its place.
    is_stream : bool
        Whether it may be "-", an array on standard input.
    holds : function of a value
        The files and folders that a value stands for.
    """

    option: str
    dest: str
    needed: str = ""
    holds: Callable[[str], Iterable[Path]] = _itself
    instead: str = ""
    is_stream: bool = False


@dataclass(frozen=True)
class Output:
    """An argument that names what is written.

    Attributes
    ----------
    option, dest : str
    suffixes : tuple of str
        Those that a file may have; empty for any.
    default : function of the namespace, optional
        The name, where none is given and it depends on other arguments; None where nothing is written.
    files : function of the namespace and the path, optional
        All that is written: into a folder, or beside a file. A folder is one that has this.
    is_folder : bool
    is_stream : bool
        Whether it may be "-", an array on standard output.
    is_own : function of the namespace and a file
        Whether a file that exists was written by the same verb and may be replaced without ``--force``.
    advice : function of the namespace
        What else one can do where a file exists.
    depending : function of the namespace
        Attributes that other arguments change, by name.
    """

    option: str
    dest: str
    suffixes: tuple[str, ...] = ()
    default: Callable[[argparse.Namespace], str | None] | None = None
    files: Callable[[argparse.Namespace, Path], Iterable[Path]] | None = None
    is_folder: bool = False
    is_stream: bool = False
    is_own: Callable[[argparse.Namespace, Path], bool] = _never
    advice: Callable[[argparse.Namespace], str] = _another_name
    depending: Callable[[argparse.Namespace], dict[str, Any]] = _as_declared


def add_input(
    parser: argparse.ArgumentParser,
    name: str,
    *,
    needed: str = "",
    holds: Callable[[str], Iterable[Path]] = _itself,
    instead: str = "",
    is_stream: bool = False,
    **options: Any,
) -> None:
    """Add an argument that names what is read; the other ``options`` are those of ``add_argument``."""
    action = parser.add_argument(name, **options)
    _declare(parser, "inputs", Input(_typed(action), action.dest, needed, holds, instead, is_stream))


def add_output(
    parser: argparse.ArgumentParser, name: str, *, declared: dict[str, Any] | None = None, **options: Any
) -> None:
    """Add an argument that names what is written, and ``--force``; ``declared`` are attributes of ``Output``."""
    action = parser.add_argument(name, **options)
    if not parser.get_default("outputs"):
        parser.add_argument("--force", action="store_true", help="replace what is there already")
    _declare(parser, "outputs", Output(_typed(action), action.dest, **(declared or {})))


def _typed(action: argparse.Action) -> str:
    return action.option_strings[-1] if action.option_strings else str(action.metavar or action.dest)


def _declare(parser: argparse.ArgumentParser, kind: str, declaration: Input | Output) -> None:
    parser.set_defaults(**{kind: [*(parser.get_default(kind) or []), declaration]})


@contextmanager
def checked(args: argparse.Namespace) -> Iterator[None]:
    """Within, what the verb writes is locked; before, all that would keep it from being written is refused.

    Raises
    ------
    ValueError
        Where an input that must be given is missing, or an output is an input, or of another kind.
    OSError
        Where an output exists and is not to be replaced, cannot be written, or is being written by another process.
    """
    _require(args)
    if is_silent():  # a rank that writes nothing
        yield
        return
    _check(args)
    with ExitStack() as held:
        for output, path in _outputs(args):
            if output.is_folder:
                held.enter_context(_folder_made(path))
                held.enter_context(locked(path))
            else:
                for file in _files(args, output, path):
                    held.enter_context(file_locked(file.resolve()))
        _check(args)  # another process may have written it just before
        yield


@contextmanager
def _folder_made(path: Path) -> Iterator[None]:
    """Within, there is the folder; folders that were made for it and are empty in the end are removed."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    make_folder(path)
    try:
        yield
    finally:
        with suppress(OSError):  # not empty
            for folder in missing:
                folder.rmdir()


def _require(args: argparse.Namespace) -> None:
    for given in declared_inputs(args):
        value = getattr(args, given.dest)
        is_given = value is not None or (given.instead and getattr(args, given.instead) is not None)
        if given.needed and not is_given:
            other = f", or --{given.instead.replace('_', '-')}" if given.instead else ""
            raise ValueError(f"{given.option} is missing; give {given.needed}{other}")
        if any(not name.strip() for name in values_of(value)):
            raise ValueError(f"{given.option} is empty; give {given.needed or 'a name'}")


def declared_inputs(args: argparse.Namespace) -> list[Input]:
    """The arguments of this verb that name what is read."""
    return getattr(args, "inputs", None) or []


def declared_outputs(args: argparse.Namespace) -> list[Output]:
    """The arguments of this verb that name what is written."""
    declared: list[Output] = getattr(args, "outputs", None) or []
    return [replace(output, **output.depending(args)) for output in declared]


def _outputs(args: argparse.Namespace) -> Iterator[tuple[Output, Path]]:
    """Each output that will be written, with its path; defaults that depend on other arguments are filled in."""
    for output in declared_outputs(args):
        if getattr(args, output.dest) is None and output.default is not None:
            setattr(args, output.dest, output.default(args))
        value = getattr(args, output.dest)
        if value is not None:
            if not str(value).strip():
                raise ValueError(f"{output.option} is empty; give a name")
            yield output, Path(value)


def _files(args: argparse.Namespace, output: Output, path: Path) -> list[Path]:
    return [path] if output.files is None else list(output.files(args, path))


def _check(args: argparse.Namespace) -> None:
    inputs = [
        (given.option, path)
        for given in declared_inputs(args)
        for value in values_of(getattr(args, given.dest))
        for path in given.holds(value)
    ]
    seen: dict[str, str] = {}
    for output, path in _outputs(args):
        if output.suffixes and path.suffix.lower() not in output.suffixes:
            *some, last = output.suffixes
            kinds = f"{', '.join(some)} or {last}" if some else last
            raise ValueError(f"{output.option} {path} does not end in {kinds}; give a {kinds} file")
        if output.is_folder:
            check_folder(path)
        for file in _files(args, output, path):
            if not output.is_folder or file.parent.exists():
                check_writable(file)
            _refuse_inputs(output, file, inputs)
            _refuse_twice(output, file, seen)
            if file.exists() and not args.force and not output.is_own(args, file):
                what = f"{path} holds {file.relative_to(path)}" if output.is_folder else f"{file} exists"
                raise FileExistsError(
                    f"{output.option} {what} already; {output.advice(args)}, or --force to replace it"
                )


def values_of(value: Any) -> list[str]:
    """The names that were given for an argument, which may take several."""
    return [] if value is None else [value] if isinstance(value, str) else list(value)


def _refuse_inputs(output: Output, file: Path, inputs: list[tuple[str, Path]]) -> None:
    """Raise where ``file`` is an input under whatever name, or lies in a folder that is one."""
    target = file.resolve()
    named = f"{output.option} {file}"
    exists = target.exists()  # else no file of a folder can be it, however many there are
    for option, path in inputs:
        if not path.exists():
            continue
        if not path.is_dir():
            if _is_same(target, path):
                raise ValueError(f"{named} is the file given as {option}, which would be lost; give another name")
            continue
        folders = [path]
        for folder, subfolders, names in os.walk(path):  # links in it may lead elsewhere
            folders += [linked for name in subfolders if (linked := Path(folder, name)).is_symlink()]
            if exists and any(_is_same(target, Path(folder, name)) for name in names):
                raise ValueError(f"{named} is in the folder given as {option}, which would lose it; give another name")
        if any(_is_same(parent, folder) for parent in target.parents for folder in folders):
            raise ValueError(
                f"{named} lies in the folder given as {option} and would be taken for a part of it; choose a place "
                f"outside"
            )


def _is_same(a: Path, b: Path) -> bool:
    """Whether two paths lead to one file: through links, hard links, or names that the system takes for equal."""
    try:
        one, other = os.stat(a), os.stat(b)
    except OSError:
        return False
    if one.st_ino == other.st_ino == 0:  # a drive that does not number its files
        return _alike(a) == _alike(b)
    return os.path.samestat(one, other)


def _refuse_twice(output: Output, file: Path, seen: dict[str, str]) -> None:
    """Raise where two outputs would be one file, on this system or on one that takes capitals for small letters."""
    before = seen.setdefault(_alike(file), output.option)
    if before != output.option:
        raise ValueError(f"{before} and {output.option} both name {file}; give each a file of its own")


def _alike(path: Path) -> str:
    return unicodedata.normalize("NFC", str(path.resolve())).casefold()
