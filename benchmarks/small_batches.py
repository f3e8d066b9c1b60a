"""How long do ``partial_fit`` and ``transform`` of a few rows take, beside PyTorch and scikit-learn?

::

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/small_batches.py
    python benchmarks/small_batches.py --models deep --rows 32 --inverted

As in a stream or a service: one thread, and every call has other rows, as a NumPy array of float32. All sides are
called in turn, some calls at a time, of which the first few do not count: they bring the side's parameters back into
the cache. Prints the minimum and the median in µs, and the ratio of npae's to that of each other side. scikit-learn's
``MLPRegressor`` minimizes the squared error, which is less work, and has no encoder of its own; what is not installed
is left out, and said. ``--inverted`` takes 1 - 0.9 x of the digits x, which has no zeros that could be skipped.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from npae.cli.bench.libraries import UnsupportedModelError, is_installed, new_contender
from npae.cli.bench.machine import machine
from npae.cli.bench.models import images_for
from npae.utils.types import Array

SIDES = ("npae", "torch", "sklearn")
CALLS, NOT_COUNTED = 40, 8  # of a side in a row
Call = Callable[[Array], Any]


def calls_of(side: str, model: str, images: Array) -> dict[str, Call]:
    """``partial_fit`` and ``transform`` of one side, as functions of some rows."""
    contender: Any = new_contender(side, 1)
    contender.prepare(model, images[:256])
    contender.run_epoch()
    if side == "npae":
        return {"partial_fit": contender.model.partial_fit, "transform": contender.model.transform}
    if side == "sklearn":
        contender.model.set_params(batch_size="auto")  # min(200, rows): it warns of a larger one than there are rows
        return {"partial_fit": lambda x: contender.model.partial_fit(x, x)}
    return {"partial_fit": _step_of_torch(contender), "transform": contender.encode}


def _step_of_torch(contender: Any) -> Call:
    from npae.cli.bench.peers import torch_twins

    def step(x: Array) -> None:
        contender.optimizer.zero_grad()
        contender.loss(torch_twins.as_tensor(x)).backward()
        contender.optimizer.step()

    return step


def measure(calls: dict[str, Call], images: Array, n: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of the calls that count of each side, in turn."""
    parts = _parts(images, n)
    seconds: dict[str, list[float]] = {side: [] for side in calls}
    for turn in range(rounds):
        for side in list(calls)[turn % len(calls) :] + list(calls)[: turn % len(calls)]:
            call = calls[side]
            for i in range(NOT_COUNTED + CALLS):
                rows = next(parts)
                start = time.perf_counter()
                call(rows)
                if i >= NOT_COUNTED:
                    seconds[side].append(time.perf_counter() - start)
    return seconds


def _parts(images: Array, n: int) -> Iterator[Array]:
    while True:
        for start in range(0, len(images) - n + 1, n):
            yield np.ascontiguousarray(images[start : start + n])


def line(seconds: dict[str, list[float]]) -> str:
    """Minimum and median of each side in µs, and npae's share of the others'."""
    low, middle = ({side: 1e6 * f(found) for side, found in seconds.items()} for f in (min, median))
    cells = [f"{side} {low[side]:7.1f} ({middle[side]:7.1f})" for side in seconds]
    cells += [
        f"npae/{side} {low['npae'] / low[side]:.2f} ({middle['npae'] / middle[side]:.2f})"
        for side in seconds
        if side != "npae"
    ]
    return "  ".join(cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["vanilla", "deep", "variational"])
    parser.add_argument("--rows", nargs="+", type=int, default=[1, 8, 32, 64])
    parser.add_argument("--rounds", type=int, default=12, help="turns of each side (default: 12)")
    parser.add_argument("--inverted", action="store_true", help="images without zeros")
    parser.add_argument("--json", type=Path, help="write all seconds there")
    args = parser.parse_args()
    sides = [side for side in SIDES if is_installed(side)]
    for side in sorted(set(SIDES) - set(sides)):
        print(f"{side} is not installed and is left out", file=sys.stderr)
    result: dict[str, Any] = {"machine": machine(1), "inverted": args.inverted, "seconds": {}}
    print(f"{result['machine']['cpu']}; µs: minimum (median)")
    for model in args.models:
        images = images_for(model, 5000, inverted=args.inverted)
        known = {side: calls for side in sides if (calls := _or_none(side, model, images))}
        for what in ("partial_fit", "transform"):
            for n in args.rows:
                calls = {side: of_side[what] for side, of_side in known.items() if what in of_side}
                seconds = measure(calls, images, n, args.rounds)
                result["seconds"][f"{model} {what} {n}"] = seconds
                print(f"{model:12} {what:11} {n:3}  {line(seconds)}", flush=True)
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _or_none(side: str, model: str, images: Array) -> dict[str, Call] | None:
    try:
        return calls_of(side, model, images)
    except UnsupportedModelError as error:
        print(error, file=sys.stderr)
        return None


if __name__ == "__main__":
    main()
