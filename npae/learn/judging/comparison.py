"""Compare one result with the true one: the worst entry, a constant ratio, and the sizes that may explain it."""

from collections.abc import Sequence

import numpy as np

from npae.gradcheck.engine.ratio import constant_ratio, factors, suggestion
from npae.learn.judging.cases import TOLERANCE, Case
from npae.learn.judging.identify import Observed
from npae.learn.judging.outcome import ReturnedValue
from npae.utils.types import Array


def compare(block: ReturnedValue, yours: Array, case: Case) -> None:
    """Compare a result with the true one, and store the worst entry of the first wrong case in the block."""
    true = case.truth[block.name].astype(np.float64)
    scale = float(np.abs(true).max(initial=0.0)) or 1.0
    with np.errstate(invalid="ignore"):
        errors = np.array(np.abs(yours - true) / scale)
    errors[np.isnan(yours) & np.isnan(true) | (yours == true)] = 0.0
    errors[np.isnan(errors)] = np.inf
    worst = float(errors.max(initial=0.0))
    if not worst > TOLERANCE:
        block.error = max(block.error, worst)
        return
    if block.right:  # the first wrong case
        block.right, block.error, block.errors = False, worst, errors
        block.index = tuple(int(i) for i in np.unravel_index(int(errors.argmax()), errors.shape))
        block.yours, block.true = float(yours[block.index]), float(true[block.index])
        block.given = _numbers_given(case)


def set_ratio(block: ReturnedValue, seen: Sequence[Observed]) -> None:
    """Store the ratio of a result to the true one, where it has one in every case: the same, or of the same cause."""
    ratios = []
    for s in seen:
        true, yours = s.case.truth[block.name], s.values[block.name]
        if true.dtype.kind != "f" or yours.dtype.kind not in "fiu":  # True and False have no ratio
            return
        slack = TOLERANCE * float(np.abs(true).max(initial=0.0))
        ratio = constant_ratio(yours.reshape(-1).astype(np.float64), true.reshape(-1), slack)
        if ratio is None and true.size == 1:
            ratio = _ratio_of_numbers(float(yours.item()), float(true.item()))
        if ratio is None:
            return
        ratios.append(ratio)
    is_same = bool(np.ptp(ratios) <= 1e-6 * abs(ratios[0]))
    sizes = [numbers(s.case) for s in seen]
    # A size that is the same in all cases cannot be told from the number that it happens to be.
    vary = [{n: v for n, v in one.items() if any(other.get(n) != v for other in sizes)} for one in sizes]
    causes = set.intersection(*(factors(r, one) for r, one in zip(ratios, vary, strict=True)))
    if causes or is_same:
        named = {n: v for n, v in vary[0].items() if causes & {n, f"1/{n}"}}
        block.ratio, block.suggestion = ratios[0], suggestion(ratios[0], named, usual=is_same)


def _ratio_of_numbers(yours: float, true: float) -> float | None:
    """The ratio of two single numbers; it says something only where it is the same in other cases."""
    if not (np.isfinite(yours) and true):
        return None
    ratio = yours / true
    return ratio if abs(ratio - 1) > TOLERANCE else None


def _numbers_given(case: Case) -> str:
    """The arguments as text, where all are numbers, so that the learner can compute the result by hand; else ""."""
    arguments = case.arguments()
    if not all(isinstance(a, float | int) for a in arguments):
        return ""
    return ", ".join(f"{name} = {a:.4g}" for name, a in zip(case.function.takes, arguments, strict=True))


def sizes_of_case(case: Case) -> str:
    """N and the shapes of the arrays that the function was given, such as "; here N = 5, with g (5, 3), x (5, 4)"."""
    taken = zip(case.function.takes, case.arguments(), strict=True)
    shapes = [f"{name} {value.shape}" for name, value in taken if isinstance(value, np.ndarray)]
    return f"; here N = {len(case)}, with {', '.join(shapes)}" if shapes else ""


def numbers(case: Case) -> dict[str, float]:
    """Numbers that may appear as a wrong factor: batch size, number of elements, and numeric options."""
    y = case.y if isinstance(case.y, np.ndarray) else next(v for v in case.truth.values())
    known = {"N": float(len(case)), "the number of elements": float(np.size(y))}
    taken = {name: case.inputs.get(name) for name in case.function.takes}
    known.update({n: float(v) for n, v in taken.items() if isinstance(v, float | int) and v})
    return known
