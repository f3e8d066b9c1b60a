"""watch.html of a training run: a page that loads itself anew while the training goes on, and stays as its end left it.

There is no server: the page is a file, which is written after each epoch.
"""

import base64
import hashlib
import time
import warnings
from collections.abc import Mapping, Sequence
from html import escape
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from npae.cli.open_data import first_of
from npae.cli.output import write_bytes
from npae.utils.curves import loss_curves, sample_lines
from npae.utils.errors import MissingExtraError
from npae.utils.sources import Source
from npae.utils.types import Array

FEW = 8  # samples that are shown
NAME = "watch.html"


class WatchPage:
    """The page, written anew after each epoch.

    A disk that takes no more does not end the training: a warning says so once.

    Parameters
    ----------
    path : Path
    model : estimator
        In training; it reconstructs the samples.
    X : ndarray of shape (n, ...), or Source
        The first eight samples are shown, the same ones in every epoch.
    labels : ndarray of shape (n,), optional
        Of a conditional model.
    """

    def __init__(self, path: Path, model: Any, X: Array | Source, labels: Array | None) -> None:
        self.path, self.model = path, model
        self.few = first_of(X, FEW)
        self.labels = None if labels is None else labels[:FEW]
        self._has_warned = False

    def write(self, history: Mapping[str, Sequence[float]], *, ended: str = "") -> None:
        """Write the page after an epoch; ``ended`` says how the training ended, empty while it goes on."""
        try:
            write_bytes(self.path, self._page(history, ended).encode())
        except OSError as error:
            if not self._has_warned:
                warnings.warn(
                    f"{self.path} is not up to date ({error.strerror or error}); training goes on, and each later "
                    f"epoch tries again",
                    stacklevel=2,
                )
                self._has_warned = True

    def _page(self, history: Mapping[str, Sequence[float]], ended: str) -> str:
        script = "" if ended else SCRIPT
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        rows = "".join(
            f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'
            for name, value in self._facts(history, ended)
        )
        return PAGE.format(
            scripts=f"'sha256-{digest}'" if script else "'none'",
            title=escape(f"{type(self.model).__name__}: {ended or 'training'}"),
            rows=rows,
            curves=loss_curves(history),
            samples=self._samples(),
            control="" if ended else CONTROL,
            script=f"<script>{script}</script>" if script else "",
        )

    def _facts(self, history: Mapping[str, Sequence[float]], ended: str) -> list[tuple[str, str]]:
        done, last = len(history.get("loss", ())), {name: values[-1] for name, values in history.items() if values}
        facts = [("epoch", f"{done} of {self.model.epochs}")]
        facts += [(name.replace("_", " "), f"{last[name]:.5g}") for name in SHOWN if name in last]
        if ended:
            return [*facts, ("state", ended)]
        left = float(np.mean(history.get("seconds", [0.0]))) * max(self.model.epochs - done, 0)
        return [*facts, ("time left", _duration(left)), ("written at", time.strftime("%H:%M:%S"))]

    def _samples(self) -> str:
        """The samples above their reconstructions: as pictures, or as lines of their values."""
        from npae.utils import pictures

        rebuilt = self.model.reconstruct(self.few, self.labels)
        if not np.isfinite(rebuilt).all():
            return "<p>The reconstructions are not finite.</p>"
        if not pictures.are_images(self.few):
            return sample_lines(self.few, rebuilt)
        try:
            picture = pictures.png(pictures.rows(self.few, rebuilt), scale=3)
        except MissingExtraError as error:
            return f"<p>No pictures: {escape(str(error))}.</p>"
        data = base64.b64encode(picture).decode()
        return f'<img alt="eight samples, below them their reconstructions" src="data:image/png;base64,{data}">'


#: Columns of the history that are shown, where there are such.
SHOWN = ("loss", "reconstruction", "kl", "validation_loss", "learning_rate")


def _duration(seconds: float) -> str:
    """Seconds as people say them."""
    if not isfinite(seconds):
        return "unknown"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"


SCRIPT = """
const button = document.querySelector("button");
let waiting = null;
const wait = () => (waiting = setTimeout(() => location.reload(), 2000));
button.addEventListener("click", () => {
  if (waiting) waiting = clearTimeout(waiting); else wait();
  button.textContent = waiting ? "pause" : "go on";
});
wait();
"""
CONTROL = '<p>The page loads itself anew every two seconds. <button type="button">pause</button></p>'
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src {scripts}; img-src data:; \
style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 800px; margin: 1.5rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.4rem; }}
th, td {{ text-align: left; padding: 2px 1.2rem 2px 0; font-variant-numeric: tabular-nums; }}
img {{ max-width: 100%; image-rendering: pixelated; }}
button {{ font: inherit; }}
</style>
</head>
<body><main>
<h1>{title}</h1>
{control}
<table><tbody>{rows}</tbody></table>
{curves}
<h2>Samples above their reconstructions</h2>
{samples}
</main>
{script}
</body>
</html>
"""
