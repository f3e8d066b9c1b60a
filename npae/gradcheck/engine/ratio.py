"""Constant ratios: a wrong gradient that is the right one times a number, and the likely causes of that number."""

from collections.abc import Mapping

import numpy as np

from npae.utils.types import Array

USUAL = {
    2.0: "a factor 2 too many, or something is added twice",
    0.5: "a factor 2 is missing, such as that of a square",
    -1.0: "the sign is reversed",
    0.0: "the gradient is 0",
}
SAME = 1e-4  # relative distance up to which a ratio is that of a cause


def constant_ratio(claimed: Array, true: Array, slack: float | Array) -> float | None:
    """r with claimed = r · true for *every* entry, within ``slack``; None where there is none, or r is 1.

    Parameters
    ----------
    claimed, true : ndarray of shape (size,)
    slack : float or ndarray of shape (size,)
        How far an entry of ``true`` may be off; that of ``claimed`` may be off by r times as much.
    """
    if len(true) < 2 or not (np.isfinite(claimed).all() and np.isfinite(true).all()):
        return None
    square = float(true @ true)
    if np.count_nonzero(np.abs(true) > slack) < 2 or square == 0:  # one entry has a ratio to any other
        return None
    ratio = float(claimed @ true) / square
    holds = np.abs(claimed - ratio * true) <= slack * (1 + abs(ratio))
    return ratio if holds.all() and abs(ratio - 1) > SAME else None


def factors(ratio: float, sizes: Mapping[str, float]) -> set[str]:
    """The sizes that a ratio is equal to, by name, and those whose inverse it is, as "1/name"."""
    usable = {name: value for name, value in sizes.items() if value not in (0, 1)}
    times = {name for name, value in usable.items() if abs(ratio / value - 1) < SAME}
    return times | {f"1/{name}" for name, value in usable.items() if abs(ratio * value - 1) < SAME}


def suggestion(ratio: float, sizes: Mapping[str, float], usual: bool = True) -> str:
    """The likely causes of a constant ratio, all of them, or "".

    Parameters
    ----------
    ratio : float
    sizes : dict of str to float
        Numbers of the subject by name.
    usual : bool, default True
        Whether a cause may be one of no size, such as a missing factor 2; False where the ratio varies with a size.
    """
    causes = [text for value, text in USUAL.items() if usual and abs(ratio - value) < SAME * max(abs(value), 1.0)]
    found = factors(ratio, sizes)
    times = [name for name in sizes if name in found]
    over = [name for name in sizes if f"1/{name}" in found]
    if times:
        value = sizes[times[0]]
        causes.append(f"it is {value:g} ({_equal(times, value)}): multiplied once too often, or not averaged")
    if over:
        value = sizes[over[0]]
        causes.append(f"it is 1/{value:g} ({_equal(over, value)}): divided once too often")
    return "; or ".join(causes)


def _equal(names: list[str], value: float) -> str:
    return ", ".join(f"{name} = {value:g}" for name in names)


def sizes_of(arrays: Mapping[str, Array]) -> dict[str, float]:
    """The length of every axis, and the number of elements, of each array by name: "x.shape[1]", "x.size"."""
    sizes: dict[str, float] = {}
    for name, array in arrays.items():
        sizes.update({f"{name}.shape[{i}]": float(n) for i, n in enumerate(array.shape)})
        if array.ndim > 1:
            sizes[f"{name}.size"] = float(array.size)
    return sizes
