"""Which kernels there are, and in which file of ``reference`` and of ``compiled`` each is defined."""

from importlib import import_module
from typing import Any

KERNELS = {
    "activation": (
        "leaky_relu",
        "leaky_relu_gradient",
        "relu",
        "relu_gradient",
        "sigmoid",
        "sigmoid_gradient",
        "softplus",
        "softplus_gradient",
        "tanh",
        "tanh_gradient",
    ),
    "conversion": ("take_converted",),
    "convolution": (
        "convolution",
        "convolution_weight_gradient",
        "transposed_convolution",
    ),
    "data_movement": (
        "count_outside",
        "count_within",
        "pad",
        "put_block",
        "swap_channels",
        "take_block",
        "take_next",
        "take_rows",
    ),
    "fused": (
        "convolution_relu_max_pool",
        "fold_upsampling",
        "relu_max_pool",
        "unfold_upsampling",
        "upsample_convolution",
        "upsample_convolution_gradient",
    ),
    "latent": (
        "append_one_hot",
        "append_one_hot_gradient",
        "gaussian_code",
        "gaussian_code_gradient",
        "l1_gradient",
        "l1_penalty",
        "warm_up",
    ),
    "loss": (
        "bce_on_logits",
        "bce_on_probabilities",
        "squared_error",
    ),
    "matmul": (
        "add_to_rows",
        "affine",
        "column_sum",
        "matmul_transposed_left",
        "matmul_transposed_right",
    ),
    "noise": (
        "gaussian_noise",
        "masking_noise",
        "multiply",
        "noise_level",
        "salt_and_pepper_noise",
    ),
    "optimizer": (
        "adam",
        "add_scaled",
        "rmsprop",
        "sgd",
        "total",
    ),
    "pooled_gradient": ("convolution_relu_max_pool_gradient",),
    "pooling": (
        "average_pool",
        "average_pool_gradient",
        "max_pool",
        "max_pool_gradient",
    ),
    "random": (
        "next_step",
        "standard_normal",
        "uniform",
    ),
    "upsampling": (
        "resample",
        "resample_gradient",
        "upsample_nearest",
        "upsample_nearest_gradient",
    ),
    "upsampling_by_taps": (
        "upsample_convolution_by_taps",
        "upsample_convolution_by_taps_gradient",
    ),
    "winograd": (
        "winograd_convolution",
        "winograd_convolution_relu_max_pool",
        "winograd_weight_gradient",
    ),
    "winograd_one_channel": ("winograd_one_channel_relu_max_pool",),
    "winograd_upsampling": (
        "winograd_upsample_convolution",
        "winograd_upsample_convolution_gradient",
    ),
}


def collect(package: str) -> dict[str, Any]:
    """The kernels of a package with one file for each key of ``KERNELS``, by name."""
    return {
        name: getattr(import_module(f"{package}.{file}"), name) for file, names in KERNELS.items() for name in names
    }
