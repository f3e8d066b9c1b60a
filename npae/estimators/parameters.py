"""Parameters of estimators: default, kind, range and description stand once, beside the field.

Both the docstring of a class and the command line's ``--help`` are made from them, and ``checked`` takes from them what
a value must be. Docstrings are not read back: Python 3.13 removes their indentation and ``python -OO`` removes them
altogether.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from inspect import cleandoc
from textwrap import indent
from typing import Any, TypeVar, cast, dataclass_transform

from npae.utils.scalars import number_or_range, real_number, truth_value, whole_number, whole_numbers

Class = TypeVar("Class", bound=type)

OR_NONE = " or None"


@dataclass(frozen=True)
class Parameter:
    """A parameter of an estimator.

    Parameters
    ----------
    name : str
    default : object
    kind : str
        "int", "float", "float or pair of float", "bool", "str", "sequence of int", or one of them and " or None".
    description : str
        One or more sentences; names of parameters in double backquotes.
    check : function of a value and the name
        Returns the value in Python's own numbers, or raises a ValueError of one sentence.
    is_fixed : bool
        Whether a fitted network has been built with it, so that only ``fit`` can take another value.
    """

    name: str
    default: Any
    kind: str
    description: str
    check: Callable[[Any, str], Any]
    is_fixed: bool


def parameter(
    kind: str,
    description: str,
    *,
    default: Any,
    check: Callable[..., Any] | None = None,
    is_fixed: bool = False,
    **bounds: float,
) -> Any:
    """A dataclass field that is a parameter of an estimator, with the metadata of ``Parameter``.

    ``check`` and ``bounds``, its keywords, say what a value must be; without ``check`` that follows from ``kind``.
    """
    accepts_none, check = kind.endswith(OR_NONE), check or CHECKS[kind.removesuffix(OR_NONE)]

    def checked(value: Any, name: str) -> Any:
        return None if value is None and accepts_none else check(value, name, **bounds)

    metadata = {"kind": kind, "description": description, "check": checked, "is_fixed": is_fixed}
    return field(default=default, metadata=metadata)


def text(value: Any, name: str) -> Any:
    """A name; which ones there are is known where it is looked up, which None is left to as well."""
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name} is {value!r}; expected a name in quotes")
    return value


CHECKS: dict[str, Callable[..., Any]] = {
    "int": whole_number,
    "float": real_number,
    "float or pair of float": number_or_range,
    "bool": truth_value,
    "str": text,
    "sequence of int": whole_numbers,
}


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
    known: Any = cls  # mypy takes a class for something that may not be hashed
    return _parameters_of(known)


@cache  # an estimator asks for them at every partial_fit
def _parameters_of(cls: Any) -> tuple[Parameter, ...]:
    return tuple(Parameter(f.name, f.default, **f.metadata) for f in fields(cls) if "description" in f.metadata)


def checked(cls: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a class's parameters in Python's own numbers, texts and tuples, which can be compared.

    Raises
    ------
    ValueError
        For the first that is not what its parameter takes.
    """
    return {p.name: p.check(values[p.name], p.name) for p in parameters_of(cls)}


def written(default: Any) -> str:
    """A default as Python source, strings in double quotes."""
    return f'"{default}"' if isinstance(default, str) else repr(default)


def _entry(p: Parameter) -> str:
    return f"{p.name} : {p.kind}, default {written(p.default)}\n{indent(p.description, '    ')}"
