"""Charts of losses, codes, images and timings as SVG or PNG, drawn with matplotlib."""

import io
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from npae.utils.console import shown
from npae.utils.errors import MissingExtraError
from npae.utils.pictures import grid
from npae.utils.types import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = [f"C{i}" for i in range(10)]
MARKERS = "o^sDvPX*<>"
LINES = 20  # of a column of a legend
MOST_PANELS = 2  # side by side, so that numbers with seven digits fit below each
LONGEST = 24  # letters of a name in a legend
BLACK_KEYS = (1, 3, 6, 8, 10)  # pitch classes


@contextmanager
def _own_settings() -> Iterator[None]:
    """Draw with matplotlib's defaults: it also reads a file ``matplotlibrc`` in the working directory."""
    require_matplotlib()
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        yield


@_own_settings()
def losses(histories: Mapping[str, Mapping[str, Sequence[float]]], *, one_scale: bool = False) -> str:
    """Chart of training loss and, if present, validation loss by epoch, one panel for each model; SVG text.

    With ``one_scale`` all panels have the same vertical axis, for losses of one unit on the same data.
    """
    figure = _figure(width=2.6 * len(histories), height=2.4)
    for axes, (title, history) in zip(
        figure.subplots(1, len(histories), squeeze=False, sharey=one_scale)[0], histories.items(), strict=True
    ):
        epochs = np.arange(1, len(history["loss"]) + 1)
        axes.plot(epochs, history["loss"], color="#2563eb", label="training")
        if "validation_loss" in history:
            axes.plot(epochs, history["validation_loss"], color="#ea580c", label="validation")
            axes.legend(frameon=False)
        axes.set(title=title, xlabel="epoch")
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("loss per sample")
    return _svg(figure)


