"""The compiled kernels in one place, under the names that ``reference`` has."""

from npae.kernels.activation import (
    leaky_relu,
    leaky_relu_gradient,
    relu,
    relu_gradient,
    sigmoid,
    sigmoid_gradient,
    softplus,
    softplus_gradient,
    tanh,
    tanh_gradient,
)
from npae.kernels.convolution import convolution, convolution_input_gradient, convolution_weight_gradient
from npae.kernels.loss import bce_on_logits, bce_on_probabilities, squared_error
from npae.kernels.matmul import affine, column_sum, matmul_transposed_left, matmul_transposed_right
from npae.kernels.optimizer import adam, adamw, add_scaled, rmsprop, sgd
from npae.kernels.pooling import average_pool, average_pool_gradient, max_pool, max_pool_gradient
from npae.kernels.upsampling import resample, resample_gradient, upsample_nearest, upsample_nearest_gradient

__all__ = [
    "adam",
    "adamw",
    "add_scaled",
    "affine",
    "average_pool",
    "average_pool_gradient",
    "bce_on_logits",
    "bce_on_probabilities",
    "column_sum",
    "convolution",
    "convolution_input_gradient",
    "convolution_weight_gradient",
    "leaky_relu",
    "leaky_relu_gradient",
    "matmul_transposed_left",
    "matmul_transposed_right",
    "max_pool",
    "max_pool_gradient",
    "relu",
    "relu_gradient",
    "resample",
    "resample_gradient",
    "rmsprop",
    "sgd",
    "sigmoid",
    "sigmoid_gradient",
    "softplus",
    "softplus_gradient",
    "squared_error",
    "tanh",
    "tanh_gradient",
    "upsample_nearest",
    "upsample_nearest_gradient",
]
