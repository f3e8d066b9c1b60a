"""A small chart of losses by epoch as SVG, written without a drawing library, in the colours of the page around it."""

from collections.abc import Mapping, Sequence
from html import escape
from math import isfinite

from npae.utils.types import Array

WIDTH, HEIGHT, LEFT, BOTTOM = 360, 150, 52, 22
#: Names of the curves in a history, and how each is drawn: a dashed line needs no colour to be told apart.
CURVES = {"loss": ("training", ""), "validation_loss": ("validation", ' stroke-dasharray="5 3"')}


def loss_curves(history: Mapping[str, Sequence[float]]) -> str:
    """Loss and, where there is one, validation loss by epoch; an empty text before the first epoch.

    Values that are not finite are left out.

    >>> "training" in loss_curves({"loss": [3.0, 2.0]}), loss_curves({"loss": []})
    (True, '')
    """
    curves = {name: history[name] for name in CURVES if history.get(name)}
    values = [v for curve in curves.values() for v in curve if isfinite(v)]
    if not values:
        return ""
    n, low, high = max(map(len, curves.values())), min(values), max(values)

    def place(i: int, value: float) -> str:
        x = LEFT + (WIDTH - LEFT - 8) * (i / max(n - 1, 1))
        y = 8 + (HEIGHT - BOTTOM - 16) * ((high - value) / ((high - low) or 1.0))
        return f"{x:.1f},{y:.1f}"

    lines = []
    for name, curve in curves.items():
        points = [place(i, v) for i, v in enumerate(curve) if isfinite(v)]
        points = points * 2 if len(points) == 1 else points  # one point is a dot, with round ends
        lines.append(
            f'<polyline fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"{CURVES[name][1]} '
            f'points="{" ".join(points)}"/>'
        )
    legend = ", ".join(f"{CURVES[name][0]} {'dashed' if CURVES[name][1] else 'solid'}" for name in curves)
    title = f"Loss by epoch, 1 to {n}: {legend}"
    return (
        f'<svg role="img" aria-label="{escape(title)}" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" style="max-width:100%;height:auto" fill="currentColor" font-size="11">'
        f'<text x="2" y="14">{high:.4g}</text><text x="2" y="{HEIGHT - BOTTOM}">{low:.4g}</text>'
        f'<text x="{LEFT}" y="{HEIGHT - 4}">{escape(title)}</text>{"".join(lines)}</svg>'
    )


def sample_lines(samples: Array, rebuilt: Array) -> str:
    """Each sample as a line of its values, and its reconstruction as a dashed one; SVG pictures, one a sample.

    Parameters
    ----------
    samples, rebuilt : ndarray of shape (n, ...)
        Finite.
    """
    pictures = []
    for i, (x, y) in enumerate(zip(samples.reshape(len(samples), -1), rebuilt.reshape(len(rebuilt), -1), strict=True)):
        low, high = min(x.min(), y.min()), max(x.max(), y.max())
        lines = "".join(
            f'<polyline fill="none" stroke="currentColor"{dash} points="{_places(values, float(low), float(high))}"/>'
            for values, dash in ((x, ""), (y, ' stroke-dasharray="4 3"'))
        )
        pictures.append(
            f'<svg role="img" aria-label="sample {i} solid, its reconstruction dashed" viewBox="0 0 180 90" '
            f'width="180" height="90">{lines}</svg>'
        )
    return "".join(pictures)


def _places(values: Array, low: float, high: float) -> str:
    step = 172 / max(len(values) - 1, 1)
    return " ".join(
        f"{4 + step * i:.1f},{4 + 82 * (high - v) / ((high - low) or 1.0):.1f}" for i, v in enumerate(values)
    )
