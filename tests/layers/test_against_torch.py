"""Layers, losses and optimizers against PyTorch as an independent implementation; skipped where it is not installed."""

import warnings
from typing import Any

import numpy as np
import pytest

from npae.layers import (
    AveragePool2D,
    Chain,
    Conv2D,
    Dense,
    Layer,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Sigmoid,
    Softplus,
    Tanh,
    UpSample2D,
)
from npae.layers.arena import Arena
from npae.layers.fused import fused
from npae.layers.losses import loss_by_name
from npae.training.optimizers import SGD, Adam, AdamW, RMSprop
from npae.utils.types import Array, Shape

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what another project deprecates is not our error
    torch = pytest.importorskip("torch")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")

CLOSE = {"rtol": 1e-10, "atol": 1e-10}


def tensor(a: Array) -> Any:
    """A copy that records gradients."""
    return torch.tensor(a, requires_grad=True)


def channels_first(a: Any) -> Any:
    return a.permute(0, 3, 1, 2)  # (N, H, W, C) -> (N, C, H, W)


def channels_last(a: Any) -> Any:
    return a.permute(0, 2, 3, 1)  # (N, C, H, W) -> (N, H, W, C)


def normal(*shape: int) -> Array:
    return np.random.default_rng(sum(shape)).standard_normal(shape)


def assert_agrees(layer: Layer, kernels: Any, x: Array, torch_forward: Any) -> None:
    """Outputs, dx and parameter gradients; ``torch_forward`` takes x and the layer's parameters as tensors."""
    layer.build(x.shape[1:], dtype="float64", kernels=kernels)
    for i, (_, value, _) in enumerate(layer.arena.parameters()):
        value[...] = np.random.default_rng(i).standard_normal(value.shape)
    y = layer(x)
    dy = np.random.default_rng(9).standard_normal(y.shape)
    dx = layer.backward(dy)

    x_t = tensor(x)
    parameters_t = [tensor(value) for _, value, _ in layer.arena.parameters()]
    y_t = torch_forward(x_t, *parameters_t)
    y_t.backward(torch.tensor(dy))
    np.testing.assert_allclose(y, y_t.detach().numpy(), **CLOSE)
    np.testing.assert_allclose(dx, x_t.grad.numpy(), **CLOSE)
    for (_, _, gradient), parameter_t in zip(layer.arena.parameters(), parameters_t, strict=True):
        np.testing.assert_allclose(gradient, parameter_t.grad.numpy(), **CLOSE)


def test_dense_agrees(kernels: Any) -> None:
    assert_agrees(Dense(4), kernels, normal(3, 7), lambda x, W, b: x @ W + b)


@pytest.mark.parametrize(
    ("kernel_size", "stride", "padding"),
    [(3, 1, 1), ((3, 2), (1, 2), 0), ((2, 5), (3, 1), (1, 2)), (1, 2, 0), ((5, 4), (2, 3), (4, 1))],
)
def test_convolution_agrees(kernels: Any, kernel_size: Any, stride: Any, padding: Any) -> None:
    def forward(x: Any, W: Any, b: Any) -> Any:
        # (kh, kw, in, out) -> (out, in, kh, kw)
        W = W.permute(3, 2, 0, 1)
        return channels_last(torch.nn.functional.conv2d(channels_first(x), W, b, stride=stride, padding=padding))

    assert_agrees(Conv2D(4, kernel_size, stride=stride, padding=padding), kernels, normal(2, 8, 7, 3), forward)


@pytest.mark.parametrize("kernel_size", [2, 3, (4, 5)])
def test_convolution_with_same_padding_agrees(kernels: Any, kernel_size: Any) -> None:
    def forward(x: Any, W: Any, b: Any) -> Any:
        W = W.permute(3, 2, 0, 1)
        return channels_last(torch.nn.functional.conv2d(channels_first(x), W, b, padding="same"))

    assert_agrees(Conv2D(4, kernel_size), kernels, normal(2, 8, 7, 3), forward)


