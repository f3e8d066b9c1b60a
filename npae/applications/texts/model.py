"""The autoencoder that reduces vectors of texts, which are mostly zeros, to codes."""

from typing import Any

from npae.estimators import AutoencoderEstimator, DenoisingAutoencoder

BATCH = 50  # texts in a training step, if there are so many


def text_model(code_size: int = 16, random_state: int = 0, *, n_texts: int = BATCH) -> DenoisingAutoencoder:
    """An unfitted denoising model for the TF-IDF vectors of texts, trained with 30 % of the values masked.

    Parameters
    ----------
    code_size : int, default 16
    random_state : int, default 0
    n_texts : int
        Number of texts it will be fitted to; a batch has no more.

    Returns
    -------
    DenoisingAutoencoder

    Examples
    --------
    >>> from npae.applications.texts import text_model
    >>> text_model(code_size=8, n_texts=20).batch_size
    20
    """
    return DenoisingAutoencoder(
        code_size=code_size,
        hidden=(256,),
        noise="masking",
        noise_level=0.3,
        loss="mse",
        epochs=20,
        batch_size=min(BATCH, max(1, n_texts)),
        random_state=random_state,
    )


def fitted_model(model: AutoencoderEstimator | None, vectors: Any) -> AutoencoderEstimator:
    """A model, by default ``text_model``, fitted to vectors of texts; refused where its codes would be larger."""
    if model is None:
        model = text_model(n_texts=vectors.shape[0])
    if model.code_size is not None and vectors.shape[1] < model.code_size:
        raise ValueError(
            f"the texts to learn from have {vectors.shape[1]} words in common, fewer than the {model.code_size} values "
            f"of a code; give more or longer texts, or a smaller code size"
        )
    return model.fit(vectors)
