"""``npae.explore``: a trained model as one HTML page to look into, which works without a network."""

from html import escape
from pathlib import Path
from typing import Any, cast

import numpy as np

from npae.applications.explore.content import Condition, content
from npae.applications.explore.page import page
from npae.estimators import AutoencoderEstimator
from npae.network.autoencoder import Autoencoder
from npae.utils.files import atomic_write
from npae.utils.memory import format_bytes
from npae.utils.samples import dense
from npae.utils.scalars import whole_number
from npae.utils.types import Array
from npae.utils.wording import counted

FIRST = 1000
#: Bytes of a page, beyond which browsers become slow to open it.
LIMIT = 24_000_000
IFRAME_HEIGHT = 900  # pixels


class Explorer:
    """The page of a model; in a notebook it shows itself.

    Parameters
    ----------
    html : str
        The whole page.
    n_samples : int
        Samples in it.

    Attributes
    ----------
    html : str
        The whole page.
    n_samples : int
        Samples in it.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> X = np.random.default_rng(0).random((256, 8), dtype="float32")
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, random_state=0).fit(X)
    >>> page = npae.explore(model, X[:20])
    >>> page.save("explorer.html")
    >>> page.n_samples, page.embedded(height=300)[:8]
    (20, '<iframe ')
    """

    def __init__(self, html: str, n_samples: int) -> None:
        self.html, self.n_samples = html, n_samples

    @property
    def size(self) -> int:
        """Bytes of the page."""
        return len(self.html.encode())

    def save(self, path: str | Path) -> None:
        """Write the page; an existing file is replaced.

        Parameters
        ----------
        path : str or Path
            By custom it ends in ``.html``.
        """
        with atomic_write(path) as file:
            file.write(self.html.encode())

    def embedded(self, height: int = IFRAME_HEIGHT) -> str:
        """The page within a frame of another page, which it can neither read nor change.

        Parameters
        ----------
        height : int
            Of the frame, in pixels.

        Returns
        -------
        str
            HTML.
        """
        return (
            f'<iframe title="Explorer of the model" sandbox="allow-scripts" srcdoc="{escape(self.html)}" '
            f'width="100%" height="{whole_number(height, "height")}" style="border:0"></iframe>'
        )

    def _repr_html_(self) -> str:
        return self.embedded()

    def __repr__(self) -> str:
        return f"<Explorer of {counted(self.n_samples, 'sample')}, {format_bytes(self.size)}>"


def explore(
    model: AutoencoderEstimator | Autoencoder,
    X: Any,
    labels: Any = None,
    out: str | Path | None = None,
    *,
    first: int = FIRST,
    weights: str = "float32",
    title: str | None = None,
) -> Explorer:
    """Make the page that explores a trained model: a map of its codes to drag in, and a backpropagation microscope.

    The page computes the network itself, in JavaScript that follows npae's equations, and makes no request.

    Parameters
    ----------
    model : fitted estimator or built Autoencoder
    X : array-like of shape ``(n, *input_shape)``
        Samples of the kind that the model was trained on.
    labels : array-like of shape (n,), optional
        Numbers or texts, at most 100 different ones: colours and shapes on the map. A conditional model needs those
        that it was trained with; which one a code is decoded with is chosen in the page.
    out : str or Path, optional
        File to write the page to; an existing one is replaced.
    first : int, default 1000
        The page holds the first so many samples; the others are left out, which it says.
    weights : {"float32", "float16"}, default "float32"
        Numbers of the parameters in the page; float16 halves their size and errs by about 1e-3.
    title : str, optional
        By default the class of the model.

    Returns
    -------
    Explorer
        It shows itself in a notebook.

    Raises
    ------
    ValueError
        If the page cannot compute a layer, or would be larger than 24 MB; if there is not one label for each sample, or
        a conditional model is given none.

    Examples
    --------
    >>> import numpy as np
    >>> import npae
    >>> X = np.random.default_rng(0).random((64, 8), dtype="float32")
    >>> model = npae.VanillaAutoencoder(code_size=2, epochs=1, batch_size=32, random_state=0).fit(X)
    >>> npae.explore(model, X, first=50).n_samples
    50
    """
    network = model.network_ if isinstance(model, AutoencoderEstimator) else model
    first = whole_number(first, "first")
    given = network.check(X)
    names = None if labels is None else np.asarray(labels)
    if names is not None and names.ndim != 1:
        raise ValueError(
            f"labels have shape {names.shape}, but (n,) is expected; give one for each sample, and the file of the "
            f"page as out="
        )
    if names is not None and len(names) != len(given):
        raise ValueError(
            f"{counted(len(names), 'label')} and {counted(len(given), 'sample')} were given; give one label for each "
            f"sample"
        )
    samples = dense(given[:first])
    if len(samples) == 0:
        raise ValueError("no samples were given; give at least one")
    # at least, in base64: samples take a byte a value, or four
    _refuse_large(4 / 3 * (network.theta.size * (2 if weights == "float16" else 4) + samples.size))
    shown = None if names is None else names[:first]
    data = content(network, samples, shown, weights, _condition(model, network, shown, len(samples)))
    html = page(title or type(model).__name__, _about(network, len(samples), len(given)), data)
    explorer = Explorer(html, len(samples))
    _refuse_large(explorer.size)
    if out is not None:
        explorer.save(out)
    return explorer


def _condition(
    model: AutoencoderEstimator | Autoencoder, network: Autoencoder, labels: Array | None, n: int
) -> Condition | None:
    """What a conditional model knows its labels by; of an ``Autoencoder`` they are whole numbers."""
    if not network.condition.n_labels:
        return None
    if labels is None:
        raise ValueError("this model is conditional: it decodes a code with its label; give the labels of the samples")
    if isinstance(model, AutoencoderEstimator):
        return Condition([str(name) for name in model.classes_], cast(Array, model.places_of(labels, n)))
    return Condition(
        [str(i) for i in range(network.condition.n_labels)], cast(Array, network.condition.check(labels, n))
    )


def _about(network: Autoencoder, n: int, n_given: int) -> str:
    which = counted(n, "sample") if n == n_given else f"The first {n:,} of {n_given:,} samples"
    parameters = counted(network.arena.parameter_count(), "parameter")
    return f"{which}; a network of {parameters} with a code of {counted(int(np.prod(network.code_shape)), 'value')}."


def _refuse_large(size: float) -> None:
    """Refuse a page that is too large, or will be."""
    if size > LIMIT:
        raise ValueError(
            f"the page would have {format_bytes(int(size))}, more than {format_bytes(LIMIT)}; take fewer samples "
            f'(first=) or half the digits of the weights (weights="float16")'
        )
