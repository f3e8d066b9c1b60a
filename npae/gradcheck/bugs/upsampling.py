"""Wrong gradients of upsampling by an integer factor."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from npae.gradcheck.bugs.layouts import IMAGES
from npae.gradcheck.bugs.registry import BugCase, Gradients, Kind, add, bug
from npae.utils.types import Array


def interpolation(n_out: int, n_in: int, position: Array, *, border: bool = True) -> Array:
    """The matrix (n_out, n_in) of linear interpolation of n_in values at real-valued positions.

    Positions beyond the edge get the edge's value, or 0 if ``border`` is False.
    """
    R = np.zeros((n_out, n_in))
    within = np.clip(position, 0, n_in - 1)
    low = np.floor(within).astype(int)
    high = np.minimum(low + 1, n_in - 1)
    kept = np.ones(n_out) if border else (within == position).astype(float)
    np.add.at(R, (np.arange(n_out), low), kept * (1 - (within - low)))
    np.add.at(R, (np.arange(n_out), high), kept * (within - low))
    return R


def half_centres(n_out: int, n_in: int) -> Array:
    """The position of each output in the input, with pixel centres at half-integers."""
    return (np.arange(n_out) + 0.5) * (n_in / n_out) - 0.5


def nearest(n_out: int, n_in: int) -> Array:
    """The matrix (n_out, n_in) that repeats every value."""
    R = np.zeros((n_out, n_in))
    R[np.arange(n_out), np.arange(n_out) * n_in // n_out] = 1.0
    return R


def resampled(x: Array, rows: Array, columns: Array) -> Array:
    """rows · x · columnsᵀ on each image (N, H, W, C)."""
    y: Array = np.einsum("ph,nhwc,qw->npqc", rows, x, columns, optimize=True)
    return y


class UpSampling(Kind):
    """y = R x Cᵀ with fixed matrices, so dx = Rᵀ g C."""

    inputs = blocks = ("x",)
    layouts = IMAGES

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        return {"x": rng.standard_normal((2, 4, 5, 3)), "factor": (2, 3)}

    def matrix(self, n_out: int, n_in: int) -> Array:
        """The matrix (n_out, n_in) that enlarges one axis."""
        raise NotImplementedError

    def matrices(self, c: BugCase) -> tuple[Array, Array]:
        """The matrices R of the rows and C of the columns."""
        height, width = c.x.shape[1:3]
        return self.matrix(height * c.factor[0], height), self.matrix(width * c.factor[1], width)

    def forward(self, c: BugCase) -> Array:
        return resampled(c.x, *self.matrices(c))

    def backward(self, c: BugCase) -> Gradients:
        rows, columns = self.matrices(c)
        return {"x": resampled(c.g, rows.T, columns.T)}

    def options(self, arrays: Mapping[str, Array], outputs: list[Array]) -> Iterator[dict[str, Any]]:
        x, (y, *_) = arrays["x"], outputs
        if x.ndim == y.ndim == 4 and x.shape != y.shape and not (y.shape[1] % x.shape[1] or y.shape[2] % x.shape[2]):
            yield {"factor": (y.shape[1] // x.shape[1], y.shape[2] // x.shape[2])}


@add
class Nearest(UpSampling):
    """Every value repeated: dx is the sum of g over each block."""

    name = "nearest-upsampling"

    def matrix(self, n_out: int, n_in: int) -> Array:
        return nearest(n_out, n_in)


@add
class Bilinear(UpSampling):
    """Each output is interpolated linearly, along both axes, between its nearest inputs."""

    name = "bilinear-upsampling"

    def matrix(self, n_out: int, n_in: int) -> Array:
        return interpolation(n_out, n_in, half_centres(n_out, n_in))


def axes(c: BugCase) -> tuple[tuple[int, int], tuple[int, int]]:
    """(n_out, n_in) of rows and of columns."""
    return (c.g.shape[1], c.x.shape[1]), (c.g.shape[2], c.x.shape[2])


@bug("nearest-upsampling", "x", "dx = g[::s, ::s]", "Each value was used in a whole block.", number=53)
def stride_pick(c: BugCase) -> Any:
    return c.g[:, :: c.factor[0], :: c.factor[1]]


@bug("nearest-upsampling", "x", "dx = mean of g over each block", "A copy forward is a sum backward.", number=54)
def block_mean(c: BugCase) -> Any:
    return NEAREST.backward(c)["x"] / (c.factor[0] * c.factor[1])


@bug("nearest-upsampling", "x", "g summed along one axis only", "A block has rows and columns.", number=55)
def one_axis_sum(c: BugCase) -> Any:
    return resampled(c.g, nearest(*axes(c)[0]).T, np.eye(c.g.shape[2]))[:, :, :: c.factor[1]]


@bug(
    "nearest-upsampling",
    "x",
    "g.reshape(s, H, s, W) summed over s",
    "Neighbours in the output come from one input: the factor is the inner axis.",
    number=56,
)
def reshape_order(c: BugCase) -> Any:
    n, height, width, channels = c.x.shape
    return c.g.reshape(n, c.factor[0], height, c.factor[1], width, channels).sum(axis=(1, 3))


@bug(
    "bilinear-upsampling",
    "x",
    "dx = sum of g over each block",
    "Backward uses the weights of forward, transposed.",
    number=57,
)
def bilinear_as_nearest(c: BugCase) -> Any:
    return NEAREST.backward(c)["x"]


@bug(
    "bilinear-upsampling",
    "x",
    "dx = g resized to x's size",
    "The transpose of an interpolation is no interpolation.",
    number=58,
)
def bilinear_forward(c: BugCase) -> Any:
    rows, columns = (interpolation(n_in, n_out, half_centres(n_in, n_out)) for n_out, n_in in axes(c))
    return resampled(c.g, rows, columns)


@bug(
    "bilinear-upsampling",
    "x",
    "weights of aligned corners",
    "Forward and backward must agree on where a pixel's centre is.",
    number=59,
)
def align_corners(c: BugCase) -> Any:
    rows, columns = (
        interpolation(n_out, n_in, np.arange(n_out) * ((n_in - 1) / max(n_out - 1, 1))) for n_out, n_in in axes(c)
    )
    return resampled(c.g, rows.T, columns.T)


@bug(
    "bilinear-upsampling",
    "x",
    "what lies beyond the edge is dropped",
    "Where the edge's value was repeated, its gradient comes back to it.",
    number=60,
)
def border_lost(c: BugCase) -> Any:
    rows, columns = (interpolation(o, n, half_centres(o, n), border=False) for o, n in axes(c))
    return resampled(c.g, rows.T, columns.T)


NEAREST = Nearest()
