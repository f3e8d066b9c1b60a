"""Every layer: gradients, output shapes, dtypes, noise, initial values and error messages."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from helpers.finite_difference import layer_errors, randomize, separated
from hypothesis import assume, given
from hypothesis import strategies as st

from npae.kernels import reference_kernels
from npae.kernels.execution.program import Program, Recorder
from npae.layers import (
    ActivityL1,
    AppendLabel,
    AveragePool2D,
    Chain,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GaussianNoise,
    Layer,
    LeakyReLU,
    MaskingNoise,
    MaxPool2D,
    ReLU,
    Reparameterization,
    Reshape,
    SaltAndPepperNoise,
    Sigmoid,
    Softplus,
    Tanh,
    TiedDense,
    UpSample2D,
)
from npae.layers.activation import activation_layers
from npae.utils.types import Array, Shape

SMOOTH, KINKED = 1e-6, 1e-4  # tolerances of gradient checks, relative to the largest gradient of the block

generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def built(layer: Layer, x: Array, kernels: Any, generator: np.random.Generator, *, training: bool = True) -> Layer:
    """The layer in float64 for samples like those in x, with random parameters, at some step of a training run."""
    layer.build(x.shape[1:], seed=3, dtype="float64", kernels=kernels)
    randomize(layer.arena, generator)
    layer.run.training, layer.run.step = training, 5
    return layer


# What is drawn: batches in which all sizes differ, and windows that overlap, leave remainders and reach over the edge


@st.composite
def flat_batches(draw: st.DrawFn) -> Array:
    n, width = draw(st.lists(st.integers(1, 6), min_size=2, max_size=2, unique=True).filter(lambda s: s[0] <= 4))
    return draw(generators).standard_normal((n, width))


@st.composite
def image_batches(draw: st.DrawFn) -> Array:
    n, channels = draw(st.sampled_from([(1, 2), (2, 1), (2, 3), (3, 1), (3, 2), (4, 1), (4, 3)]))
    height, width = draw(st.lists(st.integers(1, 6), min_size=2, max_size=2, unique=True))
    return separated((n, height, width, channels), draw(generators))


@dataclass
class Window:
    size: tuple[int, int]
    stride: tuple[int, int]
    padding: Any


@st.composite
def windows(draw: st.DrawFn, image: Array) -> Window:
    size = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    stride = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    border = [st.integers(0, k - 1) for k in size]
    padding = draw(
        st.sampled_from(["same", "valid"])
        | st.integers(0, min(size) - 1)
        | st.tuples(*border)
        | st.tuples(st.tuples(border[0], border[0]), st.tuples(border[1], border[1]))
    )
    if padding != "same":
        top_bottom, left_right = (padding, padding) if isinstance(padding, int) else padding[:2]
        around = [0, 0] if padding == "valid" else [_total(top_bottom), _total(left_right)]
        assume(all(n + p >= k for n, p, k in zip(image.shape[1:3], around, size, strict=True)))
    return Window(size, stride, padding)


def _total(before_after: Any) -> int:
    return 2 * before_after if isinstance(before_after, int) else sum(before_after)


# Gradients against finite differences


@given(x=flat_batches(), units=st.integers(1, 5), generator=generators)
def test_dense_gradients(kernels: Any, x: Array, units: int, generator: np.random.Generator) -> None:
    layer = built(Dense(units), x, kernels, generator)
    assert max(layer_errors(layer, x, generator).values()) < SMOOTH


@given(x=flat_batches(), units=st.integers(1, 5), generator=generators)
def test_tied_weights_receive_the_gradients_of_both_places(
    kernels: Any, x: Array, units: int, generator: np.random.Generator
) -> None:
    chain = Chain([Dense(units), Tanh(), Dense(3), TiedDense("chain.2"), TiedDense("chain.0")])
    errors = layer_errors(built(chain, x, kernels, generator), x, generator)
    assert set(errors) == {"dx", "chain.0.W", "chain.0.b", "chain.2.W", "chain.2.b", "chain.3.c", "chain.4.c"}
    assert max(errors.values()) < SMOOTH


@given(data=st.data(), x=image_batches(), filters=st.integers(1, 4), generator=generators)
def test_convolution_gradients(
    kernels: Any, data: st.DataObject, x: Array, filters: int, generator: np.random.Generator
) -> None:
    window = data.draw(windows(x))
    layer = Conv2D(filters, window.size, stride=window.stride, padding=window.padding)
    assert max(layer_errors(built(layer, x, kernels, generator), x, generator).values()) < SMOOTH


@pytest.mark.parametrize("pooling", [MaxPool2D, AveragePool2D])
@given(data=st.data(), x=image_batches(), generator=generators)
def test_pooling_gradients(
    kernels: Any, pooling: Any, data: st.DataObject, x: Array, generator: np.random.Generator
) -> None:
    window = data.draw(windows(x))
    layer = built(pooling(window.size, stride=window.stride, padding=window.padding), x, kernels, generator)
    assert max(layer_errors(layer, x, generator).values()) < (KINKED if pooling is MaxPool2D else SMOOTH)


@st.composite
def enlargements(draw: st.DrawFn, image: Array) -> dict[str, Any]:
    """A factor and an output up to factor − 1 smaller than the full enlargement."""
    factor = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    output_size = tuple(n * f - draw(st.integers(0, f - 1)) for n, f in zip(image.shape[1:3], factor, strict=True))
    return {"factor": factor, "output_size": output_size}


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
@given(data=st.data(), x=image_batches(), generator=generators)
def test_upsampling_gradients(
    kernels: Any, mode: str, data: st.DataObject, x: Array, generator: np.random.Generator
) -> None:
    layer = built(UpSample2D(mode=mode, **data.draw(enlargements(x))), x, kernels, generator)
    assert max(layer_errors(layer, x, generator).values()) < SMOOTH


@pytest.mark.parametrize(
    ("activation", "tolerance"),
    [(ReLU, KINKED), (LeakyReLU, KINKED), (Sigmoid, SMOOTH), (Tanh, SMOOTH), (Softplus, SMOOTH)],
)
@given(x=image_batches(), generator=generators)
def test_activation_gradients(
    kernels: Any, activation: Any, tolerance: float, x: Array, generator: np.random.Generator
) -> None:
    x += 0.01  # a single value would be negative, and the whole gradient of a ReLU zero
    assume(x.max() > 0)
    assert max(layer_errors(built(activation(), x, kernels, generator), x, generator).values()) < tolerance


@given(x=image_batches(), generator=generators)
def test_flatten_and_reshape_gradients(kernels: Any, x: Array, generator: np.random.Generator) -> None:
    height, width, channels = x.shape[1:]
    for layer in (Flatten(), Reshape((channels, height * width))):
        assert max(layer_errors(built(layer, x, kernels, generator), x, generator).values()) < SMOOTH


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("noise", [Dropout, GaussianNoise, MaskingNoise, SaltAndPepperNoise])
@given(x=image_batches(), level=st.floats(0.05, 0.6), generator=generators)
def test_noise_gradients(
    kernels: Any, noise: Any, training: bool, x: Array, level: float, generator: np.random.Generator
) -> None:
    layer = built(noise(level), x, kernels, generator, training=training)
    y = layer(x).copy()
    assume(np.any(layer(x + 1) != y))  # something is left of x
    assert max(layer_errors(layer, x, generator).values()) < SMOOTH


@given(x=image_batches(), level=st.floats(0.1, 2), generator=generators)
def test_a_clipped_value_passes_no_gradient(
    kernels: Any, x: Array, level: float, generator: np.random.Generator
) -> None:
    low, high = -1.0, 0.75
    noisy = built(GaussianNoise(level), x, kernels, generator)(x).copy()
    assume(np.any((noisy > low) & (noisy < high)))
    assume(min(np.abs(noisy - low).min(), np.abs(noisy - high).min()) > 1e-3)  # away from the kinks
    layer = built(GaussianNoise(level, clip=(low, high)), x, kernels, generator)
    assert max(layer_errors(layer, x, generator).values()) < KINKED
    dx = layer.backward(np.ones_like(x))
    np.testing.assert_array_equal(dx, (noisy > low) & (noisy < high))


@pytest.mark.parametrize("training", [True, False])
@given(
    x=flat_batches(),
    code_size=st.integers(1, 4),
    beta=st.sampled_from([0.25, 2.5]),
    warm_up_steps=st.sampled_from([0, 4, 20]),  # none, over, and in the middle: the check stands at step 5
    generator=generators,
)
def test_reparameterization_gradients_with_their_kl_penalty(
    kernels: Any,
    training: bool,
    x: Array,
    code_size: int,
    beta: float,
    warm_up_steps: int,
    generator: np.random.Generator,
) -> None:
    layer = Reparameterization(code_size, beta=beta, warm_up_steps=warm_up_steps)
    built(layer, x, kernels, generator, training=training)
    errors = layer_errors(layer, x, generator)
    assert len(errors) == 5  # dx, and a weight and a bias for each of the mean and the log-variance
    assert max(errors.values()) < SMOOTH


@given(x=image_batches(), strength=st.floats(0.1, 3), generator=generators)
def test_activity_l1_gradients_with_their_penalty(
    kernels: Any, x: Array, strength: float, generator: np.random.Generator
) -> None:
    layer = built(ActivityL1(strength), x, kernels, generator)
    assert max(layer_errors(layer, x, generator).values()) < KINKED
    layer(x)
    np.testing.assert_allclose(layer.penalty, strength * np.abs(x).sum(axis=(1, 2, 3)), rtol=1e-12)


# What holds for every layer

IMAGE, FLAT = (5, 4, 3), (7,)

LAYERS: dict[str, tuple[Callable[[], Layer], Shape]] = {
    "dense": (lambda: Dense(3), FLAT),
    "tied": (lambda: Chain([Dense(4), Sigmoid(), TiedDense("chain.0")]), FLAT),
    "convolution": (lambda: Conv2D(2, (3, 2), stride=(1, 2)), IMAGE),
    "convolution with an uneven border": (lambda: Conv2D(2, (2, 3), padding=((0, 1), (2, 0)), stride=(2, 1)), IMAGE),
    "max-pool": (lambda: MaxPool2D(), IMAGE),
    "overlapping max-pool": (lambda: MaxPool2D((3, 2), stride=(2, 1), padding=((1, 0), (0, 1))), IMAGE),
    "average-pool": (lambda: AveragePool2D(), IMAGE),
    "overlapping average-pool": (lambda: AveragePool2D((3, 2), stride=(2, 1), padding=((1, 0), (0, 1))), IMAGE),
    "nearest": (lambda: UpSample2D((2, 3), output_size=(9, 10)), IMAGE),
    "bilinear": (lambda: UpSample2D((2, 3), mode="bilinear", output_size=(9, 10)), IMAGE),
    "relu": (ReLU, IMAGE),
    "leaky relu": (LeakyReLU, IMAGE),
    "sigmoid": (Sigmoid, IMAGE),
    "tanh": (Tanh, IMAGE),
    "softplus": (Softplus, IMAGE),
    "flatten": (Flatten, IMAGE),
    "reshape": (lambda: Reshape((3, 20)), IMAGE),
    "dropout": (Dropout, IMAGE),
    "gaussian": (GaussianNoise, IMAGE),
    "clipped gaussian": (lambda: GaussianNoise(clip=(0, 1)), IMAGE),
    "masking": (MaskingNoise, IMAGE),
    "salt and pepper": (SaltAndPepperNoise, IMAGE),
    "variational": (lambda: Reparameterization(2, beta=3.0), FLAT),
    "sparse": (lambda: ActivityL1(0.7), IMAGE),
    "label": (lambda: AppendLabel(3), FLAT),
    "chain": (lambda: Chain([Conv2D(2), ReLU(), MaxPool2D(), UpSample2D(), Conv2D(1), Flatten(), Dense(2)]), IMAGE),
}
LINEAR = ["dense", "convolution", "convolution with an uneven border", "average-pool", "overlapping average-pool"]
LINEAR += ["nearest", "bilinear", "flatten", "reshape", "dropout", "masking"]

every_layer = pytest.mark.parametrize("name", LAYERS)


def example(name: str, kernels: Any, n: int = 3, dtype: str = "float64") -> tuple[Layer, Array, Array]:
    """The built layer, a batch for it, and an upstream gradient."""
    make, shape = LAYERS[name]
    generator = np.random.default_rng(8)
    layer = make().build(shape, seed=3, dtype=dtype, kernels=kernels)
    randomize(layer.arena, generator)
    layer.run.training, layer.run.step = True, 5
    x, dy = generator.standard_normal((n, *shape)), generator.standard_normal((n, *layer.output_shape))
    return layer, x.astype(dtype), dy.astype(dtype)


@every_layer
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_output_has_the_planned_shape_and_the_dtype_of_the_network(kernels: Any, name: str, dtype: str) -> None:
    layer, x, dy = example(name, kernels, dtype=dtype)
    y = layer(x)
    assert y.shape == (3, *layer.output_shape)
    assert y.dtype == dtype
    dx = layer.backward(dy)
    assert dx.shape == x.shape
    assert dx.dtype == dtype
    assert layer.input_shape == x.shape[1:]


@every_layer
def test_float32_agrees_with_float64(kernels: Any, name: str) -> None:
    results = []
    for dtype in ("float32", "float64"):
        layer, x, dy = example(name, kernels, dtype=dtype)
        layer.run.training = False  # float32 noise is other noise
        y = layer(x)
        dx = layer.backward(dy)
        results.append([y, dx, *(gradient for _, _, gradient in layer.arena.parameters())])
    for single, double in zip(*results, strict=True):
        assert np.abs(single - double).max() < 1e-5 * np.abs(double).max()


@every_layer
def test_neither_forward_nor_backward_changes_its_input(kernels: Any, name: str) -> None:
    layer, x, dy = example(name, kernels)
    x_before, dy_before, theta_before = x.copy(), dy.copy(), layer.arena.theta.copy()
    layer(x)
    layer.backward(dy)
    np.testing.assert_array_equal(x, x_before)
    np.testing.assert_array_equal(dy, dy_before)
    np.testing.assert_array_equal(layer.arena.theta, theta_before)


@every_layer
def test_backward_is_repeatable_and_overwrites_the_parameter_gradients(kernels: Any, name: str) -> None:
    layer, x, dy = example(name, kernels)
    y, dx = layer(x).copy(), layer.backward(dy).copy()
    gradients = [gradient.copy() for _, _, gradient in layer.arena.parameters()]
    layer.arena.dtheta[...] = 99
    np.testing.assert_array_equal(layer(x), y)
    np.testing.assert_array_equal(layer.backward(dy), dx)
    for (_, _, again), first in zip(layer.arena.parameters(), gradients, strict=True):
        np.testing.assert_array_equal(again, first)


@every_layer
def test_backward_is_linear_in_the_upstream_gradient(kernels: Any, name: str) -> None:
    layer, x, dy = example(name, kernels)
    if layer.arena.penalized:
        layer.run.sample_weight = 0.0  # a penalty's gradient does not depend on dy
    layer(x)
    dx = layer.backward(dy).copy()
    other = np.cos(np.arange(dy.size)).reshape(dy.shape)
    dx_other = layer.backward(other).copy()
    np.testing.assert_allclose(layer.backward(2 * dy - 3 * other), 2 * dx - 3 * dx_other, atol=1e-12)


@every_layer
def test_results_do_not_depend_on_earlier_batches(kernels: Any, name: str) -> None:
    used, x, dy = example(name, kernels, n=4)
    for n in (4, 1, 3, 2):
        fresh, _, _ = example(name, kernels, n=4)
        sign = 1 if n % 2 else -1
        for layer in (used, fresh):
            layer.run.sample_weight = 1 / n
        np.testing.assert_array_equal(used(sign * x[:n]), fresh(sign * x[:n]))
        np.testing.assert_array_equal(used.backward(dy[:n]), fresh.backward(dy[:n]))
        np.testing.assert_array_equal(used.arena.dtheta, fresh.arena.dtheta)
        for a, b in zip(used.arena.penalized, fresh.arena.penalized, strict=True):
            np.testing.assert_array_equal(a.penalty, b.penalty)


@every_layer
def test_the_output_of_a_sample_does_not_depend_on_the_others(kernels: Any, name: str) -> None:
    layer, x, dy = example(name, kernels)
    layer.run.training = False
    y, dx = layer(x).copy(), layer.backward(dy).copy()
    for i in range(len(x)):
        np.testing.assert_allclose(layer(x[i : i + 1])[0], y[i], rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(layer.backward(dy[i : i + 1])[0], dx[i], rtol=1e-12, atol=1e-13)


@every_layer
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_recorded_layer_computes_what_forward_and_backward_compute(kernels: Any, name: str, dtype: str) -> None:
    """Also for another batch at another step, after ``draw``: a layer does nothing but call kernels."""
    called, x, dy = example(name, kernels, dtype=dtype)
    layer, x_seen, dy_seen = example(name, kernels, dtype=dtype)
    layer.arena.resize(len(x))
    program = Program()
    for part in layer.arena.layers.values():
        part.kernels = Recorder(kernels, program)  # type: ignore[assignment]
    y, dx = layer.forward(x_seen), layer.backward(dy_seen)
    for sign, step in ((1, 5), (-1, 6)):
        called.run.step = layer.run.step = step
        x_seen[...], dy_seen[...] = sign * x, sign * dy
        for part in layer.arena.layers.values():
            part.draw()
        program.run()
        assert y.tobytes() == called(sign * x).tobytes()
        assert dx.tobytes() == called.backward(sign * dy).tobytes()
        assert layer.arena.dtheta.tobytes() == called.arena.dtheta.tobytes()
        for a, b in zip(layer.arena.penalized, called.arena.penalized, strict=True):
            assert a.penalty.tobytes() == b.penalty.tobytes()


@every_layer
@pytest.mark.parametrize("step", [0, 2, 3, 2**32 - 1])
def test_what_is_drawn_next_is_what_is_drawn_at_the_next_step(kernels: Any, name: str, step: int) -> None:
    moved, drawn = (example(name, kernels)[0] for _ in range(2))
    for layer, first in ((moved, step), (drawn, step + 1)):
        layer.arena.resize(1)
        layer.run.training, layer.run.step = True, first
        for part in layer.arena.layers.values():
            part.draw()
    for part in moved.arena.layers.values():
        part.draw_next()
    for a, b in zip(moved.arena.layers.values(), drawn.arena.layers.values(), strict=True):
        for attribute in ("key", "level_key", "beta_now"):
            if hasattr(a, attribute):
                assert getattr(a, attribute).tobytes() == getattr(b, attribute).tobytes()
        assert (type(a).draw is Layer.draw) == (type(a).draw_next is Layer.draw_next)


def test_beta_rises_by_kernel_calls_as_it_does_from_python(kernels: Any) -> None:
    layer = Reparameterization(2, beta=0.7, warm_up_steps=5).build((3,), kernels=kernels)
    layer.arena.resize(1)
    layer.run.training = True
    layer.draw()
    for step in range(1, 9):
        layer.draw_next()
        moved = layer.beta_now[0]
        layer.run.step = step
        layer.draw()
        assert moved == layer.beta_now[0] == np.float32(0.7 * min(1.0, (step + 1) / 5))


@pytest.mark.parametrize("name", LINEAR)
def test_backward_is_the_adjoint_of_a_linear_layer(kernels: Any, name: str) -> None:
    """⟨u, J v⟩ = ⟨Jᵀ u, v⟩."""
    layer, v, u = example(name, kernels)
    J_v = layer(v).copy() - layer(np.zeros_like(v))  # the bias cancels
    layer(v)
    assert np.sum(u * J_v) == pytest.approx(np.sum(layer.backward(u) * v), rel=1e-12)


@pytest.mark.parametrize("name", ["dense", "convolution", "convolution with an uneven border"])
def test_the_weight_gradient_is_the_adjoint_of_the_map_from_weights_to_output(kernels: Any, name: str) -> None:
    """y is linear in W too: ⟨u, y(V) − y(0)⟩ = ⟨dW, V⟩."""
    layer, x, u = example(name, kernels)
    y = layer(x).copy()
    layer.backward(u)
    V = layer.W.copy()
    layer.W[...] = 0
    assert np.sum(u * (y - layer(x))) == pytest.approx(np.sum(layer.dW * V), rel=1e-12)


@every_layer
def test_config_makes_an_equal_layer(name: str) -> None:
    layer = LAYERS[name][0]()
    if isinstance(layer, Chain):
        assert [type(part)(**part.config()).config() for part in layer.layers] == [p.config() for p in layer.layers]
    else:
        again = type(layer)(**layer.config())
        assert again.config() == layer.config()
        assert repr(again) == repr(layer)


# What single layers compute


def test_dense_is_a_product_plus_a_bias(kernels: Any) -> None:
    layer = Dense(2).build((3,), dtype="float64", kernels=kernels)
    layer.W[...], layer.b[...] = [[1, 2], [3, 4], [5, 6]], [10, 20]
    np.testing.assert_array_equal(layer(np.array([[1.0, 0, 2]])), [[21, 34]])


@given(data=st.data(), x=image_batches(), generator=generators)
def test_convolution_is_a_sum_over_the_window_of_the_padded_image(
    kernels: Any, data: st.DataObject, x: Array, generator: np.random.Generator
) -> None:
    (kh, kw), (sh, sw) = data.draw(st.tuples(*[st.tuples(st.integers(1, 3), st.integers(1, 3))] * 2))
    padding = data.draw(st.tuples(*[st.tuples(st.integers(0, 2), st.integers(2, 3))] * 2))
    layer = built(Conv2D(2, (kh, kw), stride=(sh, sw), padding=padding), x, kernels, generator)
    image = np.pad(x, ((0, 0), *padding, (0, 0)))
    y = layer(x)
    assert y.shape[1:] == ((image.shape[1] - kh) // sh + 1, (image.shape[2] - kw) // sw + 1, 2)
    for n, i, j, f in np.ndindex(y.shape):
        seen = image[n, i * sh : i * sh + kh, j * sw : j * sw + kw]
        assert y[n, i, j, f] == pytest.approx(np.sum(seen * layer.W[:, :, :, f]) + layer.b[f], rel=1e-11, abs=1e-11)


@pytest.mark.parametrize(("layer", "reduce"), [(MaxPool2D, np.max), (AveragePool2D, np.mean)])
@given(data=st.data(), x=image_batches(), generator=generators)
def test_pooling_looks_only_at_the_cells_inside_the_image(
    kernels: Any, layer: Any, reduce: Any, data: st.DataObject, x: Array, generator: np.random.Generator
) -> None:
    x = x - 10  # all negative: a border of zeros would win every maximum
    window = data.draw(windows(x))
    pool = built(layer(window.size, stride=window.stride, padding=window.padding), x, kernels, generator)
    y = pool(x)
    top, left = pool.origin
    for n, i, j, c in np.ndindex(y.shape):
        i0, j0 = i * window.stride[0] - top, j * window.stride[1] - left
        cells = x[n, max(i0, 0) : i0 + window.size[0], max(j0, 0) : j0 + window.size[1], c]
        assert y[n, i, j, c] == pytest.approx(reduce(cells), rel=1e-12)


def test_same_padding_gives_one_position_for_each_stride_and_puts_the_odd_cell_after(kernels: Any) -> None:
    for n in range(1, 12):
        for k in range(1, 6):
            for s in range(1, 5):
                layer = Conv2D(1, (k, 1), stride=(s, 1)).build((n, 2, 1), kernels=kernels)
                assert layer.output_shape == (-(-n // s), 2, 1)
                assert layer.rows.after - layer.rows.before in (0, 1)


@pytest.mark.parametrize("size", [2, 3])
def test_of_equal_values_the_first_wins_the_gradient(kernels: Any, size: int) -> None:
    layer = MaxPool2D(size).build((size, size, 2), dtype="float64", kernels=kernels)
    layer(np.full((1, size, size, 2), -4.0))
    dx = layer.backward(np.array([[[[3.0, 5.0]]]]))
    expected = np.zeros((1, size, size, 2))
    expected[0, 0, 0] = 3, 5
    np.testing.assert_array_equal(dx, expected)


def test_a_tie_in_a_later_window_goes_to_the_first_of_the_tied_in_reading_order(kernels: Any) -> None:
    x = np.array([[0, 7, 7], [7, 1, 7]], dtype=float).reshape(1, 2, 3, 1)
    layer = MaxPool2D(2, stride=1, padding="valid").build((2, 3, 1), dtype="float64", kernels=kernels)
    layer(x)
    dx = layer.backward(np.array([1.0, 10.0]).reshape(1, 1, 2, 1))
    np.testing.assert_array_equal(dx[0, :, :, 0], [[0, 11, 0], [0, 0, 0]])


def test_a_cell_that_wins_two_windows_receives_both_gradients(kernels: Any) -> None:
    layer = MaxPool2D(3, stride=1, padding="valid").build((3, 4, 1), dtype="float64", kernels=kernels)
    x = np.zeros((1, 3, 4, 1))
    x[0, 1, 2] = 9
    layer(x)
    dx = layer.backward(np.array([2.0, 5.0]).reshape(1, 1, 2, 1))
    assert dx[0, 1, 2, 0] == 7
    assert dx.sum() == 7


def test_nearest_repeats_and_bilinear_interpolates_between_pixel_centres(kernels: Any) -> None:
    x = np.array([0.0, 4.0]).reshape(1, 1, 2, 1)
    for mode, row in (("nearest", [0, 0, 4, 4]), ("bilinear", [0, 1, 3, 4])):
        layer = UpSample2D((1, 2), mode=mode).build((1, 2, 1), dtype="float64", kernels=kernels)
        np.testing.assert_allclose(layer(x)[0, 0, :, 0], row)


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
@given(data=st.data(), x=image_batches(), generator=generators)
def test_a_smaller_output_is_the_full_enlargement_without_its_last_rows_and_columns(
    kernels: Any, mode: str, data: st.DataObject, x: Array, generator: np.random.Generator
) -> None:
    options = data.draw(enlargements(x))
    full = built(UpSample2D(options["factor"], mode=mode), x, kernels, generator)(x)
    height, width = options["output_size"]
    part = built(UpSample2D(mode=mode, **options), x, kernels, generator)(x)
    np.testing.assert_allclose(part, full[:, :height, :width], atol=1e-12)


def test_reshaping_keeps_the_order_of_the_elements(kernels: Any) -> None:
    x = np.arange(2 * 3 * 4 * 5, dtype=float).reshape(2, 3, 4, 5)
    np.testing.assert_array_equal(Flatten().build((3, 4, 5), kernels=kernels)(x), np.arange(120.0).reshape(2, 60))
    np.testing.assert_array_equal(
        Reshape((4, 15)).build((3, 4, 5), kernels=kernels)(x), np.arange(120.0).reshape(2, 4, 15)
    )


@pytest.mark.parametrize(
    ("activation", "f"),
    [
        (ReLU(), lambda x: np.maximum(x, 0)),
        (LeakyReLU(0.2), lambda x: np.where(x > 0, x, 0.2 * x)),
        (Sigmoid(), lambda x: 1 / (1 + np.exp(-x))),
        (Tanh(), np.tanh),
        (Softplus(), lambda x: np.log(1 + np.exp(x))),
    ],
    ids=lambda value: type(value).__name__,
)
def test_activations_equal_their_formula(kernels: Any, activation: Layer, f: Any) -> None:
    x = np.linspace(-6, 6, 25).reshape(1, 25)
    np.testing.assert_allclose(activation.build((25,), dtype="float64", kernels=kernels)(x), f(x), rtol=1e-11)


@pytest.mark.parametrize("activation", [Sigmoid, Tanh, Softplus])
def test_activations_of_extreme_values_are_finite_and_so_are_their_gradients(kernels: Any, activation: Any) -> None:
    x = np.array([[-1000.0, -40.0, 40.0, 1000.0]])
    layer = activation().build((4,), dtype="float64", kernels=kernels)
    limits = {Sigmoid: [0, 0, 1, 1], Tanh: [-1, -1, 1, 1], Softplus: [0, 0, 40, 1000]}[activation]
    np.testing.assert_allclose(layer(x), [limits], atol=1e-15)
    slopes = [0, 0, 1, 1] if activation is Softplus else [0, 0, 0, 0]
    np.testing.assert_allclose(layer.backward(np.ones((1, 4))), [slopes], atol=1e-15)


@pytest.mark.parametrize("activation", [ReLU, LeakyReLU])
def test_the_gradient_at_zero_is_that_of_the_negative_side(kernels: Any, activation: Any) -> None:
    layer = activation().build((2,), dtype="float64", kernels=kernels)
    layer(np.zeros((1, 2)))
    slope = getattr(layer, "slope", 0.0)
    np.testing.assert_array_equal(layer.backward(np.array([[2.0, -3.0]])), [[2 * slope, -3 * slope]])


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "sigmoid", "tanh", "softplus"])
def test_activations_have_names(name: str) -> None:
    (layer,) = activation_layers(name)
    assert type(layer).__name__.lower() == name.replace("_", "")
    assert activation_layers("linear") == []


# Odd sizes


@pytest.mark.parametrize("pooling", [MaxPool2D, AveragePool2D])
@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)), factors=st.lists(st.integers(1, 3), min_size=1, max_size=3)
)
def test_several_levels_of_pooling_and_upsampling_restore_any_height_and_width(
    kernels: Any, pooling: Any, mode: str, size: tuple[int, int], factors: list[int]
) -> None:
    down = [pooling(f) for f in factors]
    up = [UpSample2D(f, mode=mode) for f in reversed(factors)]
    assert Chain([*down, *up]).build((*size, 1), kernels=kernels).output_shape == (*size, 1)


def test_25_by_25_is_pooled_to_13_and_7_and_restored() -> None:
    layers = [MaxPool2D(), MaxPool2D(), UpSample2D(), UpSample2D()]
    Chain(layers).build((25, 25, 1), kernels=reference_kernels())
    assert [layer.output_shape[:2] for layer in layers] == [(13, 13), (7, 7), (13, 13), (25, 25)]


def test_a_given_output_size_is_matched_with_the_pooling_of_that_size() -> None:
    layers = [MaxPool2D(), MaxPool2D(), UpSample2D(output_size=(13, 13)), UpSample2D()]
    assert Chain(layers).build((25, 25, 1), kernels=reference_kernels()).output_shape == (25, 25, 1)


def test_upsampling_that_undoes_two_poolings_at_once_leaves_neither_to_a_later_one() -> None:
    layers = [MaxPool2D(), MaxPool2D(), UpSample2D(4), Conv2D(1, stride=4), UpSample2D()]
    Chain(layers).build((25, 25, 1), kernels=reference_kernels())
    assert [layer.output_shape[0] for layer in layers] == [13, 7, 25, 7, 14]


def test_upsampling_by_factor_one_is_not_matched_with_pooling() -> None:
    layers = [MaxPool2D(), UpSample2D(1), UpSample2D()]
    assert Chain(layers).build((1, 1, 1), kernels=reference_kernels()).output_shape == (1, 1, 1)


def test_pooling_of_stride_one_is_not_matched_with_upsampling() -> None:
    layers = [MaxPool2D(), MaxPool2D(3, stride=1), UpSample2D()]
    assert Chain(layers).build((25, 25, 1), kernels=reference_kernels()).output_shape == (25, 25, 1)


# Noise

MANY = (40, 500)  # 20 000 values
NOISES = [
    Dropout(0.3), GaussianNoise(0.3), MaskingNoise(0.3), SaltAndPepperNoise(0.3), GaussianNoise((0.1, 0.4)),
    MaskingNoise((0.2, 0.3)), SaltAndPepperNoise((0.0, 0.6)),
]  # fmt: skip
every_noise = pytest.mark.parametrize("noise", NOISES, ids=repr)


def noisy(noise: Layer, x: Array, *, step: int = 0, seed: int = 0, training: bool = True) -> Array:
    layer = type(noise)(**noise.config()).build(x.shape[1:], seed=seed, dtype="float64", kernels=reference_kernels())
    layer.run.training, layer.run.step = training, step
    return layer(x).copy()


def assert_fraction(hits: Array, expected: float) -> None:
    """Within five standard errors of the binomial distribution."""
    assert abs(hits.mean() - expected) < 5 * np.sqrt(expected * (1 - expected) / hits.size)


@every_noise
def test_noise_is_absent_without_training(noise: Layer) -> None:
    x = np.full(MANY, 0.4)
    np.testing.assert_array_equal(noisy(noise, x, training=False), x)


@every_noise
def test_noise_is_a_function_of_seed_and_step(noise: Layer) -> None:
    x = np.full(MANY, 0.4)
    y = noisy(noise, x, step=7, seed=1)
    np.testing.assert_array_equal(noisy(noise, x, step=7, seed=1), y)
    for other in (noisy(noise, x, step=8, seed=1), noisy(noise, x, step=7, seed=2)):
        assert np.mean(other != y) > 0.3


@every_noise
def test_two_noise_layers_of_one_network_draw_different_noise(noise: Layer) -> None:
    first, second = (type(noise)(**noise.config()) for _ in range(2))
    chain = Chain([first, second]).build((500,), dtype="float64", kernels=reference_kernels())
    chain.run.training = True
    x = np.full(MANY, 0.4)
    chain(x)
    assert abs(np.corrcoef(first.drawn.ravel(), second.drawn.ravel())[0, 1]) < 0.05


@every_noise
def test_level_zero_changes_nothing(noise: Layer) -> None:
    x = np.full(MANY, 0.4)
    np.testing.assert_array_equal(noisy(type(noise)(0.0), x), x)


def test_gaussian_noise_has_mean_zero_and_its_level_as_standard_deviation() -> None:
    noise = noisy(GaussianNoise(0.3), np.full(MANY, 0.4)) - 0.4
    assert abs(noise.mean()) < 5 * 0.3 / np.sqrt(noise.size)
    assert noise.std() == pytest.approx(0.3, rel=5 / np.sqrt(2 * noise.size))
    assert_fraction(np.abs(noise) < 0.3, 0.682689)


def test_clipped_noise_stays_in_its_range_and_elsewhere_equals_unclipped_noise() -> None:
    free, clipped = (noisy(GaussianNoise(0.5, clip=clip), np.full(MANY, 0.4)) for clip in (None, (0, 1)))
    np.testing.assert_array_equal(clipped, np.clip(free, 0, 1))
    assert (clipped == 0).any()
    assert (clipped == 1).any()


def test_masking_sets_its_fraction_to_zero_and_leaves_the_rest_as_it_is() -> None:
    y = noisy(MaskingNoise(0.3), np.full(MANY, 0.4))
    assert_fraction(y == 0, 0.3)
    assert set(np.unique(y)) == {0, 0.4}


def test_dropout_scales_what_is_left_so_that_the_mean_stays() -> None:
    y = noisy(Dropout(0.3), np.full(MANY, 0.4))
    assert_fraction(y == 0, 0.3)
    np.testing.assert_allclose(y[y != 0], 0.4 / 0.7)
    assert y.mean() == pytest.approx(0.4, abs=5 * 0.4 * np.sqrt(0.3 / 0.7 / y.size))


def test_salt_and_pepper_are_each_half_of_the_level() -> None:
    y = noisy(SaltAndPepperNoise(0.3), np.full(MANY, 0.4))
    assert_fraction(y == 0, 0.15)
    assert_fraction(y == 1, 0.15)
    assert set(np.unique(y)) == {0, 0.4, 1}


@pytest.mark.parametrize("noise", [MaskingNoise(1.0), SaltAndPepperNoise(1.0)])
def test_at_level_one_no_value_of_the_input_remains(noise: Layer) -> None:
    assert not np.any(noisy(noise, np.full(MANY, 0.4)) == 0.4)


@every_noise
def test_noise_has_the_same_distribution_in_float32_and_float64(noise: Layer) -> None:
    layer = type(noise)(**noise.config()).build((500,), dtype="float32", kernels=reference_kernels())
    layer.run.training = True
    single = layer(np.full(MANY, 0.4, dtype="float32"))
    assert single.dtype == np.float32
    double = noisy(noise, np.full(MANY, 0.4))
    assert single.mean() == pytest.approx(double.mean(), abs=0.02)
    assert single.std() == pytest.approx(double.std(), abs=0.02)


def variational(mu: list[float], log_var: list[float], n: int, **options: Any) -> tuple[Reparameterization, Array]:
    """A variational code whose mean and log-variance are given, and n inputs for it."""
    layer = Reparameterization(len(mu), **options)
    layer.build((2,), seed=1, dtype="float64", kernels=reference_kernels())
    layer.arena.theta[...] = 0
    layer.mu_head.b[...], layer.log_var_head.b[...] = mu, log_var
    layer.run.training = True
    return layer, np.zeros((n, 2))


MU, LOG_VAR = [0.7, -1.2, 0.0], [-0.8, 0.6, 1.1]


def test_the_code_is_drawn_with_the_mean_and_variance_of_the_two_heads() -> None:
    layer, x = variational(MU, LOG_VAR, 100_000)
    z = layer(x)
    variance = np.exp(LOG_VAR)
    assert np.all(np.abs(z.mean(axis=0) - MU) < 5 * np.sqrt(variance / len(z)))
    assert np.all(np.abs(z.var(axis=0) / variance - 1) < 5 * np.sqrt(2 / len(z)))


def test_the_kl_penalty_is_the_mean_of_log_q_minus_log_p_over_drawn_codes() -> None:
    layer, x = variational(MU, LOG_VAR, 200_000)
    z = layer(x)
    log_q = -0.5 * ((z - MU) ** 2 / np.exp(LOG_VAR) + LOG_VAR).sum(axis=1)
    log_p = -0.5 * (z**2).sum(axis=1)
    drawn = log_q - log_p
    assert abs(drawn.mean() - layer.penalty[0]) < 5 * drawn.std() / np.sqrt(len(z))
    assert np.ptp(layer.penalty) == 0


def test_the_kl_of_a_standard_normal_code_is_zero() -> None:
    layer, x = variational([0.0, 0.0], [0.0, 0.0], 2)
    layer(x)
    np.testing.assert_array_equal(layer.penalty, 0)


def test_beta_scales_the_penalty_and_not_the_code() -> None:
    (plain, x), (pressed, _) = variational(MU, LOG_VAR, 3), variational(MU, LOG_VAR, 3, beta=4.0)
    np.testing.assert_array_equal(plain(x), pressed(x))
    np.testing.assert_allclose(pressed.penalty, 4 * plain.penalty)


def test_beta_rises_linearly_over_the_warm_up_and_is_full_outside_training() -> None:
    layer, x = variational(MU, LOG_VAR, 1, beta=2.0, warm_up_steps=4)
    seen = []
    for step in range(6):
        layer.run.step = step
        layer(x)
        seen.append(layer.penalty[0])
    np.testing.assert_allclose(np.array(seen) / seen[-1], [0.25, 0.5, 0.75, 1, 1, 1])
    layer.run.training, layer.run.step = False, 0
    layer(x)
    assert layer.penalty[0] == pytest.approx(seen[-1])


def test_without_training_the_code_is_the_mean() -> None:
    layer, x = variational(MU, LOG_VAR, 2)
    layer.run.training = False
    np.testing.assert_array_equal(layer(x), [MU, MU])


# Mistakes


def build(layer: Layer, shape: Shape) -> Layer:
    return layer.build(shape, kernels=reference_kernels())


@pytest.mark.parametrize(
    ("mistake", "advice"),
    [
        (lambda: build(Dense(3), (4, 4, 1)), r"Dense expects flat samples .*\(4, 4, 1\); put Flatten\(\) before it"),
        (lambda: build(Reparameterization(3), (4, 4, 1)), r"put Flatten\(\) before it"),
        (lambda: build(Chain([Dense(3), Reshape((3, 1, 1)), TiedDense("chain.0")]), (4,)), r"put Flatten\(\) before"),
        (lambda: build(Conv2D(3), (16,)), r"Conv2D expects images .*\(16,\); reshape the data or put Reshape"),
        (lambda: build(MaxPool2D(), (16,)), r"MaxPool2D expects images .*\(16,\)"),
        (lambda: build(UpSample2D(), (16,)), r"UpSample2D expects images .*\(16,\)"),
        (lambda: build(Conv2D(3, 5, padding="valid"), (4, 7, 1)), "5×5 on an image of 4×7.*; choose a smaller"),
        (lambda: build(AveragePool2D(5, padding="valid"), (7, 4, 1)), "AveragePool2D has a window of 5×5.*7×4"),
        (lambda: build(MaxPool2D(2, padding=2), (4, 4, 1)), "nothing but border; choose a padding smaller"),
        (lambda: build(Conv2D(3, padding="full"), (4, 4, 1)), """padding is 'full'; expected "same", "valid", """),
        (lambda: build(Conv2D(3, padding=-1), (4, 4, 1)), "padding is -1; expected"),
        (lambda: build(Conv2D(3, padding=((1, 1),)), (4, 4, 1)), "padding is .*; expected"),
        (lambda: build(Conv2D(3, padding=((1, 1, 1), (1, 1, 1))), (4, 4, 1)), "padding is .*; expected"),
        (lambda: Conv2D(3, 0), "kernel_size is 0; expected a positive integer or a pair"),
        (lambda: Conv2D(3, (3, 3, 3)), r"kernel_size is \(3, 3, 3\); expected a positive integer or a pair"),
        (lambda: Conv2D(3, 2.5), "kernel_size is 2.5; expected a positive integer or a pair"),
        (lambda: Conv2D(3, stride=0), "stride is 0; expected a positive integer or a pair"),
        (lambda: MaxPool2D((2, -1)), r"size is \(2, -1\); expected a positive integer or a pair"),
        (lambda: UpSample2D(factor="2"), "factor is '2'; expected a positive integer or a pair"),
        (lambda: UpSample2D(mode="cubic"), """mode is 'cubic'; expected "nearest" or "bilinear\""""),
        (lambda: build(UpSample2D(2, output_size=(9, 7)), (4, 4, 1)), "4×4 into 9×7 .*; leave output_size out"),
        (lambda: build(Reshape((3, 5)), (4, 4)), r"Reshape to \(3, 5\) needs 15 values, but .* 16"),
        (lambda: build(TiedDense("encoder.0"), (4,)), "tied to 'encoder.0'; name a Dense layer that stands before it"),
        (lambda: build(Chain([ReLU(), TiedDense("chain.0")]), (4,)), "name a Dense layer that stands before it"),
        (lambda: build(Chain([Dense(3), Dense(2), TiedDense("chain.0")]), (4,)), "given 2 values .* has 3 units; tie"),
        (
            lambda: build(Chain([Dense(4), TiedDense("chain.0"), TiedDense("chain.0")]), (4,)),
            "a tied layer already; tie it to the layer that it mirrors",
        ),
        (lambda: build(Dense(3, initializer="magic"), (4,)), "unknown initializer 'magic'; expected one of glorot"),
        (lambda: activation_layers("gelu"), "unknown activation 'gelu'; expected one of relu, leaky_relu"),
        (lambda: Dropout(1.0), "drops everything; choose a fraction below 1"),
        (lambda: Dropout(-0.1), "the level of Dropout is -0.1; expected a number from 0 to 1"),
        (lambda: MaskingNoise(1.5), "the level of MaskingNoise is 1.5; expected a number from 0 to 1"),
        (lambda: SaltAndPepperNoise(float("nan")), "the level of SaltAndPepperNoise is nan; expected a number from 0"),
        (lambda: GaussianNoise(-1), "the level of GaussianNoise is -1; expected a number of at least 0"),
        (lambda: ActivityL1(-1.0), "-1.0; expected"),
        (lambda: Reparameterization(2, beta=-1.0), "-1.0; expected"),
        (lambda: build(Dense(0), (4,)), "0.*; expected"),
        (lambda: build(Conv2D(-2), (4, 4, 1)), "-2.*; expected"),
    ],
)  # fmt: skip
def test_an_error_message_is_one_sentence_that_says_what_to_do(mistake: Callable[[], Any], advice: str) -> None:
    with pytest.raises(ValueError, match=advice) as caught:
        mistake()
    assert "\n" not in str(caught.value)


def test_sizes_may_be_numpy_integers() -> None:
    layer = Conv2D(2, np.int64(3), stride=(np.int32(2), 1))
    assert layer.build((4, 4, 1), kernels=reference_kernels()).output_shape == (2, 4, 2)


def test_one_layer_object_cannot_be_used_twice_in_a_network() -> None:
    """Its buffers would be shared, and the gradient of the first place silently lost."""
    relu = ReLU()
    with pytest.raises(ValueError, match=r"twice|two places|already"):
        Chain([Dense(3), relu, Dense(3), relu]).build((3,), kernels=reference_kernels())
