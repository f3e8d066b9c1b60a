"""npae's models in PyTorch: the same layers and the same loss."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from npae.cli.bench.models import hidden_units, is_convolutional, is_variational
from npae.estimators import AutoencoderEstimator
from npae.utils.types import Array


def as_tensor(x: Array) -> Any:
    """x as a tensor; images become (n, 1, height, width) in channels-last memory format, which is faster."""
    tensor = torch.from_numpy(x)
    return tensor if x.ndim == 2 else tensor[:, None].contiguous(memory_format=torch.channels_last)


def network(model: AutoencoderEstimator, pixels: int) -> Any:
    """A dictionary of "encoder" and "decoder" with the layers that ``model`` has."""
    if is_convolutional(model):
        encoder, decoder = convolutional_halves(model.filters)  # type: ignore[attr-defined]
    elif hidden := hidden_units(model):
        heads = 2 if is_variational(model) else 1  # μ and log σ²
        encoder = dense(pixels, *hidden, heads * (model.code_size or 0))
        decoder = dense(model.code_size or 0, *reversed(hidden), pixels)
    else:
        encoder = nn.Sequential(nn.Linear(pixels, model.code_size), nn.ReLU())
        decoder = nn.Linear(model.code_size, pixels)
    return nn.ModuleDict({"encoder": encoder, "decoder": decoder}).to(memory_format=torch.channels_last)


def dense(*sizes: int) -> Any:
    """Dense layers with ReLU between them."""
    layers = [layer for n_in, n_out in pairwise(sizes) for layer in (nn.Linear(n_in, n_out), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def convolutional_halves(filters: Sequence[int]) -> tuple[Any, Any]:
    """Convolution, ReLU and pooling; convolution, ReLU and upsampling."""
    encoder, decoder = [], []
    for n_in, n_out in pairwise((1, *filters)):
        encoder += [nn.Conv2d(n_in, n_out, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    for n_in, n_out in pairwise((filters[-1], *reversed(filters))):
        decoder += [nn.Conv2d(n_in, n_out, 3, padding=1), nn.ReLU(), nn.Upsample(scale_factor=2)]
    return nn.Sequential(*encoder), nn.Sequential(*decoder, nn.Conv2d(filters[0], 1, 3, padding=1))


def noisy(x: Any, level: float) -> Any:
    """x with Gaussian noise, clipped to [0, 1]; x itself where there is none."""
    return (x + level * torch.randn_like(x)).clamp(0, 1) if level else x


def losses(net: Any, x: Any, target: Any, variational: bool) -> Any:
    """The loss of each sample (N,)."""
    z, kl = net["encoder"](x), 0.0
    if variational:
        mu, log_var = z.chunk(2, dim=1)
        z = mu + torch.exp(0.5 * log_var) * torch.randn_like(mu)
        kl = 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(dim=1)
    bce = nn.functional.binary_cross_entropy_with_logits(net["decoder"](z), target, reduction="none")
    return bce.flatten(1).sum(dim=1) + kl
