"""Mistakes made on purpose in a right gradient, of any kind and shape."""

from collections.abc import Callable
from typing import Any

import numpy as np

from npae.gradcheck.selftest.forms import Form
from npae.utils.types import Array

Mutation = Callable[[Array, np.random.Generator], Any]


def _one_entry(d: Array, rng: np.random.Generator) -> Array:
    changed = np.array(d, dtype=np.float64, order="C")
    changed.reshape(-1)[rng.integers(changed.size)] += 0.5 + np.abs(changed).max(initial=0.0)
    return changed


def _zeroed_part(d: Array, rng: np.random.Generator) -> Array:
    changed = np.array(d, dtype=np.float64, order="C")
    changed.reshape(-1)[: max(1, changed.size // 2)] = 0
    return changed


#: Each takes a right gradient and a generator, and returns what a mistaken backward might.
MUTATIONS: dict[str, Mutation] = {
    "twice": lambda d, rng: 2 * d,
    "half": lambda d, rng: d / 2,
    "negative": lambda d, rng: -d,
    "zeros": lambda d, rng: 0 * d,
    "times the first axis": lambda d, rng: d * (d.shape[0] if d.ndim else 3),
    "over the last axis": lambda d, rng: d / (d.shape[-1] if d.ndim else 3),
    "times the size": lambda d, rng: d * d.size,
    "plus one": lambda d, rng: d + 1,
    "squared": lambda d, rng: d**2,
    "absolute": lambda d, rng: np.abs(d),
    "one entry": _one_entry,
    "half of it zero": _zeroed_part,
    "reversed": lambda d, rng: d[::-1] if d.ndim else -d,
    "transposed": lambda d, rng: d.T,
    "summed": lambda d, rng: d.sum(),
    "summed over the first axis": lambda d, rng: d.sum(axis=0) if d.ndim else d,
    "mean": lambda d, rng: np.full_like(d, d.mean()) if d.size else d,
    "one dimension more": lambda d, rng: d[None],
    "in a list": lambda d, rng: d.tolist(),
    "NaN": lambda d, rng: d * np.nan,
    "infinite": lambda d, rng: d / 0.0,
    "noise": lambda d, rng: d + rng.normal(size=d.shape),
    "None": lambda d, rng: None,
    "text": lambda d, rng: "dx",
    "integers": lambda d, rng: np.rint(d).astype(int),
    "float16": lambda d, rng: d.astype(np.float16),
    "constant": lambda d, rng: np.ones_like(d),
    "random": lambda d, rng: rng.normal(size=d.shape),
}


def mutated(form: Form, rng: np.random.Generator) -> tuple[str, Callable[..., Any]]:
    """A backward of this form with a mistake in one gradient, or in several; and what was done."""
    chosen = [str(name) for name in rng.choice(list(MUTATIONS), size=len(form.wrt))]
    spared = rng.random(len(form.wrt)) < 0.4
    spared[rng.integers(len(form.wrt))] = False
    seed = int(rng.integers(2**32))

    def backward(g: Any, *inputs: Any) -> Any:
        right = form.backward(g, *inputs)
        parts = right if isinstance(right, tuple) else (right,)
        with np.errstate(all="ignore"):
            wrong = [
                part if keep else MUTATIONS[name](np.asarray(part), np.random.default_rng(seed))
                for part, name, keep in zip(parts, chosen, spared, strict=True)
            ]
        return tuple(wrong) if isinstance(right, tuple) else wrong[0]

    names = ["right" if keep else name for name, keep in zip(chosen, spared, strict=True)]
    return ", ".join(names), backward