@_own_settings()
def code_map(
    points: Array,
    labels: Array | None = None,
    *,
    axes: tuple[str, str] = ("code value 1", "code value 2"),
    what: str = "label",
    suffix: str = ".svg",
) -> bytes:
    """Scatter plot of points, coloured by label, as the content of a file.

    Up to 100 labels have a colour and a marker each, and a line in the legend; of more, colours follow the order of the
    labels, with a bar that names some.

    Parameters
    ----------
    points : ndarray of shape (n, 2)
    labels : ndarray of shape (n,), optional
        Numbers or texts; without them all points have one colour and there is no legend.
    axes : pair of str
        Titles of the axes; an empty one has no ticks either.
    what : str
        Title of the legend.
    suffix : {".svg", ".png"}
    """
    names, places = np.unique(np.zeros(len(points)) if labels is None else labels, return_inverse=True)
    texts = [_label_text(name) for name in names]
    has_legend = labels is not None and len(names) <= len(COLOURS) * len(MARKERS)
    columns = -(-len(names) // LINES) if has_legend else 0
    figure = _figure(width=max(6.4, 4.9 + columns * (0.5 + 0.085 * max(map(len, texts), default=0))), height=5.4)
    plot = figure.subplots()
    dots: dict[str, Any] = {"s": 7 if len(names) <= len(COLOURS) else 14, "alpha": 0.75, "linewidths": 0}
    if labels is None:
        plot.scatter(points[:, 0], points[:, 1], **dots)
    elif has_legend:
        for i in range(len(names)):
            chosen, colour, marker = points[places == i], COLOURS[i % len(COLOURS)], MARKERS[i // len(COLOURS)]
            plot.scatter(chosen[:, 0], chosen[:, 1], label="a", color=colour, marker=marker, **dots)
        legend = plot.legend(
            title=what,
            frameon=False,
            loc="center left",
            bbox_to_anchor=(1, 0.5),
            markerscale=28 / (dots["s"] + 7),
            ncols=columns,
            columnspacing=1,
            handletextpad=0.2,
        )
        for place, text in zip(legend.get_texts(), texts, strict=True):
            place.set_parse_math(False)
            place.set_text(text)  # not as a label of the points: one that starts with _ would be left out
    else:
        drawn = plot.scatter(points[:, 0], points[:, 1], c=places, cmap="viridis", **dots)
        some = np.linspace(0, len(names) - 1, 9).astype(int)
        bar = figure.colorbar(drawn, label=f"{what}, {len(names):,} in order")
        bar.ax.set_yticks(some, labels=[texts[i] for i in some], parse_math=False)
    plot.set(xlabel=axes[0], ylabel=axes[1])
    if not axes[1]:
        plot.set_yticks([])
    plot.spines[["top", "right"]].set_visible(False)
    if suffix == ".png":
        return _png(figure, dpi=110)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # a script that matplotlib's font lacks: the viewer's may have it
        return _svg(figure).encode()


def _label_text(name: object) -> str:
    """A label as one line without control characters; a long one loses its middle."""
    text = shown(str(name)).replace("\n", "\\n").replace("\t", "\\t")
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}…{text[1 - LONGEST // 2 :]}"


@_own_settings()
def strips(rows: Sequence[tuple[str, Array]]) -> bytes:
    """Rows of images (n, height, width), each with its label, as the content of a PNG file."""
    figure = _figure(width=10, height=0.44 * len(rows))
    for axes, (label, images) in zip(figure.subplots(len(rows), squeeze=False)[:, 0], rows, strict=True):
        axes.imshow(grid(images, columns=len(images)), cmap="gray", vmin=0, vmax=255)
        axes.set_ylabel(label, rotation=0, ha="right", va="center")
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    return _png(figure, dpi=120)


@_own_settings()
def growth(panels: Mapping[str, Mapping[str, tuple[Sequence[int], Sequence[float]]]], unit: str) -> bytes:
    """Curves (x, y) by name, one panel for each title, with logarithmic axes, as the content of a PNG file."""
    from matplotlib.ticker import LogLocator, NullFormatter

    rows, columns = -(-len(panels) // MOST_PANELS), min(len(panels), MOST_PANELS)
    figure = _figure(width=4.6 * columns, height=3.0 * rows)
    places = figure.subplots(rows, columns, squeeze=False)
    for axes, (title, curves) in zip(places.flat, panels.items(), strict=False):
        for x, y in curves.values():
            axes.plot(x, y, marker="o", markersize=3.5, linewidth=1.3)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        ticks = max((x for x, _ in curves.values()), key=len, default=[])
        axes.set_xticks(ticks, labels=[f"{x:,}" for x in ticks], minor=False, fontsize=8)
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_title(title.replace(": ", ":\n"), fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.3)
    for axes in places.flat[len(panels) :]:
        axes.set_axis_off()
    for axes in places[:, 0]:
        axes.set_ylabel(unit)
    figure.axes[0].legend(list(next(iter(panels.values()))), frameon=False)
    return _png(figure, dpi=100)


@_own_settings()
def piano_roll(
    notes: Sequence[tuple[float, float, int]], bars: Sequence[float], pitch_name: Callable[[int], str]
) -> bytes:
    """Notes as horizontal lines, pitch upwards, octaves named, bars between lines; the content of a PNG file.

    Parameters
    ----------
    notes : sequence of (start, end, pitch)
    bars : sequence of float
        Where bars begin, and where the last ends.
    pitch_name : function
        Of a pitch.
    """
    pitches = [pitch for _, _, pitch in notes] or [60]
    low, high = min(pitches) - 2, max(pitches) + 2
    figure = _figure(width=min(2.0 + 1.3 * len(bars), 40), height=1.2 + 0.085 * (high - low))
    axes = figure.subplots()
    for pitch in range(low, high + 1):
        if pitch % 12 in BLACK_KEYS:
            axes.axhspan(pitch - 0.5, pitch + 0.5, color="#f1f5f9", linewidth=0, zorder=0)
    gap = 0.08 * min((end - start for start, end, _ in notes), default=1)  # so that a repeated pitch is seen
    for start, end, pitch in notes:
        axes.broken_barh([(start, end - start - gap)], (pitch - 0.4, 0.8), color="#2563eb", linewidth=0, zorder=2)
    for bar in bars:
        axes.axvline(bar, color="#94a3b8", linewidth=1, zorder=1)
    cs = [pitch for pitch in range(low, high + 1) if pitch % 12 == 0]
    axes.set_yticks(cs, labels=[pitch_name(pitch) for pitch in cs])
    axes.set_xticks(bars[:-1], labels=[str(i + 1) for i in range(len(bars) - 1)])
    axes.set(xlim=(bars[0], bars[-1]), ylim=(low - 0.5, high + 0.5), xlabel="bar")
    axes.set_axisbelow(True)
    axes.grid(axis="y", alpha=0.5)
    axes.spines[["top", "right"]].set_visible(False)
    return _png(figure, dpi=100)


@_own_settings()
def spectrogram(sound: Array, rate: int, highest: float = 3000.0) -> bytes:
    """Strength of each frequency (Hz, up to ``highest``) over time (s), in decibels; the content of a PNG file."""
    figure = _figure(width=8, height=2.6)
    axes = figure.subplots()
    floor = 1e-6 * np.sin(np.arange(len(sound)))  # silence has no logarithm
    axes.specgram(
        sound + floor, NFFT=2048, Fs=rate, noverlap=1024, vmin=-110, vmax=-30, cmap="Blues", interpolation="nearest"
    )
    axes.set(ylim=(0, highest), xlabel="seconds", ylabel="Hz")
    return _png(figure, dpi=90)


def inline(svg: str, title: str, name: str) -> str:
    """A chart as an element of an HTML page: with a title, without what belongs into a file of its own.

    Parameters
    ----------
    svg : str
        What one of the functions above returned.
    title : str
        What the chart shows, for those who do not see it.
    name : str
        A word that no other chart of the page has; the chart's ids begin with it.
    """
    body = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], count=1, flags=re.DOTALL)
    body = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", body)
    body = body.replace(' type="text/css"', "", 1)
    return body.replace("<svg ", f'<svg role="img" aria-labelledby="{name}-title" ', 1).replace(
        ">", f'><title id="{name}-title">{escape(title)}</title>', 1
    )


def require_matplotlib() -> None:
    """Raise MissingExtraError if matplotlib is not installed."""
    if find_spec("matplotlib") is None:
        raise MissingExtraError("charts need matplotlib, which is not installed; pip install 'npae[plot]'")


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _png(figure: Any, dpi: int) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight", metadata={"Software": None})
    return buffer.getvalue()


def _svg(figure: Any) -> str:
    buffer = io.StringIO()
    # Without a date and with a fixed salt, equal charts give equal text.
    import matplotlib as mpl

    with mpl.rc_context({"svg.hashsalt": "npae", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()
