"""Wrong steps of Adam. An optimizer has no gradient; θ after each of three steps is compared instead.

m and v start at 0, and t counts the steps from 1 (Kingma & Ba 2015, algorithm 1)::

    m ← β₁ m + (1 − β₁) g       m̂ = m / (1 − β₁ᵗ)
    v ← β₂ v + (1 − β₂) g²      v̂ = v / (1 − β₂ᵗ)
    θ ← θ − rate · m̂ / (√v̂ + ε)
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from npae.gradcheck.bugs.registry import BugCase, Gradients, Kind, add, bug
from npae.utils.types import Array

Correction = Callable[[float, int], float]
Division = Callable[[Array, float], Array]


def corrected(beta: float, t: int) -> float:
    """1 − βᵗ, the divisor that corrects the bias of a running mean that starts at 0."""
    return float(1 - beta**t)


def plain_division(v: Array, epsilon: float) -> Array:
    """√v̂ + ε."""
    root: Array = np.sqrt(v) + epsilon
    return root


def path(c: BugCase, correction: Correction = corrected, division: Division = plain_division, power: int = 2) -> Array:
    """θ after each step (steps, size), for gradients c.x of the same shape, from c.start (size,)."""
    theta, m, v = c.start.copy(), np.zeros_like(c.start), np.zeros_like(c.start)
    result: Array = np.empty_like(c.x)
    with np.errstate(invalid="ignore"):
        for t, g in enumerate(c.x, start=1):
            m = c.beta1 * m + (1 - c.beta1) * g
            v = c.beta2 * v + (1 - c.beta2) * g**power
            theta = theta - c.rate * m / correction(c.beta1, t) / division(v / correction(c.beta2, t), c.epsilon)
            result[t - 1] = theta
    return result


def epsilon_hat_path(c: BugCase) -> Array:
    """θ after each step of the form in section 2 of the paper: θ ← θ − rate √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε̂)."""
    theta, m, v = c.start.copy(), np.zeros_like(c.start), np.zeros_like(c.start)
    result: Array = np.empty_like(c.x)
    for t, g in enumerate(c.x, start=1):
        m = c.beta1 * m + (1 - c.beta1) * g
        v = c.beta2 * v + (1 - c.beta2) * g**2
        rate = c.rate * np.sqrt(corrected(c.beta2, t)) / corrected(c.beta1, t)
        theta = theta - rate * m / plain_division(v, c.epsilon)
        result[t - 1] = theta
    return result


@add
class Adam(Kind):
    """The path of θ for given gradients; it is not recognised from arrays, since it has no gradient."""

    name = "adam"
    inputs = ("x", "start")
    blocks = ("theta",)

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        # Gradients from 1 down to 1e-9, so that ε matters too.
        gradients = rng.standard_normal((3, 8)) * 10.0 ** rng.uniform(-9, 0, 8)
        usual = {"rate": 1e-2, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
        return {"x": gradients, "start": rng.standard_normal(8), **usual}

    def options(self, arrays: Mapping[str, Array], outputs: list[Array]) -> Iterator[dict[str, Any]]:
        return iter(())

    def forward(self, c: BugCase) -> Array:
        return path(c)

    def backward(self, c: BugCase) -> Gradients:
        return {"theta": path(c)}


@bug("adam", "theta", "m and v uncorrected", "Means that start at 0 are too small at first.", number=89)
def uncorrected(c: BugCase) -> Any:
    return path(c, correction=lambda beta, t: 1.0)


@bug(
    "adam", "theta", "1 − β instead of 1 − βᵗ", "The bias of a running mean depends on the number of steps.", number=90
)
def non_power(c: BugCase) -> Any:
    return path(c, correction=lambda beta, t: 1 - beta)


@bug("adam", "theta", "t counted from 2", "The first step is number 1.", number=91, name="t-off-by-one")
def t_off_by_one(c: BugCase) -> Any:
    return path(c, correction=lambda beta, t: 1 - beta ** (t + 1))


@bug("adam", "theta", "√(v̂ + ε)", "ε is added to the root, not to the square.", number=92, name="ε-inside")
def eps_inside(c: BugCase) -> Any:
    return path(c, division=lambda v, epsilon: np.sqrt(v + epsilon))


@bug("adam", "theta", "v of g, not of g²", "The root is taken of a mean of squares.", number=93)
def v_unsquared(c: BugCase) -> Any:
    return path(c, power=1)
