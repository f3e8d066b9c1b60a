"""Picture of a network's architecture as SVG: one bar a layer, as wide as the layer's output is large.

The picture is plain text, written without a drawing library. It has a light background of its own, so that it can be
read on dark pages too.
"""

from dataclasses import dataclass
from html import escape
from math import log2, prod
from typing import Any

from npae.layers.activation import Activation
from npae.layers.base import Layer
from npae.layers.convolution import Conv2D
from npae.layers.reparameterization import Reparameterization
from npae.layers.reshape import Flatten, Reshape
from npae.utils.types import Shape

WIDTH, ROW, TOP = 480, 40, 12  # of the picture, of a row and of the space above the first row, in pixels
CENTRE, WIDEST, NARROWEST = 112, 200, 14  # of the bars
TEXT = 228  # left edge of the text
COLOURS = {"data": "#8a94a0", "corrupt": "#c98a00", "encoder": "#3b78c2", "code": "#c2453b", "decoder": "#2e8b61"}


class Drawing(str):
    """The text of an SVG picture, which notebooks show as a picture.

    Examples
    --------
    >>> from npae.network.drawing import Drawing
    >>> Drawing("<svg></svg>")._repr_svg_()
    '<svg></svg>'
    """

    def _repr_svg_(self) -> str:
        """The SVG text, for notebooks."""
        return str(self)


@dataclass
class Row:
    """A bar of the picture: what is computed, the shape of its result for one sample, and the slot it belongs to."""

    labels: list[str]
    shape: Shape
    slot: str
    tied_to: str = ""

    @property
    def text(self) -> str:
        """The layers of the row in words."""
        return ", ".join(self.labels) + (f" (weights of {self.tied_to})" if self.tied_to else "")


def draw(network: Any) -> Drawing:
    """The picture of a built network, as SVG text.

    Parameters
    ----------
    network : Network
        A network for which ``build`` or ``plan`` was called.

    Returns
    -------
    Drawing
        A str that notebooks show as a picture.

    Examples
    --------
    >>> from npae import Autoencoder
    >>> from npae.layers import Dense, ReLU
    >>> from npae.network.drawing import draw
    >>> net = Autoencoder([Dense(3), ReLU()], [Dense(8)]).build((8,))
    >>> "Dense 3, ReLU" in draw(net)
    True
    """
    rows = list_rows(network)
    largest = max(prod(row.shape) for row in rows)
    height = 2 * TOP + ROW * len(rows)
    title = f"Autoencoder with {prod(network.input_shape)} inputs and a code of {prod(network.code_shape)}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(title)}" font-family="system-ui, sans-serif">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#ffffff"/>',
        *(line for i, row in enumerate(rows) for line in _bar(row, TOP + ROW * i, largest, last=i + 1 == len(rows))),
        "</svg>",
    ]
    return Drawing("\n".join(lines) + "\n")


def list_rows(network: Any) -> list[Row]:
    """The bars of a network from its input to its output; activations and changes of shape join the bar before."""
    rows = [Row(["input x"], network.input_shape, "data")]
    for slot in ("corrupt", "encoder", "code", "decoder"):
        for layer in getattr(network, slot).layers:
            if isinstance(layer, Flatten | Reshape):
                rows[-1].labels.append(type(layer).__name__)
            elif isinstance(layer, Activation) and rows[-1].slot == slot:
                rows[-1].labels.append(_label(layer))
            else:
                rows.append(Row([_label(layer)], layer.output_shape, slot, tied_to=getattr(layer, "tied_to", "")))
        if slot == "code" and len(rows) > 1:
            rows[-1].slot = "code"
            rows[-1].labels.append("code z")
    output = "reconstruction x̂ = σ(output)" if network.loss.on_logits else "reconstruction x̂"
    return [*rows, Row([output], network.input_shape, "data")]


def _label(layer: Layer) -> str:
    """The layer's type and its first number that says how large it is."""
    name, config = type(layer).__name__, layer.config()
    if isinstance(layer, Reparameterization):
        return "μ, log σ², z = μ + σ ε"
    if isinstance(layer, Conv2D):
        (height, width), (down, right) = layer.kernel_size, layer.stride
        stride = f", stride {down}×{right}" if layer.stride != (1, 1) else ""
        return f"Conv2D {layer.filters}, {height}×{width}{stride}"
    for key in ("units", "size", "factor", "level", "strength"):
        if key in config:
            value = config[key]
            parts = value if isinstance(value, tuple | list) else (value,)
            between = "–" if key == "level" else "×"
            return f"{name} {between.join(map(str, parts))}"
    return name


def _bar(row: Row, top: int, largest: int, *, last: bool) -> list[str]:
    """The elements of one row: bar, text, size, and an arrow to the next row."""
    size = prod(row.shape)
    # Sizes differ by factors of hundreds, so widths are logarithmic: twice as many values are one step wider.
    width = NARROWEST + (WIDEST - NARROWEST) * log2(size + 1) / log2(largest + 1)
    height = ROW - 16
    shape = " × ".join(map(str, row.shape))
    values = shape if len(row.shape) > 1 else f"{size} value{'s' if size > 1 else ''}"
    lines = [
        f'<rect x="{CENTRE - width / 2:.1f}" y="{top}" width="{width:.1f}" height="{height}" rx="4" '
        f'fill="{COLOURS[row.slot]}"/>',
        f'<text x="{TEXT}" y="{top + 10}" font-size="13" fill="#1d2329">{escape(row.text)}</text>',
        f'<text x="{TEXT}" y="{top + 25}" font-size="12" fill="#59636e">{escape(values)}</text>',
    ]
    if not last:
        y = top + height + 3
        lines.append(f'<path d="M{CENTRE} {y} v8 m-4 -4 l4 4 l4 -4" fill="none" stroke="#59636e" stroke-width="1.5"/>')
    return lines
