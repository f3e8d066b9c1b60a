"""The demonstration as one HTML file with embedded images, which opens offline."""

import base64
import html
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np

from npae.applications.explore import explore
from npae.cli.demo.comparison import COLUMNS, FORMATS, NOISE_LEVEL, Demonstration, row
from npae.cli.tables import texts
from npae.utils import charts, pictures
from npae.utils.randomness import generator
from npae.utils.types import Array
from npae.utils.version import __version__
from npae.utils.wording import counted

PER_ROW = 20  # images side by side
#: Attributes of a part that may be wider than the page: the keyboard can scroll it.
SCROLLS = 'tabindex="0"'


def report(demonstration: Demonstration) -> str:
    """The page as HTML text."""
    sections = [
        _explorer(demonstration),
        _comparison(demonstration),
        _losses(demonstration),
        _reconstructions(demonstration),
        _restorations(demonstration),
        _samples(demonstration),
        _map(demonstration),
    ]
    return PAGE.format(title=TITLE, version=__version__, sections="\n".join(sections))


def is_report(path: Path) -> bool:
    """Whether ``report`` made the page in a file, in this version or another."""
    with path.open("rb") as file:
        return TITLE.encode() in file.read(1000)


def _explorer(d: Demonstration) -> str:
    explorer = explore(
        d.map_model, d.digits.test_images, d.digits.test_labels, weights="float16", title="The map model"
    )
    return _section(
        "Explore a code of two values",
        "A variational model with a code of only two values, to drag in: the decoded digit follows. Its microscope "
        "shows the gradients beside finite differences.",
        explorer.embedded(),
    )


def _comparison(d: Demonstration) -> str:
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in COLUMNS)
    rows = (texts(COLUMNS, row(result), FORMATS) for result in d.results)
    body = "".join("<tr>" + "".join(map(_cell, cells, COLUMNS)) + "</tr>" for cells in rows)
    return _section(
        "Five autoencoders and PCA",
        "Trained on 5,000 handwritten digits, measured on 1,000 others. Loss is in nats per image; MSE is the mean "
        "squared error per pixel, beside that of principal component analysis with as many values in its code. Lower "
        "is better.",
        f'<div class="scroll" {SCROLLS}><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>',
    )


def _cell(text: str, column: str) -> str:
    """A cell of the comparison; the first of a row is its head."""
    content = html.escape(text)
    return f'<th scope="row">{content}</th>' if column == COLUMNS[0] else f"<td>{content}</td>"


def _losses(d: Demonstration) -> str:
    chart = charts.losses({r.name: r.model.history_ for r in d.results}, one_scale=True)
    return _section(
        "How the loss fell",
        "Mean loss of each epoch in nats per image, noise and penalties included; all five on one scale.",
        f'<div class="chart" {SCROLLS}>{charts.inline(chart, "Loss of the five models by epoch", "losses")}</div>',
    )


def comparison_strips(d: Demonstration) -> list[tuple[str, Array]]:
    """Labels and images (n, 28, 28): test digits, and their reconstructions by each model and by PCA."""
    images = d.digits.test_images[_spread(d)]
    strips = [("original", images)]
    strips += [(f"{r.name}, {counted(r.code_size, 'value')}", r.model.reconstruct(images)) for r in d.results]
    strips += [(f"PCA, {size} values", d.pca.reconstruct(images, size)) for size in (32, 16)]
    return strips


def _reconstructions(d: Demonstration) -> str:
    return _section(
        "Originals and reconstructions",
        "Test digits, and what each model makes of them through its code of 16 or 32 values.",
        _strips(comparison_strips(d)),
    )


def _restorations(d: Demonstration) -> str:
    few = _spread(d)
    denoising = next(r for r in d.results if r.name == "denoising")
    noisy = d.noisy[few]
    return _section(
        "Noise removed",
        f"Gaussian noise of σ = {NOISE_LEVEL} on digits that the model has not seen. Mean squared error over all test "
        f"digits: {denoising.restored_error:.4f}, PCA of the same code size fitted on clean digits: "
        f"{denoising.pca_restored_error:.4f}.",
        _strips(
            [
                ("noisy", noisy),
                ("denoised", denoising.model.reconstruct(noisy)),
                ("by PCA", d.pca.reconstruct(noisy, denoising.code_size)),
                ("clean", d.digits.test_images[few]),
            ]
        ),
    )


