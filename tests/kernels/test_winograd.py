"""Winograd's algorithm against plain convolutions, for odd numbers of rows and columns and several groups of tiles."""

import ctypes
import mmap
import sys
from typing import Any

import numpy as np
import pytest
from helpers.twins import UNTOUCHED, assert_margins_untouched, check, embedded, normal, unset, whole
from hypothesis import example, given, settings
from hypothesis import strategies as st

from npae.kernels import compiled, reference
from npae.layers import Conv2D, MaxPool2D, ReLU, UpSample2D, winograd
from npae.layers.arena import Arena
from npae.layers.fused import ConvolutionReLUMaxPool, UpSampleConvolution

Array = np.ndarray[Any, np.dtype[Any]]

drawn = settings(deadline=None)
seeds = st.integers(0, 2**32 - 1)
channels = st.sampled_from([16, 32, 48])
cached = st.sampled_from([1, 2**14, winograd.CACHED])  # of 1 byte: a row of tiles at a time
dtypes = st.sampled_from(["float32", "float64"])


def planned(
    layer: Any, shape: tuple[int, int, int], dtype: str, cached: int = winograd.CACHED, by: str = "winograd"
) -> Any:
    """The layer with its memory; ``by`` names the attribute that tells how it is computed."""
    arena = Arena(dtype, compiled)
    plain = layer if isinstance(layer, list) else [layer]
    made = {2: UpSampleConvolution, 3: ConvolutionReLUMaxPool}[len(plain)](plain) if layer is plain else layer
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(winograd, "CACHED", cached)
        at = shape
        for i, each in enumerate(plain):
            at = arena.add(each, at, str(i))
        if made is not layer:
            arena.add(made, shape, "fused")
    arena.allocate()
    arena.resize(1)
    chosen = getattr(made, by)
    assert by == "between" or chosen  # that one is a workspace, which only plain convolutions have
    return made


def memory(layer: Any, *names: str) -> list[Array]:
    """The layer's workspaces, unset, in margins; but zeros where the kernel expects a border."""
    zeroed = ("image", "P", "dy_image")
    return [embedded(np.full_like(getattr(layer, name), 0 if name in zeroed else np.nan), UNTOUCHED) for name in names]


@drawn
@example(2, (3, 3), 1, 16, 32, "float32", 1, 0)
@given(
    st.integers(1, 4),
    st.tuples(st.integers(3, 8), st.integers(3, 8)),
    st.integers(0, 1),
    channels,
    channels,
    dtypes,
    cached,
    seeds,
)
def test_a_convolution_and_its_gradient(
    n: int, size: tuple[int, int], padding: int, n_in: int, n_out: int, dtype: str, cached: int, seed: int
) -> None:
    rows, columns = (s if padding else s + 4 for s in size)  # so that the tiles save multiplications
    layer = planned(Conv2D(n_out, padding=padding), (rows, columns, n_in), dtype, cached)
    x = normal(seed, dtype, n, rows + 2 * padding, columns + 2 * padding, n_in)
    W, b = normal(seed + 1, dtype, 3, 3, n_in, n_out), normal(seed + 2, dtype, n_out)
    blocks = memory(layer, "U", "V", "M")
    y = unset(dtype, n, rows - 2 + 2 * padding, columns - 2 + 2 * padding, n_out)
    for is_reversed in (0, 1):
        check("winograd_convolution", x, W, b, is_reversed, *blocks, outputs=[y], scale=10)
    dy_padded = np.zeros((n, rows + 2, columns + 2, n_out), dtype)
    start = 2 - padding
    dy_padded[:, start : start + y.shape[1], start : start + y.shape[2]] = normal(seed + 3, dtype, *y.shape)
    outputs = [unset(dtype, *W.shape)]
    check("winograd_weight_gradient", x, dy_padded, start, start, *blocks, outputs=outputs, scale=10)
    for block in blocks:
        assert_margins_untouched(block)


def test_the_gradient_by_an_input_that_is_wider_than_the_output() -> None:
    """Without padding a row of dx has more tiles than one of y, and both are computed in the same memory."""
    layer = planned(Conv2D(16, padding="valid"), (8, 8, 16), "float64", cached=1)
    layer.W[...], dy = normal(0, "float64", *layer.W.shape), normal(1, "float64", 1, 6, 6, 16)
    expected = np.zeros((1, 8, 8, 16))
    reference.transposed_convolution(dy, layer.W.swapaxes(2, 3), np.zeros(16), 1, 1, 0, 0, expected)
    layer.forward(normal(2, "float64", 1, 8, 8, 16))
    np.testing.assert_allclose(layer.backward(dy), expected, atol=1e-12)


