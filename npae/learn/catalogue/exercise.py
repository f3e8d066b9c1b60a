"""Load an exercise from its folder: the task, explanation, stub, reference solution, hints and known mistakes.

The Python files of the folder are trusted and run in this process; those of a learner are not.
"""

import importlib.util
import inspect
import keyword
import re
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from npae.learn.mutant import Known, Mutant, OwnMistake, library_mistakes
from npae.utils.files import NO_NAME

KINDS = ("exercise", "hunt", "fool")
COMPARES = ("gradient", "value")
TIES = ("any", "reference")
FILES = ("exercise.toml", "text.md", "stub.py", "reference.py", "hints.md")
HINTS = 3


class ExerciseError(ValueError):
    """An invalid or missing exercise; the message says what is wrong, for its author or user."""


@dataclass(frozen=True)
class Function:
    """One function that the learner writes.

    Attributes
    ----------
    name : str
    of : str
        The function of reference.py whose gradient it is; empty where values are compared.
    compares : {"gradient", "value"}
        Compared with the numeric gradient of ``of``, or with the values of the reference solution.
    takes : tuple of str
        Names of the parameters: inputs and options, "g" for the upstream gradient, "y" for the output of ``of``.
    returns : tuple of str
        Names of the results: "dW" for the gradient by W, "y" for the value of ``of``; any where values are compared.
    bugs : tuple of str
        Kinds of the library of known mistakes ("dense"), or single mistakes ("dense/db-mean").
    draw : str
        The function of reference.py that draws the inputs.
    ties : {"any", "reference"}
        What counts where entries tie: every subgradient, or only the choice of the reference, which the text states.
    not_finite : str
        A question to the learner whose results are not finite where the true ones are.
    """

    name: str
    of: str
    compares: str
    takes: tuple[str, ...]
    returns: tuple[str, ...]
    bugs: tuple[str, ...]
    draw: str = "draw"
    ties: str = "any"
    not_finite: str = ""


@dataclass(frozen=True)
class TrainingSettings:
    """The training of a milestone: Adam with learning rate ``rate``, number of epochs and images, batch size."""

    images: int
    epochs: int
    batch: int
    rate: float


