"""How much arithmetic the benchmark counts for a step, beside loops that are run and counted here."""

from itertools import pairwise, product
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npae import recipes
from npae.cli.bench.arithmetic import gflop_of_an_epoch, multiply_adds_of_a_step
from npae.cli.bench.models import MODELS


def dense_loops(n_in: int, n_out: int) -> int:
    return sum(1 for _ in product(range(n_in), range(n_out)))


def convolution_loops(side: int, kernel: int, n_in: int, n_out: int) -> int:
    places = product(range(side), range(side), range(kernel), range(kernel))
    return sum(n_in * n_out for _ in places)


def phase_loops(side: int, kernel: int, n_in: int, n_out: int) -> int:
    """Convolution of an image of side², every value of which was written twice along each axis: a value once a window.

    Padding of ``kernel // 2`` before the image; the windows of the odd rows see other values than those of the even.
    """
    count = 0
    for i, j in product(range(2 * side), range(2 * side)):
        rows = {(i + k - kernel // 2) // 2 for k in range(kernel)}
        columns = {(j + k - kernel // 2) // 2 for k in range(kernel)}
        count += len(rows) * len(columns) * n_in * n_out
    return count


@given(st.lists(st.integers(1, 6), min_size=1, max_size=3), st.integers(1, 5), st.booleans())
def test_a_dense_network_multiplies_three_times_in_each_layer_but_the_first(
    hidden: list[int], code: int, is_tied: bool
) -> None:
    net = recipes.deep((7,), hidden=hidden, code_size=code, tied_weights=is_tied)
    net.build((7,))
    forward = [dense_loops(*pair) for pair in pairwise([7, *hidden, code, *reversed(hidden), 7])]
    assert multiply_adds_of_a_step(net) == 3 * sum(forward) - forward[0]


@given(st.lists(st.integers(1, 3), min_size=1, max_size=2), st.sampled_from([1, 3, 5]), st.integers(4, 10))
def test_a_convolutional_network_counts_phases_where_upsampling_is_whole(
    filters: list[int], kernel: int, side: int
) -> None:
    net = recipes.convolutional((side, side), filters=filters, kernel_size=kernel, code_size=None)
    net.build((side, side))
    sides = [side]
    for _ in filters:
        sides.append(ceil(sides[-1] / 2))
    down = list(zip(sides, pairwise([1, *filters]), strict=False))
    # in the decoder a convolution precedes each upsampling, so the first one has no upsampling before it
    channels = list(pairwise([filters[-1], *reversed(filters), 1]))
    up = [convolution_loops(sides[-1], kernel, *channels[0])]
    for (small, large), pair in zip(pairwise(reversed(sides)), channels[1:], strict=True):
        is_whole = large == 2 * small
        up.append(phase_loops(small, kernel, *pair) if is_whole else convolution_loops(large, kernel, *pair))
    forward = [convolution_loops(size, kernel, *pair) for size, pair in down] + up
    assert multiply_adds_of_a_step(net) == 3 * sum(forward) - forward[0]


def test_layers_that_do_not_learn_and_noise_do_not_count() -> None:
    changes: Any = {"hidden": (5,), "code_size": 2}
    for net in (recipes.deep((7,), **changes), recipes.denoising((7,), **changes)):
        net.build((7,))
        assert multiply_adds_of_a_step(net) == 2 * 35 + 3 * (10 + 10 + 35)
    variational = recipes.variational((7,), **changes)  # the encoder gives μ and log σ², 4 values
    variational.build((7,))
    assert multiply_adds_of_a_step(variational) == 2 * 35 + 3 * (20 + 10 + 35)


@pytest.mark.parametrize("name", MODELS)
def test_an_epoch_has_as_much_arithmetic_as_it_has_images(name: str) -> None:
    assert gflop_of_an_epoch(name, 300) == pytest.approx(100 * gflop_of_an_epoch(name, 3))


def test_the_arithmetic_of_the_vanilla_model_by_hand() -> None:
    # 784·32 forward and dW in the first layer, 32·784 forward, dW and dx in the last; an operation each for × and +
    assert gflop_of_an_epoch("vanilla", 5000) == pytest.approx(5000 * 2 * 5 * 784 * 32 / 1e9)
