"""New samples: codes are drawn from a prior, a Gaussian or a mixture, and decoded."""

from typing import Any, ClassVar

import numpy as np

from npae.estimators.code_distributions import LARGEST_SAMPLED_CODE, CodeDistributions
from npae.estimators.conditioning import ConditionalMixin
from npae.estimators.gaussian import Gaussian
from npae.estimators.mixture import Mixture, codes_needed
from npae.utils.randomness import generator, seed_from
from npae.utils.samples import Samples
from npae.utils.scalars import whole_number
from npae.utils.scikit_learn import has_sklearn
from npae.utils.types import Array

SAMPLERS = ("prior", "gaussian", "gmm")


class SamplingMixin(ConditionalMixin):
    """``sample``, and the distributions of codes from which it draws."""

    default_sampler: ClassVar[str] = "gaussian"

    _distributions: CodeDistributions

    def sample(
        self, n_samples: int = 1, random_state: int | None = None, *, sampler: str | None = None, labels: Any = None
    ) -> Array:
        """Draw new samples ``(n_samples, *shape)``: random codes are decoded.

        Parameters
        ----------
        n_samples : int, default 1
        random_state : int, optional
            The model's own seed by default, so that the same call gives the same samples.
        sampler : {"prior", "gaussian", "gmm"}, optional
            What codes are drawn from. "prior": N(0, 1), which only a variational model has, and its default.
            "gaussian", the default of the others: the normal distribution with the mean and covariance of the codes of
            the data that ``fit`` or ``partial_fit`` saw last. "gmm": a mixture of ten normal distributions fitted to
            them (Ghosh et al., From variational to deterministic autoencoders, ICLR 2020, §4), which follows groups
            among the codes; it is fitted at the first use, which needs scikit-learn, and saved with the model. Both
            are for codes of up to 512 values; a conditional model has one of each for every label, since its codes
            depend on the label.
        labels : label or array-like of labels, shape (n_samples,), optional
            Of a conditional model, which needs them, and only of one: of what the samples are to be; one label is that
            of all.

        Returns
        -------
        ndarray of shape ``(n_samples, *shape)``
            In [0, 1] for cross-entropy.

        Raises
        ------
        ValueError
            If the model does not have this sampler, or a label is missing or unknown.
        MissingExtraError
            If a mixture has to be fitted and scikit-learn is not installed.
        """
        net = self._network()
        whole_number(n_samples, "n_samples")
        seed = net.run.seed if random_state is None else seed_from(random_state)
        z = generator(seed, "sample").standard_normal((n_samples, *net.code_shape))
        places = self.places_of(labels, n_samples)
        return net.decode(self._place_codes(z, self._chosen_sampler(sampler), places, seed), places)

    @property
    def samplers_(self) -> list[str]:
        """What ``sample`` can draw codes from, by name; "gmm" also where it has yet to be fitted."""
        self._network()
        found = self._distributions
        there = {
            "prior": self.default_sampler == "prior",
            "gaussian": found.has_gaussians,
            "gmm": found.has_mixtures or (found.can_fit_mixtures and has_sklearn()),
        }
        return [name for name in SAMPLERS if there[name]]

    def _chosen_sampler(self, sampler: str | None) -> str:
        """The default for None; what this model does not have is refused."""
        if sampler is None:
            return self.default_sampler
        if sampler not in SAMPLERS:
            raise ValueError(f"sampler is {sampler!r}; expected one of {', '.join(SAMPLERS)}")
        if sampler == "prior" and self.default_sampler != "prior":
            raise ValueError(
                f'sampler="prior" was given, but {type(self).__name__} has none, as only a variational model does; '
                f'give "gaussian" or "gmm"'
            )
        return sampler

    def _place_codes(self, z: Array, sampler: str, places: Array | None, seed: int) -> Array:
        """Codes from draws z (n, code_size) of N(0, 1); ``places`` (n,) are those of a conditional model's labels."""
        if sampler == "prior":
            return z
        places = np.zeros(len(z), np.int64) if places is None else places
        codes = np.empty_like(z)
        if sampler == "gmm":
            mixtures, u = self._mixtures(), generator(seed, "component").random(len(z))
            for place in np.unique(places):
                rows = places == place
                codes[rows] = mixtures[place].transform(z[rows], u[rows])
        else:
            gaussians = self._gaussians()
            for place in np.unique(places):
                codes[places == place] = gaussians[place].transform(z[places == place])
        return codes

    @property
    def code_distribution_(self) -> Gaussian | list[Gaussian] | None:
        """The Gaussian from which ``sample`` draws codes, fitted at the first access; None if there is none.

        Of a conditional model a list with one for each label.
        """
        self._network()
        found = self._distributions.gaussians()
        return found if self.network_.condition.n_labels and found else next(iter(found), None)

    @property
    def code_mixture_(self) -> Mixture | list[Mixture] | None:
        """The mixture from which ``sample`` draws codes, fitted at the first access; None if there is none.

        Of a conditional model a list with one for each label. There is one where there were ten training samples for
        each value of a code, and ten more, or where it was saved.
        """
        self._network()
        found = self._distributions.mixtures()
        return found if self.network_.condition.n_labels and found else next(iter(found), None)

    def _gaussians(self) -> list[Gaussian]:
        found = self._distributions.gaussians()
        if not found:
            self._refuse_large_code()
            raise ValueError(
                'the file of this model holds no Gaussian of its codes, as an earlier version saved it; give "prior"'
            )
        return found

    def _mixtures(self) -> list[Mixture]:
        kept = self._distributions
        found = kept.mixtures()
        if found:
            return found
        self._refuse_large_code()
        if not kept.codes:
            raise ValueError(
                'the file of this model holds no mixture: call sample(sampler="gmm") after fit, then save; npae train '
                "does it where scikit-learn is installed"
            )
        each = " of each label" if self._network().condition.n_labels else ""
        raise ValueError(
            f"a mixture for a code of {kept.size} values needs at least {codes_needed(kept.size)} training "
            f"samples{each}, but there were {kept.n_fewest}; give more, choose a smaller code_size, or "
            f'sampler="gaussian"'
        )

    def _refuse_large_code(self) -> None:
        if self._distributions.is_too_large:
            raise ValueError(
                f"sample needs a code of at most {LARGEST_SAMPLED_CODE} values, but this model's has "
                f"{self._distributions.size}; choose a smaller code_size"
            )

    def _remember(self, X: Samples, labels: Array | None, *, is_part: bool) -> None:
        """Keep codes of X, for the distributions of ``sample``; ``labels`` are those of a conditional model."""
        block = max(self.network_.arena.capacity, 1)  # for which training has allocated the memory

        def encode(rows: Array) -> Array:
            if len(rows) == len(X) <= block:  # rows increase, so that these are all
                return self.network_.encode_checked(X)
            parts = (rows[start : start + block] for start in range(0, len(rows), block))
            return np.concatenate([self.network_.encode_checked(X[part]) for part in parts])

        self._distributions.keep(encode, len(X), labels, is_part=is_part)

    def _forget_codes(self) -> None:
        (size,) = self.network_.code_shape
        self._distributions = CodeDistributions(size, self.network_.condition.n_labels)
