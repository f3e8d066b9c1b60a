"""Single numbers and truth values: Python's and NumPy's alike, and nothing else."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from npae.utils.scalars import real_number, truth_value, whole_number, whole_numbers


@pytest.mark.parametrize("kind", [int, np.int8, np.uint8, np.int64, np.uint64])
def test_a_whole_number_of_any_type_becomes_pythons(kind: Callable[[int], Any]) -> None:
    for check in (whole_number, real_number):
        result = check(kind(7), "n")
        assert type(result) is int
        assert result == 7


@pytest.mark.parametrize("kind", [float, np.float16, np.float32, np.float64, np.longdouble])
def test_a_real_number_of_any_type_becomes_pythons(kind: Callable[[float], Any]) -> None:
    result = real_number(kind(0.5), "x")
    assert type(result) is float
    assert result == 0.5


@pytest.mark.parametrize("kind", [bool, np.bool_])
def test_a_truth_value_of_either_type_becomes_pythons(kind: Callable[[bool], Any]) -> None:
    assert truth_value(kind(True), "flag") is True
    assert truth_value(kind(False), "flag") is False


@pytest.mark.parametrize("values", [(3, 4), [np.int32(3), 4], np.array([3, 4]), range(3, 5)])
def test_a_sequence_of_whole_numbers_becomes_a_tuple(values: Any) -> None:
    result = whole_numbers(values, "sizes")
    assert result == (3, 4)
    assert {type(n) for n in result} == {int}


WRONG: list[tuple[Callable[..., Any], list[Any], str]] = [
    (
        whole_number,
        [0, -1, np.int64(0), True, np.bool_(True), 3.0, np.float64(3), "3", None, 1j, [3], np.array(3), np.nan],
        "n is .*; expected a whole number of at least 1",
    ),
    (
        real_number,
        [True, np.bool_(False), "0.5", None, 1j, [0.5], np.array(0.5), np.nan, np.inf, 10**400, np.float32("inf")],
        "n is .*; expected a finite number",
    ),
    (truth_value, [0, 1, 0.0, "no", "False", None, np.int64(1), np.array(True), []], "n is .*; expected True or False"),
    (
        whole_numbers,
        [3, "34", None, (3, 0), (3, 4.0), (3, True), np.array(3), np.ones((2, 2), int), {3, 4}, np.array([3.0])],
        "n is .*; expected a (sequence of )?whole number",
    ),
]


@pytest.mark.parametrize(
    ("check", "value", "words"),
    [(check, value, words) for check, values, words in WRONG for value in values],
    ids=lambda given: getattr(given, "__name__", str(given)),
)
def test_what_is_of_another_kind_is_refused_in_one_sentence(check: Callable[..., Any], value: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        check(value, "n")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [0, 17, True, 3.0])
def test_a_whole_number_may_have_a_largest_value(value: Any) -> None:
    assert whole_number(np.uint8(16), "bits", most=16) == 16
    with pytest.raises(ValueError, match=r"bits is .*; expected a whole number from 1 to 16$"):
        whole_number(value, "bits", most=16)


@pytest.mark.parametrize(
    ("bounds", "inside", "outside", "words"),
    [
        ({"least": 0}, [0, 1e9], [-1e-9], "a number of at least 0"),
        ({"above": 0}, [1e-9], [0, -1], "a number above 0"),
        ({"least": 0, "most": 1}, [0, 1], [-0.1, 1.1], "a number from 0 to 1"),
        ({"least": 0, "below": 1}, [0, 0.99], [-0.1, 1], "a number from 0 to below 1"),
        ({"above": 0, "most": 1}, [0.1, 1], [0, 1.1], "a number above 0 to 1"),
    ],
)
def test_bounds_are_kept_and_named(
    bounds: dict[str, float], inside: list[float], outside: list[float], words: str
) -> None:
    assert [real_number(value, "x", **bounds) for value in inside] == inside
    for value in outside:
        with pytest.raises(ValueError, match=f"x is {value}; expected {words}$"):
            real_number(value, "x", **bounds)
