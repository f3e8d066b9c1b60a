"""The comparison as text: times in milliseconds, and the ratio of the fastest peer's time to npae's."""

from collections.abc import Callable, Mapping, Sequence
from math import exp, log
from statistics import median
from typing import Any

from npae.cli.bench import arithmetic, yardstick
from npae.cli.bench.libraries import OURS
from npae.utils.wording import counted

Summary = Callable[[Sequence[float]], float]
SUMMARIES: dict[str, Summary] = {"min": min, "median": median}


def table(result: Mapping[str, Any]) -> str:
    """The result of ``compare`` as text tables."""
    parts = [_machine(result), _epochs(result), _ratios(result["epochs"]), _shares(result["epochs"])]
    if "transform" in result:
        parts += [
            _timings("transform, 60,000 images", result["transform"], 1e3, "ms"),
            _timings("latency, one image", result["latency"], 1e6, "µs"),
            _starts(result["start"]),
            _peaks(result["memory"]),
        ]
    return "\n\n".join(parts)


def fastest_peer(contenders: Mapping[str, Any], summary: Summary) -> tuple[str, float] | None:
    """The fastest peer and the ratio of its time to npae's, or None where either is missing."""
    times = {name: summary(timing["seconds"]) for name, timing in contenders.items() if timing.get("seconds")}
    ours = times.pop(OURS, None)
    if ours is None or not times:
        return None
    name = min(times, key=lambda name: times[name])
    return name, times[name] / ours


def geometric_mean(ratios: Sequence[float]) -> float:
    """(r₁ · r₂ ⋯ rₙ)^(1/n)."""
    return exp(sum(map(log, ratios)) / len(ratios))


def _machine(result: Mapping[str, Any]) -> str:
    machine = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    return f"{machine['cpu']}, {counted(machine['threads'], 'thread')}; Python {machine['python']}, {versions}"


def _epochs(result: Mapping[str, Any]) -> str:
    without_zeros = ", as 1 - 0.9 x, which has no zeros" if result.get("inverted") else ""
    lines = [
        f"training, {counted(result['images'], 'image')} an epoch{without_zeros}; ms",
        f"{'model':<14}{'batch':>6}  {'contender':<14}{'epoch min':>10}{'median':>10}{'step min':>10}{'median':>9}"
        f"{'rounds':>8}",
    ]
    for model, entry in result["epochs"].items():
        label = f"{model:<14}{entry['batch']:>6}  "
        for name, timing in entry["contenders"].items():
            if "error" in timing:
                lines.append(f"{label}{name:<14}{timing['error']}")
            else:
                low, middle = (1e3 * summary(timing["seconds"]) for summary in SUMMARIES.values())
                steps = entry["steps"]
                lines.append(
                    f"{label}{name:<14}{low:10.1f}{middle:10.1f}{low / steps:10.2f}{middle / steps:9.2f}"
                    f"{len(timing['seconds']):8}"
                )
            label = " " * len(label)
    return "\n".join(lines)


def _ratios(epochs: Mapping[str, Any]) -> str:
    lines = ["fastest peer / npae" + "".join(f"{kind:>8}{'':15}" for kind in SUMMARIES)]
    found: dict[str, list[float]] = {kind: [] for kind in SUMMARIES}
    for model, entry in epochs.items():
        line = f"{model:<19}"
        for kind, summary in SUMMARIES.items():
            peer = fastest_peer(entry["contenders"], summary)
            if peer:
                found[kind].append(peer[1])
            line += f"{peer[1]:8.2f} {peer[0]:<14}" if peer else f"{'–':>8}{'':15}"
        lines.append(line)
    means = [f"{geometric_mean(ratios):8.2f}{'':15}" if ratios else f"{'–':>8}{'':15}" for ratios in found.values()]
    lines.append(f"{'geometric mean':<19}" + "".join(means))
    return "\n".join(line.rstrip() for line in lines)


def product_shares(entry: Mapping[str, Any], summary: Summary) -> tuple[float, float] | None:
    """GFLOP/s of npae's products and of the yardstick's, or None where either was not measured."""
    ours, limit = entry["contenders"].get(OURS, {}).get("seconds"), entry.get("yardstick", {}).get("seconds")
    return (entry["gflop"] / summary(ours), yardstick.GFLOP / summary(limit)) if ours and limit else None


def _shares(epochs: Mapping[str, Any]) -> str:
    titles = "".join(f"{kind:>13}{'sgemm':>8}{'share':>8}" for kind in SUMMARIES)
    lines = ["share of the product limit; GFLOP of an epoch, GFLOP/s", f"({arithmetic.COUNTED})"]
    lines.append(f"{'':<14}{'GFLOP':>8}{titles}")
    for model, entry in epochs.items():
        line = f"{model:<14}{entry['gflop']:8.2f}"
        for summary in SUMMARIES.values():
            rates = product_shares(entry, summary)
            line += f"{rates[0]:13.1f}{rates[1]:8.1f}{rates[0] / rates[1]:8.1%}" if rates else f"{'–':>13}" + " " * 16
        lines.append(line.rstrip())
    return "\n".join(lines)


def _timings(title: str, timings: Mapping[str, Any], scale: float, unit: str) -> str:
    lines = [f"{title}; {unit}, median"]
    for model, contenders in timings.items():
        cells = [
            f"{name} {timing['error']}" if "error" in timing else f"{name} {scale * median(timing['seconds']):.1f}"
            for name, timing in contenders.items()
        ]
        peer = fastest_peer(contenders, median)
        lines.append(f"{model:<14}" + ", ".join(cells) + (f"; {peer[0]} / npae {peer[1]:.2f}" if peer else ""))
    return "\n".join(lines)


def _starts(starts: Mapping[str, Any]) -> str:
    lines = ["process start to first finished step; s"]
    for model, contenders in starts.items():
        cells = []
        for name, start in contenders.items():
            cold = f" (cold {start['cold']:.2f})" if "cold" in start else ""
            cells.append(f"{name} {start['error']}" if "error" in start else f"{name} {start['warm']:.2f}{cold}")
        lines.append(f"{model:<14}" + ", ".join(cells))
    return "\n".join(lines)


def _peaks(peaks: Mapping[str, Any]) -> str:
    lines = ["peak memory, training on 60,000 images; MiB"]
    lines += [f"{model:<14}{mebibytes(contenders)}" for model, contenders in peaks.items()]
    return "\n".join(lines)


def mebibytes(peaks: Mapping[str, Any]) -> str:
    """The peak memory of each contender, or its error."""
    return ", ".join(
        f"{name} {peak['error']}" if "error" in peak else f"{name} {peak['bytes'] / 2**20:.0f}"
        for name, peak in peaks.items()
    )
