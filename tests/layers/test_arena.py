"""The arena: planning, allocation of parameters, gradients and buffers, and the views of them."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from npae.kernels import reference_kernels
from npae.layers import Chain, Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU
from npae.layers.aligned import ALIGNMENT, aligned_empty
from npae.layers.arena import Arena
from npae.utils.types import Array, Shape

SHAPE = (5, 5, 1)
BUFFERS = ["y", "dx"]


def layers() -> list[Layer]:
    return [Conv2D(3), ReLU(), MaxPool2D(), Flatten(), Dense(7), Dense(2)]


def planned(dtype: str = "float32") -> tuple[Arena, Chain]:
    arena, chain = Arena(dtype, reference_kernels(), seed=4), Chain(layers())
    arena.add(chain, SHAPE, "net")
    return arena, chain


def allocated(dtype: str = "float32") -> tuple[Arena, Chain]:
    arena, chain = planned(dtype)
    arena.allocate()
    return arena, chain


def views(chain: Chain) -> list[Array]:
    """All buffers of all layers."""
    return [vars(layer)[name] for layer in chain.layers for name in BUFFERS if name in vars(layer)]


def address(a: Array) -> int:
    return int(a.ctypes.data)


def test_planning_gives_shapes_and_names_but_no_memory() -> None:
    arena, chain = planned()
    assert chain.output_shape == (2,)
    assert list(arena.layers) == ["net", "net.0", "net.1", "net.2", "net.3", "net.4", "net.5"]
    assert [layer.name for layer in chain.layers] == list(arena.layers)[1:]
    assert not hasattr(arena, "theta")
    assert not any(hasattr(layer, name) for layer in chain.layers for name in ("W", "dW", "y", "dx"))


def test_allocation_binds_parameters_and_resizing_binds_buffers() -> None:
    arena, chain = allocated()
    assert [(name, value.shape, gradient.shape) for name, value, gradient in arena.parameters()] == [
        ("net.0.W", (3, 3, 1, 3), (3, 3, 1, 3)),
        ("net.0.b", (3,), (3,)),
        ("net.4.W", (27, 7), (27, 7)),
        ("net.4.b", (7,), (7,)),
        ("net.5.W", (7, 2), (7, 2)),
        ("net.5.b", (2,), (2,)),
    ]
    assert views(chain) == []
    arena.resize(4)
    assert all(len(view) == 4 for view in views(chain))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_array_starts_at_a_multiple_of_64_bytes(dtype: str) -> None:
    arena, chain = allocated(dtype)
    arena.resize(3)
    arrays = [a for _, value, gradient in arena.parameters() for a in (value, gradient)]
    for a in [arena.theta, arena.dtheta, *arrays, *views(chain)]:
        assert address(a) % ALIGNMENT == 0
        assert a.flags.c_contiguous
    for nbytes in (1, 63, 64, 1000):
        assert address(aligned_empty(nbytes)) % ALIGNMENT == 0
        assert aligned_empty(nbytes).nbytes == nbytes


def test_parameters_and_gradients_are_views_of_the_two_vectors_and_do_not_overlap() -> None:
    arena, _ = allocated()
    for vector, index in ((arena.theta, 1), (arena.dtheta, 2)):
        vector[...] = 0
        for parameter in arena.parameters():
            parameter[index][...] += 1
        assert vector.max() == 1
        assert np.count_nonzero(vector) == arena.parameter_count() == 27 + 3 + 189 + 7 + 14 + 2


def test_changing_theta_changes_the_layers() -> None:
    arena, chain = allocated()
    arena.theta[...] = 3
    assert chain.layers[4].W.min() == chain.layers[4].b.max() == 3
    chain.layers[0].W[...] = 5
    assert np.count_nonzero(arena.theta == 5) == 27


def test_the_decayed_part_holds_exactly_the_weights() -> None:
    arena, _ = allocated()
    arena.theta[...] = 0
    arena.theta[arena.decayed] = 1
    for name, value, _ in arena.parameters():
        assert np.all(value == (1 if name.endswith("W") else 0)), name


def test_a_network_without_weights_has_nothing_to_decay() -> None:
    arena = Arena("float32", reference_kernels())
    arena.add(ReLU(), (3,), "relu")
    arena.allocate()
    assert arena.theta.size == arena.theta[arena.decayed].size == arena.parameter_count() == 0


def test_padding_between_parameters_is_zero() -> None:
    arena, _ = allocated()
    for _, value, _ in arena.parameters():
        value[...] = 0
    np.testing.assert_array_equal(arena.theta, 0)
    np.testing.assert_array_equal(arena.dtheta, 0)


def test_buffers_are_views_of_one_block_and_do_not_overlap() -> None:
    arena, chain = allocated()
    arena.resize(6)
    buffers = sorted(views(chain), key=address)
    assert len({id(_owner(b)) for b in buffers}) == 1
    for a, b in pairwise(buffers):
        assert address(a) + a.nbytes <= address(b)


def _owner(a: Array) -> Any:
    while isinstance(a.base, np.ndarray):
        a = a.base
    return a


def test_memory_grows_only_for_a_batch_larger_than_ever() -> None:
    arena, chain = allocated()
    arena.resize(5)
    dense = chain.layers[4]
    first = address(dense.y)
    for n in (3, 5, 1, 4):
        arena.resize(n)
        assert dense.y.shape == (n, 7)
        assert address(dense.y) == first
    assert arena.capacity == 5
    arena.resize(9)
    assert dense.y.shape == (9, 7)
    assert arena.capacity == 9


def test_growing_keeps_the_border_of_an_image_zero() -> None:
    arena, chain = allocated()
    for n in (2, 5, 3, 8):
        arena.resize(n)
        chain.forward(np.full((n, *SHAPE), 7, dtype="float32"))
        padded = chain.layers[0].x_padded
        assert padded.shape == (n, 7, 7, 1)
        assert padded.sum() == 7 * 25 * n


def test_a_replica_shares_theta_and_nothing_else() -> None:
    (arena, chain), (replica, other) = allocated(), planned()
    replica.allocate(theta=arena.theta)
    assert replica.theta is arena.theta
    assert not np.shares_memory(replica.dtheta, arena.dtheta)
    for a, b in zip(arena.parameters(), replica.parameters(), strict=True):
        assert address(a[1]) == address(b[1])
        assert address(a[2]) != address(b[2])
    generator = np.random.default_rng(0)
    x = generator.standard_normal((3, *SHAPE)).astype("float32")
    y = chain(x).copy()
    other(-x)
    np.testing.assert_array_equal(chain.layers[-1].y, y)  # its activations are its own
    np.testing.assert_array_equal(other(x), y)


def test_sharing_theta_does_not_draw_it_anew() -> None:
    arena, _ = allocated()
    arena.theta[...] = 2
    replica, _ = planned()
    replica.allocate(theta=arena.theta)
    np.testing.assert_array_equal(arena.theta, 2)


def test_the_gradients_of_two_shards_add_to_that_of_the_batch() -> None:
    arena, chain = allocated("float64")
    replica, other = planned("float64")
    replica.allocate(theta=arena.theta)
    generator = np.random.default_rng(0)
    x, dy = generator.standard_normal((5, *SHAPE)), generator.standard_normal((5, 2))
    chain(x)
    chain.backward(dy)
    whole = arena.dtheta.copy()
    chain(x[:3])
    chain.backward(dy[:3])
    other(x[3:])
    other.backward(dy[3:])
    np.testing.assert_allclose(arena.dtheta + replica.dtheta, whole, atol=1e-12)


def test_initial_weights_are_a_function_of_the_seed_and_the_layers_name() -> None:
    arena, _ = allocated()
    again, _ = allocated()
    np.testing.assert_array_equal(arena.theta, again.theta)
    other = Arena("float32", reference_kernels(), seed=5)
    other.add(Chain(layers()), SHAPE, "net")
    other.allocate()
    assert np.mean(other.theta[other.decayed] != arena.theta[arena.decayed]) > 0.8
    pair = Chain([Dense(4), Dense(4)]).build((4,), kernels=reference_kernels())
    assert not np.array_equal(pair.layers[0].W, pair.layers[1].W)


@pytest.mark.parametrize(
    ("initializer", "bound"),
    [("glorot_uniform", 6 / 500), ("he_uniform", 6 / 200), ("lecun_uniform", 3 / 200), ("zeros", 0)],
)
def test_weights_start_uniform_within_the_bound_of_their_initializer(initializer: str, bound: float) -> None:
    layer = Dense(300, initializer=initializer).build((200,), dtype="float64", kernels=reference_kernels())
    limit = bound**0.5
    assert np.abs(layer.W).max() <= limit
    assert layer.W.var() == pytest.approx(bound / 3, rel=0.02)
    assert abs(layer.W.mean()) <= 5 * limit / (3 * layer.W.size) ** 0.5
    np.testing.assert_array_equal(layer.b, 0)


def test_the_fan_of_a_convolution_counts_its_window() -> None:
    layer = Conv2D(40, (3, 5)).build((6, 6, 20), dtype="float64", kernels=reference_kernels())
    assert layer.W.var() == pytest.approx(2 / (3 * 5 * 20 + 3 * 5 * 40), rel=0.05)


def test_counts_and_bytes_are_those_of_the_layers_arrays() -> None:
    arena, chain = allocated()
    arena.resize(1)
    assert [arena.parameter_count(layer) for layer in chain.layers] == [30, 0, 0, 0, 196, 16]
    relu, dense = chain.layers[1], chain.layers[4]
    assert arena.buffer_bytes(relu) == 2 * 75 * 4
    assert arena.buffer_bytes(dense) == dense.y.nbytes + dense.dx.nbytes
    assert arena.buffer_bytes() == sum(arena.buffer_bytes(layer) for layer in chain.layers)


class Scale(Layer):
    """A user-defined layer: y = a x, with a counter in an integer buffer."""

    def plan(self, input_shape: Shape, arena: Arena) -> Shape:
        arena.parameter(self, "a", ())
        arena.buffer(self, "y", input_shape)
        arena.buffer(self, "seen", dtype="int32", zeroed=True)
        arena.workspace(self, "table", (2, 3))
        return input_shape


def test_a_layer_that_plans_no_output_is_refused_in_one_sentence() -> None:
    class Forgetful(Layer):
        def plan(self, input_shape: Shape, arena: Arena) -> Any:
            return None

    with pytest.raises(ValueError, match=r"Forgetful\.plan returned None; it must return the shape of one output"):
        Arena("float64", reference_kernels(), 0).add(Forgetful(), (3,), "x")


def test_a_layer_may_plan_single_numbers_other_types_and_workspaces() -> None:
    layer = Scale().build((4,), dtype="float64", kernels=reference_kernels())
    layer.arena.resize(3)
    assert layer.a.shape == layer.da.shape == ()
    assert (layer.seen.shape, layer.seen.dtype) == ((3,), np.int32)
    np.testing.assert_array_equal(layer.seen, 0)
    assert (layer.table.shape, layer.table.dtype) == ((2, 3), np.float64)
    np.testing.assert_array_equal(layer.table, 0)
    layer.arena.theta[0] = 5
    assert layer.a == 5


def test_two_layers_of_one_name_are_refused() -> None:
    arena = Arena("float32", reference_kernels())
    arena.add(ReLU(), (3,), "same")
    with pytest.raises(ValueError, match="two layers are called 'same'; give them different names"):
        arena.add(ReLU(), (3,), "same")


@pytest.mark.parametrize("dtype", ["float16", "int32", "double precision"])
def test_a_type_other_than_float32_and_float64_is_refused(dtype: str) -> None:
    with pytest.raises(ValueError, match=r"dtype .*; expected"):
        Arena(dtype, reference_kernels())
