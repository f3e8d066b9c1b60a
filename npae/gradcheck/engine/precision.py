"""Detect code that computes in float32 although its inputs and outputs are float64.

Its output is constant between one float32 number and the next, so that small steps measure slopes of 0.
"""

import numpy as np

from npae.gradcheck.engine.numeric import EPS
from npae.gradcheck.engine.subject import Subject
from npae.utils.types import Array

FLOAT32_EPS = float(np.finfo(np.float32).eps)
NEAR, FAR = 1e-11, 1e-2  # a step that changes float64 outputs only, and one that changes float32 outputs too


def computes_in_float32(subject: Subject, generator: np.random.Generator) -> bool:
    """Whether most outputs that change over the step FAR do not change over NEAR, where float64 outputs would."""
    start = {name: values.copy() for name, values in subject.blocks.items()}
    d = {name: generator.choice([-1.0, 1.0], values.shape) * _size(values) for name, values in start.items()}
    outputs: list[Array] = []
    try:
        for t in (0.0, NEAR, FAR):
            for name, values in subject.blocks.items():
                values[...] = start[name] + t * d[name]
            outputs.append(subject.output())
    finally:
        for name, values in subject.blocks.items():
            values[...] = start[name]
    y, near, far = outputs
    if not all(np.isfinite(output).all() for output in outputs):
        return False
    expected = np.abs(far - y) * (NEAR / FAR)
    telling = expected > 1e3 * EPS * np.abs(y)
    return bool(telling.any()) and bool(np.mean(near[telling] == y[telling]) > 0.5)


def _size(values: Array) -> Array:
    """The size of each entry's step: its absolute value, or the block's root mean square where it is 0."""
    size: Array = np.where(values == 0, float(np.sqrt(np.mean(values * values))) or 1.0, np.abs(values))
    return size
