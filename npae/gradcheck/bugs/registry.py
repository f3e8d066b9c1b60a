"""Registry of known mistakes: name, wrong formula, and hint.

The method, to name a learner's mistake by comparison with a library of known ones, is that of BUGGY (Brown & Burton
1978). A mistake is added in the file of its layer::

    @bug("dense", "x", "dX = g W", "Each input feels every output: along which axis of W must the sum run?", number=1)
    def no_transpose(c):
        return c.g @ c.W

``c`` is a case: the arrays of one call by their names in the formula: c.x, c.W, c.g, c.y. The library is independent of
npae's layers; a learner's ``backward(g, x, W)`` is compared in the same way.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from npae.gradcheck.bugs.layouts import Layout
from npae.utils.types import Array

Gradients = dict[str, Array]


class BugCase(SimpleNamespace):
    """The inputs, options, output y and upstream gradient g of one call, by name."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"this case has no {name}; it has {', '.join(vars(self))}")

    def __len__(self) -> int:
        """N: the number of samples, the first axis of the first input, unless the layout counts another."""
        counted: int | None = vars(self).get("samples")
        return len(next(iter(vars(self).values()))) if counted is None else counted


class Kind:
    """A kind of computation, such as a dense layer: its inputs, output and right gradient.

    Attributes
    ----------
    name : str
    inputs : tuple of str
        Names of the inputs, in the order of a function's parameters.
    optional : tuple of str
        The inputs that may be missing, such as a bias.
    blocks : tuple of str
        The inputs that have a gradient.
    layouts : tuple of Layout
        The layouts in which it is recognised, its own first.
    has_windows : bool
        Whether its options are the size, stride and padding of a window, which may be read from a layer.
    """

    name: str
    inputs: tuple[str, ...]
    optional: tuple[str, ...] = ()
    blocks: tuple[str, ...]
    layouts: tuple[Layout, ...] = (Layout(),)
    has_windows: bool = False

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        """Random inputs and options that show every mistake: sizes differ, windows overlap, strides leave a remainder.

        ``square=True`` gives equal sizes, which some mistakes need to run at all; ``ties=True`` gives equal entries.
        """
        raise NotImplementedError

    def forward(self, c: BugCase) -> Any:
        """y, or a tuple of outputs."""
        raise NotImplementedError

    def backward(self, c: BugCase) -> Gradients:
        """The right gradient by each block."""
        raise NotImplementedError

    def plausible(self, names: Mapping[str, str]) -> bool:
        """Whether the code's names of these inputs do not contradict their roles; asked where numbers cannot tell."""
        return True

    def options(self, arrays: Mapping[str, Array], outputs: list[Array]) -> Iterator[dict[str, Any]]:
        """Candidates for the other options of the forward pass, inferred from its arrays: strides, a mask, β."""
        yield {}


@dataclass(frozen=True)
class Bug:
    """A wrong gradient.

    Attributes
    ----------
    name, formula, hint : str
        The hint states the principle, not the answer.
    kind : str
        Name of the kind it belongs to.
    blocks : tuple of str
        The blocks whose gradients are wrong.
    compute : callable
        (case) -> the wrong gradient, or a tuple of them in the order of ``blocks``.
    number : int
        Number in the list of mistakes.
    how : {"", "draws", "accumulates"}
        Why equal calls give different gradients: new random numbers, accumulation, or "" where they do not.
    needs : {"", "square", "ties"}
        The option of ``Kind.draw`` without which the mistake does not show.
    free : float or None
        Default of the second argument of ``compute``, an unknown number that the gradient is linear in.
    """

    name: str
    formula: str
    hint: str
    kind: str
    blocks: tuple[str, ...]
    compute: Callable[..., Any]
    number: int
    how: str = ""
    needs: str = ""
    free: float | None = None

    def gradients(self, c: BugCase, seen: Mapping[str, Array] | None = None) -> Gradients:
        """The wrong gradients of this case; an unknown number is fitted to the gradients ``seen``."""
        if self.free is None:
            return self._by_block(self.compute(c))
        if seen is None or not seen.keys() >= set(self.blocks):
            return self._by_block(self.compute(c, self.free))
        without, one = self._by_block(self.compute(c, 0.0)), self._by_block(self.compute(c, 1.0))
        (block,) = self.blocks
        effect = one[block] - without[block]
        # One number fits any other, so a gradient with one entry shows nothing.
        if seen[block].shape != effect.shape or effect.size < 2 or not effect.any():
            return without
        value = float(np.vdot(seen[block] - without[block], effect) / np.vdot(effect, effect))
        return {block: without[block] + value * effect}

    def _by_block(self, result: Any) -> Gradients:
        parts = result if isinstance(result, tuple) else (result,)
        return {block: np.asarray(part) for block, part in zip(self.blocks, parts, strict=True)}


KINDS: dict[str, Kind] = {}
BUGS: list[Bug] = []


def add(kind: type[Kind]) -> type[Kind]:
    """Decorator: register a kind."""
    KINDS[kind.name] = kind()
    return kind


def bug(
    kind: str, blocks: str, formula: str, hint: str, *, number: int, name: str = "", **more: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: register a mistake, named after its function unless ``name`` is given; blocks are space-separated."""

    def register(compute: Callable[..., Any]) -> Callable[..., Any]:
        called = name or compute.__name__.strip("_").replace("_", "-")
        BUGS.append(Bug(called, formula, hint, kind, tuple(blocks.split()), compute, number, **more))
        return compute

    return register


def bugs_of(kind: str) -> list[Bug]:
    """The known mistakes of a kind."""
    return [b for b in BUGS if b.kind == kind]


def make_case(kind: Kind, values: Mapping[str, Any], g: Any) -> BugCase:
    """The case of these inputs and options, with the output y, for an upstream gradient g."""
    inputs = {name: values.get(name) for name in kind.inputs}  # missing ones are None
    c = BugCase(**{**inputs, **values}, g=g)
    c.y = kind.forward(c)
    return c
