"""What does each idea gain? Every one is measured beside what one would do without it, in the same process.

::

    python benchmarks/gains.py
    python benchmarks/gains.py --topics product,convolution --rounds 10 --json gains.json

A round runs everything once, one after the other, so that the minutes in which a machine is slow meet all alike. BLAS
has one thread, as a kernel has. The table shows the least and the median time of a call, and how many times the first
of each group is faster than the others.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numba
import numpy as np

from npae.cli.bench.machine import machine
from npae.cli.bench.models import MODELS, images_for, new_model
from npae.cli.bench.process import pinned
from npae.kernels import default_kernels, reference_kernels
from npae.kernels.execution.program import Program
from npae.training.optimizers import Adam
from npae.training.replicas import Replicas
from npae.utils.types import Array

Call = Callable[[], Any]

kernels = default_kernels()
reference = reference_kernels()
rng = np.random.default_rng(0)

LEAST = 2e-3  # seconds that one measurement takes, with as many calls as that needs
REST = 3e-3  # seconds before it: threads that wait spin for a while, and would disturb the next


@dataclass
class Group:
    """Ways to compute the same, npae's first."""

    topic: str
    what: str
    ways: dict[str, Call]
    operations: float = 0.0  # floating-point operations of a call, where they are worth telling
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def measure(self) -> None:
        """Add one measurement of each way."""
        for name, call in self.ways.items():
            time.sleep(REST)
            call()
            count, elapsed, start = 0, 0.0, time.perf_counter()
            while elapsed < LEAST:
                call()
                count += 1
                elapsed = time.perf_counter() - start
            self.seconds.setdefault(name, []).append(elapsed / count)

    def lines(self) -> Iterator[str]:
        """The rows of the table."""
        first = next(iter(self.seconds.values()))
        label = self.what
        for name, seconds in self.seconds.items():
            low, middle = min(seconds), median(seconds)
            speed = f"{self.operations / low * 1e-9:7.1f}" if self.operations else " " * 7
            gains = f"{low / min(first):7.2f}{middle / median(first):7.2f}" if seconds is not first else ""
            yield f"{label:<38}{name:<26}{1e6 * low:10.1f}{1e6 * middle:10.1f}{speed}{gains}".rstrip()
            label = ""


def draw(*shape: int) -> Array:
    return rng.standard_normal(shape, dtype=np.float32)


def plain(function: Any) -> Any:
    """Compile loops as npae's kernels are compiled."""
    return numba.njit(nogil=True, error_model="numpy", fastmath={"contract", "reassoc"})(function)


# Products of matrices

DENSE = [
    (128, 784, 32),
    (128, 32, 784),
    (128, 784, 128),
    (128, 128, 64),
    (128, 64, 128),
    (128, 128, 784),
    (64, 784, 512),
    (64, 512, 16),
    (64, 16, 512),
    (64, 512, 784),
]


@plain
def affine_loops(x: Array, W: Array, b: Array, y: Array) -> None:
    for n in range(x.shape[0]):
        for j in range(b.size):
            y[n, j] = b[j]
        for k in range(x.shape[1]):
            for j in range(b.size):
                y[n, j] += x[n, k] * W[k, j]


@plain
def left_loops(x: Array, dy: Array, dW: Array) -> None:
    dW[...] = 0
    for n in range(x.shape[0]):
        for i in range(x.shape[1]):
            for j in range(dy.shape[1]):
                dW[i, j] += x[n, i] * dy[n, j]


@plain
def right_loops(dy: Array, W: Array, dx: Array) -> None:
    for n in range(dy.shape[0]):
        for i in range(W.shape[0]):
            total = dx.dtype.type(0)
            for j in range(W.shape[1]):
                total += dy[n, j] * W[i, j]
            dx[n, i] = total


def affine_blas(x: Array, W: Array, b: Array, y: Array) -> None:
    np.matmul(x, W, out=y)
    y += b


