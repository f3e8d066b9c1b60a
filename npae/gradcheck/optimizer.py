"""Check an optimizer: three of its steps against a plain float64 implementation of the algorithm.

A wrong optimizer can train almost as well as a right one. So the values of θ after each step are compared, for
gradients that span nine orders of magnitude, since ε matters only where gradients are small.
"""

from time import monotonic
from typing import Any

import numpy as np

from npae.gradcheck.bugs import KINDS, BugCase, bugs_of, make_case
from npae.gradcheck.bugs.identify import SAME, as_name
from npae.gradcheck.bugs.optimizer import epsilon_hat_path, path
from npae.gradcheck.engine.invariants import distance
from npae.gradcheck.foreign_optimizer import ForeignOptimizer
from npae.gradcheck.report.findings import BlockReport
from npae.gradcheck.report.report import Report
from npae.gradcheck.report.verdict import Verdict
from npae.kernels import default_kernels
from npae.layers.arena import Arena
from npae.training.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop
from npae.utils.types import Array

TOLERANCE = 1e-9  # relative to the largest move of θ; both sides compute in float64
STEPS = 3


def check_optimizer(optimizer: Any, *, seed: int = 0, **settings: float) -> Report:
    """Compare three steps of an optimizer with its algorithm.

    Adam is that of Kingma & Ba (2015), algorithm 1; AdamW adds the decay of Loshchilov & Hutter (2019).

    Parameters
    ----------
    optimizer : Optimizer, callable or object
        ``SGD``, ``RMSprop``, ``Adam``, ``AdamW`` or an instance of a subclass; or code of your own, which is compared
        with Adam: a function ``update(theta, gradient)``, or an object that is callable or has a method ``step``,
        ``update`` or ``update_params``. θ has shape (8,) and float64; the new θ is returned, or written into the
        array given. Where arrays are refused, both are given as dicts with the one entry "theta". Its state is that
        of a copy.
    seed : int, default 0
        Seed of the start and of the gradients.
    **settings : float
        For code of your own, the settings that it uses: ``rate`` (default 0.01), ``beta1`` (0.9), ``beta2`` (0.999),
        ``epsilon`` (1e-8). Those not given are read from an object's attributes of usual names; a note says which.

    Returns
    -------
    Report
        With one block, "theta": the values of θ after each step, of shape (3, 8). An Adam with ε̂ added to √v, as in
        section 2 of its paper, passes with a note.

    Raises
    ------
    ValueError
        Where the optimizer cannot be called, or is an ``Optimizer`` of another algorithm.

    Examples
    --------
    >>> from npae.gradcheck import check_optimizer
    >>> from npae.optimizers import Adam
    >>> print(check_optimizer(Adam(learning_rate=0.01)).verdict)
    PASS
    """
    start = monotonic()
    foreign = None if isinstance(optimizer, Optimizer) else ForeignOptimizer(optimizer)
    said: list[str] = []
    given = _settings(optimizer) if foreign is None else foreign.settings(settings, said)
    calls = []
    for part in range(2):  # a mistake is named only if it explains two different paths
        values = KINDS["adam"].draw(np.random.default_rng([seed, part]))
        c = make_case(KINDS["adam"], {**values, **given}, None)
        taken = _path_of_code(optimizer, c) if foreign is None else foreign.path(c)
        calls.append((c, _path_of_algorithm(optimizer, c), taken))
    adam = foreign is not None or isinstance(optimizer, Adam)
    if adam and _wrong(calls) and not isinstance(optimizer, AdamW):
        variant = [(c, epsilon_hat_path(c), taken) for c, _, taken in calls]
        if not _wrong(variant):
            calls = variant
            said.append(
                "this is the ε̂ form of Adam (Kingma & Ba, section 2): ε is added to √v before the correction, so "
                "it weighs more in the first steps"
            )
    c, expected, taken = calls[0]
    report = Report(_title(optimizer), [_compare(c, expected, taken)], notes=said)
    if report.verdict is Verdict.WRONG and adam:
        report.names = [
            as_name(b, ("theta",))
            for b in bugs_of("adam")
            if all(_alike(b.gradients(case)["theta"], path, case) for case, _, path in calls)
        ]
    report.seconds = monotonic() - start
    return report


