"""The public classes and functions of npae: what can be reached by public names from the public modules."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any, NamedTuple

import npae.applications

#: The modules whose names are public; each application is one as well.
MODULES = [
    "npae",
    "npae.errors",
    "npae.estimators",
    "npae.foreign",
    "npae.gradcheck",
    "npae.gradcheck.adapters",
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


def by_qualified_name() -> dict[str, Public]:
    """They by the module that defines them and their name there, such as "npae.layers.dense.Dense"."""
    return {f"{public.subject.__module__}.{public.subject.__qualname__}": public for public in public_names()}
