"""Fused layers compute what the plain layers compute; saved models, copies and parameter names do not change."""

import pickle
from typing import Any

import numpy as np
import pytest
from helpers.finite_difference import network_errors, randomize, separated
from helpers.small_models import samples
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from npae import Autoencoder
from npae.estimators.load import load
from npae.kernels import default_kernels
from npae.layers import (
    AveragePool2D,
    Chain,
    Conv2D,
    Dense,
    Flatten,
    Layer,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Reshape,
    UpSample2D,
)
from npae.layers import fused as fused_layers
from npae.layers.arena import Arena
from npae.layers.fused import ConvolutionReLUMaxPool, FusedLayer, UpSampleConvolution, fused
from npae.network import saving
from npae.training.replicas import ThreadReplicas
from npae.utils.types import Array, Shape

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}  # relative to the largest value of a block

drawn = settings(suppress_health_check=[HealthCheck.filter_too_much])
dtypes = st.sampled_from(["float32", "float64"])
seeds = st.integers(0, 2**32 - 1)


# What is drawn: layers that fit, and a batch


@st.composite
def paddings(draw: st.DrawFn, kernel_size: tuple[int, int]) -> tuple[Any, list[tuple[int, int]]]:
    """``padding`` in each form that a user may pass, and as (before, after) of each axis; without "same"."""
    around = [(draw(st.integers(0, k - 1)), draw(st.integers(0, k - 1))) for k in kernel_size]
    kind = draw(st.sampled_from(["valid", "number", "pair", "pairs"]))
    if kind == "valid":
        return "valid", [(0, 0), (0, 0)]
    if kind == "number":
        n = min(before for before, _ in around)
        return n, [(n, n), (n, n)]
    if kind == "pair":
        (top, _), (left, _) = around
        return (top, left), [(top, top), (left, left)]
    return tuple(around), around


@st.composite
def convolutions_before_pooling(draw: st.DrawFn) -> tuple[list[Layer], Shape]:
    """Conv2D, ReLU, MaxPool2D, and a shape of samples for which an even number of windows fits along each axis."""
    kernel_size = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    stride = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    windows = [2 * draw(st.integers(1, 3)) for _ in range(2)]
    if draw(st.booleans()):
        padding: Any = "same"
        size = [n * s - draw(st.integers(0, s - 1)) for n, s in zip(windows, stride, strict=True)]
    else:
        padding, around = draw(paddings(kernel_size))
        size = [
            (n - 1) * s + k - before - after + draw(st.integers(0, s - 1))
            for n, s, k, (before, after) in zip(windows, stride, kernel_size, around, strict=True)
        ]
        assume(min(size) >= 1)
    filters, channels = draw(st.sampled_from([1, 2, 5, 17])), draw(st.sampled_from([1, 2, 3, 17]))
    pooling = draw(st.sampled_from(["same", "valid"]))
    return [Conv2D(filters, kernel_size, stride=stride, padding=padding), ReLU(), MaxPool2D(padding=pooling)], (
        *size,
        channels,
    )


@st.composite
def convolutions_after_upsampling(draw: st.DrawFn) -> tuple[list[Layer], Shape]:
    """UpSample2D, Conv2D and perhaps ReLU, and a shape of samples that is large enough for them."""
    factor = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    kernel_size = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    size = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    padding: Any = "same"
    if draw(st.booleans()):
        padding, around = draw(paddings(kernel_size))
        axes = zip(size, factor, around, kernel_size, strict=True)
        assume(all(n * f + before + after >= k for n, f, (before, after), k in axes))
    filters, channels = draw(st.sampled_from([1, 2, 5, 17])), draw(st.sampled_from([1, 2, 3, 17]))
    layers: list[Layer] = [UpSample2D(factor), Conv2D(filters, kernel_size, padding=padding)]
    return [*layers, *([ReLU()] if draw(st.booleans()) else [])], (*size, channels)


def numbers(shape: Shape, generator: np.random.Generator, *, whole: bool) -> Array:
    """Normal ones; or few whole ones, of which every sum is exact and many are equal or zero."""
    return generator.integers(-2, 3, shape).astype("float64") if whole else generator.standard_normal(shape)


def planned(layers: list[Layer], shape: Shape, dtype: str, kernels: Any, *, fuse: bool) -> Chain:
    chain = Chain(layers)
    arena = Arena(dtype, kernels)
    arena.add(chain, shape, "chain")
    if fuse:
        chain.steps = fused(chain.layers, arena, chain.name)
    arena.allocate()
    return chain


