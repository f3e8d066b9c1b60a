"""Codes of the training data, and the normal distributions and mixtures that are fitted to them at their first use.

Distributions are fitted to codes, which are kept from the end of training on, not to samples that are kept: a mixture
needs ten times as many as a Gaussian, and 5,000 images would take more memory than most networks, 5,000 codes of 32
values 640 kB.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from npae.estimators.gaussian import Gaussian
from npae.estimators.mixture import COMPONENTS, Mixture, codes_needed
from npae.estimators.recent_codes import RecentCodes
from npae.utils.randomness import generator
from npae.utils.types import Array, Shape

#: Largest code size for which distributions are fitted: a Gaussian has code_size² numbers, a mixture ten times as many.
LARGEST_SAMPLED_CODE = 512
#: Codes of the training data that are kept: so many, or fewer where they would have more values than this.
CODES_KEPT, VALUES_KEPT = 5000, 2**20
#: Codes of a call of ``partial_fit``, one of many: to encode 5,000 took up to a fifth of the time of its training.
#: Digits drawn from a Gaussian of 500 codes were as near to the data as those from one of 5,000; from a mixture they
#: were 10 to 20 % farther.
CODES_OF_A_PART = 500
WEIGHTS_ROUNDED = 1e-6  # how far a sum of weights in a file may be from 1


class CodeDistributions:
    """One normal distribution and one mixture of the codes; of a conditional model one of each for every label.

    The encoder of a conditional model does not see labels, so that its codes depend on them: with one Gaussian for all
    labels digits were nine times as far from the data as with one for each.

    Parameters
    ----------
    size : int
        Values of a code.
    n_labels : int
        Of a conditional model; 0 of others.

    """

    def __init__(self, size: int, n_labels: int) -> None:
        self.size, self._n_labels = size, n_labels
        self._kept: list[RecentCodes] = []
        self._gaussians: list[Gaussian] = []
        self._mixtures: list[Mixture] = []

    @property
    def codes(self) -> list[Array]:
        """Those that are kept, each (n, size), for each label or in all; empty for a model from a file."""
        return [kept.array() for kept in self._kept]

    @property
    def is_too_large(self) -> bool:
        """Whether the code is too large for distributions."""
        return self.size > LARGEST_SAMPLED_CODE

    @property
    def n_fewest(self) -> int:
        """Number of codes that are kept, of the label that has the fewest."""
        return min(map(len, self._kept), default=0)

    def keep(self, encode: Callable[[Array], Array], n: int, labels: Array | None, *, is_part: bool = False) -> None:
        """Keep codes of ``n`` samples, with labels (n,) of a conditional model, in place of earlier ones.

        Of many samples a random choice is encoded, the same for the same numbers: evenly spaced ones would all be of
        one kind where kinds alternate. Fewer samples than twice the code size determine no covariance: theirs are added
        to the earlier ones.

        Parameters
        ----------
        encode : function of row numbers
            Returns the codes of these samples.
        n : int
        labels : ndarray of int, or None
        is_part : bool, default False
            Whether it is one call of many, of which fewer codes are enough.
        """
        each = range(self._n_labels)
        groups = [np.arange(n)] if labels is None else [np.flatnonzero(labels == label) for label in each]
        are_few = [len(rows) < 2 * self.size for rows in groups]
        if self.is_too_large or (any(are_few) and not self._kept and self._gaussians):
            return
        most = self._most(CODES_KEPT, len(groups))
        of_call = self._most(CODES_OF_A_PART, len(groups)) if is_part else most
        added = [encode(chosen(rows, of_call)) if len(rows) else None for rows in groups]
        before = self._kept or [RecentCodes() for _ in groups]
        self._kept = [kept if is_few else RecentCodes() for kept, is_few in zip(before, are_few, strict=True)]
        for kept, codes in zip(self._kept, added, strict=True):
            if codes is not None:
                kept.add(codes, most)
        self._gaussians, self._mixtures = [], []

    def _most(self, n: int, n_groups: int) -> int:
        """How many codes of a label are kept if those of all labels are ``n``: as many as a mixture needs at least."""
        return max(codes_needed(self.size), min(n, VALUES_KEPT // self.size) // n_groups)

    def gaussians(self) -> list[Gaussian]:
        """The normal distributions; empty where there are neither codes nor stored ones."""
        if not self._gaussians and self._kept:
            self._gaussians = [Gaussian.fit(part) for part in self.codes]
        return self._gaussians

    def mixtures(self) -> list[Mixture]:
        """The mixtures; empty where there are too few codes and no stored ones. To fit them needs scikit-learn."""
        if not self._mixtures and self.can_fit_mixtures:
            self._mixtures = [Mixture.fit(part) for part in self.codes]
        return self._mixtures

    @property
    def can_fit_mixtures(self) -> bool:
        """Whether there are enough codes."""
        return bool(self._kept) and self.n_fewest >= codes_needed(self.size)

    @property
    def has_gaussians(self) -> bool:
        """Whether there are normal distributions, or codes to fit them to."""
        return bool(self._gaussians or self._kept)

    @property
    def has_mixtures(self) -> bool:
        """Whether the mixtures have been fitted."""
        return bool(self._mixtures)

    # Files

    def arrays(self) -> dict[str, Array]:
        """The distributions that there are, by name: normal ones, and mixtures that have been fitted."""
        arrays = {}
        if gaussians := self.gaussians():
            arrays["code_mean"] = self._joined([g.mean for g in gaussians])
            arrays["code_factor"] = self._joined([g.factor for g in gaussians])
        if self._mixtures:
            arrays["mixture_weights"] = self._joined([m.weights for m in self._mixtures])
            arrays["mixture_means"] = self._joined([m.means for m in self._mixtures])
            arrays["mixture_factors"] = self._joined([m.factors for m in self._mixtures])
        return arrays

    def _joined(self, parts: list[Array]) -> Array:
        return np.stack(parts) if self._n_labels else parts[0]

    def restore(self, names: set[str], read: Callable[[str, Shape], Array]) -> None:
        """Take over the result of ``arrays``.

        Parameters
        ----------
        names : set of str
            Of the arrays that there are.
        read : function of a name and a shape
            Returns the array, finite; raises ValueError unless it is so.

        Raises
        ------
        ValueError
            If the weights of a mixture are no shares of 1.
        """
        if "code_mean" in names:
            means, factors = (self._parts(read, name, shape) for name, shape in self._shapes("code").items())
            self._gaussians = [Gaussian(*each) for each in zip(means, factors, strict=True)]
        if "mixture_weights" in names:
            weights, means, factors = (
                self._parts(read, name, shape) for name, shape in self._shapes("mixture").items()
            )
            if any(part.min() < 0 or abs(part.sum() - 1) > WEIGHTS_ROUNDED for part in weights):
                raise ValueError("the array 'mixture_weights' does not hold shares of 1")
            self._mixtures = [Mixture(*each) for each in zip(weights, means, factors, strict=True)]

    def _shapes(self, kind: str) -> dict[str, Shape]:
        """The names and shapes of one distribution's arrays."""
        size, n = self.size, COMPONENTS
        if kind == "code":
            return {"code_mean": (size,), "code_factor": (size, size)}
        return {"mixture_weights": (n,), "mixture_means": (n, size), "mixture_factors": (n, size, size)}

    def _parts(self, read: Callable[[str, Shape], Array], name: str, shape: Shape) -> list[Array]:
        if self._n_labels:
            return list(read(name, (self._n_labels, *shape)))
        return [read(name, shape)]


def chosen(rows: Array, most: int) -> Array:
    """At most ``most`` of row numbers (n,), in their order."""
    return rows if len(rows) <= most else rows[_places(len(rows), most)]


@lru_cache(maxsize=4)
def _places(n: int, most: int) -> Array:
    """``most`` numbers below ``n``, increasing: a random choice, the same each time."""
    return np.sort(generator(0, "codes that are kept", n).choice(n, most, replace=False, shuffle=False))
