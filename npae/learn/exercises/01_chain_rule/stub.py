# npae-exercise: chain_rule v1
import numpy as np


def chain(g, x, w, b):
    """y = (w·x + b)², all single numbers; g = ∂L/∂y. Return dx, dw, db."""
    raise NotImplementedError


def paths(g, x, a):
    """y = x·sin(a·x), all single numbers; g = ∂L/∂y. Return dx, da."""
    raise NotImplementedError
