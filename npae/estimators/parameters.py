"""Parameters of estimators: default, type and description are written once, at the field.

Both the docstring of a class and the command line's ``--help`` are made from them. Docstrings are not read back: Python
3.13 removes their indentation and ``python -OO`` removes them altogether.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from inspect import cleandoc
from textwrap import indent
from typing import Any, TypeVar, cast, dataclass_transform

Class = TypeVar("Class", bound=type)


@dataclass(frozen=True)
class Parameter:
    """A parameter of an estimator.

    Parameters
    ----------
    name : str
    default : object
    kind : str
        "int", "float", "bool", "str", "sequence of int", or one of them and " or None".
    description : str
        One or more sentences; names of parameters in double backquotes.
    """

    name: str
    default: Any
    kind: str
    description: str


def parameter(kind: str, description: str, *, default: Any) -> Any:
    """A dataclass field that is a parameter of an estimator, with the metadata of ``Parameter``."""
    return field(default=default, metadata={"kind": kind, "description": description})


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(parameter, field))
def estimator(summary: str) -> Callable[[Class], Class]:
    """Make a class a dataclass of keyword parameters, and write its docstring.

    Parameters
    ----------
    summary : str
        What the estimator is, in one sentence: the first line of the docstring, kept as ``cls.summary`` for ``--help``.
        The class's own docstring follows it, then the section Parameters.
    """

    def decorate(cls: Class) -> Class:
        cls.summary = summary  # type: ignore[attr-defined]
        details = cleandoc(vars(cls).get("__doc__") or "")
        made = cast(Class, dataclass(kw_only=True, eq=False, repr=False)(cls))
        listed = "\n".join(_entry(p) for p in parameters_of(made))
        made.__doc__ = "\n\n".join(part for part in (summary, details, f"Parameters\n----------\n{listed}") if part)
        return made

    return decorate


def parameters_of(cls: type) -> tuple[Parameter, ...]:
    """The parameters of an estimator in the order of its constructor, those of its base classes first."""
    return tuple(
        Parameter(f.name, f.default, f.metadata["kind"], f.metadata["description"])
        for f in fields(cls)
        if "description" in f.metadata
    )


def written(default: Any) -> str:
    """A default as Python source, strings in double quotes."""
    return f'"{default}"' if isinstance(default, str) else repr(default)


def _entry(p: Parameter) -> str:
    return f"{p.name} : {p.kind}, default {written(p.default)}\n{indent(p.description, '    ')}"
