"""Repeat the check with nine samples, for mistakes that small batches hide, such as in loops unrolled by eight."""

from collections.abc import Iterator
from typing import Protocol

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


class BatchSubject(Protocol):
    """A subject that is computed on a batch of samples."""

    x: Array  # (N, *input_shape)

    def enlarged(self, generator: np.random.Generator) -> Subject:
        """The same code with the same parameters, on ``LARGER`` samples."""


def larger_batch(small: BatchSubject, generator: np.random.Generator) -> Iterator[Invariant]:
    """Whether gradients are right on ``LARGER`` samples, along one direction a block; nothing if x has as many."""
    if len(small.x) >= LARGER:
        return
    name = "larger batches"
    try:
        subject = small.enlarged(generator)
        u = subject.upstream(generator)
        wrong = [gradient_name(block) for block in subject.blocks if not agrees(subject, u, block, generator)]
    except Exception as error:  # whatever the checked code raises is a finding, not a crash
        yield Invariant(name, False, f"with {LARGER} samples it raised {type(error).__name__}: {error}")
    else:
        yield Invariant(name, not wrong, f"with {LARGER} samples {', '.join(wrong)} is wrong" if wrong else "")
