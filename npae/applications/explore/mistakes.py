"""The known mistakes that can be planted in the page: names, formulas and hints of npae's library."""

from npae.gradcheck.bugs import BUGS

#: Kinds of the library that correspond to a layer, a loss or weight decay of the page.
KINDS = (
    "dense",
    "tied",
    "relu",
    "leaky-relu",
    "sigmoid",
    "tanh",
    "activated-dense",
    "convolution",
    "max-pool",
    "average-pool",
    "nearest-upsampling",
    "bilinear-upsampling",
    "flatten",
    "reparameterization",
    "weight-decay",
    "mse",
    "bce",
    "bce-on-logits",
)


def known_mistakes() -> list[dict[str, object]]:
    """Those of ``KINDS``; the page offers the ones that it can compute."""
    return [
        {"kind": bug.kind, "name": bug.name, "formula": bug.formula, "hint": bug.hint, "blocks": list(bug.blocks)}
        for bug in BUGS
        if bug.kind in KINDS
    ]