def products() -> Iterator[Group]:
    for n, n_in, n_out in DENSE:
        x, W, b, y = draw(n, n_in), draw(n_in, n_out), draw(n_out), draw(n, n_out)
        dW, dx = np.empty_like(W), np.empty_like(x)
        for form, arguments, ours, loops, blas in [
            ("x W + b", (x, W, b, y), kernels.affine, affine_loops, affine_blas),
            ("xᵀ dy", (x, y, dW), kernels.matmul_transposed_left, left_loops, lambda a, b, c: np.matmul(a.T, b, out=c)),
            ("dy Wᵀ", (y, W, dx), kernels.matmul_transposed_right, right_loops, lambda a, b, c: a.dot(b.T, out=c)),
        ]:
            ways = {"tile": ours, "BLAS": blas, "plain loops": loops}
            yield Group(
                "product",
                f"{form}  {n}, {n_in}, {n_out}",
                {name: _call(way, *arguments) for name, way in ways.items()},
                2.0 * n * n_in * n_out,
            )


def _call(function: Callable[..., Any], *arguments: Any) -> Call:
    return lambda: function(*arguments)


# What is zero, or nearly


def zeros() -> Iterator[Group]:
    for n, n_out in ((128, 32), (128, 128), (64, 512)):
        x, noise = images_for("deep", n), rng.random((n, 784), dtype=np.float32)
        W, b, y, dW = draw(784, n_out), draw(n_out), draw(n, n_out), draw(784, n_out)
        for form, kernel, arguments in [
            ("x W + b", kernels.affine, (W, b, y)),
            ("xᵀ dy", kernels.matmul_transposed_left, (y, dW)),
        ]:
            ways = {"x: digits": _call(kernel, x, *arguments), "x: noise": _call(kernel, noise, *arguments)}
            yield Group("zeros", f"{form}  {n}, 784, {n_out}", ways)
    yield from subnormals()


def subnormals() -> Iterator[Group]:
    """The same calls, recorded and from Python, where subnormal numbers keep their value."""
    z, t, losses, dz = draw(128, 784) - 70, images_for("deep", 128), draw(128), draw(128, 784)
    theta, m, v = draw(118_000), np.zeros(118_000, np.float32), np.zeros(118_000, np.float32)
    dtheta = 1e-20 * draw(118_000)  # its squares are subnormal
    rate, count = np.full(1, 1e-3), np.full(1, 100)
    for what, kernel, arguments in [
        ("cross-entropy  128, 784", kernels.bce_on_logits, (z, t, 1 / 128, losses, dz)),
        ("Adam  118,000", kernels.adam, (theta, dtheta, m, v, rate, count, 0.9, 0.999, 1e-8, 0.0)),
    ]:
        program = Program()
        program.add(kernel, *arguments)
        yield Group("zeros", what, {"flushed": program.run, "subnormal": _call(kernel, *arguments)})


# Convolution

#: (batch, side, in, out), all 3×3 with padding
CONVOLUTIONS = [(128, 28, 1, 16), (128, 14, 16, 32), (128, 14, 32, 32), (128, 28, 16, 16), (128, 28, 16, 1)]


def fill_columns(x_padded: Array, columns: Array) -> None:
    """Every patch of the image as a row: "im2col"."""
    _, height, width = columns.shape[:3]
    for k in range(3):
        for m in range(3):
            columns[:, :, :, k, m] = x_padded[:, k : k + height, m : m + width]


def convolutions() -> Iterator[Group]:
    for n, side, n_in, n_out in CONVOLUTIONS:
        x, W, b, y = draw(n, side + 2, side + 2, n_in), draw(3, 3, n_in, n_out), draw(n_out), draw(n, side, side, n_out)
        columns = np.empty((n, side, side, 3, 3, n_in), np.float32)
        dW = np.empty_like(W)
        shape = f"{n}, {side}×{side}, {n_in} → {n_out}"
        operations = 2.0 * y.size * 9 * n_in
        ways = {
            "padded rows": _call(kernels.convolution, x, W, b, 1, 1, y),
            "im2col, BLAS": _im2col(x, W, b, columns, y),
        }
        yield Group("convolution", f"forward  {shape}", ways, operations)
        ways = {
            "padded rows": _call(kernels.convolution_weight_gradient, x, y, 1, 1, dW),
            "BLAS on kept columns": _blas_weight_gradient(columns, y, dW),
        }
        yield Group("convolution", f"dW  {shape}", ways, operations)


