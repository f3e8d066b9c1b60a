"""The public classes and functions of npae, and what the docstring of each still lacks."""

import ast
import enum
import importlib
import inspect
import pkgutil
import re
import textwrap
from collections.abc import Iterator
from typing import Any, NamedTuple

from numpydoc.validate import Validator, get_doc_object

import npae.applications

#: The modules whose names are public; each application is one as well.
MODULES = [
    "npae",
    "npae.errors",
    "npae.estimators",
    "npae.foreign",
    "npae.gradcheck",
    "npae.datasets",
    "npae.datasets.music",
    "npae.layers",
    "npae.learn",
    "npae.losses",
    "npae.optimizers",
    "npae.recipes",
    "npae.schedules",
    "npae.storage",
    "npae.storage.export",
    "npae.training",
    *(f"npae.applications.{found.name}" for found in pkgutil.iter_modules(npae.applications.__path__)),
]


class Public(NamedTuple):
    """A class, function or method, by the first public name that leads to it."""

    name: str
    subject: Any
    owner: type | None = None


def members(module: str) -> Iterator[Public]:
    """The public classes and functions of a module: those of ``__all__``, or those that it defines."""
    found = importlib.import_module(module)
    own = [name for name, value in vars(found).items() if getattr(value, "__module__", None) == found.__name__]
    for name in getattr(found, "__all__", [name for name in own if not name.startswith("_")]):
        if inspect.isclass(getattr(found, name)) or inspect.isfunction(getattr(found, name)):
            yield Public(f"{module}.{name}", getattr(found, name))


def methods(public: Public) -> Iterator[Public]:
    """The public methods of a class, also inherited ones; where a class overrides, that of the base that says more."""
    for cls in public.subject.__mro__:
        for name, value in vars(cls).items():
            function = getattr(value, "__func__", value)
            is_own = inspect.isfunction(function) and (function.__module__ or "").startswith("npae")
            if is_own and not name.startswith("_") and not _is_described(name, cls):
                yield Public(f"{public.name}.{name}", function, public.subject)


def _is_described(name: str, cls: type) -> bool:
    return any(getattr(vars(base).get(name), "__doc__", None) for base in cls.__mro__[1:])


def public_names(*, with_methods: bool = True) -> list[Public]:
    """Each public class, function and method once, in the order of ``MODULES``."""
    found: dict[int, Public] = {}
    for module in MODULES:
        for public in members(module):
            found.setdefault(id(public.subject), public)
    if with_methods:
        for public in [public for public in found.values() if inspect.isclass(public.subject)]:
            for method in methods(public):
                found.setdefault(id(method.subject), method)
    return list(found.values())


def gaps(public: Public, classes: list[type]) -> list[str]:
    """What the docstring lacks: sections by name, and arguments that it does not describe.

    An example of a method may also be one of a class that has the method and calls it.
    """
    doc = Validator(get_doc_object(public.subject))
    described = {name for section in ("Parameters", "Other Parameters", "Attributes") for name in _names(doc, section)}
    missing = [f"argument {name}" for name in _arguments(doc) if name.lstrip("*") not in described]
    if doc.is_function_or_method and doc.method_returns_something and not doc.returns and not doc.yields:
        missing.append("Returns")
    if doc.is_generator_function and not doc.yields:
        missing.append("Yields")
    if _raises(public.subject) and not doc.doc["Raises"]:
        missing.append("Raises")
    has_example = any(line.lstrip().startswith(">>>") and "+SKIP" not in line for line in doc.examples)
    if not has_example and not any(_is_called(public, cls) for cls in classes):
        missing.append("Examples")
    return missing


def _names(doc: Validator, section: str) -> Iterator[str]:
    for parameter in doc.doc[section]:
        yield from (name.strip().lstrip("*") for name in parameter.name.split(","))


def _arguments(doc: Validator) -> tuple[str, ...]:
    """The arguments to describe; of an exception, only those of a constructor of its own."""
    subject = doc.obj
    is_error = inspect.isclass(subject) and issubclass(subject, Exception) and "__init__" not in vars(subject)
    is_enum = inspect.isclass(subject) and issubclass(subject, enum.Enum)
    return () if is_error or is_enum else doc.signature_parameters


def _is_called(public: Public, cls: type) -> bool:
    """Whether the examples of the class call this method, which the class has."""
    if public.owner is None or not hasattr(cls, public.subject.__name__):
        return False
    called = rf"^ *(?:>>>|\.\.\.) .*\.{public.subject.__name__}\("
    return re.search(called, cls.__doc__ or "", re.MULTILINE) is not None


def _raises(subject: Any) -> bool:
    """Whether the code of a function, or of a class's constructor, raises an error itself."""
    constructors = ("__init__", "__post_init__")
    code = [vars(subject).get(name) for name in constructors] if inspect.isclass(subject) else [subject]
    for function in (inspect.unwrap(part) for part in code if inspect.isfunction(part)):
        if "/npae/" not in function.__code__.co_filename.replace("\\", "/"):
            continue  # made by dataclass
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        if any(_is_an_error(node) for node in ast.walk(tree)):
            return True
    return False


def _is_an_error(node: ast.AST) -> bool:
    if not isinstance(node, ast.Raise) or node.exc is None:
        return False
    named = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    return getattr(named, "id", "") != "NotImplementedError"  # of a base class, whose subclasses define the method