@drawn
@given(st.integers(1, 4), st.tuples(st.integers(1, 4), st.integers(1, 4)), channels, channels, dtypes, cached, seeds)
def test_a_convolution_with_relu_and_pooling(
    n: int, size: tuple[int, int], n_in: int, n_out: int, dtype: str, cached: int, seed: int
) -> None:
    """Of whole numbers, which are added up exactly, so that both find the same winners."""
    rows, columns = size
    layers = [Conv2D(n_out), ReLU(), MaxPool2D()]
    layer = planned(layers, (2 * rows, 2 * columns, n_in), dtype, cached)
    x, W = whole(seed, dtype, n, 2 * rows + 2, 2 * columns + 2, n_in), whole(seed + 1, dtype, 3, 3, n_in, n_out)
    b, blocks = whole(seed + 2, dtype, n_out), memory(layer, "U", "V", "M")
    y = unset(dtype, n, rows, columns, n_out)
    outputs = [y, np.full(y.shape, 9, np.uint8)]
    check("winograd_convolution_relu_max_pool", x, W, b, *blocks, outputs=outputs)
    for block in blocks:
        assert_margins_untouched(block)


@drawn
@given(st.integers(1, 4), st.tuples(st.integers(1, 4), st.integers(1, 20)), st.integers(0, 2), channels, dtypes, seeds)
def test_a_convolution_of_one_channel_with_relu_and_pooling(
    n: int, size: tuple[int, int], padding: int, n_out: int, dtype: str, seed: int
) -> None:
    """Of whole numbers, for rows of the image that are shorter and longer than lines of columns."""
    rows, columns = (max(padding, s) for s in size)
    layers = [Conv2D(n_out, padding=padding), ReLU(), MaxPool2D()]
    shape = (2 * rows + 2 - 2 * padding, 2 * columns + 2 - 2 * padding, 1)
    layer = planned(layers, shape, dtype, by="winograd_one_channel")
    x = whole(seed, dtype, n, 2 * rows + 2, 2 * columns + 2, 1)
    W, b, blocks = whole(seed + 1, dtype, 3, 3, 1, n_out), whole(seed + 2, dtype, n_out), memory(layer, "U", "V")
    y = unset(dtype, n, rows, columns, n_out)
    outputs = [y, np.full(y.shape, 9, np.uint8)]
    check("winograd_one_channel_relu_max_pool", x, W, b, *blocks, outputs=outputs)
    for block in blocks:
        assert_margins_untouched(block)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no mprotect")
