"""Wrong gradients of the relatives of ReLU: leaky ReLU, ELU and GELU."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from npae.gradcheck.bugs.activation import Activation
from npae.gradcheck.bugs.registry import BugCase, Gradients, add, bug
from npae.utils.types import Array

ROOT = math.sqrt(2 / math.pi)
CUBIC = 0.044715


@add
class LeakyReLU(Activation):
    """y = x where x > 0, else αx: dx = g, or αg."""

    name = "leaky-relu"

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        return {**super().draw(rng), "alpha": 0.2}

    def forward(self, c: BugCase) -> Array:
        y: Array = np.where(c.x > 0, c.x, c.alpha * c.x)
        return y

    def backward(self, c: BugCase) -> Gradients:
        return {"x": c.g * np.where(c.x > 0, 1, c.alpha)}

    def options(self, arrays: Mapping[str, Array], outputs: list[Array]) -> Iterator[dict[str, Any]]:
        yield from (o for o in leaks(arrays["x"], outputs[0], arrays["x"]) if o["alpha"] != 1)


@add
class ELU(Activation):
    """y = x where x > 0, else α(eˣ − 1): dx = g, or gαeˣ."""

    name = "elu"

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        return {**super().draw(rng), "alpha": 0.7}

    def forward(self, c: BugCase) -> Array:
        y: Array = np.where(c.x > 0, c.x, c.alpha * np.expm1(np.minimum(c.x, 0)))
        return y

    def backward(self, c: BugCase) -> Gradients:
        return {"x": c.g * np.where(c.x > 0, 1, c.alpha * np.exp(c.x))}

    def options(self, arrays: Mapping[str, Array], outputs: list[Array]) -> Iterator[dict[str, Any]]:
        yield from leaks(arrays["x"], outputs[0], np.expm1(np.minimum(arrays["x"], 0)))


def leaks(x: Array, y: Array, below: Array) -> Iterator[dict[str, Any]]:
    """α where y = α · below for negative x; not 0, which is ReLU."""
    if x.shape == y.shape and (x < 0).any():
        alpha = float(np.median(y[x < 0] / below[x < 0]))
        if alpha:
            yield {"alpha": alpha}


@add
class GELU(Activation):
    """y = x Φ(x), with the normal distribution function Φ, or the tanh that approximates it (``form``)."""

    name = "gelu"

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        return {**super().draw(rng), "form": "tanh"}

    def forward(self, c: BugCase) -> Array:
        y: Array = c.x * PHI[c.form](c.x)
        return y

    def backward(self, c: BugCase) -> Gradients:
        return {"x": c.g * gelu_slope(c.x, c.form)}

    def options(self, arrays: Mapping[str, Array], outputs: list[Array]) -> Iterator[dict[str, Any]]:
        yield from ({"form": form} for form in PHI)


def _normal(x: Array) -> Array:
    return 0.5 * (1 + np.reshape([math.erf(value / math.sqrt(2)) for value in np.ravel(x)], np.shape(x)))


def _tanh(x: Array) -> Array:
    phi: Array = 0.5 * (1 + np.tanh(ROOT * (x + CUBIC * x**3)))
    return phi


PHI = {"exact": _normal, "tanh": _tanh}


def density(x: Array, form: str) -> Array:
    """Φ′."""
    if form == "exact":
        return np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    tanh = 2 * _tanh(x) - 1
    slope: Array = 0.5 * (1 - tanh**2) * ROOT * (1 + 3 * CUBIC * x**2)
    return slope


def gelu_slope(x: Array, form: str) -> Array:
    """Φ + xΦ′."""
    slope: Array = PHI[form](x) + x * density(x, form)
    return slope


@bug("leaky-relu", "x", "dx = g·[x > 0]", "Where x is negative, the slope is small, and not 0.", number=198)
def no_leak(c: BugCase) -> Any:
    return c.g * (c.x > 0)


@bug("leaky-relu", "x", "dx = g·(α where g < 0)", "The sign of x decides, not that of g.", number=199, name="mask-on-g")
def leak_of_g(c: BugCase) -> Any:
    return np.where(c.g > 0, c.g, c.alpha * c.g)


@bug("elu", "x", "dx = g·[x > 0]", "Where x is negative, the function is an exponential.", number=200)
def relu_slope(c: BugCase) -> Any:
    return c.g * (c.x > 0)


@bug("elu", "x", "dx = g·y where x < 0", "The slope of α(eˣ − 1) is αeˣ, which is y + α.", number=201)
def value_for_slope(c: BugCase) -> Any:
    return c.g * np.where(c.x > 0, 1, c.y)


@bug("elu", "x", "dx = g·eˣ where x < 0", "α is a factor of the exponential.", number=202)
def no_alpha(c: BugCase) -> Any:
    return c.g * np.where(c.x > 0, 1, np.exp(c.x))


@bug("gelu", "x", "dx = g·Φ(x)", "A product has two terms in its derivative.", number=203)
def no_product_rule(c: BugCase) -> Any:
    return c.g * PHI[c.form](c.x)


@bug("gelu", "x", "Φ′ of tanh without 1 + 3·0.044715 x²", "The chain rule goes on into the polynomial.", number=204)
def no_inner_slope(c: BugCase) -> Any:
    if c.form != "tanh":
        raise ValueError("the exact form has no polynomial")
    return c.g * (PHI["tanh"](c.x) + c.x * density(c.x, "tanh") / (1 + 3 * CUBIC * c.x**2))
