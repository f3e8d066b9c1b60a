"""PyTorch in eager mode: the usual training loop, channels-last memory format, and fused Adam."""

import time
from collections.abc import Callable
from math import prod
from typing import Any

import torch

from npae.cli.bench.models import is_convolutional, is_variational, new_model, noise_level
from npae.cli.bench.peers import torch_twins
from npae.utils.types import Array

BLOCK = 256  # images in a batch of a convolutional encoder; more do not fit into the cache


class Contender:
    """A model with its training loop: shuffling, noise, loss, gradients and Adam."""

    def __init__(self, threads: int) -> None:
        torch.set_num_threads(threads)

    def prepare(self, name: str, x: Array, **changes: Any) -> None:
        torch.manual_seed(0)
        self.model = new_model(name, **changes)
        self.x = torch_twins.as_tensor(x)
        self.net = torch_twins.network(self.model, prod(x.shape[1:]))
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=1e-3, fused=True)
        self.loss = self.compiled(self.mean_loss)

    def compiled(self, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """The function unchanged: eager mode does not compile."""
        return function

    def mean_loss(self, x: Any) -> Any:
        """The loss of a batch of clean images."""
        x_noisy = torch_twins.noisy(x, noise_level(self.model))
        return torch_twins.losses(self.net, x_noisy, x, is_variational(self.model)).mean()

    def run_epoch(self) -> float:
        start = time.perf_counter()
        for chosen in torch.randperm(len(self.x)).split(self.model.batch_size):
            self.optimizer.zero_grad()
            self.loss(self.x[chosen]).backward()
            self.optimizer.step()
        return time.perf_counter() - start

    def encode(self, x: Array) -> Any:
        with torch.inference_mode():
            tensor = torch_twins.as_tensor(x)
            block = BLOCK if is_convolutional(self.model) else len(x)
            codes = torch.cat([self.net["encoder"](part).flatten(1) for part in tensor.split(block)])
            return codes.chunk(2, dim=1)[0] if is_variational(self.model) else codes

    def versions(self) -> dict[str, str]:
        return {"torch": str(torch.__version__)}
