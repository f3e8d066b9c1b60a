"""Every hot kernel at the shapes of the five models: ``pytest benchmarks --benchmark-only``."""

import numpy as np
import pytest

from npae.cli.bench.models import MODELS, images_for, new_model
from npae.kernels import default_kernels

kernels = default_kernels()

#: (batch, in, out) of the dense layers
DENSE = [
    (256, 784, 32),
    (256, 32, 784),
    (256, 784, 128),
    (256, 128, 64),
    (256, 64, 32),
    (256, 32, 64),
    (256, 64, 128),
    (256, 128, 784),
    (128, 784, 512),
    (128, 512, 16),
    (128, 16, 512),
    (128, 512, 784),
]
#: (batch, side, in, out) of the convolutions, all 3×3 with padding
CONVOLUTIONS = [
    (128, 28, 1, 16),
    (128, 14, 16, 32),
    (128, 7, 32, 32),
    (128, 14, 32, 16),
    (128, 28, 16, 1),
    (128, 28, 1, 32),
    (128, 14, 32, 32),
    (128, 28, 32, 1),
]
#: (batch, side, channels) of what is pooled, or what upsampling yields
MAPS = [(128, 28, 16), (128, 14, 32), (128, 28, 32)]


@pytest.mark.parametrize(("n", "n_in", "n_out"), DENSE)
def test_affine(benchmark, draw, n, n_in, n_out):
    benchmark(kernels.affine, draw(n, n_in), draw(n_in, n_out), draw(n_out), draw(n, n_out))


@pytest.mark.parametrize(("n", "n_in", "n_out"), DENSE)
def test_matmul_transposed_left(benchmark, draw, n, n_in, n_out):
    benchmark(kernels.matmul_transposed_left, draw(n, n_in), draw(n, n_out), draw(n_in, n_out))


@pytest.mark.parametrize(("n", "n_in", "n_out"), DENSE)
def test_matmul_transposed_right(benchmark, draw, n, n_in, n_out):
    benchmark(kernels.matmul_transposed_right, draw(n, n_out), draw(n_in, n_out), draw(n, n_in))


@pytest.mark.parametrize(("n", "side", "n_in", "n_out"), CONVOLUTIONS)
def test_convolution(benchmark, draw, n, side, n_in, n_out):
    x, y = draw(n, side + 2, side + 2, n_in), draw(n, side, side, n_out)
    benchmark(kernels.convolution, x, draw(3, 3, n_in, n_out), draw(n_out), 1, 1, y)


@pytest.mark.parametrize(("n", "side", "n_in", "n_out"), CONVOLUTIONS)
def test_convolution_weight_gradient(benchmark, draw, n, side, n_in, n_out):
    x, dy = draw(n, side + 2, side + 2, n_in), draw(n, side, side, n_out)
    benchmark(kernels.convolution_weight_gradient, x, dy, 1, 1, draw(3, 3, n_in, n_out))


@pytest.mark.parametrize(("n", "side", "n_in", "n_out"), [shape for shape in CONVOLUTIONS if shape[2] > 1])
def test_convolution_input_gradient(benchmark, draw, n, side, n_in, n_out):
    dy, dx, zero = draw(n, side, side, n_out), draw(n, side, side, n_in), np.zeros(n_in, np.float32)
    benchmark(kernels.transposed_convolution, dy, draw(3, 3, n_out, n_in), zero, 1, 1, 1, 1, dx)


@pytest.mark.parametrize(("n", "side", "channels"), MAPS)
def test_max_pool(benchmark, draw, n, side, channels):
    half = (n, side // 2, side // 2, channels)
    benchmark(
        kernels.max_pool, draw(n, side, side, channels), 2, 2, 2, 2, 0, 0, draw(*half), np.empty(half, dtype=np.int32)
    )


@pytest.mark.parametrize(("n", "side", "channels"), MAPS)
def test_max_pool_gradient(benchmark, draw, n, side, channels):
    half = (n, side // 2, side // 2, channels)
    winner = np.empty(half, dtype=np.int32)
    kernels.max_pool(draw(n, side, side, channels), 2, 2, 2, 2, 0, 0, draw(*half), winner)
    benchmark(kernels.max_pool_gradient, draw(*half), winner, draw(n, side, side, channels))


@pytest.mark.parametrize(("n", "side", "channels"), MAPS)
def test_upsample_nearest(benchmark, draw, n, side, channels):
    x = draw(n, side // 2, side // 2, channels)
    benchmark(kernels.upsample_nearest, x, 2, 2, draw(n, side, side, channels))


@pytest.mark.parametrize(("n", "side", "channels"), MAPS)
def test_upsample_nearest_gradient(benchmark, draw, n, side, channels):
    dx = draw(n, side // 2, side // 2, channels)
    benchmark(kernels.upsample_nearest_gradient, draw(n, side, side, channels), 2, 2, dx)


@pytest.mark.parametrize("n", [128, 256])
def test_bce_on_logits(benchmark, draw, n):
    t = np.random.default_rng(0).random((n, 784), dtype=np.float32)
    benchmark(kernels.bce_on_logits, draw(n, 784), t, 1 / n, draw(n), draw(n, 784))


@pytest.mark.parametrize("size", [256 * 128, 128 * 512, 128 * 28 * 28 * 32])
def test_relu(benchmark, draw, size):
    benchmark(kernels.relu, draw(size), draw(size))


@pytest.mark.parametrize("size", [256 * 128, 128 * 512, 128 * 28 * 28 * 32])
def test_relu_gradient(benchmark, draw, size):
    benchmark(kernels.relu_gradient, draw(size), draw(size), draw(size))


@pytest.mark.parametrize("n", [256, 128])
def test_column_sum(benchmark, draw, n):
    benchmark(kernels.column_sum, draw(n, 784), draw(784))


@pytest.mark.parametrize("name", MODELS)
def test_adam(benchmark, name):
    training = new_model(name).partial_fit(images_for(name, 64)).training_
    benchmark(training.optimizer.step, 1.0)
