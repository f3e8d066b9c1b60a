"""What a gradient must be, found from nothing but the forward pass.

A central difference needs two values of a function f and no calculus::

    ∂f/∂x ≈ (f(x + h) − f(x − h)) / ((x + h) − (x − h))

Its error is h² |f‴| / 6 from the formula and ε |f| / h from rounding; both are small at h = ε^⅓, scaled by |x| where x
is large. The divisor is the difference that the two floating-point numbers really have, which is not exactly 2h.

f must be one number, so the output y of a layer is weighted by a random upstream gradient u: f = Σ u y. Its gradient by
x is what ``backward(u)`` returns. A constant u would hide errors: a max-pool that hands every window's gradient to the
wrong window has the right sum.
"""

from collections.abc import Callable

import numpy as np

from npae import Autoencoder
from npae.layers import Layer
from npae.layers.arena import Arena
from npae.utils.types import Array, Shape

STEP = np.finfo(np.float64).eps ** (1 / 3)


def numeric_gradient(f: Callable[[], float], x: Array) -> Array:
    """∂f/∂x for every element of x, an array that f reads; it is changed in place and put back."""
    gradient = np.empty_like(x)
    for i in np.ndindex(x.shape):
        value = x[i]
        h = STEP * max(1.0, abs(value))
        above, below = value + h, value - h
        x[i] = above
        f_above = f()
        x[i] = below
        f_below = f()
        x[i] = value
        gradient[i] = (f_above - f_below) / (above - below)
    return gradient


def relative_error(analytic: Array, numeric: Array, floor: float = 0.0) -> float:
    """The largest difference, as a fraction of the largest value; it does not grow with the size of the array.

    Below ``floor`` a value counts as large as that: what nearly cancels out is known less well than the rest.
    """
    assert analytic.shape == numeric.shape
    scale = np.abs(numeric).max()
    assert scale > 0, "the output does not depend on this block, so the check would prove nothing"
    return float(np.abs(analytic - numeric).max() / max(scale, floor))


def _errors(analytic: dict[str, Array], numeric: dict[str, Array]) -> dict[str, float]:
    floor = 1e-3 * max(np.abs(gradient).max() for gradient in numeric.values())
    return {name: relative_error(analytic[name], numeric[name], floor) for name in numeric}


def layer_errors(layer: Layer, x: Array, generator: np.random.Generator) -> dict[str, float]:
    """The relative error of dx and of every parameter's gradient, a layer's penalty included, by name.

    The layer is built in float64. Noise stands still as long as ``layer.run.step`` does.
    """
    u = generator.standard_normal((len(x), *layer.output_shape))
    layer.run.sample_weight = 1 / len(x)

    def f() -> float:
        value = np.sum(u * layer(x))
        return float(value + sum(penalized.penalty.mean() for penalized in layer.arena.penalized))

    f()
    analytic, numeric = {"dx": layer.backward(u).copy()}, {"dx": numeric_gradient(f, x)}
    for name, value, gradient in layer.arena.parameters():
        analytic[name], numeric[name] = gradient.copy(), numeric_gradient(f, value)
    return _errors(analytic, numeric)


def network_errors(network: Autoencoder, x: Array, target: Array | None = None) -> dict[str, float]:
    """The relative error of every parameter's gradient of a whole network's loss, by name."""
    network.gradient(x, target)
    analytic = {name: gradient.copy() for name, _, gradient in network.arena.parameters()}
    numeric = {
        name: numeric_gradient(lambda: network.gradient(x, target), value)
        for name, value, _ in network.arena.parameters()
    }
    return _errors(analytic, numeric)


def randomize(arena: Arena, generator: np.random.Generator) -> None:
    """Give every parameter a value, biases too, so that no term of a gradient vanishes."""
    for _, value, _ in arena.parameters():
        value[...] = generator.normal(0, 0.5, value.shape)


def separated(shape: Shape, generator: np.random.Generator, span: float = 3.0) -> Array:
    """Numbers from −span to span in random order, no two of them near each other and none near zero.

    So no step of a finite difference crosses a kink at zero or changes the winner of a window.
    """
    n = int(np.prod(shape))
    values = (generator.permutation(n) - n // 2 + 0.5) / max(n, 1)
    return (2 * span * values).reshape(shape)
