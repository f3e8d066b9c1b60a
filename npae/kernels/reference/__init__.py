"""Reference kernels in plain NumPy: specification, test oracle, and implementation without Numba.

Each file corresponds to the file of compiled kernels of the same name.
"""

from npae.kernels.names import collect

globals().update(collect(__name__))
