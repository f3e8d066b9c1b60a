"""Schedules: their factor of the learning rate at given steps."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from npae.training.schedules import Constant, Cosine, StepDecay, WarmUp, schedule_by_name

NAMES = ["constant", "step", "cosine", "warm_up"]


def test_constant_is_one() -> None:
    assert [Constant()(step) for step in (0, 1, 10**9)] == [1, 1, 1]


def test_step_decay_falls_after_every_so_many_steps() -> None:
    schedule = StepDecay(every=3, factor=0.5)
    assert [schedule(step) for step in range(8)] == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]


def test_cosine_falls_from_one_over_a_half_to_its_floor_and_stays_there() -> None:
    schedule = Cosine(total=8)
    for step, expected in ((0, 1), (2, (1 + math.sqrt(0.5)) / 2), (4, 0.5), (8, 0), (20, 0)):
        assert schedule(step) == pytest.approx(expected, abs=1e-15)
    raised = Cosine(total=8, floor=0.2)
    for step, expected in ((0, 1), (4, 0.6), (8, 0.2), (9, 0.2)):
        assert raised(step) == pytest.approx(expected)


def test_warm_up_rises_linearly_and_then_runs_the_other_schedule_from_its_start() -> None:
    assert [WarmUp(4)(step) for step in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]
    schedule = WarmUp(2, StepDecay(every=2))
    assert [schedule(step) for step in range(6)] == pytest.approx([0.5, 1, 1, 1, 0.1, 0.1])


def test_schedules_by_name_at_given_steps() -> None:
    values = {name: [schedule_by_name(name, 30)(step) for step in (0, 2, 9, 10, 20, 29)] for name in NAMES}
    assert values["constant"] == [1] * 6
    assert values["step"] == pytest.approx([1, 1, 1, 0.1, 0.01, 0.01])
    assert values["cosine"] == pytest.approx([0.5 * (1 + math.cos(math.pi * s / 30)) for s in (0, 2, 9, 10, 20, 29)])
    rise = [1 / 3, 1]
    fall = [0.5 * (1 + math.cos(math.pi * (s - 3) / 27)) for s in (9, 10, 20, 29)]
    assert values["warm_up"] == pytest.approx(rise + fall)


@pytest.mark.parametrize("name", NAMES)
@given(total=st.integers(0, 1000), step=st.integers(0, 2000))
def test_every_factor_lies_between_zero_and_one_for_a_run_of_any_length(name: str, total: int, step: int) -> None:
    assert 0 <= schedule_by_name(name, total)(step) <= 1


@pytest.mark.parametrize("name", NAMES)
@given(total=st.integers(1, 1000))
def test_no_step_of_the_run_itself_has_the_rate_zero(name: str, total: int) -> None:
    schedule = schedule_by_name(name, total)
    assert all(schedule(step) > 0 for step in range(total))


def test_an_unknown_schedule_is_answered_by_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown schedule 'linear'; expected one of constant, step, cosine, warm_up"):
        schedule_by_name("linear", 10)
