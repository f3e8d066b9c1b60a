"""Neural network layers, each with its forward pass, its hand-written gradient, their equations and their source."""

from npae.layers.activation import LeakyReLU, ReLU, Sigmoid, Softplus, Tanh
from npae.layers.base import Chain, Layer
from npae.layers.convolution import Conv2D
from npae.layers.corruption import Dropout, GaussianNoise, MaskingNoise, SaltAndPepperNoise
from npae.layers.dense import Dense, TiedDense
from npae.layers.label import AppendLabel
from npae.layers.penalty import ActivityL1
from npae.layers.pooling import AveragePool2D, MaxPool2D
from npae.layers.reparameterization import Reparameterization
from npae.layers.reshape import Flatten, Reshape
from npae.layers.upsampling import UpSample2D

__all__ = [
    "ActivityL1",
    "AppendLabel",
    "AveragePool2D",
    "Chain",
    "Conv2D",
    "Dense",
    "Dropout",
    "Flatten",
    "GaussianNoise",
    "Layer",
    "LeakyReLU",
    "MaskingNoise",
    "MaxPool2D",
    "ReLU",
    "Reparameterization",
    "Reshape",
    "SaltAndPepperNoise",
    "Sigmoid",
    "Softplus",
    "Tanh",
    "TiedDense",
    "UpSample2D",
]
