"""Texts: vectors of weighted word counts, codes of them, and a classifier that learns from the codes.

Texts are converted to sparse vectors of weighted word counts (``words``), which an autoencoder (``model``) reduces, as
latent semantic analysis does linearly (Deerwester et al. 1990); ``classifier`` learns from its codes, and
``comparison`` measures what they are worth. Vectors are made dense a batch at a time.
"""

from npae.applications.texts.classifier import FILES, TextClassifier
from npae.applications.texts.comparison import compare
from npae.applications.texts.model import text_model
from npae.applications.texts.words import WordWeights

__all__ = ["FILES", "TextClassifier", "WordWeights", "compare", "text_model"]
