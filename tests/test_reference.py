"""Each public class and function says what it takes, returns and raises, with an example."""

import ast
import enum
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

pytest.importorskip("numpydoc")

from helpers.paths import ROOT
from helpers.public_names import Public, members, public_names
from numpydoc.validate import Validator, get_doc_object


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
    if not _run(doc.examples) and not any(_is_called(public, cls) for cls in classes):
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


def _run(lines: Iterable[str]) -> list[str]:
    """The lines of examples that are run."""
    return [line for line in lines if line.lstrip().startswith((">>> ", "... ")) and "+SKIP" not in line]


def _is_called(public: Public, cls: type) -> bool:
    """Whether the examples of the class call this method, which the class has."""
    if public.owner is None or not hasattr(cls, public.subject.__name__):
        return False
    return any(f".{public.subject.__name__}(" in line for line in _run((cls.__doc__ or "").splitlines()))


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


def test_the_docstrings_of_public_names_are_complete() -> None:
    found = public_names()
    classes = [public.subject for public in found if inspect.isclass(public.subject)]
    missing = {public.name: lacks for public in found if (lacks := gaps(public, classes))}
    share = 1 - len(missing) / len(found)
    assert not missing, f"{share:.1%} of {len(found)} docstrings are complete; these lack something: {missing}"


def test_every_public_class_and_function_has_its_page_in_the_reference() -> None:
    reference = (ROOT / "docs/reference.md").read_text(encoding="utf-8")
    tables = re.findall(
        r"^\.\. autosummary::\n   :toctree: api\n   :nosignatures:\n\n((?:   \S+\n)+)", reference, re.MULTILINE
    )
    listed = [name for table in tables for name in table.split()]
    assert sorted(listed) == sorted(public.name for public in public_names(with_methods=False))


def test_every_layer_states_its_shapes_and_its_equations() -> None:
    lacking = []
    for public in members("npae.layers"):
        text = inspect.getdoc(public.subject) or ""
        moves_only = public.subject.__name__ in ("Flatten", "Reshape")  # no number is computed
        is_stated = "Shapes: " in text and (moves_only or ".. math::" in text)
        if public.subject.__name__ != "Layer" and not is_stated:
            lacking.append(public.name)
    assert lacking == []
