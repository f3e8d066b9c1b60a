"""New samples: codes are drawn from a prior, a Gaussian or a mixture, and decoded."""

from math import ceil
from typing import Any, ClassVar

import numpy as np

from npae.estimators.conditioning import ConditionalMixin
from npae.estimators.gaussian import Gaussian
from npae.estimators.mixture import Mixture, codes_needed
from npae.utils.randomness import generator, seed_from
from npae.utils.scalars import whole_number
from npae.utils.scikit_learn import has_sklearn
from npae.utils.sparse import Samples
from npae.utils.types import Array

#: Largest code size for which distributions are fitted: a Gaussian has code_size² numbers, a mixture ten times as many.
LARGEST_SAMPLED_CODE = 512
#: Codes of the training data that a model keeps: so many, or fewer where they would have more values than this.
CODES_KEPT, VALUES_KEPT = 5000, 2**20

SAMPLERS = ("prior", "gaussian", "gmm")


class SamplingMixin(ConditionalMixin):
    """``sample``, and the distributions of codes from which it draws.

    Distributions are fitted to *codes* of the training data, which are kept from the end of training on. Ten times as
    many samples would be needed for a mixture as for a Gaussian, and would take more memory than most networks; 5,000
    codes of 32 values take 640 kB, and encoding them a fraction of an epoch.
    """

    default_sampler: ClassVar[str] = "gaussian"

    _codes: Array | None  # (n, code_size), of the data that fit or partial_fit saw last
    _code_distribution: Gaussian | None
    _code_mixture: Mixture | None

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
            are for codes of up to 512 values.
        labels : label or array-like of labels, shape (n_samples,), optional
            Of a conditional model, which needs them, and only of one: of what the samples are to be; one label is that
            of all.

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
        return net.decode(self._place_codes(z, self._chosen_sampler(sampler), seed), places)

    def _chosen_sampler(self, sampler: str | None) -> str:
        """The default for None; what this model does not have is refused."""
        if sampler is None:
            return self.default_sampler
        if sampler not in SAMPLERS:
            raise ValueError(f"sampler is {sampler!r}; expected one of {', '.join(SAMPLERS)}")
        if sampler == "prior" and self.default_sampler != "prior":
            raise ValueError(
                f'sampler is "prior", but {type(self).__name__} has none, as only a variational model does; give '
                f'"gaussian" or "gmm"'
            )
        return sampler

    @property
    def samplers_(self) -> list[str]:
        """What ``sample`` can draw codes from, by name; "gmm" also where it has yet to be fitted."""
        (size,) = self._network().code_shape
        n = 0 if self._codes is None else len(self._codes)
        there = {
            "prior": self.default_sampler == "prior",
            "gaussian": self._code_distribution is not None or n > 0,
            "gmm": self._code_mixture is not None or (n >= codes_needed(size) and has_sklearn()),
        }
        return [name for name in SAMPLERS if there[name]]

    def _place_codes(self, z: Array, sampler: str, seed: int) -> Array:
        """Codes from draws z (n, code_size) of N(0, 1)."""
        if sampler == "prior":
            return z
        if sampler == "gmm":
            return self._mixture().transform(z, generator(seed, "component").random(len(z)))
        distribution = self.code_distribution_
        if distribution is None:
            self._refuse_large_code()
            raise ValueError(
                'the file of this model holds no Gaussian of its codes, as an earlier version saved it; give "prior"'
            )
        return distribution.transform(z)

    @property
    def code_distribution_(self) -> Gaussian | None:
        """The Gaussian from which ``sample`` draws codes, fitted at the first access; None if there is none."""
        codes = self._codes
        if self._code_distribution is None and codes is not None:
            self._code_distribution = Gaussian.fit(codes)
        return self._code_distribution

    @property
    def code_mixture_(self) -> Mixture | None:
        """The mixture from which ``sample`` draws codes, fitted at the first access; None if there is none.

        There is one where at least ten codes for each of their axes, and ten, were kept, or where it was saved.
        """
        codes = self._codes
        if self._code_mixture is None and codes is not None and len(codes) >= codes_needed(codes.shape[1]):
            self._code_mixture = Mixture.fit(codes)
        return self._code_mixture

    def _mixture(self) -> Mixture:
        mixture = self.code_mixture_
        if mixture is not None:
            return mixture
        self._refuse_large_code()
        if self._codes is None:
            raise ValueError(
                'the file of this model holds no mixture: call sample(sampler="gmm") after fit, then save; npae train '
                "does it where scikit-learn is installed"
            )
        n, size = self._codes.shape
        raise ValueError(
            f"a mixture for a code of {size} values needs at least {codes_needed(size)} training samples, but there "
            f'were {n}; give more, choose a smaller code_size, or sampler="gaussian"'
        )

    def _refuse_large_code(self) -> None:
        (size,) = self._network().code_shape
        if size > LARGEST_SAMPLED_CODE:
            raise ValueError(
                f"sample needs a code of at most {LARGEST_SAMPLED_CODE} values, but this model's has {size}; "
                f"choose a smaller code_size"
            )

    def _remember(self, X: Samples) -> None:
        """Keep codes of X, for the distributions of ``sample``."""
        (size,) = self.network_.code_shape
        # Too few samples determine no covariance.
        is_small = len(X) < 2 * size
        if size > LARGEST_SAMPLED_CODE or (is_small and self._codes is None and self._code_distribution is not None):
            return
        most = max(codes_needed(size), min(CODES_KEPT, VALUES_KEPT // size))
        codes = self._codes_within_memory(X[:: ceil(len(X) / most)])
        if is_small and self._codes is not None:
            codes = np.concatenate([self._codes, codes])[-most:]
        self._codes, self._code_distribution, self._code_mixture = codes, None, None

    def _codes_within_memory(self, X: Samples) -> Array:
        """Codes of X, encoded in blocks for which training has allocated the memory."""
        size = max(self.network_.arena.capacity, 1)
        return np.concatenate([self.network_.encode(X[i : i + size]) for i in range(0, len(X), size)])

    def _forget_codes(self) -> None:
        self._codes = self._code_distribution = self._code_mixture = None