def _im2col(x: Array, W: Array, b: Array, columns: Array, y: Array) -> Call:
    rows, weights, flat = columns.reshape(-1, 9 * W.shape[2]), W.reshape(-1, W.shape[3]), y.reshape(-1, W.shape[3])

    def call() -> None:
        fill_columns(x, columns)
        affine_blas(rows, weights, b, flat)

    return call


def _blas_weight_gradient(columns: Array, dy: Array, dW: Array) -> Call:
    rows, flat = columns.reshape(-1, 9 * dW.shape[2]), dy.reshape(-1, dW.shape[3])
    return lambda: np.matmul(rows.T, flat, out=dW.reshape(-1, dW.shape[3]))


# Fused layers


def fusions() -> Iterator[Group]:
    for n, side, n_in, n_out in [(128, 7, 32, 32), (128, 14, 32, 16)]:
        x, W, b = draw(n, side, side, n_in), draw(3, 3, n_in, n_out), draw(n_out)
        large, padded = draw(n, 2 * side, 2 * side, n_in), np.zeros((n, 2 * side + 2, 2 * side + 2, n_in), np.float32)
        y, W_folded = draw(n, 2 * side, 2 * side, n_out), np.empty((4, 4, n_in, n_out), np.float32)
        ways = {
            "weights folded": _folded(x, W, b, W_folded, y),
            "layer by layer": _enlarged(x, large, padded, W, b, y),
        }
        yield Group("fused", f"upsample, conv, ReLU  {side}×{side}, {n_in} → {n_out}", ways)
    for n, side, n_in, n_out in [(128, 28, 1, 16), (128, 14, 16, 32)]:
        x, W, b = draw(n, side + 2, side + 2, n_in), draw(3, 3, n_in, n_out), draw(n_out)
        whole, y = draw(n, side, side, n_out), draw(n, side // 2, side // 2, n_out)
        few, winner = whole[: max(1, 2**17 // whole[0].nbytes)].copy(), np.empty(y.shape, np.uint8)
        ways = {
            "few images at a time": _call(kernels.convolution_relu_max_pool, x, W, b, 1, 1, few, y, winner),
            "layer by layer": _pooled(x, W, b, whole, y),
        }
        yield Group("fused", f"conv, ReLU, pool  {side}×{side}, {n_in} → {n_out}", ways)
    for name in ("convolutional", "denoising"):
        ways = {way: _gradient(name, fuse=fuse) for way, fuse in [("fused", True), ("layer by layer", False)]}
        yield Group("fused", f"{name}, whole gradient", ways)


def _folded(x: Array, W: Array, b: Array, W_folded: Array, y: Array) -> Call:
    few = max(1, 2**17 // (4 * (y.shape[1] + 2) * (y.shape[2] + 2) * y.shape[3]))

    def call() -> None:
        kernels.fold_upsampling(W, 2, 2, W_folded)
        kernels.upsample_convolution(x, W_folded, b, 2, 2, 1, 1, 1, few, y)

    return call


def _enlarged(x: Array, large: Array, padded: Array, W: Array, b: Array, y: Array) -> Call:
    def call() -> None:
        kernels.upsample_nearest(x, 2, 2, large)
        kernels.pad(large, 1, 1, padded)
        kernels.convolution(padded, W, b, 1, 1, y)
        kernels.relu(y, y)

    return call


def _pooled(x: Array, W: Array, b: Array, whole: Array, y: Array) -> Call:
    winner = np.empty(y.shape, np.int32)

    def call() -> None:
        kernels.convolution(x, W, b, 1, 1, whole)
        kernels.relu(whole, whole)
        kernels.max_pool(whole, 2, 2, 2, 2, 0, 0, y, winner)

    return call


# Whole steps


def _replicas(name: str, n: int, *, n_jobs: int = 1, fuse: bool = True) -> tuple[Replicas, Array]:
    x = images_for(name, n)
    net = new_model(name).make_network(x.shape[1:], "bce", 1).build(x.shape[1:], fuse=fuse)
    replicas = Replicas(net, n_jobs)
    replicas.learn_from(x)
    return replicas, x


def _gradient(name: str, n: int = 0, *, n_jobs: int = 1, fuse: bool = True) -> Call:
    n = n or MODELS[name]["batch_size"]
    replicas, _ = _replicas(name, n, n_jobs=n_jobs, fuse=fuse)
    return _call(replicas.gradient, np.arange(n))


def _layers_from_python(name: str, n: int) -> Call:
    replicas, x = _replicas(name, n)
    return _call(_shard, replicas.networks[0], x, np.arange(n), n)


def _shard(net: Any, x: Array, chosen: Array, n: int) -> None:
    """What ``gradient`` does with a part of a batch of ``n``, without looking at the data first."""
    net.arena.resize(len(chosen))
    batch = x[chosen]
    net._pass(batch, batch, n, np.zeros(len(net.term_names)))


def _pool_of_threads(name: str, n: int) -> Call:
    """Two shards, each by a thread that calls the layers from Python; then the gradients are added."""
    replicas, x = _replicas(name, n, n_jobs=2)
    first, second = replicas.networks
    pool = ThreadPoolExecutor(2)

    def call() -> None:
        upper, lower = np.arange(n // 2), np.arange(n // 2, n)
        for done in [pool.submit(_shard, first, x, upper, n), pool.submit(_shard, second, x, lower, n)]:
            done.result()
        kernels.add_scaled(second.dtheta, 1.0, first.dtheta)

    return call


def recorded() -> Iterator[Group]:
    for name in MODELS:
        for n in (8, MODELS[name]["batch_size"]):
            ways = {"recorded": _gradient(name, n), "layers from Python": _layers_from_python(name, n)}
            yield Group("recorded", f"{name}, batch {n}, one thread", ways)
    for name in MODELS:
        for n in (8, MODELS[name]["batch_size"]):
            ways = {"recorded, thread team": _gradient(name, n, n_jobs=2), "thread pool": _pool_of_threads(name, n)}
            yield Group("recorded", f"{name}, batch {n}, two threads", ways)


def threads() -> Iterator[Group]:
    for name in MODELS:
        yield Group("threads", f"{name}, step", {"n_jobs=2": _step(name, 2), "n_jobs=1": _step(name, 1)})


def _step(name: str, n_jobs: int) -> Call:
    n = MODELS[name]["batch_size"]
    replicas, _ = _replicas(name, n, n_jobs=n_jobs)
    net, chosen, optimizer = replicas.networks[0], np.arange(n), Adam()
    optimizer.bind(net.arena)

    def call() -> None:
        replicas.gradient(chosen)
        optimizer.step(1.0, replicas.team)
        net.run.step += 1

    return call


# Element by element


@plain
def bce_with_library(z: Array, t: Array, weight: float, losses: Array, dz: Array) -> None:
    """kernels.bce_on_logits, with the exponential and the logarithm of the mathematics library."""
    number = dz.dtype.type
    zero, one, factor = number(0), number(1), number(weight)
    for sample in range(len(z)):
        total = 0.0
        for i in range(z.shape[1]):
            logit, target = z[sample, i], t[sample, i]
            e = math.exp(-abs(logit))
            total += (zero if logit < zero else logit) - logit * target + math.log1p(e)
            dz[sample, i] = factor * ((e if logit < zero else one) / (one + e) - target)
        losses[sample] = total


def elements() -> Iterator[Group]:
    n, pixels = 128, 784
    z, t, losses, dz = 4 * draw(n, pixels), rng.random((n, pixels), dtype=np.float32), draw(n), draw(n, pixels)
    ways = {
        "polynomials": _call(kernels.bce_on_logits, z, t, 1 / n, losses, dz),
        "mathematics library": _call(bce_with_library, z, t, 1 / n, losses, dz),
        "NumPy": _call(reference.bce_on_logits, z, t, 1 / n, losses, dz),
    }
    yield Group("elements", f"cross-entropy of logits  {n}, {pixels}", ways)

    y, key, generator = draw(n * pixels), np.arange(6, dtype=np.uint32), np.random.Generator(np.random.Philox(0))
    usual = np.random.default_rng(0)
    ways = {
        "kernel": _call(kernels.standard_normal, key, y),
        "NumPy, PCG64": lambda: usual.standard_normal(out=y, dtype=np.float32),
        "NumPy, Philox": lambda: generator.standard_normal(out=y, dtype=np.float32),
    }
    yield Group("elements", f"normal noise  {y.size:,}", ways)
    ways = {
        "kernel": _call(kernels.uniform, key, y),
        "NumPy, PCG64": lambda: usual.random(out=y, dtype=np.float32),
        "NumPy, Philox": lambda: generator.random(out=y, dtype=np.float32),
    }
    yield Group("elements", f"uniform noise  {y.size:,}", ways)

    for size in (118_000, 830_000):
        theta, dtheta, m, v = draw(size), draw(size), draw(size), draw(size) ** 2
        rate, count = np.full(1, 1e-3), np.full(1, 100)
        ways = {
            "kernel": _call(kernels.adam, theta, dtheta, m, v, rate, count, 0.9, 0.999, 1e-8, 0.0),
            "NumPy, in place": _numpy_adam(theta.copy(), dtheta, m.copy(), v.copy()),
        }
        yield Group("elements", f"Adam  {size:,}", ways)


def _numpy_adam(theta: Array, dtheta: Array, m: Array, v: Array) -> Call:
    a, b = np.empty_like(theta), np.empty_like(theta)
    scale, v_hat_scale = 1e-3 / (1 - 0.9**100), 1 / (1 - 0.999**100)

    def call() -> None:
        np.multiply(m, 0.9, out=m)
        np.multiply(dtheta, 0.1, out=a)
        np.add(m, a, out=m)
        np.multiply(v, 0.999, out=v)
        np.multiply(dtheta, dtheta, out=a)
        np.multiply(a, 0.001, out=a)
        np.add(v, a, out=v)
        np.multiply(v, v_hat_scale, out=a)
        np.sqrt(a, out=a)
        np.add(a, 1e-8, out=a)
        np.multiply(m, scale, out=b)
        np.divide(b, a, out=b)
        np.subtract(theta, b, out=theta)

    return call


TOPICS = {
    "product": products,
    "zeros": zeros,
    "convolution": convolutions,
    "fused": fusions,
    "recorded": recorded,
    "threads": threads,
    "elements": elements,
}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what each idea gains.")
    parser.add_argument("--topics", type=lambda s: s.split(","), default=list(TOPICS), metavar="NAME,NAME,...")
    parser.add_argument("--rounds", type=int, default=30, help="default: 30")
    parser.add_argument("--json", metavar="FILE", help="write all measurements there")
    options = parser.parse_args()
    if unknown := set(options.topics) - set(TOPICS):
        parser.error(f"unknown topics {', '.join(sorted(unknown))}; expected some of {', '.join(TOPICS)}")
    if options.rounds < 1:
        parser.error(f"--rounds is {options.rounds}; expected at least 1")
    return options


def main() -> None:
    options = parse_arguments()
    groups = [group for topic in options.topics for group in TOPICS[topic]()]
    for turn in range(options.rounds):
        print(f"round {turn + 1} of {options.rounds}", end="\r", file=sys.stderr, flush=True)
        for group in groups:
            group.measure()
    print(f"{'':<38}{'µs a call':<26}{'min':>10}{'median':>10}{'GFLOP/s':>7}{'   first is faster by':<14}")
    for group in groups:
        print("\n".join(group.lines()))
    if options.json:
        measured = [
            {"topic": g.topic, "what": g.what, "operations": g.operations, "seconds": g.seconds} for g in groups
        ]
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": machine(2), "rounds": options.rounds, "groups": measured}, file, indent=1)


if __name__ == "__main__":
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":  # BLAS reads it when NumPy is imported
        sys.exit(subprocess.call([sys.executable, *sys.argv], env={**os.environ, **pinned(1)}))
    main()
