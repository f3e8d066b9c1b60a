"""The library of known wrong gradients: one file for each kind of layer, one function for each mistake.

>>> from npae.gradcheck.bugs import BUGS
>>> BUGS[0].name, BUGS[0].formula
('no-transpose', 'dX = g W')
"""

# Importing a file registers its mistakes, in this order.
from npae.gradcheck.bugs import (  # noqa: F401, I001
    dense,
    activation,
    loss,
    convolution,
    pooling,
    upsampling,
    variational,
    reshape,
    corruption,
    tied,
    decay,
    optimizer,
    softmax,
    classification,
    normalization,
    embedding,
    attention,
    recurrent,
    network,
    regression,
    loop,
    rectifiers,
    activated,
)
from npae.gradcheck.bugs.registry import BUGS, KINDS, Bug, BugCase, Kind, bugs_of, make_case

BUGS.sort(key=lambda b: b.number)

__all__ = ["BUGS", "KINDS", "Bug", "BugCase", "Kind", "bugs_of", "make_case"]
