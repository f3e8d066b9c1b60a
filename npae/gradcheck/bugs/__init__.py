"""The library of known wrong gradients: one file a kind of layer, one function a mistake."""

from npae.gradcheck.bugs import activation, dense, loss
from npae.gradcheck.bugs.registry import BUGS, KINDS, Bug, Case, Kind, bugs_of, make_case

__all__ = ["BUGS", "KINDS", "Bug", "Case", "Kind", "activation", "bugs_of", "dense", "loss", "make_case"]
