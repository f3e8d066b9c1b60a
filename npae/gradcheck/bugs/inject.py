"""Inject known mistakes: a function with a backward pass that contains the mistake, as test input for the checker."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.gradcheck.bugs import KINDS, Bug, Kind, make_case
from npae.gradcheck.bugs.layouts import Layout
from npae.utils.types import Array


@dataclass(frozen=True)
class Planted:
    """``check(p.f, p.backward, p.inputs, wrt=p.wrt)`` must give WRONG, and with ``p.right`` as backward PASS."""

    f: Callable[..., Any]
    backward: Callable[..., Any]
    right: Callable[..., Any]
    inputs: list[Array]
    wrt: list[int]


def inject(bugs: list[Bug], seed: int = 0, layout: Layout | None = None) -> Planted:
    """Inject one mistake, or several of one kind, whose effects are added.

    The inputs are those of ``Kind.draw``: all sizes differ, and windows overlap. ``layout`` is one of ``layouts_of``;
    by default the kind's own.
    """
    kind = KINDS[bugs[0].kind]
    rng = np.random.default_rng(seed)
    drawn = kind.draw(rng, ties=any(b.needs == "ties" for b in bugs))
    names = [name for name in kind.inputs if drawn.get(name) is not None]
    options = {name: value for name, value in drawn.items() if name not in kind.inputs}
    before: dict[str, Array] = {}
    layout = layout or Layout()

    def case(arrays: tuple[Any, ...], g: Any) -> Any:
        seen = {name: layout.see(name, a) for name, a in zip(names, arrays, strict=True)}
        return make_case(kind, {**seen, **options}, g if g is None else layout.see("y", g))

    def ordered(gradients: dict[str, Array]) -> Any:
        parts = tuple(layout.give(block, gradients[block]) for block in kind.blocks if block in gradients)
        return parts if len(parts) > 1 else parts[0]

    def f(*arrays: Any) -> Any:
        return layout.give("y", case(arrays, None).y)

    def right(g: Any, *arrays: Any) -> Any:
        return ordered(kind.backward(case(arrays, g)))

    def backward(g: Any, *arrays: Any) -> Any:
        c = case(arrays, g)
        c.before, c.rng = before, rng
        truth = kind.backward(c)
        result: dict[str, Array] = {}
        for b in bugs:
            for block, wrong in b.gradients(c).items():
                result[block] = result[block] + (wrong - truth[block]) if block in result else wrong
            if b.how == "accumulates":
                before.update({block: result[block] for block in b.blocks})
        return ordered(truth | result)

    wrt = [names.index(block) for block in kind.blocks if block in names]
    return Planted(f, backward, right, [layout.give(name, drawn[name]) for name in names], wrt)


def layouts_of(kind: Kind) -> Iterator[Layout]:
    """The layouts in which the inputs that ``Kind.draw`` gives can be written, the kind's own first."""
    drawn = kind.draw(np.random.default_rng(0))
    values = {name: drawn[name] for name in kind.inputs if drawn.get(name) is not None}
    values["y"] = make_case(kind, drawn, None).y
    for layout in kind.layouts:
        if not layout.counted and all(_returns(layout, name, values[name]) for name in layout.views if name in values):
            yield layout


def _returns(layout: Layout, name: str, array: Any) -> bool:
    """Whether an array can be given in a layout, and is then seen as it was."""
    try:
        return np.array_equal(layout.see(name, layout.give(name, array)), array)
    except ValueError:
        return False


def plant_optimizer(bug: Bug) -> Callable[[Array, Array], Array]:
    """A wrong Adam as ``update(theta, gradient)``; its state is reset after three steps."""
    kind = KINDS[bug.kind]
    usual = kind.draw(np.random.default_rng(0))
    start: list[Array] = []
    gradients: list[Array] = []

    def update(theta: Array, gradient: Array) -> Array:
        if len(gradients) in (0, 3):
            gradients.clear()
            start[:] = [theta]
        gradients.append(gradient)
        c = make_case(kind, {**usual, "x": np.array(gradients), "start": start[0]}, None)
        last: Array = bug.gradients(c)["theta"][-1]
        return last

    return update
