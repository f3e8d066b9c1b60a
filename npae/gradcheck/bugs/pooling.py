"""Wrong gradients of pooling, which reduces each window to one number."""

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np

from npae.gradcheck.bugs.layouts import IMAGES
from npae.gradcheck.bugs.registry import BugCase, Gradients, Kind, add, bug
from npae.gradcheck.bugs.window import inside, spans, window_options
from npae.utils.types import Array

SIZES = (2, 3, 4, 1)  # window sizes that are tried, in this order


def windows(c: BugCase, shape: tuple[int, int], step: tuple[int, int]) -> Iterator[tuple[int, int, slice, slice]]:
    """(i, j, rows, columns) of every window, clipped to the image."""
    (top, _), (left, _) = c.padding
    for i, a, b in spans(shape[0], c.size[0], step[0], top):
        for j, d, e in spans(shape[1], c.size[1], step[1], left):
            yield i, j, inside(a, b, c.x.shape[1]), inside(d, e, c.x.shape[2])


def scatter(
    c: BugCase, share: Callable[[Array, Array], Array], *, adding: bool = True, step: tuple[int, int] | None = None
) -> Array:
    """dx from ``share(cells, g)``, each window's gradient by its cells, for cells (N, h, w, C) and g (N, 1, 1, C)."""
    dx = np.zeros(c.x.shape)
    for i, j, rows, columns in windows(c, c.g.shape[1:3], step or c.stride):
        cells = c.x[:, rows, columns]
        if cells.size == 0:
            continue
        received = share(cells, c.g[:, i, j][:, None, None])
        if adding:
            dx[:, rows, columns] += received
        else:
            written = share(cells, np.ones(received.shape)) != 0
            dx[:, rows, columns] = np.where(written, received, dx[:, rows, columns])
    return dx


def first_maximum(cells: Array) -> Array:
    """1 at the first largest cell of each window (N, h, w, C), 0 elsewhere."""
    n, h, w, channels = cells.shape
    flat = cells.reshape(n, h * w, channels)
    mask = np.zeros(flat.shape)
    np.put_along_axis(mask, flat.argmax(axis=1)[:, None], 1.0, axis=1)
    return mask.reshape(cells.shape)


