"""What a compiled kernel distinguishes in the arrays that it is given."""

from typing import Any

from npae.kernels.reference.array import Array


def type_of_array(array: Array) -> Any:
    """A key for Numba's type of a C-contiguous array; ``numba.typeof`` itself is slow."""
    return array.dtype, array.ndim, array.flags.writeable, array.flags.aligned
