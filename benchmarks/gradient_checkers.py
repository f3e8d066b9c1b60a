"""How many of the known wrong gradients does each gradient checker catch?

Every mistake is planted in a function of its own, and each checker gets the same one::

    python benchmarks/gradient_checkers.py

It needs PyTorch and JAX (``pip install ".[bench]"``); a checker that is not installed is left out. Forward and
backward are npae's plain NumPy functions. PyTorch sees them through ``torch.autograd.Function`` and JAX through
``custom_vjp`` and ``pure_callback``, so that each runs its own check with its own defaults. The methods of Chainer and
of CS231n's notes are stated here, with their numbers.

All get npae's inputs: sizes that differ, windows that overlap, β ≠ 1. On such inputs a check misses less than it does
in daily use, on square shapes and 2×2 pooling at stride 2. A mistake counts as caught if the check fails or the
backward raises, and a false alarm is a complaint about the right gradient of the same function. The five wrong Adams
have no gradient; no gradient checker can be run on them, and they count as missed.
"""

import argparse
import logging
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from npae.gradcheck import Verdict, check
from npae.gradcheck.bugs import BUGS
from npae.gradcheck.bugs.inject import Planted, inject
from npae.gradcheck.selftest.__main__ import report_on


def outputs(y: Any) -> list[Any]:
    """y's parts as arrays."""
    return [np.asarray(part, dtype=np.float64) for part in (y if isinstance(y, tuple) else (y,))]


def gradients(p: Planted, backward: Callable[..., Any], g: list[Any], inputs: list[Any]) -> list[Any]:
    """What backward says, with the shapes that the inputs have; a wrong shape raises."""
    several = isinstance(p.f(*inputs), tuple)
    upstream = tuple(g) if several else g[0]
    result = backward(upstream, *inputs)
    parts = list(result) if isinstance(result, tuple) else [result]
    for part, i in zip(parts, p.wrt, strict=True):
        if np.shape(part) != inputs[i].shape:
            raise ValueError("a gradient has another shape than its input")
    return [np.asarray(part, dtype=np.float64) for part in parts]


def torch_check(p: Planted, backward: Callable[..., Any], *, fast: bool) -> bool:
    """torch.autograd.gradcheck with its defaults; True where it complains."""
    import torch

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *tensors: Any) -> Any:
            ctx.save_for_backward(*tensors)
            y = [torch.from_numpy(part.copy()) for part in outputs(p.f(*(t.detach().numpy() for t in tensors)))]
            return tuple(y) if len(y) > 1 else y[0]

        @staticmethod
        def backward(ctx: Any, *g: Any) -> Any:
            inputs = [t.detach().numpy() for t in ctx.saved_tensors]
            claimed = gradients(p, backward, [part.detach().numpy() for part in g], inputs)
            result = [None] * len(inputs)
            for i, part in zip(p.wrt, claimed, strict=True):
                result[i] = torch.from_numpy(np.ascontiguousarray(part))
            return tuple(result)

    tensors = [torch.from_numpy(a.copy()).requires_grad_(i in p.wrt) for i, a in enumerate(p.inputs)]
    return not torch.autograd.gradcheck(Function.apply, tensors, fast_mode=fast, raise_exception=False)


def jax_check(p: Planted, backward: Callable[..., Any]) -> bool:
    """jax.test_util.check_grads of first order in reverse mode; True where it complains."""
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    logging.getLogger("jax._src.callback").setLevel(logging.CRITICAL)  # a backward that raises is expected
    several = isinstance(p.f(*p.inputs), tuple)
    shapes = [jax.ShapeDtypeStruct(part.shape, np.float64) for part in outputs(p.f(*p.inputs))]

    def whole(moved: tuple[Any, ...]) -> list[Any]:
        inputs = [np.array(a) for a in p.inputs]
        for i, a in zip(p.wrt, moved, strict=True):
            inputs[i] = np.array(a)
        return inputs

    @jax.custom_vjp
    def f(*moved: Any) -> Any:
        y = jax.pure_callback(lambda *m: outputs(p.f(*whole(m))), shapes, *moved)
        return tuple(y) if several else y[0]

    def forward(*moved: Any) -> Any:
        return f(*moved), moved

    def back(moved: Any, g: Any) -> Any:
        parts = g if several else (g,)
        like = [jax.ShapeDtypeStruct(m.shape, np.float64) for m in moved]

        def call(parts: Any, moved: Any) -> Any:
            return gradients(p, backward, [np.array(part) for part in parts], whole(moved))

        return tuple(jax.pure_callback(call, like, parts, moved))

    f.defvjp(forward, back)
    try:
        check_grads(f, tuple(p.inputs[i] for i in p.wrt), order=1, modes=["rev"])
    except AssertionError:
        return True
    return False


def numeric_gradient(p: Planted, i: int, upstream: list[Any], h: float) -> Any:
    """Σ g·y by every entry of input i, by (f(x + h) − f(x − h)) / 2h."""
    inputs = [a.copy() for a in p.inputs]

    def value() -> float:
        return float(sum((u * y).sum() for u, y in zip(upstream, outputs(p.f(*inputs)), strict=True)))

    gradient = np.zeros_like(inputs[i])
    for index in np.ndindex(gradient.shape):
        start = inputs[i][index]
        inputs[i][index] = start + h
        above = value()
        inputs[i][index] = start - h
        gradient[index] = (above - value()) / (2 * h)
        inputs[i][index] = start
    return gradient