class Fused(Chain):
    """A chain whose layers one fused layer replaces."""

    def plan(self, input_shape: Shape, arena: Arena) -> Shape:
        output_shape = super().plan(input_shape, arena)
        self.steps = fused(self.layers, arena, self.name)
        assert len(self.steps) == 1
        return output_shape


def convolved(x: Any, W: Any, b: Any, **options: Any) -> Any:
    return torch.nn.functional.conv2d(x, W.permute(3, 2, 0, 1), b, **options)  # (kh, kw, in, out) -> (out, in, kh, kw)


@pytest.mark.parametrize(("stride", "padding"), [(1, 1), ((2, 1), (0, 3))])
def test_fused_convolution_relu_and_pooling_agree(kernels: Any, stride: Any, padding: Any) -> None:
    def forward(x: Any, W: Any, b: Any) -> Any:
        y = torch.relu(convolved(channels_first(x), W, b, stride=stride, padding=padding))
        return channels_last(torch.nn.functional.max_pool2d(y, 2))

    layers = [Conv2D(4, (3, 3 if padding == 1 else 5), stride=stride, padding=padding), ReLU(), MaxPool2D()]
    height = 8 if padding == 1 else 9
    assert_agrees(Fused(layers), kernels, normal(3, height, 6, 3), forward)


@pytest.mark.parametrize("factor", [(2, 2), (3, 1)])
@pytest.mark.parametrize(("kernel_size", "padding"), [(3, 1), ((2, 5), (1, 0)), (1, 0)])
@pytest.mark.parametrize("with_relu", [False, True])
def test_fused_upsampling_and_convolution_agree(
    kernels: Any, factor: tuple[int, int], kernel_size: Any, padding: Any, with_relu: bool
) -> None:
    def forward(x: Any, W: Any, b: Any) -> Any:
        larger = torch.nn.functional.interpolate(channels_first(x), scale_factor=tuple(map(float, factor)))
        y = convolved(larger, W, b, padding=padding)
        return channels_last(torch.relu(y) if with_relu else y)

    layers = [UpSample2D(factor), Conv2D(4, kernel_size, padding=padding), *([ReLU()] if with_relu else [])]
    assert_agrees(Fused(layers), kernels, normal(3, 4, 5, 3), forward)


WINDOWS = [(2, 2, 0), (3, 2, 1), ((3, 2), (2, 1), (1, 0)), ((2, 3), (1, 2), (1, 1)), (3, 1, 0), (2, 3, 1)]


@pytest.mark.parametrize(("size", "stride", "padding"), WINDOWS)
def test_max_pooling_agrees(kernels: Any, size: Any, stride: Any, padding: Any) -> None:
    def forward(x: Any) -> Any:
        return channels_last(torch.nn.functional.max_pool2d(channels_first(x), size, stride, padding))

    layer = MaxPool2D(size, stride=stride, padding=padding)
    assert_agrees(layer, kernels, normal(2, 8, 7, 3) - 5, forward)  # a border of zeros would win


@pytest.mark.parametrize(("size", "stride", "padding"), WINDOWS)
def test_average_pooling_agrees(kernels: Any, size: Any, stride: Any, padding: Any) -> None:
    def forward(x: Any) -> Any:
        return channels_last(
            torch.nn.functional.avg_pool2d(channels_first(x), size, stride, padding, count_include_pad=False)
        )

    assert_agrees(AveragePool2D(size, stride=stride, padding=padding), kernels, normal(2, 8, 7, 3), forward)


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
@pytest.mark.parametrize("factor", [(1, 1), (2, 2), (3, 2), (1, 4)])
@pytest.mark.parametrize("fewer", [(0, 0), (0, 1), (1, 0)])
def test_upsampling_agrees(kernels: Any, mode: str, factor: tuple[int, int], fewer: tuple[int, int]) -> None:
    x = normal(2, 4, 5, 3)
    height, width = (n * f - min(r, f - 1) for n, f, r in zip((4, 5), factor, fewer, strict=True))
    align_corners = False if mode == "bilinear" else None

    def forward(x: Any) -> Any:
        y = torch.nn.functional.interpolate(
            channels_first(x), scale_factor=tuple(map(float, factor)), mode=mode, align_corners=align_corners
        )
        return channels_last(y)[:, :height, :width]

    assert_agrees(UpSample2D(factor, mode=mode, output_size=(height, width)), kernels, x, forward)