@dataclass(frozen=True)
class Exercise:
    """An exercise: the settings of exercise.toml, and the files in its folder.

    Attributes
    ----------
    folder : Path
    name : str
    number : int
        Position in the course; 0 for hunts, fools and exercises from elsewhere.
    after : str
        Name of the exercise that unlocks a hunt or fool.
    version : int
    kind : {"exercise", "hunt", "fool"}
        Write a function, find the mistake in one, or write a wrong gradient that passes a weak test.
    title : str
    milestone : bool
        Whether the learner's gradients train an autoencoder after a pass.
    functions : tuple of Function
    training : TrainingSettings or None
        For a milestone.
    equivalent : dict of str to str
        Changes of the solution that change no result, each with the reason; see ``npae.learn.mutation``.
    """

    folder: Path
    name: str
    number: int
    after: str
    version: int
    kind: str
    title: str
    milestone: bool
    functions: tuple[Function, ...]
    training: TrainingSettings | None = None
    equivalent: Mapping[str, str] = field(default_factory=dict)

    @property
    def header(self) -> str:
        """The first line of a learner's file."""
        return f"# npae-exercise: {self.name} v{self.version}"

    @property
    def file_name(self) -> str:
        """Name of the learner's file."""
        return f"{self.name}.py"

    def label(self, name: str) -> str:
        """The name of a result as the learner knows it: y is called loss in a milestone."""
        return "loss" if self.milestone and name == "y" else name

    @cached_property
    def text(self) -> str:
        """The explanation, text.md."""
        return self._read("text.md")

    @cached_property
    def stub(self) -> str:
        """The initial content of the learner's file, stub.py."""
        return self._read("stub.py")

    @cached_property
    def hints(self) -> tuple[str, ...]:
        """The three hints: the idea, the equation, the line of code."""
        parts = re.split(r"^## (\d+)\s*$", self._read("hints.md"), flags=re.MULTILINE)
        if parts[1::2] != [str(i + 1) for i in range(HINTS)]:
            raise ExerciseError(f"{self.folder.name}/hints.md: expected the sections ## 1, ## 2 and ## 3")
        return tuple(part.strip("\n").rstrip() for part in parts[2::2])

    @cached_property
    def reference(self) -> ModuleType:
        """The module reference.py: functions that draw inputs, forward passes, and the solution."""
        module = _module(self.folder / "reference.py", f"npae_exercise_{self.name}_reference")
        for name in [name for f in self.functions for name in (f.draw, f.of, f.name) if name]:
            if not callable(getattr(module, name, None)):
                raise ExerciseError(f"{self.folder.name}/reference.py has no function {name}")
        return module

    @cached_property
    def mutants(self) -> list[Mutant]:
        """The mistakes in mutants.py, in its order."""
        path = self.folder / "mutants.py"
        if not path.exists():
            return []
        module = _module(path, f"npae_exercise_{self.name}_mutants")
        found = [value.mutant for value in vars(module).values() if isinstance(getattr(value, "mutant", None), Mutant)]
        names = [f.name for f in self.functions]
        for m in found:
            if m.function not in names:
                raise ExerciseError(
                    f"{self.folder.name}/mutants.py: {m.name} is of {m.function!r}; expected one of {', '.join(names)}"
                )
        return found

    def known(self, function: Function) -> list[Known]:
        """All known mistakes of ``function``: those of mutants.py, then those of the library."""
        try:
            library = library_mistakes(function.bugs, function.returns)
        except ValueError as error:
            raise ExerciseError(f"{self.folder.name}/exercise.toml: {error}") from None
        right = self.truth(function)
        own: list[Known] = [OwnMistake(m, right, function.returns) for m in self.mutants if m.function == function.name]
        return own + library

    def solution(self, function: Function) -> Callable[..., Any]:
        """The reference solution of ``function``."""
        found: Callable[..., Any] = getattr(self.reference, function.name)
        return found

    def truth(self, function: Function) -> Callable[..., Any]:
        """The function with the right results: the solution, or ``backward`` where the solution is a wrong gradient."""
        if self.kind == "fool" and function.compares == "gradient":
            found: Callable[..., Any] = getattr(self.reference, "backward", None) or _no_backward(self.folder)
            return found
        return self.solution(function)

    def solution_text(self) -> str:
        """Source of the solution's functions, of the helpers that they call, and of the imports."""
        lines = [line for line in self._read("reference.py").splitlines() if line.startswith(("import ", "from "))]
        seen: dict[str, str] = {}
        for function in self.functions:
            self._collect(function.name, seen)
        imports = [line for line in lines if not line.startswith(("from collections.abc", "from typing"))]
        return "\n\n\n".join(["\n".join(imports)] * bool(imports) + list(seen.values())) + "\n"

    def _collect(self, name: str, seen: dict[str, str]) -> None:
        value = getattr(self.reference, name, None)
        if name in seen or not inspect.isfunction(value) or value.__module__ != self.reference.__name__:
            return
        for called in _names_used(value.__code__):
            if called != name:
                self._collect(called, seen)
        seen[name] = inspect.getsource(value).rstrip()

    def _read(self, name: str) -> str:
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ExerciseError(f"{self.folder.name}/{name} cannot be read ({error})") from None


def _names_used(code: CodeType) -> list[str]:
    """Global names that a function uses, including those in its lambdas and comprehensions.

    Before Python 3.12 a list comprehension is a nested code object.
    """
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return [*code.co_names, *(name for part in inner for name in _names_used(part))]


def check_name(name: str, where: str) -> None:
    """Raise ExerciseError for a name that is not valid as the name of a learner's file and module."""
    is_taken = keyword.iskeyword(name) or name in sys.stdlib_module_names or NO_NAME.match(name)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or is_taken:
        raise ExerciseError(
            f"{where}: the name is {name!r}; expected lower-case letters, digits and _, and no name of Python's own "
            "or of a device of Windows, since the learner's file is called after it"
        )


def _no_backward(folder: Path) -> Any:
    raise ExerciseError(f'{folder.name}/reference.py has no function backward, the right gradient of a "fool"')


