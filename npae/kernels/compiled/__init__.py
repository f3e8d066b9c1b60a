"""Compiled kernels, with the same names and arguments as the reference kernels."""

from npae.kernels.names import collect

globals().update(collect(__name__))
