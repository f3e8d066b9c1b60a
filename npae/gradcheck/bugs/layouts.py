"""Layouts: how the arrays of other people's code become those of a kind of computation.

A kind is written for one layout, such as y = x W + b with a sample in each row. The same computation is found in many
others: columns W x, weights (out, in) with x Wᵀ, images (N, C, H, W), one vector instead of a batch. A layout says for
each array how the kind's own array is seen in it. Inputs, outputs, the upstream gradient and the gradients are all seen
in this way, so that the kind's formulas are written once.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from npae.utils.types import Array


@dataclass(frozen=True)
class View:
    """How a kind sees an array.

    Attributes
    ----------
    text : str
        The view as an expression, with {} for the array's name; empty where it only drops axes of length 1.
    see : callable
        (array) -> the kind's array. Raises where the array has another number of axes.
    back : callable or None
        (the kind's array, an array like the result) -> an array in the given layout; None where sizes would be lost.
    """

    text: str
    see: Callable[[Array], Array]
    back: Callable[[Array, Array], Array] | None = None


@dataclass(frozen=True)
class Layout:
    """Views by the kind's names of its inputs, and "y" for its outputs; what is missing is seen as it is.

    Attributes
    ----------
    views : dict of str to View
    counted : str
        The input whose own first axis is the number of samples N; empty where N is that of the kind's array.
    """

    views: Mapping[str, View] = field(default_factory=dict)
    counted: str = ""

    def see(self, name: str, array: Array) -> Array:
        """The array as the kind sees it."""
        view = self.views.get(name)
        return array if view is None else view.see(array)

    def see_gradient(self, name: str, array: Array) -> Array:
        """The same for a gradient, which may have a wrong shape: one that the view does not fit stays as it is."""
        try:
            return self.see(name, array)
        except ValueError:
            return array

    def give(self, name: str, array: Array, like: Array | None = None) -> Array:
        """The kind's array in this layout, of as many axes as ``like`` has, where it has axes of length 1.

        Raises
        ------
        ValueError
            If it cannot be given back: it has sizes that the kind's array does not tell.
        """
        view = self.views.get(name)
        if view is None or np.ndim(array) == 0:
            return array
        if view.back is None:
            raise ValueError(f"the sizes of {name} are not known")
        return view.back(array, array if like is None else like)

    def text(self, names: Mapping[str, str]) -> str:
        """What the letters of a formula stand for, such as "x = X.T, W = W.T, g = g.T"."""
        shown = {**{t: o for t, o in names.items() if t in self.views}, **({"g": "g"} if "y" in self.views else {})}
        said = [(t, self.views["y" if t == "g" else t].text.format(o)) for t, o in shown.items()]
        parts = [f"{t} = {expression}" for t, expression in said if expression]
        if self.counted:
            parts.append(f"N = len({names[self.counted]})")
        return ", ".join(parts)


def permuted(*axes: int) -> View:
    """An array with its axes in another order."""
    inverse = np.argsort(axes)
    text = "{}.T" if axes == (1, 0) else f"{{}}.transpose{axes}"
    return View(text, lambda a: a.transpose(axes), lambda a, like: a.transpose(inverse))


def _flat(a: Array) -> Array:
    return a.reshape(-1) if a.ndim > 1 and a.size == max(a.shape) else a


def _unflat(a: Array, like: Array) -> Array:
    shape = [1] * like.ndim
    shape[int(np.argmax(like.shape)) if like.ndim else 0] = a.size
    return a.reshape(shape)


def _as_rows(a: Array) -> Array:
    if a.ndim < 3:
        raise ValueError("no axes to join")
    return a.reshape(-1, a.shape[-1])


def _channels_as_columns(a: Array) -> Array:
    return np.moveaxis(a, 1, -1).reshape(-1, a.shape[1]) if a.ndim > 2 else _refused()


def _sample_as_row(a: Array) -> Array:
    return a.reshape(len(a), -1) if a.ndim > 2 else _refused()


def _one_sample(a: Array) -> Array:
    return a[None] if a.ndim == 1 else _refused()


def _one_image(a: Array) -> Array:
    return a[None, :, :, None] if a.ndim == 2 else _refused()


def _one_with_channels(a: Array) -> Array:
    return a[None] if a.ndim == 3 else _refused()


def _one_with_channels_first(a: Array) -> Array:
    return a.transpose(1, 2, 0)[None] if a.ndim == 3 else _refused()


def _one_kernel(a: Array) -> Array:
    return a[:, :, None, None] if a.ndim == 2 else _refused()


def _refused() -> Array:
    raise ValueError("another number of axes than this layout has")


TRANSPOSED = permuted(1, 0)
CHANNELS_FIRST = permuted(0, 2, 3, 1)
KERNELS_FIRST = permuted(2, 3, 1, 0)
FLAT = View("", _flat, _unflat)
RAVELLED = View("{}.ravel()", np.ravel)
ONE_SAMPLE = View("{}[None]", _one_sample, lambda a, like: a[0])
ROWS = View("{}.reshape(-1, D)", _as_rows)
CHANNELS_AS_COLUMNS = View("moveaxis({}, 1, -1).reshape(-1, C)", _channels_as_columns)
SAMPLE_AS_ROW = View("{}.reshape(N, -1)", _sample_as_row)
ONE_IMAGE = View("{}[None, :, :, None]", _one_image, lambda a, like: a[0, :, :, 0])
ONE_WITH_CHANNELS = View("{}[None]", _one_with_channels, lambda a, like: a[0])
ONE_WITH_CHANNELS_FIRST = View(
    "{}.transpose(1, 2, 0)[None]", _one_with_channels_first, lambda a, like: a[0].transpose(2, 0, 1)
)
# Convolution in the sense of mathematics, with the kernel turned by 180°.
TURNED = View("{}[::-1, ::-1]", lambda a: a[::-1, ::-1], lambda a, like: a[::-1, ::-1])
TURNED_KERNELS_FIRST = View(
    "{}[:, :, ::-1, ::-1].transpose(2, 3, 1, 0)",
    lambda a: a[:, :, ::-1, ::-1].transpose(2, 3, 1, 0),
    lambda a, like: a.transpose(3, 2, 0, 1)[:, :, ::-1, ::-1],
)
TURNED_ONE_KERNEL = View(
    "{}[::-1, ::-1, None, None]",
    lambda a: _one_kernel(a)[::-1, ::-1],
    lambda a, like: a[::-1, ::-1, 0, 0],
)
ONE_KERNEL = View("{}[:, :, None, None]", _one_kernel, lambda a, like: a[:, :, 0, 0])


def affine(x: str, W: Iterable[str], b: Iterable[str]) -> tuple[Layout, ...]:
    """The layouts of y = x W + b: rows, columns, one vector and sequences, each with W or its transpose."""
    flat = dict.fromkeys(b, FLAT)
    turned = {**flat, **dict.fromkeys(W, TRANSPOSED)}
    found = []
    for view in (None, TRANSPOSED, ONE_SAMPLE):
        seen = {} if view is None else {x: view, "y": view}
        found += [Layout({**flat, **seen}), Layout({**turned, **seen})]
    sequences = {x: ROWS, "y": ROWS}
    for counted in ("", x):  # N may be the number of sequences or of their elements
        found += [Layout({**flat, **sequences}, counted), Layout({**turned, **sequences}, counted)]
    return tuple(found)


#: Images (N, H, W, C), as the kinds have them; (N, C, H, W); and one image (H, W), (H, W, C) or (C, H, W).
IMAGES = tuple(
    Layout(dict.fromkeys(("x", "y"), view) if view else {})
    for view in (None, CHANNELS_FIRST, ONE_IMAGE, ONE_WITH_CHANNELS, ONE_WITH_CHANNELS_FIRST)
)