def load(folder: str | Path) -> Exercise:
    """Load the exercise in a folder.

    Raises
    ------
    ExerciseError
        Where a file is missing or exercise.toml is not valid; the message says what.
    """
    folder = Path(folder).resolve()
    for name in FILES:
        if not (folder / name).is_file():
            raise ExerciseError(f"{folder} has no {name}; an exercise is a folder with {', '.join(FILES)}")
    where = f"{folder.name}/exercise.toml"
    try:
        told = tomllib.loads((folder / "exercise.toml").read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ExerciseError(f"{where}: {error}") from None
    functions, training = told.pop("function", []), told.pop("training", None)
    equivalent = _taken(told, "equivalent", dict, where, {})
    name = _taken(told, "name", str, where)
    check_name(name, where)
    exercise = Exercise(
        folder,
        name,
        _taken(told, "number", int, where, 0),
        _taken(told, "after", str, where, ""),
        _taken(told, "version", int, where, 1),
        _one_of(KINDS, _taken(told, "kind", str, where, "exercise"), "kind", where),
        _taken(told, "title", str, where),
        _taken(told, "milestone", bool, where, False),
        tuple(_function(f, where) for f in functions),
        None if training is None else _training(training, f"{where} [training]"),
        equivalent,
    )
    if told:
        raise ExerciseError(f"{where}: {', '.join(told)} is not known there")
    if exercise.milestone and exercise.training is None:
        raise ExerciseError(f"{where}: a milestone needs [training] with images, epochs, batch and rate")
    if not functions:
        raise ExerciseError(f"{where}: there is no [[function]], so there is nothing to write")
    return exercise


def _function(told: dict[str, Any], where: str) -> Function:
    compares = _one_of(COMPARES, _taken(told, "compares", str, where, "gradient"), "compares", where)
    function = Function(
        _taken(told, "name", str, where),
        _taken(told, "of", str, where, "forward" if compares == "gradient" else ""),
        compares,
        _names(told, "takes", where),
        _names(told, "returns", where),
        _names(told, "bugs", where, ()),
        _taken(told, "draw", str, where, "draw"),
        _one_of(TIES, _taken(told, "ties", str, where, "any"), "ties", where),
        _taken(told, "not_finite", str, where, ""),
    )
    if told:
        raise ExerciseError(f"{where}: {', '.join(told)} is not known in [[function]]")
    if compares == "gradient" and not any(r.startswith("d") for r in function.returns):
        raise ExerciseError(f"{where}: {function.name} returns no gradient; name them dx, dW, …")
    return function


def _training(told: dict[str, Any], where: str) -> TrainingSettings:
    images, epochs, batch = (_taken(told, name, int, where) for name in ("images", "epochs", "batch"))
    training = TrainingSettings(images, epochs, batch, _taken(told, "rate", float, where))
    if told:
        raise ExerciseError(f"{where}: {', '.join(told)} is not known there")
    return training


def _taken(told: dict[str, Any], key: str, kind: type, where: str, default: Any = None) -> Any:
    value = told.pop(key, default)
    if value is None:
        raise ExerciseError(f"{where}: {key} is missing")
    if type(value) is not kind:
        raise ExerciseError(f"{where}: {key} is {value!r}; expected {kind.__name__}")
    return value


def _names(told: dict[str, Any], key: str, where: str, default: Any = None) -> tuple[str, ...]:
    values = told.pop(key, default)
    if not isinstance(values, list | tuple) or not all(isinstance(v, str) for v in values):
        raise ExerciseError(f'{where}: {key} is {values!r}; expected a list of names such as ["g", "x"]')
    return tuple(values)


def _one_of(allowed: tuple[str, ...], value: str, key: str, where: str) -> str:
    if value not in allowed:
        raise ExerciseError(f"{where}: {key} is {value!r}; expected one of {', '.join(allowed)}")
    return value


def _module(path: Path, name: str) -> ModuleType:
    """Load a Python file as a module without adding it to sys.modules."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ExerciseError(f"{path.parent.name}/{path.name}: {type(error).__name__}: {error}") from error
    return module
