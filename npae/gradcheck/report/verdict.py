"""The four verdicts, and the error thresholds between them.

An error is the largest difference of two gradients, as a fraction of the largest entry of the block. It does not grow
with the size of the array; a tolerance that does can let a completely wrong gradient pass (pytorch#59615). The bands
are those of CS231n's notes on gradient checks.
"""

from collections.abc import Iterable
from enum import Enum

SMOOTH = 1e-6  # tolerance for a smooth function in float64
KINKED = 1e-4  # tolerance beside a kink, where the step must be small
SINGLE = 2e-3  # tolerance where a function computes in float32
FLOAT32 = 1e-4  # tolerance of a float32 backward compared with the float64 backward
SUSPICIOUS, PLAINLY_WRONG = 1e-4, 1e-2  # CS231n's bands


class Verdict(Enum):
    """The verdict on one block, from best to worst.

    PASS: the gradient agrees with differences. KINK: the function has two one-sided slopes there, and the gradient lies
    between them. CANNOT_TELL: differences are not accurate enough to say. WRONG: they differ.

    Examples
    --------
    >>> from npae.gradcheck import Verdict
    >>> [str(verdict) for verdict in Verdict]
    ['PASS', 'KINK', "CAN'T TELL", 'WRONG']
    """

    PASS = "PASS"
    KINK = "KINK"
    CANNOT_TELL = "CAN'T TELL"
    WRONG = "WRONG"

    def __str__(self) -> str:
        return self.value


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of several verdicts; PASS for none."""
    return max(verdicts, key=list(Verdict).index, default=Verdict.PASS)


def band(error: float) -> str:
    """CS231n's word for an error of this size."""
    if error > PLAINLY_WRONG:
        return "wrong"
    return "suspicious" if error > SUSPICIOUS else "small"