def copies(layers: list[Layer]) -> list[Layer]:
    return [type(layer)(**layer.config()) for layer in layers]


def assert_close(ours: Array, theirs: Array, what: str) -> None:
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    largest = max(1.0, np.abs(theirs).max(initial=0))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCE[ours.dtype.name] * largest, err_msg=what)


def assert_one_step_equals_the_plain_ones(
    layers: list[Layer],
    shape: Shape,
    kind: type[FusedLayer],
    kernels: Any,
    *,
    n: int,
    dtype: str,
    whole: bool,
    seed: int,
    needs_dx: bool = True,
) -> None:
    """Twice forward and backward, the second time with a smaller batch: nothing may be left over from the first."""
    plain = planned(copies(layers), shape, dtype, kernels, fuse=False)
    other = planned(layers, shape, dtype, kernels, fuse=True)
    assert [type(step) for step in other.steps] == [kind]
    for chain in (plain, other):
        generator = np.random.default_rng(seed)
        for _, value, gradient in chain.arena.parameters():
            value[...] = numbers(value.shape, generator, whole=whole)
            gradient[...] = np.nan  # it is overwritten, not added to
        chain.layers[0].needs_dx = needs_dx
    for size in (n, max(1, n - 1)):
        generator = np.random.default_rng(seed + size)
        x = numbers((size, *shape), generator, whole=whole).astype(dtype)
        dy = numbers((size, *plain.output_shape), generator, whole=whole).astype(dtype)
        y = plain(x)
        if not whole and isinstance(plain.layers[-1], ReLU):
            assume(np.abs(plain.layers[-2].y).min() > TOLERANCE[dtype])  # nearer to zero, rounding decides
        assert_close(other(x), y, "y")
        dx, other_dx = plain.backward(dy), other.backward(dy)
        if needs_dx:
            assert_close(other_dx, dx, "dx")
        for (name, _, ours), (_, _, theirs) in zip(other.arena.parameters(), plain.arena.parameters(), strict=True):
            assert_close(ours, theirs, f"d{name}")


# A fused layer and its plain ones


@drawn
@given(
    drawn_layers=convolutions_before_pooling(),
    n=st.integers(1, 5),
    group=st.integers(1, 3),
    dtype=dtypes,
    whole=st.booleans(),
    needs_dx=st.booleans(),
    seed=seeds,
)
def test_convolution_relu_and_pooling(
    kernels: Any, drawn_layers: Any, n: int, group: int, dtype: str, whole: bool, needs_dx: bool, seed: int
) -> None:
    layers, shape = drawn_layers
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fused_layers, "few", lambda shape, arena: (group, *shape))
        assert_one_step_equals_the_plain_ones(
            layers,
            shape,
            ConvolutionReLUMaxPool,
            kernels,
            n=n,
            dtype=dtype,
            whole=whole,
            seed=seed,
            needs_dx=needs_dx,
        )


@drawn
@given(
    drawn_layers=convolutions_after_upsampling(),
    n=st.integers(1, 5),
    group=st.integers(1, 3),
    dtype=dtypes,
    whole=st.booleans(),
    seed=seeds,
)
def test_upsampling_and_convolution(
    kernels: Any, drawn_layers: Any, n: int, group: int, dtype: str, whole: bool, seed: int
) -> None:
    layers, shape = drawn_layers
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fused_layers, "few", lambda shape, arena: (group, *shape))
        assert_one_step_equals_the_plain_ones(
            layers, shape, UpSampleConvolution, kernels, n=n, dtype=dtype, whole=whole, seed=seed
        )


def test_a_convolution_of_zeros_has_no_winner_and_no_gradient(kernels: Any) -> None:
    chain = planned([Conv2D(3), ReLU(), MaxPool2D()], (4, 4, 2), "float32", kernels, fuse=True)
    assert not chain(np.zeros((2, 4, 4, 2), "float32")).any()
    assert not chain.backward(np.ones((2, 2, 2, 3), "float32")).any()
    assert not chain.layers[0].dW.any()
    assert not chain.layers[0].db.any()


