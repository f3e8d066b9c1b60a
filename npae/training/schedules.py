"""Learning-rate schedules: functions from the training step, counted from 0, to a factor of the learning rate.

Any function of that kind will do; these are the usual ones.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from npae.utils.scalars import real_number, whole_number

Schedule = Callable[[int], float]


@dataclass(frozen=True)
class Constant:
    """Factor 1 at every step.

    Examples
    --------
    >>> from npae.schedules import Constant
    >>> Constant()(1000)
    1.0
    """

    def __call__(self, step: int) -> float:
        return 1.0


@dataclass(frozen=True)
class StepDecay:
    """Factor ``factor`` ** ⌊step / every⌋.

    Parameters
    ----------
    every : int
        Number of steps between two reductions.
    factor : float, default 0.1

    Examples
    --------
    >>> from npae.schedules import StepDecay
    >>> StepDecay(every=10, factor=0.5)(20)
    0.25
    """

    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        whole_number(self.every, "every")
        real_number(self.factor, "factor", least=0)

    def __call__(self, step: int) -> float:
        return self.factor ** (step // self.every)


@dataclass(frozen=True)
class Cosine:
    """floor + (1 − floor) · ½ (1 + cos(π step / total)) (Loshchilov & Hutter 2017, eq. 5, without restarts).

    Parameters
    ----------
    total : int
        Number of steps after which the factor stays at ``floor``.
    floor : float, default 0.0

    Examples
    --------
    >>> from npae.schedules import Cosine
    >>> Cosine(total=100)(0), Cosine(total=100)(100)
    (1.0, 0.0)
    """

    total: int
    floor: float = 0.0

    def __post_init__(self) -> None:
        whole_number(self.total, "total")
        real_number(self.floor, "floor", least=0)

    def __call__(self, step: int) -> float:
        progress = min(step / self.total, 1.0)
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * progress))


@dataclass(frozen=True)
class WarmUp:
    """Factor (step + 1) / steps for the first ``steps`` steps (Goyal et al. 2017, §2.2), then another schedule.

    Parameters
    ----------
    steps : int
        Number of steps of the warm-up.
    then : function of the step, default constant
        Schedule after the warm-up, called with the number of steps since its end.

    Examples
    --------
    >>> from npae.schedules import WarmUp
    >>> WarmUp(steps=4)(0)
    0.25
    """

    steps: int
    then: Schedule = Constant()

    def __post_init__(self) -> None:
        whole_number(self.steps, "steps")

    def __call__(self, step: int) -> float:
        if step < self.steps:
            return (step + 1) / self.steps
        return self.then(step - self.steps)


@dataclass(frozen=True)
class Span:
    """Another schedule for ``total`` steps, whose first is ``start``; the full rate before and after.

    Parameters
    ----------
    start : int
        The first step.
    total : int
        Number of steps.
    then : function of the step
        The other schedule, called with the number of steps since ``start``.

    Examples
    --------
    >>> from npae.schedules import Cosine, Span
    >>> Span(start=100, total=10, then=Cosine(10))(50), Span(start=100, total=10, then=Cosine(10))(105)
    (1.0, 0.5)
    """

    start: int
    total: int
    then: Schedule

    def __call__(self, step: int) -> float:
        return self.then(step - self.start) if self.start <= step < self.start + self.total else 1.0


def schedule_by_name(name: str, total: int) -> Schedule:
    """A schedule over a number of steps, by its name.

    Parameters
    ----------
    name : {"constant", "step", "cosine", "warm_up"}
        "step": a tenth of the rate after each third; "warm_up": a tenth of the steps to warm up and then a cosine.
    total : int
        Number of steps.

    Returns
    -------
    function of the step

    Raises
    ------
    ValueError
        For any other name.

    Examples
    --------
    >>> from npae.schedules import schedule_by_name
    >>> schedule_by_name("step", 300)(150)
    0.1
    """
    rise = max(total // 10, 1)
    schedules: dict[str, Schedule] = {
        "constant": Constant(),
        "step": StepDecay(every=max(-(-total // 3), 1)),
        "cosine": Cosine(max(total, 1)),
        "warm_up": WarmUp(rise, Cosine(max(total - rise, 1))),
    }
    if name not in schedules:
        raise ValueError(f"unknown schedule {name!r}; expected one of {', '.join(schedules)}")
    return schedules[name]
