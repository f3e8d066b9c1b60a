"""The kernels' random numbers: the published generator, the distributions, and the independence of streams."""

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from npae.kernels import reference
from npae.kernels.reference.random import _random_words
from npae.utils.randomness import RunState, generator, permutation
from npae.utils.types import Array

FULL = 2**32 - 1

# Known answers of Philox-4x32-10 that its authors publish with their Random123: counter, key, words
PUBLISHED = [
    ([0, 0, 0, 0], [0, 0], [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([FULL] * 4, [FULL] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), PUBLISHED)
def test_the_generator_gives_the_published_words(kernels: Any, counter: Any, key: Any, words: Any) -> None:
    whole = np.array([*key, *counter], np.uint32)
    assert _random_words(whole, 0, 1)[:, 0].tolist() == words
    y = np.empty(4)
    kernels.uniform(whole, y)
    assert (y * 2**24).tolist() == [word >> 8 for word in words]


def counter_of(words: list[int], key: tuple[int, int]) -> list[int]:
    """The counter that gives these words: every round of Philox, the last first, undone."""
    multiply, step = (0xD2511F53, 0xCD9E8D57), (0x9E3779B9, 0xBB67AE85)
    a, b, c, d = words
    for i in reversed(range(10)):
        key_a, key_b = ((k + i * s) & FULL for k, s in zip(key, step, strict=True))
        before_a, before_c = d * pow(multiply[0], -1, 2**32) & FULL, b * pow(multiply[1], -1, 2**32) & FULL
        before_b = a ^ key_a ^ (before_c * multiply[1] >> 32)
        before_d = c ^ key_b ^ (before_a * multiply[0] >> 32)
        a, b, c, d = before_a, before_b, before_c, before_d
    return [a, b, c, d]


def around(middle: float) -> list[int]:
    """Numbers of 24 bits next to a middle, as words of 32."""
    return [n << 8 for n in range(int(middle) - 2, int(middle) + 3) if 0 <= n < 2**24]


# what the radius is made of: near 0 and 1, and around √½, where log changes its exponent
RADII = [*around(0), *around(2**24), *around(2**23.5), *around(2**23), *around(2**22.5)]
ANGLES = [word for eighth in range(9) for word in around(eighth * 2**21)]
some_words = st.integers(0, FULL)


@example([0, 0, 0, 0])
@example([FULL, 0, FULL, FULL])
@given(st.lists(some_words | st.sampled_from(RADII), min_size=4, max_size=4))
def test_normal_numbers_of_any_words_are_right(kernels: Any, words: list[int]) -> None:
    assert_normal_numbers_are_right(kernels, words)


def test_normal_numbers_of_extreme_words_are_right(kernels: Any) -> None:
    for i, radius in enumerate(RADII):
        assert_normal_numbers_are_right(kernels, [radius, ANGLES[-i], RADII[-i], ANGLES[i]])
    for angle in ANGLES:
        assert_normal_numbers_are_right(kernels, [0, angle, 1 << 8, angle | 255])


def assert_normal_numbers_are_right(kernels: Any, words: list[int]) -> None:
    """The formula of Box and Muller in float64. In float32, u is rounded where it is near 1 and the radius near 0."""
    key = (7, 11)
    whole = np.array([*key, *counter_of(words, key)], np.uint32)
    assert _random_words(whole, 0, 1)[:, 0].tolist() == words
    u = ((np.array(words[::2]) >> 8) + 0.5) * 2.0**-24
    radius, angle = np.sqrt(-2 * np.log(u)), 2 * np.pi * (np.array(words[1::2]) >> 8) * 2.0**-24
    expected = [radius[0] * np.cos(angle[0]), radius[0] * np.sin(angle[0])]
    expected += [radius[1] * np.cos(angle[1]), radius[1] * np.sin(angle[1])]
    for dtype, closeness in (("float32", 1e-5 * 5.9), ("float64", 1e-12)):
        y = np.full(4, np.nan, dtype)
        kernels.standard_normal(whole, y)
        assert np.isfinite(y).all()
        limit = max(closeness, 2.5e-4 if dtype == "float32" and u.max() > 1 - 2**-18 else 0)
        np.testing.assert_allclose(y, expected, rtol=0, atol=limit)


# Distributions. Everything is fixed, and five standard deviations wide.

N = 2**18


def stream(draw: Any, *, seed: int = 5, purpose: str = "encoder.0", step: int = 3, shard: int = 0, n: int = N) -> Array:
    key, y = np.zeros(6, np.uint32), np.empty(n)
    RunState(seed=seed, step=step, shard=shard).set_key(key, purpose)
    draw(key, y)
    return y


@given(seed=st.integers(0, 2**64 - 1), shard=st.integers(0, 2**32 - 1), step=st.integers(0, 2**64 - 2))
@example(seed=0, shard=0, step=2**32 - 1)
@example(seed=0, shard=0, step=2**64 - 2)
def test_the_next_step_of_a_key_is_the_key_of_the_next_step(kernels: Any, seed: int, shard: int, step: int) -> None:
    keys = np.zeros((2, 6), np.uint32)
    for key, at in zip(keys, (step, step + 1), strict=True):
        RunState(seed=seed, step=at, shard=shard).set_key(key, "encoder.0")
    kernels.next_step(keys[0])
    assert keys[0].tolist() == keys[1].tolist()


def assert_is_mean(values: Array, mean: float) -> None:
    assert abs(values.mean() - mean) < 5 * values.std() / np.sqrt(values.size)


def test_uniform_numbers_are_uniform() -> None:
    u = stream(reference.uniform)
    for power in range(1, 5):
        assert_is_mean(u**power, 1 / (power + 1))
    counts = np.bincount((u * 256).astype(int), minlength=256)
    assert abs(((counts - N / 256) ** 2).sum() / (N / 256) - 255) < 5 * np.sqrt(2 * 255)
    last_bits = (u * 2**24).astype(int)
    for bit in range(24):
        assert_is_mean((last_bits >> bit & 1).astype(float), 0.5)


def test_normal_numbers_are_normal() -> None:
    z = stream(reference.standard_normal)
    for power, mean in ((1, 0), (2, 1), (3, 0), (4, 3), (6, 15)):
        assert_is_mean(z**power, mean)
    for limit, share in ((1, 0.158655254), (2, 0.022750132), (3, 0.001349898), (4, 3.1671e-5)):
        for side in (z > limit, z < -limit):
            assert abs(side.sum() - N * share) < 5 * np.sqrt(N * share)
    assert np.abs(z).max() < np.sqrt(2 * 25 * np.log(2))  # u is at least 2⁻²⁵


OTHERS: dict[str, dict[str, Any]] = {
    "the next step": {"step": 4},
    "a step that needs 33 bits": {"step": 3 + 2**32},
    "another shard": {"shard": 1},
    "another layer": {"purpose": "encoder.1"},
    "another seed": {"seed": 6},
}


@pytest.mark.parametrize("draw", [reference.uniform, reference.standard_normal], ids=["uniform", "normal"])
@pytest.mark.parametrize("other", OTHERS)
def test_two_streams_are_uncorrelated(draw: Any, other: str) -> None:
    a, b = stream(draw), stream(draw, **OTHERS[other])
    assert not (a == b).all()
    assert (a == b).mean() < 1e-4
    assert abs(np.corrcoef(a, b)[0, 1]) < 5 / np.sqrt(N)


@pytest.mark.parametrize("draw", [reference.uniform, reference.standard_normal], ids=["uniform", "normal"])
@pytest.mark.parametrize("distance", [1, 2, 3, 4, 784, N // 4, N // 2, 3 * N // 4])
def test_numbers_of_one_stream_are_uncorrelated_at_several_distances(draw: Any, distance: int) -> None:
    y = stream(draw)
    a, b = y[distance:], y[:-distance]
    assert abs(np.corrcoef(a, b)[0, 1]) < 5 / np.sqrt(a.size)
    assert abs(np.corrcoef(np.abs(a - y.mean()), np.abs(b - y.mean()))[0, 1]) < 5 / np.sqrt(a.size)


@given(st.integers(0, 2**64 - 1), st.text(max_size=20), st.integers(0, 2**64 - 1), st.integers(0, FULL))
def test_keys_differ_between_seeds_steps_shards_and_purposes(seed: int, name: str, step: int, shard: int) -> None:
    def key_of(seed: int, name: str, step: int, shard: int) -> list[int]:
        key = np.full(6, 9, np.uint32)
        RunState(seed=seed, step=step, shard=shard).set_key(key, name)
        words: list[int] = key.tolist()
        return words

    here = key_of(seed, name, step, shard)
    assert here == key_of(seed, name, step, shard)
    assert here[2] == 0  # the kernels count in this word
    assert here[3:] == [shard, step & FULL, step >> 32]
    assert here[:2] != key_of(seed ^ 1, name, step, shard)[:2]
    assert here[:2] != key_of(seed, name + "'", step, shard)[:2]


@pytest.mark.parametrize("n", [1, 2, 33, 5000])
@pytest.mark.parametrize("step", [0, 1, 2**40])
def test_a_permutation_is_that_of_a_new_generator(n: int, step: int) -> None:
    for seed in (0, 2**64 - 1):
        for purpose in ("shuffle", "window"):
            expected = generator(seed, purpose, step).permutation(n)
            np.testing.assert_array_equal(permutation(n, seed, purpose, step), expected)


@pytest.mark.parametrize("seed", [-1, 2**64, True, 1.0, "1", [1]])
def test_a_seed_that_is_none_is_refused(seed: Any) -> None:
    for draw in (generator, lambda seed, purpose: permutation(3, seed, purpose)):
        draw(1, "shuffle")  # what is kept of the seed 1 is not for True and 1.0
        with pytest.raises(ValueError, match=r"the seed is .*; expected a whole number from 0 to"):
            draw(seed, "shuffle")
