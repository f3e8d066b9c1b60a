"""Constant ratios: a wrong gradient that is the right one times a number, and the likely cause of that number."""

from collections.abc import Mapping

import numpy as np

from npae.utils.types import Array

USUAL = {
    2.0: "a factor 2 too many, or something is added twice",
    0.5: "a factor 2 is missing, such as that of a square",
    -1.0: "the sign is reversed",
    0.0: "the gradient is 0",
}


def constant_ratio(claimed: Array, numeric: Array) -> float | None:
    """claimed / numeric, where it is the same for all entries that are not small; None where it varies or is 1."""
    known = np.isfinite(numeric)
    claimed, numeric = claimed[known], numeric[known]
    large = np.abs(numeric) > 1e-2 * np.abs(numeric).max(initial=0.0)
    if large.sum() < 2:
        return None
    ratios = claimed[large] / numeric[large]
    middle = float(np.median(ratios))
    spread = float(np.abs(ratios - middle).max())
    return middle if spread <= 1e-4 * max(abs(middle), 1e-2) and abs(middle - 1) > 1e-4 else None


def suggestion(ratio: float, known: Mapping[str, float]) -> str:
    """The likely cause of a constant ratio, or ""; ``known`` are numbers of the subject by name (N, β)."""
    for value, text in USUAL.items():
        if abs(ratio - value) < 1e-4 * max(abs(value), 1.0):
            return text
    for name, value in known.items():
        if value not in (0, 1):
            if abs(ratio / value - 1) < 1e-4:
                return f"it is {name}: multiplied once too often, or not averaged"
            if abs(ratio * value - 1) < 1e-4:
                return f"it is 1/{name}: divided once too often"
    return ""
