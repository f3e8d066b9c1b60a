"""Training steps by the learner's own Adam, the function of the exercise "adam": from all gradients of a run to a path.

The function takes every gradient from the first step on, so a run of T steps would send T·T/2 of them. It is begun anew
every ``RESTART`` steps, with m and v at 0, from where the last run ended.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from npae.learn.sandbox.call_result import Caller
from npae.utils.types import Array

RESTART = 10
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


class OwnAdam:
    """An optimizer that calls the learner's ``adam``.

    Parameters
    ----------
    caller : Caller
        Calls the functions of the learner's adam.py.
    rate : float
    """

    def __init__(self, caller: Caller, rate: float) -> None:
        self._caller, self._rate = caller, rate
        self._gradients: list[Array] = []
        self._start = np.zeros(0)

    def step(self, parameters: Mapping[str, Array], gradients: Mapping[str, Array]) -> None:
        """Write the next θ into ``parameters``; ValueError where the learner's function gives none."""
        if not self._gradients or len(self._gradients) == RESTART:
            self._start = _flat(parameters)
            self._gradients = []
        self._gradients.append(_flat(gradients))
        arguments: list[Any] = [np.stack(self._gradients), self._start, self._rate, BETA1, BETA2, EPSILON]
        answer = self._caller.call("adam", arguments)
        if answer.values is None or answer.values[0].shape != arguments[0].shape:
            text = answer.trouble.text if answer.trouble else "its result has another shape"
            raise ValueError(f"your adam.py gives no step: {text}")
        theta, start = answer.values[0][-1], 0
        for value in parameters.values():
            value[...] = theta[start : start + value.size].reshape(value.shape)
            start += value.size


def _flat(arrays: Mapping[str, Array]) -> Array:
    return np.concatenate([array.reshape(-1) for array in arrays.values()])