def _wrong(calls: list[tuple[BugCase, Array, Array]]) -> bool:
    """Whether any path that was taken differs from the expected one."""
    return any(_compare(*call).verdict is Verdict.WRONG for call in calls)


def _compare(c: BugCase, expected: Array, taken: Array) -> BlockReport:
    moved = np.abs(expected - c.start).max()
    errors = np.abs(taken - expected) / moved
    worst = np.unravel_index(int(np.argmax(np.where(np.isnan(errors), np.inf, errors))), errors.shape)
    error = float(errors[worst])
    right = error <= TOLERANCE
    return BlockReport(
        "theta",
        expected.shape,
        Verdict.PASS if right else Verdict.WRONG,
        "" if right else f"θ after step {int(worst[0]) + 1} differs from that of the algorithm",
        error=error if np.isfinite(error) else np.inf,
        index=tuple(int(i) for i in worst),
        claimed=float(taken[worst]),
        numeric=float(expected[worst]),
        error_estimate=1e-15,
        checked=expected.size,
        size=expected.size,
        errors=np.where(np.isnan(errors), np.inf, errors),
    )


def _alike(known: Array, seen: Array, c: BugCase) -> bool:
    return distance(known - c.start, seen - c.start) <= SAME


def _path_of_code(optimizer: Optimizer, c: BugCase) -> Array:
    """θ after each step of one of npae's optimizers."""
    theta = c.start.copy()
    result: Array = np.empty_like(c.x)
    arena = Arena("float64", default_kernels())
    arena.theta, arena.dtheta, arena.decayed = theta, np.empty_like(theta), slice(0, theta.size)
    optimizer.bind(arena)
    for t, gradient in enumerate(c.x):
        arena.dtheta[...] = gradient
        with np.errstate(invalid="ignore"):
            optimizer.step()
        result[t] = theta
    return result


def _settings(optimizer: Optimizer) -> dict[str, float]:
    known = ("beta1", "beta2", "epsilon", "momentum", "decay", "weight_decay")
    return {"rate": optimizer.learning_rate, **{n: getattr(optimizer, n) for n in known if hasattr(optimizer, n)}}


def _path_of_algorithm(optimizer: Any, c: BugCase) -> Array:
    """θ after each step of the algorithm."""
    if isinstance(optimizer, AdamW):
        return _adamw(c)
    if isinstance(optimizer, Adam) or not isinstance(optimizer, Optimizer):
        return path(c)
    if isinstance(optimizer, SGD):
        return _sgd(c)
    if isinstance(optimizer, RMSprop):
        return _rmsprop(c)
    raise ValueError(
        f"{type(optimizer).__name__} is none of SGD, RMSprop, Adam and AdamW, whose algorithms are known; "
        f"derive it from one of them, or give update(theta, gradient) to compare it with Adam"
    )


def _sgd(c: BugCase) -> Array:
    velocities = [sum(c.momentum ** (t - s) * c.x[s] for s in range(t + 1)) for t in range(STEPS)]
    result: Array = c.start - c.rate * np.cumsum(velocities, axis=0)
    return result


def _rmsprop(c: BugCase) -> Array:
    squares = [sum((1 - c.decay) * c.decay ** (t - s) * c.x[s] ** 2 for s in range(t + 1)) for t in range(STEPS)]
    result: Array = c.start - c.rate * np.cumsum(c.x / (np.sqrt(squares) + c.epsilon), axis=0)
    return result


def _adamw(c: BugCase) -> Array:
    # Adam's steps do not depend on θ, so the decay can be applied to θ separately.
    steps = np.diff(path(c), axis=0, prepend=c.start[None])
    theta = c.start
    result: Array = np.empty_like(c.x)
    for t, step in enumerate(steps):
        theta = theta * (1 - c.rate * c.weight_decay) + step
        result[t] = theta
    return result


def _title(optimizer: Any) -> str:
    return str(getattr(optimizer, "__name__", type(optimizer).__name__))
