"""Notes as a piano roll: time to the right, pitch upwards, octaves named, a line for each bar."""

from collections.abc import Sequence

from npae.applications.music.notes import Note
from npae.datasets.music.layout import Layout
from npae.datasets.music.piece import pitch_name
from npae.utils import charts


def roll_png(notes: Sequence[Note], layout: Layout, n_bars: int) -> bytes:
    """Notes as a picture: a piano roll.

    Parameters
    ----------
    notes : sequence of Note
    layout : Layout
    n_bars : int
        Number of bars, which lines separate.

    Returns
    -------
    bytes
        The content of a PNG file.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> from npae.applications.music import Note, roll_png
    >>> from npae.datasets.music import Layout
    >>> roll_png([Note(0, 4, 60)], Layout((4, 4), 16, 48, 72), n_bars=1)[1:4]
    b'PNG'
    """
    return charts.piano_roll(notes, [bar * layout.steps for bar in range(n_bars + 1)], pitch_name)
