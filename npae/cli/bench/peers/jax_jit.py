"""JAX: a training step, including Adam, as one compiled function."""

import time
from itertools import pairwise
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from npae.cli.bench.models import hidden_units, is_convolutional, is_variational, new_model, noise_level
from npae.estimators import AutoencoderEstimator
from npae.utils.types import Array

BETA_1, BETA_2, EPSILON, RATE = 0.9, 0.999, 1e-8, 1e-3


class Contender:
    """The loop shuffles indices; the compiled step gathers the batch, so that the compiler can fuse that."""

    def __init__(self, threads: int) -> None:
        """JAX reads the number of threads from the environment."""

    def prepare(self, name: str, x: Array, **changes: Any) -> None:
        self.model = new_model(name, **changes)
        self.x = jnp.asarray(x[..., None] if is_convolutional(self.model) else x)
        self.order = np.random.default_rng(0)
        theta = initial(self.model, prod(x.shape[1:]), np.random.default_rng(0))
        zeros = jax.tree.map(jnp.zeros_like, theta)
        self.state = (theta, zeros, jax.tree.map(jnp.zeros_like, theta), jnp.zeros(()), jax.random.key(0))
        self.step = jax.jit(self.plain_step, donate_argnums=0)

    def plain_step(self, state: Any, x_all: Any, chosen: Any) -> Any:
        """One step of Adam (Kingma & Ba 2015)."""
        theta, m, v, t, key = state
        key, noise_key = jax.random.split(key)
        gradient = jax.grad(mean_loss)(theta, self.model, x_all[chosen], noise_key)
        t = t + 1
        m = jax.tree.map(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, m, gradient)
        v = jax.tree.map(lambda v, g: BETA_2 * v + (1 - BETA_2) * g * g, v, gradient)
        rate, scale = RATE / (1 - BETA_1**t), 1 / (1 - BETA_2**t)
        theta = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v * scale) + EPSILON), theta, m, v)
        return theta, m, v, t, key

    def run_epoch(self) -> float:
        start = time.perf_counter()
        order = self.order.permutation(len(self.x)).astype(np.int32)
        for first in range(0, len(order), self.model.batch_size):
            self.state = self.step(self.state, self.x, order[first : first + self.model.batch_size])
        jax.block_until_ready(self.state)
        return time.perf_counter() - start

    def versions(self) -> dict[str, str]:
        return {"jax": str(jax.__version__)}


def initial(model: AutoencoderEstimator, pixels: int, rng: np.random.Generator) -> Any:
    """Weights and biases of the encoder's layers, and of the decoder's."""
    encoder: list[tuple[int, ...]]
    decoder: list[tuple[int, ...]]
    if is_convolutional(model):
        filters: tuple[int, ...] = model.filters  # type: ignore[attr-defined]
        encoder = [(3, 3, *pair) for pair in pairwise((1, *filters))]
        decoder = [(3, 3, *pair) for pair in pairwise((filters[-1], *reversed(filters), 1))]
    else:
        heads = 2 if is_variational(model) else 1  # μ and log σ²
        hidden, code = hidden_units(model), model.code_size or 0
        encoder = [*pairwise((pixels, *hidden, heads * code))]
        decoder = [*pairwise((code, *reversed(hidden), pixels))]
    return [[_layer(shape, rng) for shape in shapes] for shapes in (encoder, decoder)]


def _layer(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    limit = (6 / prod(shape[:-1])) ** 0.5
    return jnp.asarray(rng.uniform(-limit, limit, shape), jnp.float32), jnp.zeros(shape[-1], jnp.float32)


def mean_loss(theta: Any, model: AutoencoderEstimator, x: Any, key: Any) -> Any:
    """Cross-entropy summed over an image, plus KL, and averaged over the batch."""
    (encoder, decoder), h, kl = theta, x, 0.0
    if level := noise_level(model):
        h = jnp.clip(x + level * jax.random.normal(key, x.shape), 0, 1)
    if is_convolutional(model):
        logits = _convolutional(encoder, decoder, h)
    else:
        h = _dense(encoder, h)
        if is_variational(model):
            mu, log_var = jnp.split(h, 2, axis=1)
            h = mu + jnp.exp(0.5 * log_var) * jax.random.normal(key, mu.shape)
            kl = 0.5 * (mu**2 + jnp.exp(log_var) - 1 - log_var).sum(axis=1)
        elif not hidden_units(model):
            h = jax.nn.relu(h)
        logits = _dense(decoder, h)
    bce = jnp.maximum(logits, 0) - logits * x + jnp.log1p(jnp.exp(-jnp.abs(logits)))
    return (bce.reshape(len(x), -1).sum(axis=1) + kl).mean()


def _dense(layers: Any, h: Any) -> Any:
    for i, (W, b) in enumerate(layers):
        h = (jax.nn.relu(h) if i else h) @ W + b
    return h


def _convolutional(encoder: Any, decoder: Any, h: Any) -> Any:
    for layer in encoder:
        h = jax.nn.relu(_convolution(layer, h))
        n, height, width, channels = h.shape
        h = h.reshape(n, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4))  # faster than reduce_window
    for layer in decoder[:-1]:
        h = jax.nn.relu(_convolution(layer, h))
        h = jnp.repeat(jnp.repeat(h, 2, axis=1), 2, axis=2)
    return _convolution(decoder[-1], h)


def _convolution(layer: Any, h: Any) -> Any:
    W, b = layer
    return jax.lax.conv_general_dilated(h, W, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")) + b
