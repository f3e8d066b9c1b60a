"""Check directional derivatives J v: differences of all outputs along random directions v, one input at a time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

import numpy as np

from npae.gradcheck.engine import ratio
from npae.gradcheck.engine.block import CERTAIN
from npae.gradcheck.engine.invariants import distance, scatter
from npae.gradcheck.engine.numeric import EPS, Estimate, Line, LineFunction, estimate, step_for
from npae.gradcheck.engine.precision import FLOAT16_EPS
from npae.gradcheck.engine.subject import NoGradientError, Subject
from npae.gradcheck.report.findings import DirectionalReport, Invariant
from npae.gradcheck.report.verdict import KINKED, Verdict
from npae.utils.types import Array

DIRECTIONS = {"full": 4, "fast": 1}  # by the mode
DISPUTED = 64  # most outputs of one direction that are remeasured with an error estimate

Tangents = dict[str, Array]


class TangentSubject(Subject):
    """Code that computes directional derivatives.

    Attributes
    ----------
    derivative : str
        The name of the code under test, for messages.
    """

    derivative: str

    def outputs_by_name(self) -> Tangents:
        """The outputs at the current values of the blocks, in float64, by the name of their derivative ("dy")."""
        raise NotImplementedError

    def tangents(self, v: Mapping[str, Array]) -> Tangents:
        """The derivative of each output along v, as the code under test returns it; v has an array for each block."""
        raise NotImplementedError


def random_direction(blocks: Mapping[str, Array], generator: np.random.Generator, only: str | None = None) -> Tangents:
    """Standard normal numbers for every block; or for one, and zeros for the others."""
    return {
        name: np.asarray(generator.standard_normal(values.shape)) if only in (None, name) else np.zeros(values.shape)
        for name, values in blocks.items()
    }


class Moved:
    """All outputs as functions of t on the line x + t·d; each point is computed once.

    Attributes
    ----------
    error : str
        What the code under test raised on the line, if it did; its outputs are NaN there.
    """

    def __init__(self, subject: TangentSubject, values: Array, d: Array) -> None:
        self.subject, self.start, self.error = subject, _flat(subject.outputs_by_name()), ""
        self._line = LineFunction(self._rises, values, d, subject.dtype)

    def _rises(self) -> Any:
        try:
            y = _flat(self.subject.outputs_by_name())
            if y.shape != self.start.shape:
                raise ValueError(f"{y.size} outputs, where there were {self.start.size}")
        except Exception as error:  # f has no value there, which is a finding about the point
            self.error = f"{type(error).__name__}: {error}".rstrip(": ")
            return np.full(self.start.shape, np.nan)
        return y - self.start

    def __call__(self, t: float) -> tuple[float, Array]:
        taken, rises = self._line(t)
        return taken, np.asarray(rises)

    def output(self, i: int) -> Line:
        """Output i alone."""

        def line(t: float) -> tuple[float, float]:
            taken, rises = self(t)
            return taken, float(rises[i])

        return line


@dataclass
class Measured:
    """The derivatives of all outputs along one direction, as one vector (m,).

    Attributes
    ----------
    claimed, numeric, bound : ndarray of shape (m,)
        What the code returned, the difference quotients, and error estimates (NaN where none was made).
    kink : ndarray of bool of shape (m,)
    error : str
        What the code raised on the line; else empty.
    """

    claimed: Array
    numeric: Array
    bound: Array
    kink: Array
    error: str


def measure(
    subject: TangentSubject, block: str, generator: np.random.Generator, tolerance: float, noise: Array
) -> Measured:
    """The claimed and the numeric derivative of all outputs along a random direction of one block."""
    values = subject.blocks[block]
    v = random_direction(subject.blocks, generator, block)
    d, claimed = v[block], _flat(subject.tangents(v))
    unit = float(np.sqrt(np.mean(values * values))) or 1.0
    moved, h = Moved(subject, values.reshape(-1), unit * d.reshape(-1)), step_for(subject.eps)
    (ahead, up), (behind, down) = moved(h), moved(-h)
    if ahead == 0 or behind == 0:  # x + h·d rounds to x
        numeric, jump = np.full(up.shape, np.nan), np.full(up.shape, np.nan)
    else:
        numeric, jump = (up - down) / (ahead - behind) / unit, np.abs(up / ahead - down / behind) / unit
    bound, kink = np.full(up.shape, np.nan), np.zeros(up.shape, dtype=bool)
    scale = _scale(numeric, claimed)
    difference = np.abs(claimed - numeric)
    disputed = ~(difference <= 0.5 * tolerance * scale) | ~(jump <= KINKED * scale)
    disputed[np.argmax(np.nan_to_num(difference))] = True  # the worst output always has an error estimate
    order = np.flatnonzero(disputed)[np.argsort(-np.nan_to_num(difference[disputed], nan=np.inf))]
    for i in order[:DISPUTED].tolist():
        e: Estimate = estimate(moved.output(i), h, float(noise[i]), 0.1 * tolerance * scale * unit)
        numeric[i], bound[i], kink[i] = e.value / unit, e.error / unit, e.kink
    return Measured(claimed, numeric, bound, kink, moved.error)


def _flat(parts: Mapping[str, Array]) -> Array:
    return np.concatenate([np.asarray(part, dtype=np.float64).reshape(-1) for part in parts.values()])


def _scale(numeric: Array, claimed: Array) -> float:
    """The largest numeric derivative, or, where all are 0 or unknown, the largest claimed one."""
    return float(np.abs(numeric[np.isfinite(numeric)]).max(initial=0.0)) or float(np.abs(claimed).max(initial=0.0))


def examine_tangents(
    subject: TangentSubject, generator: np.random.Generator, tolerance: float, mode: str, deadline: float
) -> list[DirectionalReport]:
    """A report for each pair of an output and an input; no direction is begun after the deadline."""
    outputs = subject.outputs_by_name()
    sizes = {name: y.size for name, y in outputs.items()}
    names = {(o, b): f"{o} along {b}" for b in subject.blocks for o in outputs}
    empty = {
        pair: DirectionalReport(name, outputs[pair[0]].shape, size=sizes[pair[0]], output=pair[0], along=pair[1])
        for pair, name in names.items()
    }
    unusable = _unusable(subject, outputs)
    if unusable is not None:
        for report in empty.values():
            report.verdict, report.reason, report.error = unusable
        return list(empty.values())
    places = dict(
        zip(outputs, np.split(np.arange(sum(sizes.values())), np.cumsum(list(sizes.values()))[:-1]), strict=True)
    )
    # Cancellation within an output array leaves the rounding error of its largest entry.
    noise = np.concatenate([np.full(y.size, subject.eps * np.abs(y).max(initial=0.0)) for y in outputs.values()])
    for block in subject.blocks:
        draws = [
            measure(subject, block, generator, tolerance, noise)
            for _ in range(DIRECTIONS[mode])
            if monotonic() < deadline
        ]
        unit = float(np.sqrt(np.mean(subject.blocks[block] ** 2))) or 1.0
        floor = 8 * float(noise.max(initial=0.0)) / (step_for(subject.eps) * unit)
        dead = not any((np.abs(np.nan_to_num(m.numeric)) > floor).any() for m in draws)
        for output, place in places.items():
            _conclude(empty[output, block], [_part(m, place) for m in draws], tolerance, dead)
    for block in subject.blocks if monotonic() < deadline else ():
        _find_ratios([empty[o, block] for o in outputs], places, subject, block, generator, tolerance, noise)
    return list(empty.values())


def _part(m: Measured, place: Array) -> Measured:
    return Measured(m.claimed[place], m.numeric[place], m.bound[place], m.kink[place], m.error)


def _unusable(subject: TangentSubject, outputs: Tangents) -> tuple[Verdict, str, float] | None:
    """A verdict, its reason and an error for code that cannot be measured, or returns nothing of use."""
    if not all(np.isfinite(values).all() for values in subject.blocks.values()):
        return Verdict.CANNOT_TELL, "an input is not finite", np.nan
    if not all(np.isfinite(y).all() for y in outputs.values()):
        return Verdict.CANNOT_TELL, "an output is not finite here", np.nan
    if subject.eps >= FLOAT16_EPS:
        reason = "the function computes in float16, which is too coarse for differences; use float32 or float64"
        return Verdict.CANNOT_TELL, reason, np.nan
    try:
        claimed = subject.tangents({name: np.ones(values.shape) for name, values in subject.blocks.items()})
    except NoGradientError as error:
        return Verdict.WRONG, str(error), np.inf
    except Exception as error:  # an exception of the checked code is a finding, not a crash
        return Verdict.WRONG, f"{subject.derivative} raised {type(error).__name__}: {error}", np.inf
    for name, part in claimed.items():
        if part.shape != outputs[name].shape:
            reason = f"{name} has shape {part.shape}, but what it is the derivative of has {outputs[name].shape}"
            return Verdict.WRONG, reason, np.inf
        if not np.isfinite(part).all():
            return Verdict.WRONG, f"{name} is not finite in {int((~np.isfinite(part)).sum())} of {part.size}", np.inf
    return None


def _conclude(report: DirectionalReport, draws: list[Measured], tolerance: float, dead: bool) -> None:
    """Set the verdict on one output along one input; ``dead``: no output changes along it."""
    if not draws:
        report.verdict, report.reason, report.error = Verdict.CANNOT_TELL, "time was up before it was measured", np.nan
        return
    report.checked, report.directions = report.size, len(draws)
    wrong = doubtful = unknown = False
    kinks = np.zeros(report.size, dtype=bool)
    for m in draws:
        scale = _scale(m.numeric, m.claimed)
        if not np.isfinite(m.numeric).all():
            unknown = True
            continue
        difference = np.where(m.kink, 0.0, np.abs(m.claimed - m.numeric))
        kinks |= m.kink
        if not report.size:
            continue
        worst = int(np.argmax(difference))
        error = float(difference[worst]) / (scale or 1.0)
        if not m.kink[worst] and (report.index is None or error > report.error):
            report.error = error
            report.index = tuple(int(k) for k in np.unravel_index(worst, report.shape))
            report.claimed, report.numeric = float(m.claimed[worst]), float(m.numeric[worst])
            report.error_estimate = float(m.bound[worst]) / (scale or 1.0)
        proven = np.isfinite(m.bound) & (difference > tolerance * scale + CERTAIN * m.bound)
        wrong |= bool(proven.any())
        doubtful |= bool((difference > tolerance * scale).any() or (m.bound[~m.kink] > tolerance * scale).any())
    report.kinks = int(kinks.sum())
    if wrong:
        report.verdict = Verdict.WRONG
        if not any(m.claimed.any() for m in draws):
            report.reason = "it is 0 everywhere, and the numeric one is not"
    elif unknown:
        raised = next((m.error for m in draws if m.error), "")
        what = f"f raised {raised}" if raised else "an output was not finite"
        report.verdict, report.reason = Verdict.CANNOT_TELL, f"{what} when {report.along} was moved"
    elif kinks.any():
        report.verdict, report.reason = Verdict.KINK, f"{report.kinks} outputs have two slopes along {report.along}"
    elif dead:
        reason = f"no output depends on {report.along} here, so nothing is proven"
        report.verdict, report.reason, report.index = Verdict.CANNOT_TELL, reason, None  # 0 of 0 is no evidence
    elif doubtful:
        reason = "the numeric derivative is less certain than the tolerance asks for"
        report.verdict, report.reason = Verdict.CANNOT_TELL, reason


def _find_ratios(
    reports: list[DirectionalReport],
    places: Mapping[str, Array],
    subject: TangentSubject,
    block: str,
    generator: np.random.Generator,
    tolerance: float,
    noise: Array,
) -> None:
    """Set the ratio of wrong derivatives that are the right ones times a number, at two sets of values."""
    wrong = [report for report in reports if report.verdict is Verdict.WRONG]
    if not wrong:
        return
    start = {name: values.copy() for name, values in subject.blocks.items()}
    found: dict[str, list[float | None]] = {report.name: [] for report in wrong}
    try:
        for _ in range(2):
            for _ in range(2):
                m = measure(subject, block, generator, tolerance, noise)
                for report in wrong:
                    part = _part(m, places[report.output])
                    slack = 1e-2 * tolerance * _scale(part.numeric, part.claimed) + np.nan_to_num(part.bound)
                    found[report.name].append(ratio.constant_ratio(part.claimed, part.numeric, slack))
            scatter(subject, generator)
    except Exception:  # at other values the code under test may refuse to run
        return
    finally:
        for name, values in start.items():
            subject.blocks[name][...] = values
    for report in wrong:
        ratios = found[report.name]
        first = ratios[0]
        if first and all(r is not None and abs(r / first - 1) <= ratio.SAME for r in ratios):
            report.ratio, report.suggestion = first, ratio.suggestion(first, subject.known)


# Properties that need no differences


def tangent_invariants(subject: TangentSubject, generator: np.random.Generator) -> Iterator[Invariant]:
    """The same call gives the same result; the derivative is linear in v; nothing is overwritten."""
    v, w = (random_direction(subject.blocks, generator) for _ in range(2))
    of_v, again, of_w = subject.tangents(v), subject.tangents(v), subject.tangents(w)
    apart = [name for name in of_v if distance(of_v[name], again[name]) > 1e-12]
    name = subject.derivative
    yield Invariant(f"{name} repeats", not apart, f"two calls give two values of {', '.join(apart)}" if apart else "")
    if not apart:
        both = subject.tangents({key: 2 * v[key] - 3 * w[key] for key in v})
        minus = subject.tangents({key: -v[key] for key in v})
        wrong = []
        for key in of_v:
            size = max(np.abs(part[key]).max(initial=0.0) for part in (of_v, of_w))
            off = (both[key] - 2 * of_v[key] + 3 * of_w[key], minus[key] + of_v[key])
            if max(np.abs(part).max(initial=0.0) for part in off) > 1e-10 * (subject.eps / EPS) * size:
                wrong.append(key)
        detail = f"{name} of 2v − 3w is not 2 times that of v − 3 times that of w, or that of −v not minus that of v"
        yield Invariant("linear in v", not wrong, f"{detail}, in {', '.join(wrong)}" if wrong else "")
    changed = subject.overwritten()
    yield Invariant("inputs unchanged", not changed, f"a call overwrites {', '.join(changed)}" if changed else "")
