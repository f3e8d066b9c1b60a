"""Every compiled kernel against the reference kernel, for random shapes that include the edges of tiles and lines."""

import inspect
import os
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.twins import (
    TOLERANCE,
    UNTOUCHED,
    assert_close,
    assert_margins_untouched,
    check,
    check_in_place,
    embedded,
    normal,
    unit,
    unset,
    whole,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

import npae
from npae.datasets import load_digits
from npae.kernels import compiled, reference
from npae.kernels.names import KERNELS
from npae.kernels.simd import panel, sparse
from npae.kernels.simd.llvm import LINE
from npae.training.shard import CONVERTED

Array = np.ndarray[Any, np.dtype[Any]]

drawn = settings(deadline=None)
dtypes = st.sampled_from(["float32", "float64"])
seeds = st.integers(0, 2**32 - 1)
sizes = st.sampled_from([1, 2, 5, 6, 7, 8, 9, 13, 15, 16, 17, 24, 33])
few = st.integers(1, 4)

# The two sets


@pytest.mark.parametrize("path", sorted(Path(reference.__file__).parent.glob("[!_]*.py")), ids=lambda path: path.stem)
def test_every_reference_function_is_listed_and_has_a_compiled_twin(path: Path) -> None:
    module = import_module(f"{reference.__name__}.{path.stem}")
    defined = {
        name
        for name, f in vars(module).items()
        if inspect.isfunction(f) and f.__module__ == module.__name__ and not name.startswith("_")
    }
    assert defined == set(KERNELS.get(path.stem, ()))
    for name in defined:
        twin = inspect.signature(getattr(compiled, name))
        assert list(twin.parameters) == list(inspect.signature(getattr(reference, name)).parameters), name


# Matrix products


@drawn
@example(3, 2 * panel.DEPTH + 6, 5, "float32", 0)
@example(2, panel.DEPTH, 17, "float64", 0)
@given(sizes, sizes, sizes, dtypes, seeds)
def test_affine(n: int, n_in: int, n_out: int, dtype: str, seed: int) -> None:
    x, W, b = normal(seed, dtype, n, n_in), normal(seed + 1, dtype, n_in, n_out), normal(seed + 2, dtype, n_out)
    check("affine", x, W, b, outputs=[unset(dtype, n, n_out)])


@drawn
@example(2 * panel.DEPTH + 6, 3, 5, "float32", 0)
@given(sizes, sizes, sizes, dtypes, seeds)
def test_matmul_transposed_left(n: int, m: int, n_out: int, dtype: str, seed: int) -> None:
    a, b = normal(seed, dtype, n, m), normal(seed + 1, dtype, n, n_out)
    check("matmul_transposed_left", a, b, outputs=[unset(dtype, m, n_out)])


@drawn
@example(3, 2 * panel.DEPTH + 6, 5, "float32", 0)
@given(sizes, sizes, sizes, dtypes, seeds)
def test_matmul_transposed_right(n: int, n_in: int, m: int, dtype: str, seed: int) -> None:
    a, b = normal(seed, dtype, n, n_in), normal(seed + 1, dtype, m, n_in)
    check("matmul_transposed_right", a, b, outputs=[unset(dtype, n, m)])


# Products with an array that is mostly 0


def mostly_black(seed: int, dtype: str, n: int, m: int) -> Array:
    """Rows whose numbers are 0 but for one stretch, at a place of its own in each, among NaN."""
    rng = np.random.default_rng(seed)
    values = np.zeros((n, m), dtype)
    for row in values:
        start = rng.integers(m)
        row[start : start + m // 4] = rng.standard_normal(min(m // 4, m - start))
    return embedded(values, np.nan)


@drawn
@example(40, 2 * panel.DEPTH + 6, 21, "float32", 0)
@example(2 * panel.DEPTH, 400, 33, "float64", 0)
@given(st.integers(8, 70), st.integers(150, 600), sizes, dtypes, seeds)
def test_products_with_sparse_arrays(n: int, m: int, n_out: int, dtype: str, seed: int) -> None:
    a = mostly_black(seed, dtype, n, m)
    W, b, dy = normal(seed, dtype, m, n_out), normal(seed + 1, dtype, n_out), normal(seed + 2, dtype, n, n_out)
    check("affine", a, W, b, outputs=[unset(dtype, n, n_out)])
    check("matmul_transposed_left", a, dy, outputs=[unset(dtype, m, n_out)])


@drawn
@given(st.integers(1, 70), st.integers(1, 600), st.sampled_from([5, 16, 33]), dtypes, seeds)
def test_lists_of_steps_give_the_same_sums(n: int, m: int, n_out: int, dtype: str, seed: int) -> None:
    """Whether lists pay is only guessed, so they must be right for any array."""
    a, b = mostly_black(seed, dtype, n, m), normal(seed, dtype, m, n_out)
    c, bias = embedded(unset(dtype, n, n_out), UNTOUCHED), normal(seed + 1, dtype, n_out)
    sparse.sparse_product(n, m, n_out, a.reshape(-1), m, 1, b.reshape(-1), bias, c.reshape(-1))
    assert_close(c, a @ b + bias)
    assert_margins_untouched(c)
    dy, dW = normal(seed, dtype, n, n_out), embedded(unset(dtype, m, n_out), UNTOUCHED)
    sparse.sparse_product(m, n, n_out, a.reshape(-1), 1, m, dy.reshape(-1), bias[:0], dW.reshape(-1))
    assert_close(dW, a.T @ dy)
    assert_margins_untouched(dW)


def test_only_steps_of_zeros_are_skipped() -> None:
    n, m = 5 * sparse.ROWS + 2, 300
    a = mostly_black(1, "float32", n, m)
    tiles = -(-n // sparse.ROWS)
    for flat, rows, depth, listing in (
        (a, n, m, lambda *args: sparse._list_along_rows(n, m, a.reshape(-1), 0, m, *args)),
        (a.T, m, n, lambda *args: sparse._list_down_columns(m, n, a.reshape(-1), 0, m, *args)),
    ):
        tiles = -(-rows // sparse.ROWS)
        steps, counts = np.zeros(tiles * depth, np.uint16), np.zeros(tiles, np.int64)
        listing(steps, counts)
        sizes = [rows // tiles + (i < rows % tiles) for i in range(tiles)]
        for i, start in enumerate(np.cumsum([0, *sizes[:-1]])):
            listed = steps[i * depth :][: counts[i]]
            needed = np.flatnonzero(flat[start : start + sizes[i]].any(axis=0))
            assert np.isin(needed, listed).all()
            assert counts[i] < 0.8 * depth or len(needed) > 0.6 * depth


def test_sparse_arrays_are_recognised() -> None:
    digits = load_digits().train_images[:64].reshape(64, -1)
    hidden = np.maximum(normal(0, "float32", 64, 784), 0)  # half of it is 0, but hardly ever a whole step
    for a, expected in ((digits, True), (hidden, False), (digits[:, ::16].copy(), False)):
        n, m = a.shape
        assert sparse.is_sparse(a.reshape(-1), n, m, m, 1) == expected
        assert sparse.is_sparse(a.reshape(-1), m, 1, n, m) == expected


@drawn
@example(300, 1, "float32", 0)
@given(sizes, sizes, dtypes, seeds)
def test_column_sum(n: int, m: int, dtype: str, seed: int) -> None:
    check("column_sum", normal(seed, dtype, n, m), outputs=[unset(dtype, m)])


@drawn
@given(sizes, sizes, dtypes, seeds)
def test_add_to_rows(n: int, m: int, dtype: str, seed: int) -> None:
    check_in_place("add_to_rows", normal(seed, dtype, m), changed=[normal(seed + 1, dtype, n, m)])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_products_of_an_empty_batch(dtype: str) -> None:
    W, nothing = normal(0, dtype, 7, 5), unset(dtype, 0, 5)
    check("affine", unset(dtype, 0, 7), W, normal(1, dtype, 5), outputs=[nothing])
    check("matmul_transposed_left", unset(dtype, 0, 7), nothing, outputs=[unset(dtype, 7, 5)])
    check("matmul_transposed_right", nothing, W, outputs=[unset(dtype, 0, 7)])
    check("column_sum", nothing, outputs=[unset(dtype, 5)])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_number_that_is_not_finite_affects_only_its_own_row(bad: float) -> None:
    x = np.ones((9, 5), "float32")
    x[4, 2] = bad
    (y,) = check("affine", x, np.zeros((5, 20), "float32"), np.zeros(20, "float32"), outputs=[unset("float32", 9, 20)])
    assert np.isnan(y[4]).all()  # 0 · ∞ is not a number either
    assert np.isfinite(np.delete(y, 4, axis=0)).all()


def test_kernels_take_the_first_rows_of_a_larger_buffer_and_read_only_data() -> None:
    buffer = normal(0, "float32", 20, 9)
    buffer.flags.writeable = False
    check("affine", buffer[:7], normal(1, "float32", 9, 9), buffer[0], outputs=[unset("float32", 7, 9)])


# Convolution


@st.composite
def convolutions(draw: st.DrawFn) -> dict[str, Any]:
    """Shapes of a convolution, with rows and columns left over that no window sees."""
    kh, kw, stride_h, stride_w = (draw(st.integers(1, 3)) for _ in range(4))
    rows, columns = draw(few), draw(st.sampled_from([1, 3, 6, 7, 13]))
    height = (rows - 1) * stride_h + kh + draw(st.integers(0, stride_h - 1))
    width = (columns - 1) * stride_w + kw + draw(st.integers(0, stride_w - 1))
    n, n_in, n_out = draw(few), draw(st.sampled_from([1, 2, 5, 16, 17])), draw(st.sampled_from([1, 3, 8, 16, 17]))
    return {
        "x": (n, height, width, n_in),
        "W": (kh, kw, n_in, n_out),
        "strides": (stride_h, stride_w),
        "y": (n, rows, columns, n_out),
    }


def explicit(x: tuple[int, ...], W: tuple[int, ...], strides: tuple[int, int], y: tuple[int, ...]) -> dict[str, Any]:
    return {"x": x, "W": W, "strides": strides, "y": y}


# sums that are longer than a panel: over several kernel rows, within one, over rows of an image, within one
long_window = explicit((1, 4, 4, 100), (3, 3, 100, 2), (1, 1), (1, 2, 2, 2))
longer_window = explicit((1, 3, 3, 300), (2, 2, 300, 3), (1, 1), (1, 2, 2, 3))
long_row = explicit((1, 3, 602, 1), (2, 3, 1, 3), (1, 1), (1, 2, 600, 3))
many_slopes = explicit((1, 4, 4, 2), (3, 3, 2, 600), (2, 1), (1, 1, 2, 600))


@drawn
@example(long_window, "float32", 0)
@example(longer_window, "float32", 0)
@given(convolutions(), dtypes, seeds)
def test_convolution(shapes: dict[str, Any], dtype: str, seed: int) -> None:
    x, W, b = (normal(seed, dtype, *shape) for shape in (shapes["x"], shapes["W"], shapes["y"][3:]))
    check("convolution", x, W, b, *shapes["strides"], outputs=[unset(dtype, *shapes["y"])])


@drawn
@example(long_row, "float32", 0)
@given(convolutions(), dtypes, seeds)
def test_convolution_weight_gradient(shapes: dict[str, Any], dtype: str, seed: int) -> None:
    x, dy = normal(seed, dtype, *shapes["x"]), normal(seed + 1, dtype, *shapes["y"])
    check("convolution_weight_gradient", x, dy, *shapes["strides"], outputs=[unset(dtype, *shapes["W"])])


@st.composite
def transposed_convolutions(draw: st.DrawFn) -> dict[str, Any]:
    """Shapes, strides and a corner; y may start within the image's shadow and end before, at or beyond its edge."""
    (kh, stride_h, top), (kw, stride_w, left) = (
        (draw(st.integers(1, 4)), draw(st.integers(1, 4)), draw(st.integers(0, 4))) for _ in range(2)
    )
    n, n_in, n_out = draw(few), draw(st.sampled_from([1, 2, 5, 16, 17])), draw(st.sampled_from([1, 3, 8, 16, 17]))
    return {
        "x": (n, draw(few), draw(st.sampled_from([1, 3, 6, 7, 13])), n_in),
        "W": (kh, kw, n_in, n_out),
        "strides": (stride_h, stride_w),
        "corner": (top, left),
        "y": (n, draw(st.integers(1, 14)), draw(st.sampled_from([1, 2, 7, 13, 20])), n_out),
    }


def transposed(
    x: tuple[int, ...], W: tuple[int, ...], strides: tuple[int, int], corner: tuple[int, int], y: tuple[int, ...]
) -> dict[str, Any]:
    return {"x": x, "W": W, "strides": strides, "corner": corner, "y": y}


# sums longer than a panel: over kernel rows and within one; images of several bands; y that x does not reach
deep_window = transposed((1, 3, 3, 100), (3, 3, 100, 2), (1, 1), (1, 1), (1, 3, 3, 2))
deeper_window = transposed((1, 2, 2, 600), (3, 3, 600, 3), (2, 1), (0, 1), (1, 5, 3, 3))
bands = transposed((2, 40, 9, 80), (3, 1, 80, 3), (1, 1), (2, 0), (2, 39, 9, 3))
bands_of_one_channel = transposed((1, 40, 9, 80), (3, 2, 80, 1), (2, 2), (1, 1), (1, 77, 17, 1))
rows_wider_than_a_band = transposed((1, 3, 300, 60), (3, 3, 60, 2), (1, 2), (1, 1), (1, 3, 599, 2))
columns_of_one_channel = transposed((2, 3, 300, 60), (3, 3, 60, 1), (1, 2), (1, 3), (2, 3, 599, 1))
beyond_x = transposed((1, 2, 2, 3), (1, 1, 3, 5), (3, 3), (4, 4), (1, 9, 9, 5))


@drawn
@example(deep_window, "float32", 0)
@example(deeper_window, "float32", 0)
@example(bands, "float32", 0)
@example(bands, "float64", 0)
@example(bands_of_one_channel, "float32", 0)
@example(bands_of_one_channel, "float64", 0)
@example(rows_wider_than_a_band, "float64", 0)
@example(columns_of_one_channel, "float64", 0)
@example(beyond_x, "float32", 0)
@given(transposed_convolutions(), dtypes, seeds)
def test_transposed_convolution(shapes: dict[str, Any], dtype: str, seed: int) -> None:
    x, W, b = (normal(seed + i, dtype, *shape) for i, shape in enumerate((shapes["x"], shapes["W"], shapes["y"][3:])))
    check(
        "transposed_convolution", x, W, b, *shapes["strides"], *shapes["corner"], outputs=[unset(dtype, *shapes["y"])]
    )


@drawn
@example(many_slopes, "float32", 0, 0, 0)
@given(convolutions(), dtypes, seeds, st.integers(0, 2), st.integers(0, 2))
def test_transposed_convolution_is_the_gradient_of_a_convolution_by_its_input(
    shapes: dict[str, Any], dtype: str, seed: int, top: int, left: int
) -> None:
    """Σ convolution(x̄) · u = Σ x · transposed(u) for any u, where x̄ is x in a border of zeros."""
    n, height, width, n_in = shapes["x"]
    top, left = min(top, height - 1), min(left, width - 1)
    generator = np.random.default_rng(seed)
    x, W, u = (
        generator.standard_normal(s).astype(dtype)
        for s in ((n, height - top, width - left, n_in), shapes["W"], shapes["y"])
    )
    x_padded, y, dx = np.zeros(shapes["x"], dtype), unset(dtype, *shapes["y"]), unset(dtype, *x.shape)
    x_padded[:, top:, left:] = x
    compiled.convolution(x_padded, W, np.zeros(W.shape[3], dtype), *shapes["strides"], y)
    W_transposed = np.ascontiguousarray(W.swapaxes(2, 3))
    compiled.transposed_convolution(u, W_transposed, np.zeros(n_in, dtype), *shapes["strides"], top, left, dx)
    terms = y.astype("float64") * u
    atol = 10 * TOLERANCE[dtype] * (1 + np.abs(terms).sum())
    np.testing.assert_allclose(np.sum(dx.astype("float64") * x), terms.sum(), rtol=0, atol=atol)


# Moving numbers


@drawn
@given(sizes, sizes, sizes, dtypes, seeds)
def test_take_rows(n_there: int, n: int, size: int, dtype: str, seed: int) -> None:
    chosen = np.random.default_rng(seed).integers(0, n_there, n)
    check("take_rows", normal(seed, dtype, n_there, size), chosen, outputs=[unset(dtype, n, size)])


@drawn
@given(
    sizes, sizes, sizes, st.sampled_from(sorted(map(str, CONVERTED))), dtypes, st.sampled_from([None, 255, 0.7]), seeds
)
def test_take_converted(
    n_there: int, n: int, size: int, stored: str, dtype: str, divide: float | None, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(-(2**63), 2**63, (n_there, size)) >> rng.integers(63)
    x = embedded(values.astype(stored), UNTOUCHED)
    divisor = np.asarray([] if divide is None else [divide], np.promote_types(stored, np.float32))
    chosen, expected = rng.integers(0, n_there, n), unset(dtype, n, size)
    reference.take_converted(x, chosen, divisor, expected)
    (y,) = check("take_converted", x, chosen, divisor, outputs=[unset(dtype, n, size)])
    assert y.tobytes() == expected.tobytes()


@drawn
@given(few, few, sizes, few, st.tuples(*[st.integers(0, 3)] * 4), dtypes, seeds)
def test_pad(
    n: int, height: int, width: int, channels: int, border: tuple[int, int, int, int], dtype: str, seed: int
) -> None:
    top, bottom, left, right = border
    y = np.full((n, top + height + bottom, left + width + right, channels), 7, dtype)  # what the border keeps
    check("pad", normal(seed, dtype, n, height, width, channels), top, left, outputs=[y])


@drawn
@given(sizes, sizes, sizes, dtypes, seeds, st.integers(0, 20))
def test_take_block_and_put_block(n_there: int, n: int, size: int, dtype: str, seed: int, start: int) -> None:
    n = min(n, n_there)
    place = np.array([min(start, n_there - n), n_there - n])
    check("take_block", normal(seed, dtype, n_there, size), place, outputs=[unset(dtype, n, size)])
    y, there = normal(seed, dtype, n, size), normal(seed + 1, dtype, n_there, size)
    places = [place.copy(), place.copy()]
    results = [there.copy(), there.copy()]
    for kernels, at, result in zip((compiled, reference), places, results, strict=True):
        kernels.put_block(y, at, result)
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(places[0], places[1])
    assert places[0][0] == min(place[0] + n, n_there - n)


@pytest.mark.parametrize("kernels", [compiled, reference])
@pytest.mark.parametrize("n", [1, 3, 5])
def test_numbers_are_taken_one_part_after_the_other(kernels: Any, n: int) -> None:
    x, place, y = np.arange(30), np.zeros(1, np.int64), np.zeros(n, np.int64)
    parts = []
    while place[0] < 30:
        kernels.take_next(x, place, y)
        parts.append(y.copy())
    np.testing.assert_array_equal(np.concatenate(parts), x)


@drawn
@given(sizes, sizes, dtypes, seeds, st.sampled_from([np.nan, np.inf, -np.inf, 0.0, 1.0, 2.0]))
def test_values_are_counted(n: int, size: int, dtype: str, seed: int, odd: float) -> None:
    x = normal(seed, dtype, n, size)
    x.flat[seed % x.size] = odd
    for name, limits in (("count_within", (0.0, 1.0)), ("count_within", (-1e30, 1e30)), ("count_outside", (1.5,))):
        check(name, x, *limits, outputs=[np.zeros(1, np.int64)])


def test_many_values_are_counted_too() -> None:
    x = np.random.default_rng(0).standard_normal(9001)
    check("count_within", x, -0.5, 0.5, outputs=[np.zeros(1, np.int64)])


@drawn
@given(sizes, sizes, dtypes, seeds)
def test_total(n: int, size: int, dtype: str, seed: int) -> None:
    check("total", normal(seed, dtype, n * size), outputs=[np.zeros(1)], scale=n * size)


@drawn
@given(few, few, sizes, sizes, dtypes, seeds)
def test_swap_channels(kh: int, kw: int, n_in: int, n_out: int, dtype: str, seed: int) -> None:
    check("swap_channels", normal(seed, dtype, kh, kw, n_in, n_out), outputs=[unset(dtype, kh, kw, n_out, n_in)])


# Pooling


@st.composite
def poolings(draw: st.DrawFn) -> tuple[list[int], tuple[int, ...], tuple[int, ...]]:
    """Windows, strides, borders before; shapes of x and y: every window sees a cell, as the layers see to it."""
    windows, strides, befores, n_in, n_out = [], [], [], [], []
    for _ in range(2):
        window, stride = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        before, after = draw(st.integers(0, window - 1)), draw(st.integers(0, window - 1))
        size = draw(st.integers(max(1, window - before - after), 7))
        windows.append(window)
        strides.append(stride)
        befores.append(before)
        n_in.append(size)
        n_out.append((size + before + after - window) // stride + 1)
    n, channels = draw(few), draw(st.sampled_from([1, 3, 16, 17]))
    return [*windows, *strides, *befores], (n, *n_in, channels), (n, *n_out, channels)


@drawn
@given(poolings(), dtypes, seeds, st.booleans())
def test_max_pool(pooling: Any, dtype: str, seed: int, with_nan: bool) -> None:
    window, x_shape, y_shape = pooling
    x = np.random.default_rng(seed).integers(0, 4, x_shape).astype(dtype)  # many cells are equal
    if with_nan:
        x[x == 1] = np.nan
    outputs = [unset(dtype, *y_shape), np.full(y_shape, -1, np.int32)]
    check("max_pool", embedded(x, np.inf), *window, outputs=outputs)


@drawn
@given(poolings(), dtypes, seeds)
def test_max_pool_gradient(pooling: Any, dtype: str, seed: int) -> None:
    window, x_shape, y_shape = pooling
    winner = np.empty(y_shape, np.int32)
    reference.max_pool(normal(seed, dtype, *x_shape), *window, unset(dtype, *y_shape), winner)
    check("max_pool_gradient", normal(seed, dtype, *y_shape), winner, outputs=[unset(dtype, *x_shape)])


@drawn
@given(poolings(), dtypes, seeds)
def test_average_pool(pooling: Any, dtype: str, seed: int) -> None:
    window, x_shape, y_shape = pooling
    check("average_pool", normal(seed, dtype, *x_shape), *window, outputs=[unset(dtype, *y_shape)])


@drawn
@given(poolings(), dtypes, seeds)
def test_average_pool_gradient(pooling: Any, dtype: str, seed: int) -> None:
    window, x_shape, y_shape = pooling
    check("average_pool_gradient", normal(seed, dtype, *y_shape), *window, outputs=[unset(dtype, *x_shape)])


# Upsampling


@st.composite
def enlargements(draw: st.DrawFn) -> tuple[tuple[int, int], tuple[int, ...], tuple[int, ...]]:
    """Factors; shapes of x and y, which may lack rows and columns of the full enlargement."""
    factors = draw(few), draw(few)
    small = draw(few), draw(few)
    large = [f * size - draw(st.integers(0, f - 1)) for f, size in zip(factors, small, strict=True)]
    n, channels = draw(few), draw(st.sampled_from([1, 3, 16, 17]))
    return factors, (n, *small, channels), (n, *large, channels)


@drawn
@given(enlargements(), dtypes, seeds)
def test_upsample_nearest(enlargement: Any, dtype: str, seed: int) -> None:
    factors, x_shape, y_shape = enlargement
    check("upsample_nearest", normal(seed, dtype, *x_shape), *factors, outputs=[unset(dtype, *y_shape)])


@drawn
@given(enlargements(), dtypes, seeds)
def test_upsample_nearest_gradient(enlargement: Any, dtype: str, seed: int) -> None:
    factors, x_shape, y_shape = enlargement
    check("upsample_nearest_gradient", normal(seed, dtype, *y_shape), *factors, outputs=[unset(dtype, *x_shape)])


@drawn
@given(enlargements(), dtypes, seeds, st.floats(0, 1))
def test_resample_and_its_gradient(enlargement: Any, dtype: str, seed: int, density: float) -> None:
    _, x_shape, y_shape = enlargement
    generator = np.random.default_rng(seed)
    weights = []
    for axis in (1, 2):
        shape = (y_shape[axis], x_shape[axis])
        weights.append((generator.standard_normal(shape) * (generator.random(shape) < density)).astype(dtype))
    check("resample", normal(seed, dtype, *x_shape), *weights, outputs=[unset(dtype, *y_shape)])
    check("resample_gradient", normal(seed, dtype, *y_shape), *weights, outputs=[unset(dtype, *x_shape)])


# Several layers in one. Whole numbers add up exactly, so that both twins see the same ties and zeros.


halves = st.sampled_from([1, 2, 3, 7])
channels_of_images = st.sampled_from([1, 3, 8, 16, 17])


@drawn
@given(few, halves, halves, channels_of_images, dtypes, seeds, st.booleans())
def test_relu_max_pool(n: int, rows: int, columns: int, channels: int, dtype: str, seed: int, with_nan: bool) -> None:
    x, y_shape = whole(seed, dtype, n, 2 * rows, 2 * columns, channels), (n, rows, columns, channels)
    if with_nan:
        x[x == 1] = np.nan
    check("relu_max_pool", x, outputs=[unset(dtype, *y_shape), np.full(y_shape, 9, np.uint8)])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_winner_of_a_window_of_relus(dtype: str) -> None:
    """All 4⁴ windows of two numbers above zero, zero and NaN, beside what max_pool and relu make of them."""
    cells = np.array(np.meshgrid(*[[1.0, 2.0, 0.0, np.nan]] * 4)).reshape(4, -1)
    x = np.ascontiguousarray(cells.reshape(1, 2, 2, -1).astype(dtype))
    y, winner = check("relu_max_pool", x, outputs=[unset(dtype, 1, 1, 1, 256), np.full((1, 1, 1, 256), 9, np.uint8)])
    expected, place = unset(dtype, 1, 1, 1, 256), np.full((1, 1, 1, 256), -1, np.int32)
    reference.max_pool(x, 2, 2, 2, 2, 0, 0, expected, place)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(winner, np.where(expected > 0, place, 4))
    below, no_winner = check(
        "relu_max_pool", -np.abs(x), outputs=[unset(dtype, *y.shape), np.full(y.shape, 9, np.uint8)]
    )
    assert (no_winner == 4).all()
    np.testing.assert_array_equal(below, np.where(np.isnan(cells).any(axis=0), np.nan, 0).reshape(y.shape))


@st.composite
def pooled_convolutions(draw: st.DrawFn) -> dict[str, Any]:
    """Shapes of a convolution with an even number of windows, and of a few images between it and the pooling."""
    kh, kw, stride_h, stride_w = draw(st.integers(1, 5)), draw(st.integers(1, 5)), draw(few), draw(few)
    rows, columns = 2 * draw(st.integers(1, 3)), 2 * draw(halves)
    n, n_in, n_out = draw(st.integers(1, 5)), draw(channels_of_images), draw(st.one_of(channels_of_images, st.just(33)))
    height, width = (rows - 1) * stride_h + kh, (columns - 1) * stride_w + kw
    return {
        "x": (n, height + draw(st.integers(0, stride_h - 1)), width + draw(st.integers(0, stride_w - 1)), n_in),
        "W": (kh, kw, n_in, n_out),
        "strides": (stride_h, stride_w),
        "between": (draw(st.integers(1, 6)), rows, columns, n_out),
        "y": (n, rows // 2, columns // 2, n_out),
    }


@drawn
@given(pooled_convolutions(), dtypes, seeds, st.booleans(), st.integers(0, 2), st.integers(0, 2))
def test_convolution_relu_max_pool_and_its_gradient(
    shapes: dict[str, Any], dtype: str, seed: int, needs_dx: bool, top: int, left: int
) -> None:
    x, W, b = (whole(seed + i, dtype, *s) for i, s in enumerate((shapes["x"], shapes["W"], shapes["y"][3:])))
    between, strides = unset(dtype, *shapes["between"]), shapes["strides"]
    outputs = [between, unset(dtype, *shapes["y"]), np.full(shapes["y"], 9, np.uint8)]
    *_, winner = check("convolution_relu_max_pool", x, W, b, *strides, outputs=outputs)
    n, height, width, n_in = shapes["x"]
    top, left = min(top, height - 1), min(left, width - 1)
    dy, lanes = normal(seed + 3, dtype, *shapes["y"]), LINE // x.itemsize
    by_output = len(b), W.shape[0], -(-W.shape[1] * n_in // lanes) * lanes
    memory = [embedded(unset(dtype, *s), UNTOUCHED) for s in (by_output, by_output, (height * width * n_in + lanes,))]
    dx = unset(dtype, n, height - top, width - left, n_in)
    outputs = [unset(dtype, *W.shape), unset(dtype, *b.shape), dx]
    arguments = (x, dy, winner, W, *strides, top, left, int(needs_dx), *memory)
    *_, dx = check("convolution_relu_max_pool_gradient", *arguments, outputs=outputs, scale=10)
    assert np.isnan(dx).all() != needs_dx
    for array in memory:
        assert_margins_untouched(array)


@st.composite
def upsampled_convolutions(draw: st.DrawFn) -> dict[str, Any]:
    """Shapes of an image, a convolution of its enlargement, and of a few enlarged images in a border."""
    factors, kernel = (draw(st.integers(1, 3)), draw(st.integers(1, 3))), (draw(st.integers(1, 5)), draw(few))
    size = draw(few), draw(st.sampled_from([1, 2, 5]))
    corner = tuple(draw(st.integers(0, k - 1)) for k in kernel)
    padded = tuple(f * s + k - 1 for f, s, k in zip(factors, size, kernel, strict=True))
    seen = tuple(p - c - draw(st.integers(0, k - 1)) for p, c, k in zip(padded, corner, kernel, strict=True))
    n, n_in, n_out = draw(st.integers(1, 5)), draw(channels_of_images), draw(channels_of_images)
    return {
        "x": (n, *size, n_in),
        "W": (*kernel, n_in, n_out),
        "factors": factors,
        "corner": corner,
        "between": (draw(st.integers(1, 6)), *padded, n_out),
        "y": (n, *(max(s, 1) for s in seen), n_out),
    }


@drawn
@given(upsampled_convolutions(), dtypes, seeds, st.booleans())
def test_upsample_convolution_and_its_gradient(shapes: dict[str, Any], dtype: str, seed: int, with_relu: bool) -> None:
    x, W, b = (whole(seed + i, dtype, *s) for i, s in enumerate((shapes["x"], shapes["W"], shapes["y"][3:])))
    (kh, kw, n_in, n_out), (fh, fw) = W.shape, shapes["factors"]
    (W_folded,) = check("fold_upsampling", W, fh, fw, outputs=[unset(dtype, kh + fh - 1, kw + fw - 1, n_in, n_out)])
    arguments = (fh, fw, *shapes["corner"], int(with_relu))
    y_shape, few_images = shapes["y"], shapes["between"][0]
    (y,) = check("upsample_convolution", x, W_folded, b, *arguments, few_images, outputs=[unset(dtype, *y_shape)])
    W_transposed = np.ascontiguousarray(W_folded.swapaxes(2, 3))
    dy, zero = normal(seed + 3, dtype, *y_shape), np.zeros(n_in, dtype)
    outputs = [np.zeros(shapes["between"], dtype), unset(dtype, *W_transposed.shape), unset(dtype, n_out)]
    outputs.append(unset(dtype, *x.shape))
    check("upsample_convolution_gradient", x, y, dy, W_transposed, zero, *arguments, outputs=outputs, scale=10)
    check("unfold_upsampling", normal(seed + 4, dtype, *W_folded.shape), fh, fw, outputs=[unset(dtype, *W.shape)])


# Random numbers

words = st.sampled_from([0, 1, 2**31, 2**32 - 2, 2**32 - 1]) | st.integers(0, 2**32 - 1)


@drawn
@example(20_001, [1, 2, 3, 4, 5, 6], "float32")
@example(20_001, [1, 2, 3, 4, 5, 6], "float64")
@given(st.integers(0, 200), st.lists(words, min_size=6, max_size=6), dtypes)
def test_random_numbers(n: int, key: list[int], dtype: str) -> None:
    (u,) = check("uniform", np.array(key, np.uint32), outputs=[unset(dtype, n)], scale=0)
    assert ((u >= 0) & (u < 1)).all()
    check("standard_normal", np.array(key, np.uint32), outputs=[unset(dtype, n)])


# Activations

activations = st.sampled_from(["relu", "sigmoid", "tanh", "softplus"])
shapes = st.one_of(st.tuples(sizes, sizes), st.tuples(few, few, few, sizes))
scales = st.sampled_from([1e-6, 1e-2, 1.0, 10.0, 1e3])


@drawn
@given(activations, shapes, scales, dtypes, seeds)
def test_activation(name: str, shape: tuple[int, ...], scale: float, dtype: str, seed: int) -> None:
    x = normal(seed, dtype, *shape) * np.dtype(dtype).type(scale)
    (y,) = check(name, x, outputs=[unset(dtype, *shape)], scale=0)
    dy = normal(seed + 1, dtype, *shape)
    check(f"{name}_gradient", x if name == "softplus" else y, dy, outputs=[unset(dtype, *shape)])


@drawn
@given(shapes, dtypes, seeds, st.floats(0, 1))
def test_leaky_relu_and_its_gradient(shape: tuple[int, ...], dtype: str, seed: int, slope: float) -> None:
    x, dy = normal(seed, dtype, *shape), normal(seed + 1, dtype, *shape)
    check("leaky_relu", x, slope, outputs=[unset(dtype, *shape)])
    check("leaky_relu_gradient", x, slope, dy, outputs=[unset(dtype, *shape)])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["relu", "sigmoid", "tanh", "softplus"])
def test_an_activation_preserves_nan_and_infinity(name: str, dtype: str) -> None:
    x = np.array([[np.nan, np.inf, -np.inf, 0.0, -0.0, 1e30, -1e30, 1.0] * 5], dtype)
    (y,) = check(name, x, outputs=[unset(dtype, 1, 40)])
    assert np.isnan(y[0, ::8]).all()
    assert not np.isnan(y[0, 1]).any()


# Losses


@drawn
@given(sizes, sizes, scales, dtypes, seeds)
def test_bce_on_logits(n: int, size: int, scale: float, dtype: str, seed: int) -> None:
    z = normal(seed, dtype, n, size) * np.dtype(dtype).type(scale)
    outputs = [unset(dtype, n), unset(dtype, n, size)]
    check("bce_on_logits", z, unit(seed, dtype, n, size), 1 / n, outputs=outputs, scale=max(1.0, scale))


@drawn
@given(sizes, sizes, dtypes, seeds)
def test_bce_on_probabilities(n: int, size: int, dtype: str, seed: int) -> None:
    p, t = unit(seed, dtype, n, size), unit(seed + 1, dtype, n, size)
    outputs = [unset(dtype, n), unset(dtype, n, size)]
    check("bce_on_probabilities", p, t, 1 / n, float(np.finfo(dtype).eps) ** 2, outputs=outputs)


@drawn
@given(sizes, sizes, dtypes, seeds)
def test_squared_error(n: int, size: int, dtype: str, seed: int) -> None:
    y, t = normal(seed, dtype, n, size), normal(seed + 1, dtype, n, size)
    check("squared_error", y, t, 1 / n, outputs=[unset(dtype, n), unset(dtype, n, size)])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_loss_of_what_is_not_finite_is_not_finite(dtype: str) -> None:
    y = np.zeros((4, 40), dtype)
    y[:3, 7] = np.nan, np.inf, -np.inf
    t = np.full((4, 40), 0.5, dtype)
    for name in ("bce_on_logits", "squared_error"):
        losses, dy = check(name, y, t, 0.25, outputs=[unset(dtype, 4), unset(dtype, 4, 40)])
        assert np.isnan(losses[0])
        assert np.isnan(dy[0, 7])
        assert np.isfinite(losses).tolist() == [False, False, False, True]
    y[0, 7] = np.nan
    losses, dy = check("bce_on_probabilities", y[:1], t[:1], 0.25, 1e-9, outputs=[unset(dtype, 1), unset(dtype, 1, 40)])
    assert np.isnan(losses[0])
    assert np.isnan(dy[0, 7])


# The code


@drawn
@given(sizes, sizes, dtypes, seeds, st.sampled_from([0.0, 0.3, 4.0]))
def test_gaussian_code_and_its_gradient(n: int, size: int, dtype: str, seed: int, price: float) -> None:
    mu, log_var, eps, dz = (normal(seed + i, dtype, n, size) for i in range(4))
    beta = np.array([price], dtype)
    outputs = [unset(dtype, n, size), unset(dtype, n, size), unset(dtype, n)]
    sigma, *_ = check("gaussian_code", mu, log_var, eps, beta, outputs=outputs, scale=size * max(price, 1))
    outputs = [unset(dtype, n, size) for _ in range(2)]
    check("gaussian_code_gradient", dz, mu, sigma, eps, beta, 1 / n, outputs=outputs)


@drawn
@given(sizes, sizes, few, dtypes, seeds)
def test_labels_are_appended_to_a_code_and_their_gradient_dropped(
    n: int, size: int, n_labels: int, dtype: str, seed: int
) -> None:
    labels = np.random.default_rng(seed).integers(n_labels, size=n)
    x, wide = normal(seed, dtype, n, size), unset(dtype, n, size + n_labels)
    (y,) = check("append_one_hot", x, labels, outputs=[wide])
    np.testing.assert_array_equal(y, np.concatenate([x, np.eye(n_labels)[labels]], axis=1))
    dy = normal(seed + 1, dtype, n, size + n_labels)
    (dx,) = check("append_one_hot_gradient", dy, outputs=[unset(dtype, n, size)])
    np.testing.assert_array_equal(dx, dy[:, :size])


@drawn
@given(sizes, sizes, dtypes, seeds, st.sampled_from([0.0, 0.3, 4.0]))
def test_l1_penalty(n: int, size: int, dtype: str, seed: int, strength: float) -> None:
    check("l1_penalty", normal(seed, dtype, n, size), strength, outputs=[unset(dtype, n)])


@drawn
@given(shapes, dtypes, seeds, st.sampled_from([0.0, 0.3, 4.0]))
def test_l1_gradient(shape: tuple[int, ...], dtype: str, seed: int, strength: float) -> None:
    x = normal(seed, dtype, *shape)
    x[x > 1] = 0
    x[x < -1] = -0.0
    check("l1_gradient", x, normal(seed + 1, dtype, *shape), strength, outputs=[unset(dtype, *shape)])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_code_that_is_not_finite_does_not_become_finite(dtype: str) -> None:
    x = np.zeros((4, 20), dtype)
    x[:3, 7] = np.nan, np.inf, -np.inf
    zero, one = np.zeros_like(x), np.ones(1, dtype)
    (dx,) = check("l1_gradient", x, zero, 0.5, outputs=[unset(dtype, 4, 20)])
    assert np.isnan(dx[0, 7])
    assert dx[1:3, 7].tolist() == [0.5, -0.5]
    (penalty,) = check("l1_penalty", x, 0.5, outputs=[unset(dtype, 4)])
    assert np.isfinite(penalty).tolist() == [False, False, False, True]
    outputs = [unset(dtype, 4, 20), unset(dtype, 4, 20), unset(dtype, 4)]
    *_, z, penalty = check("gaussian_code", x, zero, zero, one, outputs=outputs)
    assert not np.isfinite(z[:3, 7]).any()
    assert np.isfinite(penalty).tolist() == [False, False, False, True]


# Noise


def levels(level: float, x: Array) -> Array:
    """A level for each sample of x: this, its half, this, …"""
    return (level / (1 + np.arange(len(x)) % 2)).astype(x.dtype)


@drawn
@given(shapes, dtypes, seeds, st.sampled_from([0.0, 0.3, 2.0]), st.sampled_from([(0.0, 1.0), (-np.inf, np.inf)]))
def test_gaussian_noise(shape: tuple[int, ...], dtype: str, seed: int, level: float, clip: tuple[float, float]) -> None:
    x, noise = normal(seed, dtype, *shape), normal(seed + 1, dtype, *shape)
    check("gaussian_noise", x, noise, levels(level, x), *clip, outputs=[unset(dtype, *shape) for _ in range(2)])


@drawn
@given(shapes, dtypes, seeds, st.sampled_from([0.0, 0.25, 0.3, 1.0]))
def test_masking_and_salt_and_pepper_noise(shape: tuple[int, ...], dtype: str, seed: int, level: float) -> None:
    x, noise = normal(seed, dtype, *shape), unit(seed + 1, dtype, *shape)  # 0.25 and its half are among them
    check("masking_noise", x, noise, levels(level, x), 1.75, outputs=[unset(dtype, *shape) for _ in range(2)])
    check("salt_and_pepper_noise", x, noise, levels(level, x), outputs=[unset(dtype, *shape) for _ in range(2)])


@drawn
@given(st.integers(0, 9), dtypes, seeds, st.sampled_from([(0.0, 0.5), (0.3, 0.3), (0.1, 2.0)]))
def test_noise_level(n: int, dtype: str, seed: int, ends: tuple[float, float]) -> None:
    share = unit(seed, dtype, n)
    (level,) = check("noise_level", share, *ends, outputs=[unset(dtype, n)])
    assert level.tolist() == pytest.approx((ends[0] + (ends[1] - ends[0]) * share.astype("float64")).tolist())
    if ends[0] == ends[1]:  # a fixed level is exact
        assert set(level) <= {np.dtype(dtype).type(ends[0])}


@drawn
@given(shapes, dtypes, seeds)
def test_multiply(shape: tuple[int, ...], dtype: str, seed: int) -> None:
    check("multiply", normal(seed, dtype, *shape), normal(seed + 1, dtype, *shape), outputs=[unset(dtype, *shape)])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_noise_preserves_nan(dtype: str) -> None:
    x = np.array([[np.nan, 0.5]], dtype)
    noise = np.full((1, 2), 0.9, dtype)
    for name, settings_of in (
        ("gaussian_noise", (0.1, 0.0, 1.0)),
        ("masking_noise", (0.5, 1.0)),
        ("salt_and_pepper_noise", (0.5,)),
    ):
        level, *others = settings_of
        y, _ = check(name, x, noise, levels(level, x), *others, outputs=[unset(dtype, 1, 2) for _ in range(2)])
        assert np.isnan(y).tolist() == [[True, False]], name


# Optimizers


@drawn
@given(st.integers(0, 200), dtypes, seeds, st.integers(1, 1000))
def test_optimizers(size: int, dtype: str, seed: int, step: int) -> None:
    rate, count = np.array([1e-2]), np.array([step])
    settings_of: dict[str, tuple[int, tuple[Any, ...]]] = {
        "sgd": (1, (rate, 0.9)),
        "adam": (2, (rate, count, 0.9, 0.999, 1e-8, 0.0)),
        "adam with decay": (2, (rate, count, 0.9, 0.999, 1e-8, 0.1)),
        "rmsprop": (1, (rate, 0.9, 1e-8)),
    }
    for name, (remembered, arguments) in settings_of.items():
        dtheta = normal(seed + 1, dtype, size)
        theirs = [normal(seed, dtype, size).copy(), *(np.full(size, 0.5, dtype) for _ in range(remembered))]
        ours = [embedded(array, UNTOUCHED) for array in theirs]
        for kernels, (theta, *state) in ((compiled, ours), (reference, theirs)):
            for _ in range(2):
                getattr(kernels, name.split()[0])(theta, dtheta, *state, *arguments)
        for a, b in zip(ours, theirs, strict=True):
            assert_close(a, b)
            assert_margins_untouched(a)


@drawn
@given(st.integers(1, 200), dtypes, seeds)
def test_adding_a_multiple(size: int, dtype: str, seed: int) -> None:
    check_in_place("add_scaled", normal(seed, dtype, size), 0.3, changed=[normal(seed + 1, dtype, size)])


# The JIT policy

PROGRAM = """
import warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import numpy as np
    from npae.kernels.execution.thread_team import Plan, shared_team
    from npae.kernels import compiled
    from npae.kernels.execution.program import Program
    x, y = np.array([-1.0, 0.0, 2.0]), np.empty((2, 3))
    programs = Program(), Program()
    for program, row in zip(programs, y):
        program.add(compiled.relu, x, row)
    programs[1].run()
    assert programs[1].is_native
    y[1] = np.nan
    shared_team(2).carry_out(Plan(programs))
print([w.category.__name__ for w in caught], y.tolist())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the user's folder is found in the registry there")
@pytest.mark.parametrize("home_is_read_only", [False, True])
def test_a_read_only_installation_caches_machine_code_in_the_users_folder_or_warns_once(
    tmp_path: Path, home_is_read_only: bool
) -> None:
    copy = tmp_path / "installed" / "npae"
    shutil.copytree(Path(npae.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in [copy / "kernels", *(p for p in (copy / "kernels").iterdir() if p.is_dir())]:
        file = folder / "__pycache__"
        file.touch()  # no folder can be made in the place of a file, even by root
    home = file if home_is_read_only else tmp_path / "home"
    environment = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "NUMBA_DISABLE_JIT")}
    environment |= {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache"), "PYTHONPATH": str(copy.parent)}
    result = subprocess.run(
        [sys.executable, "-B", "-c", PROGRAM],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    warned = "['RuntimeWarning']" if home_is_read_only else "[]"
    assert result.stdout == f"{warned} [[0.0, 0.0, 2.0], [0.0, 0.0, 2.0]]\n", result.stderr
    kept = {path.name.partition(".")[0] for path in tmp_path.rglob("*.nbc")}
    assert kept == (set() if home_is_read_only else {"activation", "mailbox", "trampoline"})
