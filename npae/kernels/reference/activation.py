"""Activations and their gradients; all arguments of a kernel have the same shape."""

import numpy as np

from npae.kernels.reference.array import Array


def relu(x: Array, y: Array) -> None:
    """y = max(x, 0)."""
    np.maximum(x, 0, out=y)


def relu_gradient(y: Array, dy: Array, dx: Array) -> None:
    """dx = dy where y > 0, else 0."""
    np.multiply(dy, y > 0, out=dx)


def leaky_relu(x: Array, slope: float, y: Array) -> None:
    """y = x where x > 0, else slope · x."""
    y[...] = np.where(x > 0, x, slope * x)


def leaky_relu_gradient(x: Array, slope: float, dy: Array, dx: Array) -> None:
    """dx = dy where x > 0, else slope · dy."""
    dx[...] = np.where(x > 0, dy, slope * dy)


def sigmoid(x: Array, y: Array) -> None:
    """y = 1 / (1 + e⁻ˣ), computed from e^−|x| so that the exponential cannot overflow."""
    e = np.exp(-np.abs(x))
    y[...] = np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def sigmoid_gradient(y: Array, dy: Array, dx: Array) -> None:
    """dx = y (1 − y) dy."""
    np.multiply(y * (1 - y), dy, out=dx)


def tanh(x: Array, y: Array) -> None:
    """y = tanh x."""
    np.tanh(x, out=y)


def tanh_gradient(y: Array, dy: Array, dx: Array) -> None:
    """dx = (1 − y²) dy."""
    np.multiply(1 - y * y, dy, out=dx)


def softplus(x: Array, y: Array) -> None:
    """y = log(1 + eˣ) = max(x, 0) + log(1 + e^−|x|), so that the exponential cannot overflow."""
    y[...] = np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def softplus_gradient(x: Array, dy: Array, dx: Array) -> None:
    """dx = dy / (1 + e⁻ˣ)."""
    sigmoid(x, dx)
    dx *= dy
