"""Repeat a check with batches of other sizes, for mistakes that show at some sizes only.

A squeeze drops the axis of a single sample, an unrolled loop forgets what is left over, and a buffer keeps the size of
the first batch.
"""

from collections.abc import Mapping
from time import monotonic
from typing import Any, Protocol

import numpy as np

from npae.gradcheck.engine.invariants import same, slope_ratio_is
from npae.gradcheck.engine.subject import Subject
from npae.gradcheck.report.findings import Invariant, gradient_name
from npae.utils.scalars import whole_number
from npae.utils.types import Array

SIZES = (1, 2, 9, 17)  # one more than one and than two vector registers of float32 hold
NAME = "other batch sizes"
NEGLIGIBLE = 1e-9  # of the largest gradient at the given batch: rounding error where the true gradient is 0


class ResizableSubject(Protocol):
    """A subject that can be made again with arrays of other shapes."""

    arrays: dict[str, Array]
    blocks: dict[str, Array]

    def with_arrays(self, arrays: Mapping[str, Array]) -> Subject:
        """The same code at other arrays."""


def batch_axes(given: Any, arrays: Mapping[str, Array]) -> dict[str, int]:
    """The batch axis of each array that has one.

    Parameters
    ----------
    given : int, or dict of str to int
        A number stands for this axis of the first array that has it, and of all others of the same length there.
    arrays : dict of str to ndarray

    Raises
    ------
    ValueError
        Where an array is not known, lacks the axis, or batches differ in length.
    """
    if isinstance(given, Mapping):
        axes = {str(name): whole_number(axis, "a value in batch_axis", least=-32) for name, axis in given.items()}
        unknown = [name for name in axes if name not in arrays]
        if unknown or not axes:
            what = repr(unknown[0]) if unknown else "no array"
            raise ValueError(f"batch_axis names {what}; expected some of {', '.join(arrays)}")
    else:
        axis = whole_number(given, "batch_axis", least=-32)
        lengths = {name: a.shape[axis] for name, a in arrays.items() if -a.ndim <= axis < a.ndim}
        if not lengths:
            raise ValueError(f"batch_axis is {axis}, but no input has as many axes")
        first = next(iter(lengths.values()))
        axes = {name: axis for name, n in lengths.items() if n == first}
    for name, axis in axes.items():
        if not -arrays[name].ndim <= axis < arrays[name].ndim:
            raise ValueError(f"batch_axis of {name} is {axis}, but {name} has shape {arrays[name].shape}")
    if len({arrays[name].shape[axis] for name, axis in axes.items()}) > 1:
        lengths = {name: arrays[name].shape[axis] for name, axis in axes.items()}
        raise ValueError(f"batch_axis names axes of lengths {lengths}; expected as many samples in each array")
    return axes


def resampled(
    arrays: Mapping[str, Array], axes: Mapping[str, int], n: int, scaled: Mapping[str, Array], rng: np.random.Generator
) -> dict[str, Array]:
    """The arrays with n samples, repeated; those in ``scaled`` times factors of 0.5 to 0.95, so that all differ."""
    changed = dict(arrays)
    for name, axis in axes.items():
        rows = np.arange(n) % arrays[name].shape[axis]
        changed[name] = np.take(arrays[name], rows, axis=axis)
        if name in scaled:
            changed[name] = changed[name] * rng.uniform(0.5, 0.95, changed[name].shape)
    return changed


def other_sizes(
    subject: Any, axes: Mapping[str, int], u: Array, right: list[str], rng: np.random.Generator, deadline: float
) -> Invariant:
    """Whether the blocks that are ``right`` are so with batches of ``SIZES`` too, along one direction each."""
    if monotonic() > deadline:
        return Invariant(NAME, True, "not looked at: time was up")
    before = subject.gradients(u)
    name, axis = next(iter(axes.items()))
    given = subject.arrays[name].shape[axis]
    wrong, unknown, accepted = [], [], []
    for n in SIZES:
        if n == given:
            continue
        samples = f"with {n} sample{'s' if n > 1 else ''}"
        try:
            other = subject.with_arrays(resampled(subject.arrays, axes, n, subject.blocks, rng))
            other.eps = subject.eps
            v = other.upstream(rng)
        except Exception as error:  # f refuses the size, which says nothing about the gradient
            unknown.append(f"{samples} f raised {type(error).__name__}: {error}")
            continue
        accepted.append(n)
        try:
            off = [gradient_name(block) for block in right if _is_wrong(other, v, block, before[block], rng)]
        except Exception as error:  # an exception of the checked code is a finding, not a crash
            wrong.append(f"{samples} backward raised {type(error).__name__}: {error}")
        else:
            wrong += [f"{samples} {', '.join(off)} {'is' if len(off) == 1 else 'are'} wrong"] if off else []
    subject.output()
    if not same(before, subject.gradients(u), max(1e-12, subject.repeats_to)):
        wrong.append("after batches of other sizes the first gradient does not come back")
    if accepted == [1]:  # NumPy broadcasts an axis of length 1, so this does not show that the axis is one of samples
        return Invariant(NAME, True, f"not looked at: {'; '.join(unknown)}")
    if wrong:
        return Invariant(NAME, False, "; ".join(wrong))
    return Invariant(NAME, True, f"not looked at: {'; '.join(unknown)}" if unknown else "")


def _is_wrong(subject: Subject, u: Array, block: str, before: Array, rng: np.random.Generator) -> bool:
    values, claimed = subject.blocks[block], subject.gradients(u)[block]
    if claimed.shape != values.shape:
        return True
    floor = NEGLIGIBLE * float(np.abs(before).max(initial=0.0)) * float(np.sqrt(values.size))
    return slope_ratio_is(1.0, subject, u, block, rng, floor) is False