def test_nothing_behind_the_images_is_read() -> None:
    """A line of columns is longer than a row of the image, and behind the last one memory may end."""
    page = mmap.PAGESIZE
    block = np.frombuffer(mmap.mmap(-1, 2 * page), "float32")
    second = ctypes.c_void_p(block.ctypes.data + page)
    assert ctypes.CDLL(None).mprotect(second, ctypes.c_size_t(page), 0) == 0  # reading it ends the process
    x = block[page // 4 - 2 * 6 * 8 : page // 4].reshape(2, 6, 8, 1)
    x[...] = whole(0, "float32", *x.shape)
    layer = planned([Conv2D(16), ReLU(), MaxPool2D()], (4, 6, 1), "float32", by="winograd_one_channel")
    W, b = whole(1, "float32", 3, 3, 1, 16), whole(2, "float32", 16)
    outputs = [unset("float32", 2, 2, 3, 16), np.full((2, 2, 3, 16), 9, np.uint8)]
    check("winograd_one_channel_relu_max_pool", x, W, b, layer.U, layer.V, outputs=outputs)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_reaches_the_windows_that_see_it_and_no_other(value: float) -> None:
    layer = planned([Conv2D(16), ReLU(), MaxPool2D()], (12, 40, 1), "float32", by="winograd_one_channel")
    x = np.random.default_rng(0).random((2, 12, 40, 1), dtype="float32")
    layer.convolution.W[...] = np.random.default_rng(1).standard_normal((3, 3, 1, 16))
    layer.arena.resize(2)
    expected = layer.forward(x).copy()
    x[1, 5, 20] = value
    seen = (1, slice(2, 4), slice(9, 11))  # rows and columns of the windows that see it
    plain = [np.zeros_like(layer.y), np.zeros_like(layer.winner)]
    with np.errstate(invalid="ignore"):
        y = layer.forward(x).copy()
        arguments = layer.x_padded, layer.convolution.W, layer.convolution.b, layer.U, layer.V
        reference.winograd_one_channel_relu_max_pool(*arguments, *plain)
    assert not np.isfinite(plain[0][seen]).all()
    assert not np.isfinite(y[seen][~np.isfinite(plain[0][seen])]).any()
    y[seen] = expected[seen]
    np.testing.assert_array_equal(y, expected)


@drawn
@given(
    st.integers(1, 4),
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
    channels,
    channels,
    st.booleans(),
    dtypes,
    cached,
    seeds,
)
def test_upsampling_with_a_convolution_and_its_gradient(
    n: int, size: tuple[int, int], n_in: int, n_out: int, with_relu: bool, dtype: str, cached: int, seed: int
) -> None:
    rows, columns = size
    layer = planned([UpSample2D(), Conv2D(n_out)], (rows, columns, n_in), dtype, cached)
    x, W = whole(seed, dtype, n, rows, columns, n_in), whole(seed + 1, dtype, 3, 3, n_in, n_out)
    b, blocks = whole(seed + 2, dtype, n_out), memory(layer, "U", "V", "M", "image")
    y = unset(dtype, n, 2 * rows, 2 * columns, n_out)
    (y,) = check("winograd_upsample_convolution", x, W, b, int(with_relu), *blocks, outputs=[y])
    blocks += memory(layer, "dx_image", "slopes", "dU")
    W_transposed, dy = np.ascontiguousarray(W.swapaxes(2, 3)), normal(seed + 3, dtype, *y.shape)
    outputs = [unset(dtype, *W.shape), unset(dtype, n_out), unset(dtype, *x.shape)]
    arguments = (x, y, dy, W_transposed, np.zeros(n_in, dtype), int(with_relu), *blocks)
    check("winograd_upsample_convolution_gradient", *arguments, outputs=outputs, scale=10)
    for block in blocks:
        assert_margins_untouched(block)


@pytest.mark.parametrize(
    ("layer", "shape", "dtype"),
    [
        pytest.param(Conv2D(16, 5), (8, 8, 16), "float32", id="another kernel"),
        pytest.param(Conv2D(16, stride=2), (8, 8, 16), "float32", id="a stride"),
        pytest.param(Conv2D(16, padding=2), (8, 8, 16), "float32", id="two rows of padding"),
        pytest.param(Conv2D(17), (8, 8, 16), "float32", id="outputs beside whole lines"),
        pytest.param(Conv2D(16), (8, 8, 8), "float32", id="inputs that are half a line"),
        pytest.param(Conv2D(16), (1, 3, 16), "float32", id="one row, whose tiles save nothing"),
    ],
)
def test_other_convolutions_are_computed_as_before(layer: Any, shape: tuple[int, int, int], dtype: str) -> None:
    Arena(dtype, compiled).add(layer, shape, "layer")
    assert not layer.winograd
    assert not hasattr(layer, "U")


@pytest.mark.parametrize(
    ("convolution", "n_in"),
    [
        pytest.param(Conv2D(16, (3, 5)), 1, id="another kernel"),
        pytest.param(Conv2D(16, stride=2), 1, id="a stride"),
        pytest.param(Conv2D(17), 1, id="outputs beside whole lines"),
        pytest.param(Conv2D(16), 2, id="two channels"),
    ],
)
def test_other_pooled_convolutions_of_few_channels_are_computed_as_before(convolution: Conv2D, n_in: int) -> None:
    layer = planned([convolution, ReLU(), MaxPool2D()], (8, 8, n_in), "float32", by="between")
    assert not layer.winograd_one_channel
    assert not layer.winograd


def test_in_float64_a_line_has_8_channels() -> None:
    assert planned(Conv2D(8), (8, 8, 8), "float64").winograd
    assert planned(
        [Conv2D(8), ReLU(), MaxPool2D()], (8, 8, 1), "float64", by="winograd_one_channel"
    ).winograd_one_channel


def test_an_image_gives_the_same_bits_alone_and_among_others() -> None:
    """Tiles of other images are computed with it, in other groups."""
    pooled = [Conv2D(32), ReLU(), MaxPool2D()]
    for layer, n_in in ((Conv2D(32), 16), (pooled, 16), (pooled, 1), ([UpSample2D(), Conv2D(32)], 16)):
        made = planned(layer, (6, 6, n_in), "float32", by="winograd" if n_in == 16 else "winograd_one_channel")
        x = np.random.default_rng(0).standard_normal((9, 6, 6, n_in)).astype("float32")
        made.arena.resize(9)
        together = made.forward(x).copy()
        made.arena.resize(1)
        for i in range(9):
            np.testing.assert_array_equal(made.forward(x[i : i + 1])[0], together[i])


@drawn
@given(
    st.integers(1, 3),
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
    st.sampled_from([1, 3, 16, 17, 32]),
    st.sampled_from([1, 2, 3, 5]),
    dtypes,
    seeds,
)
def test_upsampling_with_a_convolution_to_few_channels(
    n: int, size: tuple[int, int], n_in: int, n_out: int, dtype: str, seed: int
) -> None:
    rows, columns = size
    layer = planned([UpSample2D(), Conv2D(n_out)], (rows, columns, n_in), dtype, by="by_taps")
    x, W, b = (
        normal(seed, dtype, n, *size, n_in),
        normal(seed + 1, dtype, 3, 3, n_in, n_out),
        normal(seed, dtype, n_out),
    )
    blocks = memory(layer, "U", "P", "dy_image", "dW_taps")
    y = unset(dtype, n, 2 * rows, 2 * columns, n_out)
    check("upsample_convolution_by_taps", x, W, b, *blocks[:2], outputs=[y], scale=10)
    dy, outputs = normal(seed + 3, dtype, *y.shape), [unset(dtype, *W.shape), unset(dtype, *x.shape)]
    arguments = (x, dy, W, blocks[0], *blocks[2:])
    check("upsample_convolution_by_taps_gradient", *arguments, outputs=outputs, scale=10)
    for block in blocks:
        assert_margins_untouched(block)