class Pooling(Kind):
    """y[i, j] = f(window at i·s, j·s)."""

    inputs = blocks = ("x",)
    has_windows = True
    layouts = IMAGES

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        x = rng.permutation(2 * 7 * 6 * 3).reshape(2, 7, 6, 3) / 60 - 2.5  # all different, and most negative
        if special.get("ties"):
            x = np.round(x)
        return {"x": x, "size": (3, 2), "stride": (2, 1), "padding": ((1, 0), (0, 1)), "counts_border": False}

    def pooled(self, c: BugCase, cells: Array) -> Array:
        """The value of one window, for cells (N, h, w, C): (N, C)."""
        raise NotImplementedError

    def forward(self, c: BugCase) -> Array:
        n, height, width, channels = c.x.shape
        shape = tuple(
            (size + sum(pad) - k) // s + 1
            for size, pad, k, s in zip((height, width), c.padding, c.size, c.stride, strict=True)
        )
        y = np.zeros((n, *shape, channels))
        for i, j, rows, columns in windows(c, (shape[0], shape[1]), c.stride):
            y[:, i, j] = self.pooled(c, c.x[:, rows, columns])
        return y

    def options(self, arrays: Mapping[str, Array], outputs: list[Array]) -> Iterator[dict[str, Any]]:
        x, (y, *_) = arrays["x"], outputs
        if x.ndim != 4 or y.ndim != 4 or x.shape[::3] != y.shape[::3] or y.shape[1] > x.shape[1] + 3:
            return
        for size, counts_border in product(product(SIZES, SIZES), self.border):
            if size != (1, 1):
                for o in window_options(x.shape[1:3], y.shape[1:3], size):
                    options = {"size": size, "counts_border": counts_border, **o}
                    if self._fits_two_windows(BugCase(x=x, **options), y):
                        yield options

    def _fits_two_windows(self, c: BugCase, y: Array) -> bool:
        """Whether the last window and the one in the middle give y: of a large image, all windows would take long."""
        rows, columns = y.shape[1:3]
        for i, j in ((rows // 2, columns // 2), (rows - 1, columns - 1)):
            (top, _), (left, _) = c.padding
            above, beside = i * c.stride[0] - top, j * c.stride[1] - left
            inner = inside(above, above + c.size[0], c.x.shape[1]), inside(beside, beside + c.size[1], c.x.shape[2])
            if not np.allclose(self.pooled(c, c.x[:, inner[0], inner[1]]), y[:, i, j], rtol=1e-6, atol=1e-9):
                return False
        return True

    border: tuple[bool, ...] = (False,)


@add
class MaxPool(Pooling):
    """The largest value of each window: the gradient goes to the first cell that has it."""

    name = "max-pool"

    def pooled(self, c: BugCase, cells: Array) -> Array:
        y: Array = cells.max(axis=(1, 2))
        return y

    def backward(self, c: BugCase) -> Gradients:
        return {"x": scatter(c, lambda cells, g: g * first_maximum(cells))}


@add
class AveragePool(Pooling):
    """The mean of each window: every cell receives an equal share."""

    name = "average-pool"
    border = (False, True)

    def cells(self, c: BugCase, cells: Array) -> float:
        """Number of cells that the mean divides by: with or without the padding."""
        return float(c.size[0] * c.size[1]) if c.counts_border else cells.shape[1] * cells.shape[2]

    def pooled(self, c: BugCase, cells: Array) -> Array:
        y: Array = cells.sum(axis=(1, 2)) / self.cells(c, cells)
        return y

    def backward(self, c: BugCase) -> Gradients:
        return {"x": scatter(c, lambda cells, g: g / self.cells(c, cells) * np.ones_like(cells))}


AVERAGE = AveragePool()


@bug("max-pool", "x", "dx[winner] = g", "A cell that is the maximum of two windows receives both gradients.", number=41)
def assign(c: BugCase) -> Any:
    return scatter(c, lambda cells, g: g * first_maximum(cells), adding=False)


@bug(
    "max-pool",
    "x",
    "g to the whole window",
    "A small change of a cell that is not the maximum does not change the output.",
    number=42,
    name="all",
)
def all_cells(c: BugCase) -> Any:
    return scatter(c, lambda cells, g: g * np.ones_like(cells))


@bug(
    "max-pool",
    "x",
    "dx = g·[x == max]",
    "If equal cells rise together the maximum rises once, so their gradients share one g.",
    number=43,
    needs="ties",
)
def ties_all(c: BugCase) -> Any:
    return scatter(c, lambda cells, g: g * (cells == cells.max(axis=(1, 2), keepdims=True)))


@bug("max-pool", "x", "dx[winner] = g·max", "If the largest cell rises by 1, so does the maximum.", number=44)
def value(c: BugCase) -> Any:
    return scatter(c, lambda cells, g: g * first_maximum(cells) * cells.max(axis=(1, 2), keepdims=True))


@bug("max-pool", "x", "g to each window's first cell", "Remember which cell was the maximum.", number=45)
def first_cell(c: BugCase) -> Any:
    return scatter(c, lambda cells, g: g * only_first(cells))


@bug("max-pool", "x", "g/k² to the whole window", "A maximum depends on one cell, a mean on all.", number=46)
def average(c: BugCase) -> Any:
    return scatter(c, lambda cells, g: g / (cells.shape[1] * cells.shape[2]) * np.ones_like(cells))


@bug(
    "max-pool",
    "x",
    "the border's zeros take part in the maximum",
    "The padding is not part of the image, but among negative cells its zero would be the maximum.",
    number=47,
)
def zero_padding_wins(c: BugCase) -> Any:
    def share(cells: Array, g: Array) -> Array:
        over_the_edge = cells.shape[1] * cells.shape[2] < c.size[0] * c.size[1]
        lost = over_the_edge & (cells.max(axis=(1, 2), keepdims=True) < 0)
        received: Array = g * first_maximum(cells) * ~lost
        return received

    return scatter(c, share)


@bug(
    "max-pool",
    "x",
    "window at i·k, not at i·s",
    "Neighbouring windows are one stride apart, not one window.",
    number=48,
)
def window_step(c: BugCase) -> Any:
    return scatter(c, lambda cells, g: g * first_maximum(cells), step=c.size)


@bug(
    "max-pool",
    "x",
    "one mask of winners for all windows",
    "A cell that is the maximum of one window has no gradient from the others that it lies in.",
    number=197,
)
def shared_mask(c: BugCase) -> Any:
    dx, winners = np.zeros(c.x.shape), scatter(c, lambda cells, g: first_maximum(cells)) > 0
    for i, j, rows, columns in windows(c, c.g.shape[1:3], c.stride):
        dx[:, rows, columns] = np.where(winners[:, rows, columns], c.g[:, i, j][:, None, None], dx[:, rows, columns])
    return dx


@bug("average-pool", "x", "g to every cell", "A mean forward is a division backward.", number=49)
def undivided(c: BugCase) -> Any:
    return scatter(c, lambda cells, g: g * np.ones_like(cells))


@bug("average-pool", "x", "g/k to every cell", "Divide by the number of cells in the window.", number=50)
def one_k(c: BugCase) -> Any:
    return scatter(c, lambda cells, g: g / c.size[0] * np.ones_like(cells))


@bug(
    "average-pool",
    "x",
    "dx[window] = g/k², without adding",
    "The shares of a cell in several windows are added.",
    number=51,
    name="assign",
)
def assign_shares(c: BugCase) -> Any:
    return scatter(c, lambda cells, g: g / AVERAGE.cells(c, cells) * np.ones_like(cells), adding=False)


@bug(
    "average-pool", "x", "g/k² to one cell", "The mean depends on every cell, so every cell has a gradient.", number=52
)
def top_left(c: BugCase) -> Any:
    return scatter(c, lambda cells, g: g / AVERAGE.cells(c, cells) * only_first(cells))


def only_first(cells: Array) -> Array:
    """1 at the first cell of each window, 0 elsewhere."""
    mask = np.zeros_like(cells)
    mask[:, 0, 0] = 1.0
    return mask
