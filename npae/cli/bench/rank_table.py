"""The tables of ``npae bench --ranks mpi``: what was measured, the cost model beside it, and what it predicts."""

from collections.abc import Mapping
from typing import Any

from npae.cli.bench.rank_cost import RANKS, STRONG_BATCH, WEAK_ROWS, step_seconds, strong_gains, weak_gains


def table(result: Mapping[str, Any]) -> str:
    """The result of ``measure`` as text, with "assumed", the network of the predictions."""
    n, network = result["ranks"], result["assumed"]
    lines = [
        f"{result['machine']['cpu']}, {n} ranks: an exchange takes {1e6 * result['latency']:.0f} µs times log2 of the "
        f"ranks, a sum {result['bandwidth'] / 1e9:.2f} GB/s",
        "",
        f"least ms a step{'batch':>11}{'pass':>9}{'Adam':>9}{'1 rank':>9}{'(model)':>9}{f'{n} ranks':>10}{'(model)':>9}"
        f"{f'{n} threads':>11}",
    ]
    for name, model in result["models"].items():
        alone, threads, together = (1e3 * min(seconds) for seconds in model["steps"].values())
        batch, adam = model["batch"], 1e3 * model["adam"]
        of_one, of_all = (
            1e3 * step_seconds(model, batch / r, r, result["latency"], result["bandwidth"]) for r in (1, n)
        )
        times = f"{of_one - adam:>9.2f}{adam:>9.3f}{alone:>9.2f}{of_one:>9.2f}{together:>10.2f}{of_all:>9.2f}"
        lines.append(f"{name:<14}{batch:>12}{times}{threads:>11.2f}")
    lines += [
        "",
        f"predicted gains, assuming {1e6 * network['latency']:g} µs and {network['bandwidth'] / 1e9:g} GB/s between "
        f"ranks of a processor each",
    ]
    for title, gains in ((f"a batch of {STRONG_BATCH:,}", strong_gains), (f"{WEAK_ROWS} rows a rank", weak_gains)):
        lines += ["", f"{title:<20}" + "".join(f"{n:>7}" for n in RANKS) + "  ranks"]
        for name, model in result["models"].items():
            found = gains(model, network["latency"], network["bandwidth"])
            worth = "" if found[-1] > 1 else "  not worth it: slower than one rank"
            lines.append(f"{name:<20}" + "".join(f"{gain:>7.1f}" for gain in found) + worth)
    return "\n".join(lines)
