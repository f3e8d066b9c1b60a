"""How long does the first start take, where nothing is compiled yet, beside torch.compile, and how long the second?

::

    python benchmarks/first_fit.py --rounds 2
    python benchmarks/first_fit.py --models vanilla --rounds 1 --demo
    python benchmarks/first_fit.py --models --demo

From the start of a process to the end of its first training step, in turn: npae with an empty folder for machine code,
npae again with what that run left there, torch.compile with an empty folder, and PyTorch without compiling. ``--demo``
runs ``npae demo`` with an empty folder, then again with what that run left there. Prints the seconds of each round, and
ratios of the minima. What is not installed is left out, and said. Two threads.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from npae.cli.bench.cold_start import kept_in, seconds_to_first_step
from npae.cli.bench.libraries import is_installed
from npae.cli.bench.machine import machine
from npae.cli.bench.models import MODELS
from npae.cli.bench.process import pinned

THREADS = 2
COMPILED, EAGER = "torch-compile", "torch"
#: What is measured of the start, and the promised share of another figure that it may take.
RATIOS = {
    ("npae cold", f"{COMPILED} cold"): {"vanilla": 0.35, "convolutional": 0.5},
    ("npae cold", f"{EAGER} cold"): {},
    ("npae cold", "npae warm"): {},
}
DEMO_COLD_OVER_WARM = 1.2


def starts(model: str) -> dict[str, float]:
    """Seconds to the first step of each side, each with a new folder for what it compiles."""
    found: dict[str, float] = {}
    for side in ("npae", COMPILED, EAGER):
        if not is_installed(side):
            print(f"{side} is not installed and is left out", file=sys.stderr)
            continue
        with tempfile.TemporaryDirectory() as folder:
            found[f"{side} cold"] = seconds_to_first_step(side, model, THREADS, kept_in(folder))
            if side == "npae":
                found["npae warm"] = seconds_to_first_step(side, model, THREADS, kept_in(folder))
    return found


def demonstrations() -> dict[str, float]:
    """Seconds of ``npae demo`` with nothing compiled, and with what the first one has left."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, **pinned(THREADS), **kept_in(folder)}
        command = [sys.executable, "-m", "npae", "demo", "--out", str(Path(folder) / "report.html")]
        for title in ("demo cold", "demo warm"):
            start = time.perf_counter()
            subprocess.run(command, env=environment, check=True, capture_output=True)
            found[title] = time.perf_counter() - start
    return found


def show(title: str, rounds: list[dict[str, float]], ratios: Mapping[tuple[str, str], float | None]) -> None:
    """The seconds of all rounds, and ratios of the minima with the most that is promised."""
    print(title)
    for what in rounds[0]:
        print(f"  {what:20}" + "".join(f"{each[what]:9.2f}" for each in rounds) + "  s")
    for (a, b), most in ratios.items():
        if a in rounds[0] and b in rounds[0]:
            ratio = min(each[a] for each in rounds) / min(each[b] for each in rounds)
            print(f"  {a} / {b}: {ratio:.2f}" + ("" if most is None else f" (at most {most:g} is the aim)"))
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="*", choices=list(MODELS), default=["vanilla", "convolutional"])
    parser.add_argument("--rounds", type=int, default=2, help="of each model (default: 2)")
    parser.add_argument("--demo", action="store_true", help="the demonstration as well")
    parser.add_argument("--json", type=Path, help="write all seconds there")
    args = parser.parse_args()
    result: dict[str, Any] = {"machine": machine(THREADS), "seconds": {}}
    for model in args.models:
        rounds = result["seconds"][model] = [starts(model) for _ in range(args.rounds)]
        show(model, rounds, {pair: most.get(model) for pair, most in RATIOS.items()})
    if args.demo:
        rounds = result["seconds"]["demo"] = [demonstrations() for _ in range(args.rounds)]
        show("demonstration", rounds, {("demo cold", "demo warm"): DEMO_COLD_OVER_WARM})
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
