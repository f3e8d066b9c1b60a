"""What each kernel computes, in plain NumPy: the specification, the test's oracle, and the path without Numba.

There is one file for each file of compiled kernels, of the same name.
"""

from npae.kernels.names import collect

globals().update(collect(__name__))