def cs231n_check(p: Planted, backward: Callable[..., Any]) -> bool:
    """CS231n's eval_numerical_gradient_array and rel_error: h = 1e-5, a random dout, complaint above 1e-2."""
    rng = np.random.default_rng(231)
    upstream = [rng.standard_normal(part.shape) for part in outputs(p.f(*p.inputs))]
    for i, claimed in zip(p.wrt, gradients(p, backward, upstream, p.inputs), strict=True):
        numeric = numeric_gradient(p, i, upstream, 1e-5)
        error = np.abs(claimed - numeric) / np.maximum(1e-8, np.abs(claimed) + np.abs(numeric))
        if not error.max() <= 1e-2:
            return True
    return False


def chainer_check(p: Planted, backward: Callable[..., Any]) -> bool:
    """Chainer's check_backward: one random direction through all inputs, eps = 1e-3, atol = 1e-5, rtol = 1e-4."""
    rng = np.random.default_rng(1)
    upstream = [rng.standard_normal(part.shape) for part in outputs(p.f(*p.inputs))]
    claimed = gradients(p, backward, upstream, p.inputs)
    directions = [rng.standard_normal(p.inputs[i].shape) for i in p.wrt]
    norm = np.sqrt(sum((d * d).sum() for d in directions))
    # Entries of a direction are kept away from 0, as Chainer does.
    directions = [np.sign(d) * np.maximum(np.abs(d / norm), 0.1 / np.sqrt(d.size)) for d in directions]

    def value(t: float) -> float:
        inputs = [a.copy() for a in p.inputs]
        for i, d in zip(p.wrt, directions, strict=True):
            inputs[i] += t * d
        return float(sum((u * y).sum() for u, y in zip(upstream, outputs(p.f(*inputs)), strict=True)))

    numeric = (value(1e-3) - value(-1e-3)) / 2e-3
    expected = float(sum((d * c).sum() for d, c in zip(directions, claimed, strict=True)))
    return not abs(numeric - expected) <= 1e-5 + 1e-4 * abs(expected)


def ones_check(p: Planted, backward: Callable[..., Any]) -> bool:
    """The sum of the output, which is an upstream gradient of ones, h = 1e-5, complaint above 1e-4."""
    upstream = [np.ones(part.shape) for part in outputs(p.f(*p.inputs))]
    for i, claimed in zip(p.wrt, gradients(p, backward, upstream, p.inputs), strict=True):
        numeric = numeric_gradient(p, i, upstream, 1e-5)
        if not np.abs(claimed - numeric).max() <= 1e-4 * max(1.0, np.abs(numeric).max()):
            return True
    return False


CHECKERS: dict[str, Callable[[Planted, Callable[..., Any]], bool]] = {
    "torch.autograd.gradcheck": lambda p, b: torch_check(p, b, fast=False),
    "torch.autograd.gradcheck, fast mode": lambda p, b: torch_check(p, b, fast=True),
    "jax check_grads": jax_check,
    "Chainer's method": chainer_check,
    "CS231n's method": cs231n_check,
    "an upstream gradient of ones": ones_check,
}


def complains(checker: Callable[..., bool], p: Planted, backward: Callable[..., Any]) -> bool:
    """Whether a check fails, or the backward raises within it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return checker(p, backward)
    except ImportError:
        raise
    except Exception:
        return True


def _alarms(p: Planted) -> bool:
    return check(p.f, p.right, p.inputs, wrt=p.wrt).verdict is Verdict.WRONG


def main() -> int:
    """Print a table: caught, complaints about the right gradient, and what was missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rows: list[tuple[str, int, list[str], list[str]]] = []
    missed = [bug.name for bug in BUGS if report_on(bug, args.seed).verdict is not Verdict.WRONG]
    alarms = [bug.name for bug in BUGS if bug.kind != "adam" and _alarms(inject([bug], args.seed))]
    rows.append(("npae.gradcheck", len(BUGS) - len(missed), missed, alarms))
    for name, checker in CHECKERS.items():
        missed, alarms = [], []
        try:
            for bug in BUGS:
                if bug.kind == "adam":
                    missed.append(bug.name)
                    continue
                p = inject([bug], args.seed)
                if not complains(checker, p, p.backward):
                    missed.append(f"{bug.kind} {bug.name}")
                if complains(checker, p, p.right):
                    alarms.append(f"{bug.kind} {bug.name}")
        except ImportError:
            print(f"{name}: not installed")
            continue
        rows.append((name, len(BUGS) - len(missed), missed, alarms))
    for name, caught, missed, alarms in rows:
        print(f"{name:38} caught {caught:2} of {len(BUGS)}, complains about {len(alarms)} right ones")
        print(f"    missed: {', '.join(missed) or 'none'}")
        if alarms:
            print(f"    false alarms: {', '.join(alarms)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
