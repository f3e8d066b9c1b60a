"""Sphinx extension: trains a small model and writes its explorer beside the pages, as ``explorer.html``."""

from pathlib import Path
from typing import Any

import npae
from npae.applications.explore import Explorer, explore
from npae.datasets import load_digits

SAMPLES = 300


def small_explorer() -> Explorer:
    """The explorer of a variational model with a code of two values, trained on the digits for a few seconds."""
    digits = load_digits()
    model = npae.VariationalAutoencoder(code_size=2, hidden=(64,), epochs=30, batch_size=50, random_state=0)
    model.fit(digits.train_images)
    return explore(
        model, digits.test_images, digits.test_labels, first=SAMPLES, weights="float16", title="A small model of digits"
    )


def write_page(app: Any, error: Exception | None) -> None:
    """Write the page when the others are written; only HTML has a use for it."""
    if error is None and app.builder.format == "html":
        small_explorer().save(Path(app.outdir) / "explorer.html")


def setup(app: Any) -> dict[str, bool]:
    """Register the event."""
    app.connect("build-finished", write_page)
    return {"parallel_read_safe": True}
