"""The compiled kernels, under the names that ``reference`` has."""

from npae.kernels.names import collect

globals().update(collect(__name__))
