"""Reference kernels in plain NumPy: specification, test oracle, and implementation without Numba.

Each file corresponds to the file of compiled kernels of the same name.
"""

from npae.kernels.reference.activation import (
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
from npae.kernels.reference.array import Array
from npae.kernels.reference.convolution import convolution, convolution_weight_gradient, transposed_convolution
from npae.kernels.reference.data_movement import (
    count_outside,
    count_within,
    pad,
    put_block,
    swap_channels,
    take_block,
    take_rows,
)
from npae.kernels.reference.fused import (
    convolution_relu_max_pool,
    convolution_relu_max_pool_gradient,
    fold_upsampling,
    relu_max_pool,
    relu_max_pool_gradient,
    unfold_upsampling,
    upsample_convolution,
    upsample_convolution_gradient,
)
from npae.kernels.reference.latent import gaussian_code, gaussian_code_gradient, l1_gradient, l1_penalty
from npae.kernels.reference.loss import bce_on_logits, bce_on_probabilities, squared_error
from npae.kernels.reference.matmul import (
    add_to_rows,
    affine,
    column_sum,
    matmul_transposed_left,
    matmul_transposed_right,
)
from npae.kernels.reference.noise import gaussian_noise, masking_noise, multiply, salt_and_pepper_noise
from npae.kernels.reference.optimizer import adam, add_scaled, rmsprop, sgd, total
from npae.kernels.reference.pooling import average_pool, average_pool_gradient, max_pool, max_pool_gradient
from npae.kernels.reference.random import standard_normal, uniform
from npae.kernels.reference.upsampling import resample, resample_gradient, upsample_nearest, upsample_nearest_gradient

__all__ = [
    "Array",
    "adam",
    "add_scaled",
    "add_to_rows",
    "affine",
    "average_pool",
    "average_pool_gradient",
    "bce_on_logits",
    "bce_on_probabilities",
    "column_sum",
    "convolution",
    "convolution_relu_max_pool",
    "convolution_relu_max_pool_gradient",
    "convolution_weight_gradient",
    "count_outside",
    "count_within",
    "fold_upsampling",
    "gaussian_code",
    "gaussian_code_gradient",
    "gaussian_noise",
    "l1_gradient",
    "l1_penalty",
    "leaky_relu",
    "leaky_relu_gradient",
    "masking_noise",
    "matmul_transposed_left",
    "matmul_transposed_right",
    "max_pool",
    "max_pool_gradient",
    "multiply",
    "pad",
    "put_block",
    "relu",
    "relu_gradient",
    "relu_max_pool",
    "relu_max_pool_gradient",
    "resample",
    "resample_gradient",
    "rmsprop",
    "salt_and_pepper_noise",
    "sgd",
    "sigmoid",
    "sigmoid_gradient",
    "softplus",
    "softplus_gradient",
    "squared_error",
    "standard_normal",
    "swap_channels",
    "take_block",
    "take_rows",
    "tanh",
    "tanh_gradient",
    "total",
    "transposed_convolution",
    "unfold_upsampling",
    "uniform",
    "upsample_convolution",
    "upsample_convolution_gradient",
    "upsample_nearest",
    "upsample_nearest_gradient",
]