def _samples(d: Demonstration) -> str:
    model = next(r.model for r in d.results if r.name == "variational")
    images, labels = d.digits.test_images, d.digits.test_labels
    ends = [np.flatnonzero(labels == digit)[0] for digit in (3, 8, 0, 1, 7)]
    walks = [
        (f"{labels[a]} to {labels[b]}", model.interpolate(images[a], images[b], PER_ROW)) for a, b in pairwise(ends)
    ]
    samples = model.sample(3 * PER_ROW)
    return _section(
        "Generated digits",
        "Above, samples of the variational model: codes drawn from N(0, 1), decoded. Below, straight lines between the "
        "codes of two test digits.",
        _strips([("drawn", samples)]) + _strips(walks),
    )


def _map(d: Demonstration) -> str:
    codes = d.map_model.transform(d.digits.test_images)
    ticks = np.linspace(-2.4, 2.4, 22)
    # The first code value runs to the right, the second upwards, as in the map.
    plane = np.stack(np.meshgrid(ticks, ticks[::-1]), axis=-1).reshape(-1, 2)
    grid = _image(pictures.grid(d.map_model.inverse_transform(plane), columns=len(ticks), gap=0), "latent grid")
    chart = charts.code_map(codes, d.digits.test_labels, what="digit").decode()
    plot = charts.inline(chart, "Codes of the test digits, a colour for each digit", "map")
    return _section(
        "A map of the digits",
        "The code of two values, all of it: where the test digits "
        "lie, and, beside or below, what the decoder makes of each place from −2.4 to 2.4.",
        f'<div class="pair"><div class="chart" {SCROLLS}>{plot}</div><div class="plane">{grid}</div></div>',
    )


def _spread(d: Demonstration) -> Array:
    """Indices of test digits to show: two of each class, drawn with a fixed seed."""
    order = generator(0, "report digits").permutation(len(d.digits.test_labels))
    labels = d.digits.test_labels[order]
    return np.concatenate([order[labels == digit][: PER_ROW // 10] for digit in range(10)])


def _strips(strips: Iterable[tuple[str, Array]]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{html.escape(label)}</th>'
        f"<td>{_image(pictures.grid(images, columns=PER_ROW), label)}</td></tr>"
        for label, images in strips
    )
    return f'<table class="strips">{rows}</table>'


def _image(image: Array, alternative: str) -> str:
    data = base64.b64encode(pictures.png(image, scale=1)).decode()
    return f'<img alt="{html.escape(alternative)}" src="data:image/png;base64,{data}">'


def _section(title: str, text: str, content: str) -> str:
    return f"<section><h2>{html.escape(title)}</h2><p>{html.escape(text)}</p>{content}</section>"


TITLE = "<title>npae: five autoencoders on digits</title>"
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{title}
<style>
/* Pictures keep their own light ground: they are what the models made, not decoration. */
:root {{ color-scheme: light dark; --ground: #ffffff; --text: #1f2937; --soft: #4b5563; --line: #d1d5db;
  --band: #f3f4f6; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ground: #0b1220; --text: #e2e8f0; --soft: #a9b6c9; --line: #3b4a63; --band: #131c2e; }}
}}
body {{ font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--ground); max-width: 1280px;
  margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.7rem; }}
h2 {{ font-size: 1.2rem; margin: 2.2rem 0 0.3rem; }}
p {{ margin: 0 0 0.8rem; max-width: 75ch; }}
iframe {{ display: block; }}
table {{ border-collapse: collapse; }}
.scroll {{ overflow-x: auto; }}
thead th {{ border-bottom: 2px solid var(--line); }}
th, td {{ padding: 0.25rem 0.9rem; text-align: right; }}
th:first-child, td:first-child {{ text-align: left; padding-left: 0; }}
tbody th {{ font-weight: normal; }}
tbody tr:nth-child(even) {{ background: var(--band); }}
.strips {{ width: 100%; margin-bottom: 1rem; }}
.strips th {{ width: 11rem; }}
.strips td {{ padding: 1px 0; }}
.strips img, .plane img {{ display: block; width: 100%; image-rendering: pixelated; }}
.pair {{ display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }}
.pair > div {{ flex: 1 1 min(420px, 100%); }}
.chart {{ background: #ffffff; overflow-x: auto; }}
svg {{ display: block; width: 100%; min-width: 560px; height: auto; }}
footer {{ margin-top: 2rem; color: var(--soft); font-size: 0.85rem; }}
@media (max-width: 640px) {{
  .strips tr, .strips th, .strips td {{ display: block; width: auto; }}
}}
</style>
</head>
<body>
<header><h1>Five autoencoders on real digits</h1>
<p>Every number and picture on this page was made a moment ago by networks whose gradients are written by hand.</p>
</header>
<main>
{sections}
</main>
<footer>npae {version}. Digits: MNIST, Y. LeCun, C. Cortes, C. J. C. Burges; CC BY-SA 3.0.</footer>
</body>
</html>
"""
