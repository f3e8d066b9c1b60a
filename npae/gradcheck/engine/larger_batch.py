"""Repeat the check with nine samples, for mistakes that small batches hide, such as in loops unrolled by eight."""

from collections.abc import Callable

import numpy as np

from npae.gradcheck.engine.invariants import agrees
from npae.gradcheck.engine.subject import Subject
from npae.gradcheck.report.findings import Invariant, gradient_name
from npae.utils.types import Array

LARGER = 9  # one more than a vector register of float32 holds


def more_samples(x: Array, generator: np.random.Generator) -> Array:
    """``LARGER`` samples, all different: those of x, repeated and scaled by random factors of 0.5 to 0.95."""
    rows: Array = x[np.arange(LARGER) % len(x)]
    return rows * generator.uniform(0.5, 0.95, rows.shape)


def larger_batch(make: Callable[[], Subject], generator: np.random.Generator) -> Invariant:
    """Whether the gradients of ``make()``, a subject with ``LARGER`` samples, agree along one direction a block."""
    name = "larger batches"
    try:
        subject = make()
        u = subject.upstream(generator)
        wrong = [gradient_name(block) for block in subject.blocks if not agrees(subject, u, block, generator)]
    except Exception as error:  # an exception of the checked code is a finding, not a crash
        return Invariant(name, False, f"with {LARGER} samples it raised {type(error).__name__}: {error}")
    return Invariant(name, not wrong, f"with {LARGER} samples {', '.join(wrong)} is wrong" if wrong else "")
