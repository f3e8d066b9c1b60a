"""Activations and their gradients; all arguments of a kernel have the same shape."""

from npae.kernels.jit import jit, shared_jit
from npae.kernels.reference.array import Array
from npae.kernels.simd.exponential import exp, expm1, log1p


@shared_jit
def relu(x: Array, y: Array) -> None:
    """As reference.relu; NaN is preserved."""
    x_flat, y_flat = x.reshape(-1), y.reshape(-1)
    zero = y.dtype.type(0)
    for i in range(y_flat.size):
        y_flat[i] = zero if x_flat[i] < zero else x_flat[i]


@jit
def relu_gradient(y: Array, dy: Array, dx: Array) -> None:
    """As reference.relu_gradient."""
    y_flat, dy_flat, dx_flat = y.reshape(-1), dy.reshape(-1), dx.reshape(-1)
    zero, one = dx.dtype.type(0), dx.dtype.type(1)
    for i in range(dx_flat.size):
        dx_flat[i] = dy_flat[i] * (one if y_flat[i] > zero else zero)


@jit
def leaky_relu(x: Array, slope: float, y: Array) -> None:
    """As reference.leaky_relu."""
    x_flat, y_flat = x.reshape(-1), y.reshape(-1)
    zero, one, factor = y.dtype.type(0), y.dtype.type(1), y.dtype.type(slope)
    for i in range(y_flat.size):
        y_flat[i] = x_flat[i] * (one if x_flat[i] > zero else factor)


@jit
def leaky_relu_gradient(x: Array, slope: float, dy: Array, dx: Array) -> None:
    """As reference.leaky_relu_gradient."""
    x_flat, dy_flat, dx_flat = x.reshape(-1), dy.reshape(-1), dx.reshape(-1)
    zero, one, factor = dx.dtype.type(0), dx.dtype.type(1), dx.dtype.type(slope)
    for i in range(dx_flat.size):
        dx_flat[i] = dy_flat[i] * (one if x_flat[i] > zero else factor)


@jit
def sigmoid(x: Array, y: Array) -> None:
    """As reference.sigmoid."""
    x_flat, y_flat = x.reshape(-1), y.reshape(-1)
    number = y.dtype.type
    for i in range(y_flat.size):
        e = exp(-abs(x_flat[i]))
        y_flat[i] = (e if x_flat[i] < number(0) else number(1)) / (number(1) + e)


@jit
def sigmoid_gradient(y: Array, dy: Array, dx: Array) -> None:
    """As reference.sigmoid_gradient."""
    y_flat, dy_flat, dx_flat = y.reshape(-1), dy.reshape(-1), dx.reshape(-1)
    one = dx.dtype.type(1)
    for i in range(dx_flat.size):
        dx_flat[i] = y_flat[i] * (one - y_flat[i]) * dy_flat[i]


@jit
def tanh(x: Array, y: Array) -> None:
    """As reference.tanh: (1 − e⁻²ˣ) / (1 + e⁻²ˣ), with the sign of x."""
    x_flat, y_flat = x.reshape(-1), y.reshape(-1)
    number = y.dtype.type
    for i in range(y_flat.size):
        below_one = expm1(number(-2) * abs(x_flat[i]))  # e⁻²ˣ − 1
        size = -below_one / (number(2) + below_one)
        y_flat[i] = -size if x_flat[i] < number(0) else size


@jit
def tanh_gradient(y: Array, dy: Array, dx: Array) -> None:
    """As reference.tanh_gradient."""
    y_flat, dy_flat, dx_flat = y.reshape(-1), dy.reshape(-1), dx.reshape(-1)
    one = dx.dtype.type(1)
    for i in range(dx_flat.size):
        dx_flat[i] = (one - y_flat[i] * y_flat[i]) * dy_flat[i]


@jit
def softplus(x: Array, y: Array) -> None:
    """As reference.softplus."""
    x_flat, y_flat = x.reshape(-1), y.reshape(-1)
    number = y.dtype.type
    for i in range(y_flat.size):
        above = number(0) if x_flat[i] < number(0) else x_flat[i]
        y_flat[i] = above + log1p(exp(-abs(x_flat[i])), number)


@jit
def softplus_gradient(x: Array, dy: Array, dx: Array) -> None:
    """As reference.softplus_gradient."""
    x_flat, dy_flat, dx_flat = x.reshape(-1), dy.reshape(-1), dx.reshape(-1)
    number = dx.dtype.type
    for i in range(dx_flat.size):
        e = exp(-abs(x_flat[i]))
        dx_flat[i] = dy_flat[i] * (e if x_flat[i] < number(0) else number(1)) / (number(1) + e)