def test_nan_propagates_through_a_fused_layer(kernels: Any) -> None:
    x = np.ones((1, 4, 4, 1), "float32")
    x[0, 0, 0, 0] = np.nan
    pooled = planned([Conv2D(2, 1), ReLU(), MaxPool2D()], (4, 4, 1), "float32", kernels, fuse=True)(x)
    assert np.isnan(pooled[0, 0, 0]).all()
    assert np.isfinite(pooled.reshape(-1, 2)[1:]).all()
    enlarged = planned([UpSample2D(), Conv2D(2, 1), ReLU()], (4, 4, 1), "float32", kernels, fuse=True)(x)
    assert np.isnan(enlarged[0, :2, :2]).all()
    assert np.isfinite(enlarged[0, 2:]).all()


def test_a_fused_layer_processes_as_many_images_at_once_as_fit_the_cache_and_at_least_one() -> None:
    arena = Arena("float32", default_kernels())
    assert fused_layers.few((8, 8, 16), arena) == (fused_layers.CACHED // (4 * 8 * 8 * 16), 8, 8, 16)
    assert fused_layers.few((1000, 1000, 3), arena) == (1, 1000, 1000, 3)


# Layers that are not fused


class OwnConvolution(Conv2D):
    """A subclass may compute something else, so it must not be replaced by a fused layer."""


class OwnUpSampling(UpSample2D):
    """As OwnConvolution."""


class OwnPooling(MaxPool2D):
    """As OwnConvolution."""


class OwnReLU(ReLU):
    """As OwnConvolution."""


UNFIT: dict[str, tuple[list[Layer], Shape]] = {
    "an odd size": ([Conv2D(2), ReLU(), MaxPool2D()], (5, 4, 1)),
    "an odd number of windows": ([Conv2D(2, 3, padding="valid"), ReLU(), MaxPool2D()], (6, 5, 1)),
    "overlapping windows": ([Conv2D(2), ReLU(), MaxPool2D(2, stride=1)], (4, 4, 1)),
    "windows of another size": ([Conv2D(2), ReLU(), MaxPool2D(3)], (6, 6, 1)),
    "windows over a row": ([Conv2D(2), ReLU(), MaxPool2D((2, 1))], (4, 4, 1)),
    "pooling in a border": ([Conv2D(2), ReLU(), MaxPool2D(padding=1)], (4, 4, 1)),
    "pooling in a border on one side": ([Conv2D(2), ReLU(), MaxPool2D(padding=((1, 1), (0, 0)))], (4, 4, 1)),
    "means": ([Conv2D(2), ReLU(), AveragePool2D()], (4, 4, 1)),
    "another activation": ([Conv2D(2), LeakyReLU(), MaxPool2D()], (4, 4, 1)),
    "no activation": ([Conv2D(2), MaxPool2D()], (4, 4, 1)),
    "no pooling": ([Conv2D(2), ReLU()], (4, 4, 1)),
    "another order": ([Conv2D(2), MaxPool2D(), ReLU()], (4, 4, 1)),
    "a user's convolution": ([OwnConvolution(2), ReLU(), MaxPool2D()], (4, 4, 1)),
    "a user's ReLU": ([Conv2D(2), OwnReLU(), MaxPool2D()], (4, 4, 1)),
    "a user's pooling": ([Conv2D(2), ReLU(), OwnPooling()], (4, 4, 1)),
    "bilinear upsampling": ([UpSample2D(mode="bilinear"), Conv2D(2)], (2, 3, 1)),
    "an enlargement that is cut off": ([UpSample2D(output_size=(3, 6)), Conv2D(2)], (2, 3, 1)),
    "a size that is restored": ([MaxPool2D(), UpSample2D(), Conv2D(2)], (5, 4, 1)),
    "a stride": ([UpSample2D(), Conv2D(2, stride=(1, 2))], (2, 3, 1)),
    "a wide border before": ([UpSample2D(), Conv2D(2, 2, padding=((2, 0), (0, 0)))], (2, 3, 1)),
    "a wide border after": ([UpSample2D(), Conv2D(2, 2, padding=((0, 0), (0, 2)))], (2, 3, 1)),
    "a user's upsampling": ([OwnUpSampling(), Conv2D(2)], (2, 3, 1)),
    "a user's convolution after it": ([UpSample2D(), OwnConvolution(2), ReLU()], (2, 3, 1)),
    "upsampling alone": ([UpSample2D()], (2, 3, 1)),
}


@pytest.mark.parametrize("what", UNFIT)
def test_where_layers_do_not_fit_nothing_is_fused(what: str, kernels: Any) -> None:
    layers, shape = UNFIT[what]
    plain = planned(copies(layers), shape, "float64", kernels, fuse=False)
    other = planned(copies(layers), shape, "float64", kernels, fuse=True)
    assert other.steps == other.layers
    x = np.random.default_rng(0).standard_normal((3, *shape))
    dy = np.random.default_rng(1).standard_normal((3, *plain.output_shape))
    np.testing.assert_array_equal(other(x), plain(x))
    np.testing.assert_array_equal(other.backward(dy), plain.backward(dy))
    np.testing.assert_array_equal(other.arena.dtheta, plain.arena.dtheta)


def test_layers_that_can_be_fused_are_found_between_other_layers() -> None:
    layers: list[Layer] = [Conv2D(2), ReLU(), Conv2D(3), ReLU(), MaxPool2D(), UpSample2D(), Conv2D(2), UpSample2D()]
    chain = planned(layers, (4, 4, 1), "float32", default_kernels(), fuse=True)
    kinds = [Conv2D, ReLU, ConvolutionReLUMaxPool, UpSampleConvolution, UpSample2D]
    assert [type(step) for step in chain.steps] == kinds
    assert [step.name for step in chain.steps] == ["chain.0", "chain.1", "chain.2-4", "chain.5-6", "chain.7"]
    assert chain.layers == layers


# Effects outside the network

IMAGE = (8, 4, 2)


def network() -> Autoencoder:
    return Autoencoder(
        [Conv2D(3), ReLU(), MaxPool2D(), Conv2D(2, (2, 3)), ReLU(), MaxPool2D(), Flatten(), Dense(3)],
        [Dense(4), Reshape((2, 1, 2)), UpSample2D(), Conv2D(3), ReLU(), UpSample2D(), Conv2D(2)],
        loss="mse",
        weight_decay=0.1,
    )


def built(**options: Any) -> Autoencoder:
    return network().build(IMAGE, seed=3, **options)


def fused_steps(net: Autoencoder) -> list[str]:
    return [step.name for chain in (net.encoder, net.decoder) for step in chain.steps if isinstance(step, FusedLayer)]


NAMES = ["encoder.0-2", "encoder.3-5", "decoder.2-4", "decoder.5-6"]


def test_a_network_is_fused_unless_fuse_is_false() -> None:
    assert fused_steps(built()) == NAMES
    plain = built(fuse=False)
    assert fused_steps(plain) == []
    assert plain.encoder.steps == plain.encoder.layers
    assert fused_steps(plain.build(IMAGE)) == NAMES
    assert fused_steps(plain.build(IMAGE, fuse=False)) == []


def test_fusing_changes_neither_names_nor_positions_nor_initial_values_of_parameters() -> None:
    one, other = built(), built(fuse=False)
    assert one.arena.parameter_shapes() == other.arena.parameter_shapes()
    np.testing.assert_array_equal(one.theta, other.theta)
    assert not any("-" in name for name in one.arena.parameter_shapes())
    convolution = one.encoder.layers[0]
    assert convolution.W.shape == (3, 3, 2, 3)
    assert convolution.b.shape == (3,)
    assert np.shares_memory(convolution.W, one.theta)
    assert np.shares_memory(convolution.dW, one.dtheta)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_a_fused_network_computes_what_a_plain_one_does(kernels: Any, dtype: str) -> None:
    one, other = (built(dtype=dtype, kernels=kernels, fuse=fuse) for fuse in (True, False))
    x = samples(7, *IMAGE).astype(dtype)
    assert one.gradient(x) == pytest.approx(other.gradient(x), rel=TOLERANCE[dtype])
    assert_close(one.dtheta, other.dtheta, "dtheta")
    for method in ("encode", "reconstruct", "losses"):
        assert_close(getattr(one, method)(x), getattr(other, method)(x), method)


def test_finite_differences_of_a_fused_network(kernels: Any) -> None:
    net = built(dtype="float64", kernels=kernels)
    randomize(net.arena, np.random.default_rng(4))
    x = separated((2, *IMAGE), np.random.default_rng(5))
    errors = network_errors(net, x)
    assert len(errors) == 12
    assert max(errors.values()) < 1e-4


@pytest.mark.parametrize("fuse", [True, False])
def test_a_saved_model_does_not_say_whether_it_was_fused(fuse: bool, tmp_path: Any) -> None:
    net = built(fuse=fuse)
    net.gradient(samples(2, *IMAGE))
    saving.save(net, tmp_path / "model")
    loaded = load(tmp_path / "model")
    again = Autoencoder.from_config(loaded.config()).build(IMAGE, fuse=not fuse)
    again.theta = loaded.theta
    x = samples(3, *IMAGE)
    assert fused_steps(again) == ([] if fuse else NAMES)
    for other in (loaded, again):
        np.testing.assert_array_equal(other.theta, net.theta)
        assert_close(other.reconstruct(x), net.reconstruct(x), "reconstruct")
    assert net.config() == again.config()


@pytest.mark.parametrize("fuse", [True, False])
def test_copies_and_replicas_are_fused_as_their_original(fuse: bool) -> None:
    net = built(fuse=fuse)
    for other in (pickle.loads(pickle.dumps(net)), *ThreadReplicas(net, 2).networks[1:]):
        assert fused_steps(other) == fused_steps(net)
        assert other.fuse is fuse


def test_a_recorded_pass_of_fused_layers_on_two_threads() -> None:
    whole, cut = built(dtype="float64", fuse=False), built(dtype="float64")
    x = samples(5, *IMAGE).astype("float64")
    replicas = ThreadReplicas(cut, 2)
    replicas.set_data(x)
    for _ in range(2):
        assert replicas.gradient(np.arange(5)) == pytest.approx(whole.gradient(x), rel=1e-12)
        assert_close(cut.dtheta, whole.dtheta, "dtheta")


def test_the_first_layer_that_is_not_finite_is_a_plain_one() -> None:
    net = built()
    x = samples(2, *IMAGE)
    assert net.first_non_finite(x) is None
    for chain, i in ((net.decoder, 6), (net.decoder, 3), (net.encoder, 3), (net.encoder, 0)):
        chain.layers[i].b[0] = np.nan
        assert net.first_non_finite(x) == f"{chain.name}.{i}"


class Named(Dense):
    """A user's layer with attributes named as those of a fused layer."""

    def __init__(self, units: int) -> None:
        super().__init__(units)
        self.plain = [Dense(1)]
        self.convolution = Dense(1)


def test_a_users_layer_may_have_attributes_of_the_same_names_as_a_fused_layers() -> None:
    net = Autoencoder([Named(3)], [Dense(5)], loss="mse").build((5,))
    assert not net.encoder.layers[0].needs_dx
    net.theta[...] = np.nan
    assert net.first_non_finite(np.ones((1, 5), "float32")) == "encoder.0"


def test_fused_layers_take_less_memory_and_plain_ones_none() -> None:
    one, other = built(), built(fuse=False)
    assert one.arena.buffer_bytes() < other.arena.buffer_bytes()
    assert one.arena.buffer_bytes(one.encoder.layers[0]) == 0
    one.gradient(samples(2, *IMAGE))
    assert not hasattr(one.encoder.layers[0], "y")


def test_a_summary_lists_a_fused_layer_after_the_layers_it_replaces() -> None:
    one, other = built(), built(fuse=False)
    lines = [line.split() for line in one.summary().splitlines()]
    names = [line[0] for line in lines]
    expected = [line.split()[0] for line in other.summary().splitlines()]
    for name, before in zip(NAMES, ("encoder.2", "encoder.5", "decoder.4", "decoder.6"), strict=True):
        expected.insert(expected.index(before) + 1, name)
    assert names == expected
    assert lines[names.index("encoder.0-2")][1:5] == ["ConvolutionReLUMaxPool", "4×2×3", "0", "0"]
    assert lines[names.index("decoder.5-6")][1:5] == ["UpSampleConvolution", "8×4×2", "0", "0"]
    numbers_of = [[int(cell.replace(",", "")) for cell in line[-3:]] for line in lines[1:]]
    *rows, total = numbers_of
    assert np.sum(rows, axis=0).tolist() == total
    assert total[2] == one.arena.buffer_bytes()
    assert total[0] == other.arena.parameter_count()
    assert "ConvolutionReLUMaxPool([Conv2D(" in repr(one.encoder.steps[0])


def test_the_first_layer_with_parameters_computes_no_gradient_by_the_data() -> None:
    net = built()
    assert [layer.needs_dx for layer in net.encoder.layers] == [False] + [True] * 7
    x = samples(2, *IMAGE)
    net.gradient(x)
    step = net.encoder.steps[0]
    step.dx[...] = 7
    net.gradient(x)
    assert (step.dx == 7).all()
