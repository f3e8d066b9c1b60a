"""Detect code that computes in float32 or float16 although its inputs and outputs are float64.

Its output is constant between one number of its precision and the next, so that small steps measure slopes of 0.
"""

import numpy as np

from npae.gradcheck.engine.subject import Subject
from npae.utils.types import Array

FLOAT32_EPS = float(np.finfo(np.float32).eps)
FLOAT16_EPS = float(np.finfo(np.float16).eps)
FAR = 1e-2  # a relative step that changes outputs of every precision
#: Relative steps that change outputs of higher precision than the named one, but not of that.
NEAR = {FLOAT32_EPS: 1e-11, FLOAT16_EPS: 3e-5}
#: By the machine epsilon of each of these precisions, that of the next higher one.
HIGHER = {FLOAT32_EPS: float(np.finfo(np.float64).eps), FLOAT16_EPS: FLOAT32_EPS}
NAMES = {FLOAT32_EPS: "float32", FLOAT16_EPS: "float16"}


def machine_epsilon(subject: Subject, generator: np.random.Generator) -> float:
    """The machine epsilon of the arithmetic that the code under test computes in; at least ``subject.eps``."""
    found = subject.eps
    for eps, near in NEAR.items():
        if found < eps and (eps == FLOAT32_EPS or found == FLOAT32_EPS) and _is_constant(subject, generator, eps, near):
            found = eps
    return found


def _is_constant(subject: Subject, generator: np.random.Generator, eps: float, near: float) -> bool:
    """Whether most outputs that change over the step FAR do not over ``near``, where higher precision would."""
    start = {name: values.copy() for name, values in subject.blocks.items()}
    d = {name: generator.choice([-1.0, 1.0], values.shape) * _size(values) for name, values in start.items()}
    outputs: list[Array] = []
    try:
        for t in (0.0, near, FAR):
            for name, values in subject.blocks.items():
                values[...] = start[name] + t * d[name]
            outputs.append(subject.output())
    except Exception:  # the code refuses other values
        return False
    finally:
        for name, values in subject.blocks.items():
            values[...] = start[name]
    y, moved, far = outputs
    if not y.shape == moved.shape == far.shape or not all(np.isfinite(output).all() for output in outputs):
        return False
    expected = np.abs(far - y) * (near / FAR)
    # Ten units in the last place of the higher precision would have been seen; for float64 with a wide margin.
    telling = expected > (1e3 if eps == FLOAT32_EPS else 10) * HIGHER[eps] * np.abs(y)
    return bool(telling.any()) and bool(np.mean(moved[telling] == y[telling]) > 0.5)


def _size(values: Array) -> Array:
    """The size of each entry's step: its absolute value, or the block's root mean square where it is 0."""
    size: Array = np.where(values == 0, float(np.sqrt(np.mean(values * values))) or 1.0, np.abs(values))
    return size
