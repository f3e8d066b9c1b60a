"""Notes as a piano roll: time to the right, pitch upwards, octaves named, a line for each bar."""

from collections.abc import Sequence

from npae.applications.music.notes import Note
from npae.datasets.music.layout import Layout
from npae.datasets.music.piece import pitch_name
from npae.utils import charts


def roll_png(notes: Sequence[Note], layout: Layout, n_bars: int) -> bytes:
    """The content of a PNG file.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    return charts.piano_roll(notes, [bar * layout.steps for bar in range(n_bars + 1)], pitch_name)
