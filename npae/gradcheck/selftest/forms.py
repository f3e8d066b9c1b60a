"""Functions with right gradients, in the styles in which people write them, with drawn shapes.

They are what the self-test gives to the checker: as they are, for false alarms, and with a mistake in them, for
mistakes that are missed, wrong statements and crashes. Vectors, single samples, sequences (N, T, D), columns, scalars
and axes of length 1 are among the shapes; targets, masks and options among the inputs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.gradcheck.bugs import KINDS, bugs_of
from npae.gradcheck.bugs.inject import inject, layouts_of
from npae.utils.types import Array


@dataclass(frozen=True)
class Form:
    """``check(form.f, form.backward, form.inputs, wrt=form.wrt)`` must pass.

    Attributes
    ----------
    name : str
    f : callable
    backward : callable
        ``backward(g, *inputs)``, the right gradient by each input in ``wrt``: a tuple, or one array.
    inputs : list
    wrt : list of int
        Places of the inputs that have a gradient.
    """

    name: str
    f: Callable[..., Any]
    backward: Callable[..., Any]
    inputs: list[Any]
    wrt: list[int]


Draw = Callable[[np.random.Generator], Form]
FORMS: list[Draw] = []


def form(draw: Draw) -> Draw:
    """Decorator: register a form."""
    FORMS.append(draw)
    return draw


def draw_form(rng: np.random.Generator) -> Form:
    """One of all forms, at random; a known kind as often as all others together."""
    return known_kind(rng) if rng.random() < 0.5 else FORMS[rng.integers(len(FORMS))](rng)


def _size(rng: np.random.Generator) -> int:
    return int(rng.integers(1, 7))


def _sum_to(g: Array, shape: tuple[int, ...]) -> Array:
    """The gradient by an array that was broadcast: g summed over the axes along which it was repeated."""
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    axes = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    summed: Array = g.sum(axis=axes, keepdims=True)
    return summed


def _softmax(z: Array) -> Array:
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    p: Array = e / e.sum(axis=-1, keepdims=True)
    return p


@form
def rows(rng: np.random.Generator) -> Form:
    """y = x W + b, with x a vector, a batch or sequences."""
    n_in, n_out = _size(rng), _size(rng)
    leading = [(), (_size(rng),), (_size(rng), _size(rng))][rng.integers(3)]
    bias = [(n_out,), (1, n_out)][rng.integers(2)]

    def backward(g: Any, x: Array, W: Array, b: Array) -> Any:
        flat, above = x.reshape(-1, n_in), np.reshape(g, (-1, n_out))
        return (np.reshape(above @ W.T, x.shape), flat.T @ above, _sum_to(above, b.shape))

    def f(x: Array, W: Array, b: Array) -> Any:
        y: Array = (x.reshape(-1, n_in) @ W + b).reshape(*leading, n_out)
        return y

    drawn = [rng.normal(size=(*leading, n_in)), rng.normal(size=(n_in, n_out)), rng.normal(size=bias)]
    return Form(f"x W + b, x {drawn[0].shape}, b {bias}", f, backward, drawn, [0, 1, 2])


@form
def transposed_weights(rng: np.random.Generator) -> Form:
    """y = x Wᵀ + b, as torch does."""
    n, n_in, n_out = _size(rng), _size(rng), _size(rng)
    return Form(
        "x Wᵀ + b",
        lambda x, W, b: x @ W.T + b,
        lambda g, x, W, b: (g @ W, g.T @ x, g.sum(axis=0)),
        [rng.normal(size=(n, n_in)), rng.normal(size=(n_out, n_in)), rng.normal(size=n_out)],
        [0, 1, 2],
    )


@form
def columns(rng: np.random.Generator) -> Form:
    """y = W x + b, where samples are columns."""
    n, n_in, n_out = _size(rng), _size(rng), _size(rng)
    return Form(
        "W x + b, columns",
        lambda W, x, b: W @ x + b,
        lambda g, W, x, b: (g @ x.T, W.T @ g, g.sum(axis=1, keepdims=True)),
        [rng.normal(size=(n_out, n_in)), rng.normal(size=(n_in, n)), rng.normal(size=(n_out, 1))],
        [0, 1, 2],
    )


ELEMENTWISE: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
    "relu": (lambda x: np.maximum(x, 0), lambda x: (x > 0) * 1.0),
    "softplus": (lambda x: np.logaddexp(0, x), lambda x: 1 / (1 + np.exp(-x))),
    "square": (lambda x: x**2, lambda x: 2 * x),
    "sine": (np.sin, np.cos),
    "log(1 + x²)": (lambda x: np.log1p(x**2), lambda x: 2 * x / (1 + x**2)),
}


@form
def elementwise(rng: np.random.Generator) -> Form:
    """An activation, of anything from a single number to sequences."""
    name = list(ELEMENTWISE)[rng.integers(len(ELEMENTWISE))]
    f, slope = ELEMENTWISE[name]
    shape = [(), (1,), (_size(rng),), (_size(rng), _size(rng)), (2, _size(rng), 3)][rng.integers(5)]
    return Form(f"{name} {shape}", f, lambda g, x: g * slope(x), [np.asarray(rng.normal(size=shape))], [0])


@form
def scaled_closure(rng: np.random.Generator) -> Form:
    """A function that reads an array that is none of its arguments."""
    x = rng.normal(size=(_size(rng), _size(rng)))
    scale = rng.uniform(0.5, 2, x.shape)
    return Form("closure", lambda x: scale * np.tanh(x), lambda g, x: g * scale * (1 - np.tanh(x) ** 2), [x], [0])


@form
def masked(rng: np.random.Generator) -> Form:
    """Dropout with the mask among the inputs."""
    x = rng.normal(size=(_size(rng), _size(rng)))
    mask = rng.random(x.shape) > 0.4
    return Form("mask as input", lambda x, mask: x * mask / 0.6, lambda g, x, mask: g * mask / 0.6, [x, mask], [0])


@form
def squared_error(rng: np.random.Generator) -> Form:
    """The mean squared error, over all numbers or over samples."""
    p = rng.normal(size=(_size(rng), _size(rng)))
    n = [p.size, len(p), 1][rng.integers(3)]
    return Form(
        f"Σ (p − t)² / {n}",
        lambda p, t: ((p - t) ** 2).sum() / n,
        lambda g, p, t: g * 2 * (p - t) / n,
        [p, rng.normal(size=p.shape)],
        [0],
    )


@form
def binary_cross_entropy(rng: np.random.Generator) -> Form:
    """The binary cross-entropy of probabilities; the absolute values are for steps that leave [0, 1]."""
    p = rng.uniform(0.1, 0.9, (_size(rng), _size(rng)))
    return Form(
        "binary cross-entropy",
        lambda p, t: -(t * np.log(np.abs(p)) + (1 - t) * np.log(np.abs(1 - p))).mean(),
        lambda g, p, t: g * (p - t) / (p * (1 - p)) / p.size,
        [p, rng.uniform(0.1, 0.9, p.shape)],
        [0],
    )


@form
def softmax(rng: np.random.Generator) -> Form:
    """Softmax over the last axis."""
    shape = [(2 + _size(rng),), (_size(rng), 2 + _size(rng)), (2, 3, 4)][rng.integers(3)]

    def backward(g: Array, z: Array) -> Array:
        p = _softmax(z)
        dz: Array = p * (g - (g * p).sum(axis=-1, keepdims=True))
        return dz

    return Form(f"softmax {shape}", _softmax, backward, [rng.normal(size=shape)], [0])


@form
def softmax_cross_entropy(rng: np.random.Generator) -> Form:
    """The cross-entropy of softmax, with labels as whole numbers."""
    z = rng.normal(size=(_size(rng), 2 + _size(rng)))
    labels = rng.integers(0, z.shape[1], len(z))

    def f(z: Array, labels: Array) -> Any:
        return -np.log(_softmax(z)[np.arange(len(z)), labels]).mean()

    def backward(g: Any, z: Array, labels: Array) -> Any:
        dz = _softmax(z)
        dz[np.arange(len(z)), labels] -= 1
        return g * dz / len(z)

    return Form("softmax cross-entropy", f, backward, [z, labels], [0])


@form
def layer_normalisation(rng: np.random.Generator) -> Form:
    """(x − mean) / √(variance + ε) over the features, with scale and shift."""
    n, d = _size(rng), 2 + _size(rng)

    def parts(x: Array) -> tuple[Array, Array]:
        centred = x - x.mean(axis=1, keepdims=True)
        return centred, np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-3)

    def f(x: Array, gamma: Array, beta: Array) -> Any:
        centred, s = parts(x)
        return gamma * centred / s + beta

    def backward(g: Array, x: Array, gamma: Array, beta: Array) -> Any:
        centred, s = parts(x)
        h = centred / s
        dh = g * gamma
        dx = (dh - dh.mean(axis=1, keepdims=True) - h * (dh * h).mean(axis=1, keepdims=True)) / s
        return dx, (g * h).sum(axis=0), g.sum(axis=0)

    drawn = [rng.normal(size=(n, d)), rng.normal(size=d), rng.normal(size=d)]
    return Form("layer normalisation", f, backward, drawn, [0, 1, 2])


@form
def attention(rng: np.random.Generator) -> Form:
    """softmax(q kᵀ / √d) v."""
    n, m, d = _size(rng), _size(rng), _size(rng)

    def f(q: Array, k: Array, v: Array) -> Any:
        return _softmax(q @ k.T / np.sqrt(d)) @ v

    def backward(g: Array, q: Array, k: Array, v: Array) -> Any:
        a = _softmax(q @ k.T / np.sqrt(d))
        da = g @ v.T
        dz = a * (da - (da * a).sum(axis=-1, keepdims=True)) / np.sqrt(d)
        return dz @ k, dz.T @ q, a.T @ g

    return Form("attention", f, backward, [rng.normal(size=s) for s in ((n, d), (m, d), (m, d))], [0, 1, 2])


@form
def two_outputs(rng: np.random.Generator) -> Form:
    """A function that returns a tuple."""
    x = rng.normal(size=(_size(rng), _size(rng)))
    return Form(
        "a tuple of outputs",
        lambda x: (x.sum(axis=0), (x**2).sum()),
        lambda g, x: g[0] + 2 * x * g[1],
        [x],
        [0],
    )


@form
def reduction(rng: np.random.Generator) -> Form:
    """A sum or mean over an axis, or over all."""
    x = rng.normal(size=(_size(rng), _size(rng), _size(rng)))
    axis = [None, 0, 1, 2][rng.integers(4)]

    def backward(g: Any, x: Array) -> Any:
        above = g if axis is None else np.expand_dims(g, axis)
        return np.broadcast_to(above, x.shape) / (x.size if axis is None else x.shape[axis])

    return Form(f"mean over {axis}", lambda x: x.mean(axis=axis), backward, [x], [0])


@form
def largest(rng: np.random.Generator) -> Form:
    """The maximum of each row."""
    x = rng.normal(size=(_size(rng), _size(rng)))

    def backward(g: Array, x: Array) -> Any:
        return g[:, None] * (x == x.max(axis=1, keepdims=True))

    return Form("maximum of rows", lambda x: x.max(axis=1), backward, [x], [0])


@form
def embedding(rng: np.random.Generator) -> Form:
    """Rows of a table, some taken more than once."""
    table = rng.normal(size=(1 + _size(rng), _size(rng)))
    index = rng.integers(0, len(table), _size(rng))

    def backward(g: Array, table: Array, index: Array) -> Any:
        d = np.zeros_like(table)
        np.add.at(d, index, g)
        return d

    return Form("rows of a table", lambda table, index: table[index], backward, [table, index], [0])


@form
def known_kind(rng: np.random.Generator) -> Form:
    """A kind of layer whose mistakes are known, in any of its layouts."""
    kinds = [kind for kind in KINDS.values() if kind.name != "adam"]
    kind = kinds[rng.integers(len(kinds))]
    layouts = list(layouts_of(kind))
    layout = layouts[rng.integers(len(layouts))]
    planted = inject(bugs_of(kind.name)[:1], int(rng.integers(2**31)), layout)
    where = layout.text({name: name for name in kind.inputs})
    return Form(f"{kind.name} {where}".rstrip(), planted.f, planted.right, planted.inputs, planted.wrt)
