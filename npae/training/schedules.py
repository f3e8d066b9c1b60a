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
    """The same rate throughout."""

    def __call__(self, step: int) -> float:
        return 1.0


@dataclass(frozen=True)
class StepDecay:
    """The rate times ``factor`` after every ``every`` steps."""

    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        whole_number(self.every, "every")
        real_number(self.factor, "factor", least=0)

    def __call__(self, step: int) -> float:
        return self.factor ** (step // self.every)


@dataclass(frozen=True)
class Cosine:
    """Half a cosine from 1 to ``floor`` over ``total`` steps (Loshchilov & Hutter 2017, eq. 5, without restarts)."""

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
    """A linear rise over the first ``steps`` steps (Goyal et al. 2017, §2.2), then another schedule from its start."""

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
    """Another schedule for ``total`` steps, whose first is ``start``; the full rate before and after."""

    start: int
    total: int
    then: Schedule

    def __call__(self, step: int) -> float:
        return self.then(step - self.start) if self.start <= step < self.start + self.total else 1.0


def schedule_by_name(name: str, total: int) -> Schedule:
    """A schedule over ``total`` steps.

    "constant"; "step", a tenth of the rate after each third; "cosine"; "warm_up", a tenth of the steps to warm up and
    then a cosine.
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
