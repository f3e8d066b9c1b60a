"""Wrong gradients of a convolution, y[i, j] = Σₖₗ x̄[i·s + k, j·s + l] W[k, l] + b."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from npae.gradcheck.bugs.layouts import (
    CHANNELS_FIRST,
    FLAT,
    KERNELS_FIRST,
    ONE_IMAGE,
    ONE_KERNEL,
    ONE_WITH_CHANNELS,
    ONE_WITH_CHANNELS_FIRST,
    TURNED,
    TURNED_KERNELS_FIRST,
    TURNED_ONE_KERNEL,
    Layout,
)
from npae.gradcheck.bugs.registry import BugCase, Gradients, Kind, add, bug
from npae.gradcheck.bugs.window import padded_shape, window_options
from npae.utils.types import Array


def padded(c: BugCase) -> Array:
    """x̄: the image padded with zeros."""
    return np.pad(c.x, ((0, 0), *c.padding, (0, 0)))


def seen_by(x: Array, c: BugCase, k: int, m: int) -> Array:
    """The cells of an image that kernel element (k, m) is multiplied with: a view (N, OH, OW, C)."""
    (sh, sw), (rows, columns) = c.stride, c.g.shape[1:3]
    return x[:, k : k + (rows - 1) * sh + 1 : sh, m : m + (columns - 1) * sw + 1 : sw]


def weight_gradient(c: BugCase, x: Array) -> Array:
    """dW[k, l] = Σ x̄[i·s + k, j·s + l]ᵀ g[i, j], for a padded image x."""
    dW = np.zeros(c.W.shape)
    for k, m in np.ndindex(c.W.shape[:2]):
        dW[k, m] = np.einsum("nijc,nijf->cf", seen_by(x, c, k, m), c.g)
    return dW


def padded_input_gradient(c: BugCase, W: Array) -> Array:
    """dx̄[i·s + k, j·s + l] += g[i, j] W[k, l]ᵀ."""
    dx = np.zeros(padded_shape(c.x, c.padding))
    for k, m in np.ndindex(W.shape[:2]):
        seen_by(dx, c, k, m)[...] += c.g @ W[k, m].T
    return dx


def cropped(c: BugCase, dx: Array) -> Array:
    """dx̄ without the padding: the gradient of the image."""
    (top, _), (left, _) = c.padding
    return dx[:, top : top + c.x.shape[1], left : left + c.x.shape[2]]


#: Length of a side of the largest kernel that is recognised.
LARGEST_KERNEL = 11


@add
class Convolution(Kind):
    """A dense layer applied to every window: dx, dW and db are summed over the windows."""

    name = "convolution"
    inputs = ("x", "W", "b")
    optional = ("b",)
    blocks = ("x", "W", "b")
    has_windows = True
    layouts = (
        Layout({"b": FLAT}),
        Layout({"x": CHANNELS_FIRST, "W": KERNELS_FIRST, "b": FLAT, "y": CHANNELS_FIRST}),
        Layout({"W": KERNELS_FIRST, "b": FLAT}),
        Layout({"x": CHANNELS_FIRST, "b": FLAT, "y": CHANNELS_FIRST}),
        Layout({"x": ONE_IMAGE, "W": ONE_KERNEL, "b": FLAT, "y": ONE_IMAGE}),
        Layout({"x": ONE_WITH_CHANNELS, "b": FLAT, "y": ONE_WITH_CHANNELS}),
        Layout({"x": ONE_WITH_CHANNELS_FIRST, "W": KERNELS_FIRST, "b": FLAT, "y": ONE_WITH_CHANNELS_FIRST}),
        Layout({"W": TURNED, "b": FLAT}),
        Layout({"x": CHANNELS_FIRST, "W": TURNED_KERNELS_FIRST, "b": FLAT, "y": CHANNELS_FIRST}),
        Layout({"x": ONE_IMAGE, "W": TURNED_ONE_KERNEL, "b": FLAT, "y": ONE_IMAGE}),
    )

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        return {
            "x": rng.standard_normal((2, 9, 6, 4)),
            "W": rng.standard_normal((3, 2, 4, 5)),
            "b": rng.standard_normal(5),
            "stride": (2, 1),
            "padding": ((1, 0), (0, 1)),
        }

    def forward(self, c: BugCase) -> Array:
        x, (kh, kw) = padded(c), c.W.shape[:2]
        rows, columns = ((x.shape[a] - k) // s + 1 for a, k, s in zip((1, 2), (kh, kw), c.stride, strict=True))
        shape = BugCase(stride=c.stride, g=np.empty((0, rows, columns)))  # seen_by needs no more
        y: Array = sum(seen_by(x, shape, k, m) @ c.W[k, m] for k, m in np.ndindex(kh, kw))
        return y if c.b is None else y + c.b

    def backward(self, c: BugCase) -> Gradients:
        return {
            "x": cropped(c, padded_input_gradient(c, c.W)),
            "W": weight_gradient(c, padded(c)),
            "b": c.g.sum(axis=(0, 1, 2)),
        }

    def options(self, arrays: Mapping[str, Array], outputs: list[Array]) -> Iterator[dict[str, Any]]:
        x, W, (y, *_) = arrays["x"], arrays["W"], outputs
        if not (x.ndim == W.ndim == y.ndim == 4 and x.shape[3] == W.shape[2] and y.shape[3] == W.shape[3]):
            return
        # Two matrices may be an image and a kernel, too; kernels beyond these sizes would take minutes to rule out.
        if all(k <= min(n, LARGEST_KERNEL) for k, n in zip(W.shape[:2], x.shape[1:3], strict=True)):
            yield from window_options(x.shape[1:3], y.shape[1:3], W.shape[:2])


@bug(
    "convolution",
    "x",
    "dX = g correlated with W as it is",
    "The transpose of a correlation is a convolution, which reverses the kernel's axes.",
    number=31,
    name="dX-unflipped",
)
def dX_unflipped(c: BugCase) -> Any:
    return cropped(c, padded_input_gradient(c, c.W[::-1, ::-1]))


@bug(
    "convolution",
    "W",
    "dW reversed in both axes",
    "dW[k, l] sums the inputs that W[k, l] multiplied forward, times g.",
    number=32,
    name="dW-flipped",
)
def dW_flipped(c: BugCase) -> Any:
    return weight_gradient(c, padded(c))[::-1, ::-1]


@bug(
    "convolution",
    "x",
    "dx̄[window] = g Wᵀ, without adding",
    "A cell in several windows receives a gradient from each of them.",
    number=33,
    name="col2im-assign",
)
def col2im_assign(c: BugCase) -> Any:
    dx, (kh, kw), (sh, sw) = np.zeros(padded_shape(c.x, c.padding)), c.W.shape[:2], c.stride
    for i, j in np.ndindex(c.g.shape[1:3]):
        window = dx[:, i * sh : i * sh + kh, j * sw : j * sw + kw]
        window[...] = np.einsum("nf,klcf->nklc", c.g[:, i, j], c.W)
    return cropped(c, dx)


@bug(
    "convolution",
    "x W",
    "window at i, not at i·s",
    "The windows have the same positions backward as forward.",
    number=34,
)
def stride_ignored(c: BugCase) -> Any:
    unit = BugCase(**{**vars(c), "stride": (1, 1)})
    return cropped(c, padded_input_gradient(unit, c.W)), weight_gradient(unit, padded(c))


@bug(
    "convolution",
    "x",
    "dx = dx̄[:H, :W]",
    "The image does not begin where its padding begins.",
    number=35,
    name="crop-from-0",
)
def crop_from_0(c: BugCase) -> Any:
    return padded_input_gradient(c, c.W)[:, : c.x.shape[1], : c.x.shape[2]]


@bug(
    "convolution",
    "x W",
    "all padding right and bottom",
    "Forward and backward must pad the same sides.",
    number=36,
)
def pad_end(c: BugCase) -> Any:
    at_end = BugCase(**{**vars(c), "padding": tuple((0, sum(both)) for both in c.padding)})
    return crop_from_0(c), weight_gradient(c, padded(at_end))


@bug(
    "convolution",
    "W",
    "dW with input and output channels exchanged",
    "dW has W's shape, and W's axes mean what they meant forward.",
    number=37,
)
def channels_swapped(c: BugCase) -> Any:
    return weight_gradient(c, padded(c)).transpose(0, 1, 3, 2)


@bug(
    "convolution",
    "W",
    "dW/(oh·ow)",
    "The weights are used at every position; the gradients of all uses are added.",
    number=38,
    name="dW-per-position",
)
def dW_per_position(c: BugCase) -> Any:
    return weight_gradient(c, padded(c)) / (c.g.shape[1] * c.g.shape[2])


@bug(
    "convolution",
    "b",
    "db = Σ g over everything",
    "Each output channel has a bias of its own.",
    number=39,
    name="db-scalar",
)
def db_scalar(c: BugCase) -> Any:
    return c.g.sum()


@bug(
    "convolution",
    "x",
    "dx of size (oh − 1)s + k − 2p, not H",
    "Cells that no window covers are still part of x; their gradient is 0.",
    number=40,
)
def remainder(c: BugCase) -> Any:
    (top, bottom), (left, right) = c.padding
    (sh, sw), (kh, kw) = c.stride, c.W.shape[:2]
    height, width = (c.g.shape[1] - 1) * sh + kh, (c.g.shape[2] - 1) * sw + kw
    return padded_input_gradient(c, c.W)[:, top : height - bottom, left : width - right]