@pytest.mark.parametrize(
    ("layer", "function"),
    [
        (ReLU(), torch.relu),
        (LeakyReLU(0.2), lambda x: torch.nn.functional.leaky_relu(x, 0.2)),
        (Sigmoid(), torch.sigmoid),
        (Tanh(), torch.tanh),
        (Softplus(), lambda x: torch.nn.functional.softplus(x, threshold=1000)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_activations_agree(kernels: Any, layer: Layer, function: Any) -> None:
    assert_agrees(layer, kernels, 10 * normal(2, 4, 5, 3), function)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("bce", torch.nn.functional.binary_cross_entropy_with_logits),
        ("bce_on_probabilities", torch.nn.functional.binary_cross_entropy),
        ("mse", torch.nn.functional.mse_loss),
    ],
)
def test_losses_agree(kernels: Any, name: str, function: Any) -> None:
    y, t = 10 * normal(4, 6), 1 / (1 + np.exp(-normal(4, 7)[:, :6]))
    if name == "bce_on_probabilities":
        y = 1 / (1 + np.exp(-y))
    loss, arena = loss_by_name(name), Arena("float64", kernels)
    loss.plan((6,), arena)
    arena.allocate()
    arena.resize(4)
    arena.run.sample_weight = 1 / 4
    losses, dy = loss.value_and_gradient(y, t)

    y_t = tensor(y)
    losses_t = function(y_t, torch.tensor(t), reduction="none").sum(dim=1)
    losses_t.mean().backward()
    np.testing.assert_allclose(losses, losses_t.detach().numpy(), **CLOSE)
    np.testing.assert_allclose(dy, y_t.grad.numpy(), **CLOSE)


BETAS = {"betas": (0.8, 0.97), "eps": 1e-3}


@pytest.mark.parametrize(
    ("optimizer", "torch_class", "options"),
    [
        (SGD(0.1), torch.optim.SGD, {}),
        (SGD(0.1, momentum=0.9), torch.optim.SGD, {"momentum": 0.9}),
        (Adam(0.1, beta1=0.8, beta2=0.97, epsilon=1e-3), torch.optim.Adam, BETAS),
        (AdamW(0.1, beta1=0.8, beta2=0.97, epsilon=1e-3, weight_decay=0.3), torch.optim.AdamW, BETAS),
        (RMSprop(0.1, decay=0.8, epsilon=1e-3), torch.optim.RMSprop, {"alpha": 0.8, "eps": 1e-3}),
    ],
    ids=["SGD", "momentum", "Adam", "AdamW", "RMSprop"],
)
def test_ten_steps_of_an_optimizer_agree(kernels: Any, optimizer: Any, torch_class: Any, options: Any) -> None:
    layer = Dense(3).build((5,), seed=1, dtype="float64", kernels=kernels)
    optimizer.bind(layer.arena)
    W, b = tensor(layer.W), tensor(layer.b)
    groups = [{"params": [W], "weight_decay": getattr(optimizer, "weight_decay", 0.0)}, {"params": [b]}]
    peer = torch_class(groups, lr=0.1, weight_decay=0.0, **options)
    generator = np.random.default_rng(2)
    for _ in range(10):
        layer.dW[...], layer.db[...] = generator.standard_normal((5, 3)), generator.standard_normal(3)
        W.grad, b.grad = torch.tensor(layer.dW), torch.tensor(layer.db)
        optimizer.step()
        peer.step()
        np.testing.assert_allclose(layer.W, W.detach().numpy(), **CLOSE)
        np.testing.assert_allclose(layer.b, b.detach().numpy(), **CLOSE)
