"""Notes of bars that follow each other."""

from typing import NamedTuple

from npae.applications.music.binarization import binarize
from npae.datasets.music.layout import Layout
from npae.utils.types import Array


class Note(NamedTuple):
    """A note: when it starts and ends, in steps from the first bar's beginning, and its MIDI pitch.

    Attributes
    ----------
    start, end : int
        The first step in which it sounds, and the one behind the last, counted from the beginning of the first bar.
    pitch : int
        MIDI pitch; 60 is C4.

    Examples
    --------
    >>> from npae.applications.music import Note
    >>> note = Note(start=0, end=4, pitch=60)
    >>> note.end - note.start
    4
    """

    start: int
    end: int
    pitch: int


def find_notes(bars: Array, layout: Layout) -> list[Note]:
    """Notes of bars, one after the other, after :func:`binarize`.

    A note that sounds from a bar's first step on without beginning there goes on from the bar before, if the pitch
    sounds at its end; else it begins.

    Parameters
    ----------
    bars : ndarray of shape (n, steps, pitches, 2)
        Zeros and ones, or probabilities.
    layout : Layout
        Of the bars.

    Returns
    -------
    list of Note
        Sorted.

    Raises
    ------
    ValueError
        If the bars do not have the shape of the layout.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.music import find_notes
    >>> from npae.datasets.music import Layout
    >>> layout = Layout((4, 4), 4, 60, 61)
    >>> bars = np.zeros((1, *layout.shape), np.float32)
    >>> bars[0, :2, 0, 0] = bars[0, 0, 0, 1] = 1  # C4 sounds in two steps and begins in the first
    >>> find_notes(bars, layout)
    [Note(start=0, end=2, pitch=60)]
    """
    if bars.ndim != 4 or bars.shape[1:] != layout.shape:
        raise ValueError(f"bars has shape {bars.shape}; expected (n, {', '.join(map(str, layout.shape))})")
    cells = binarize(bars).astype(bool).reshape(-1, *layout.shape[1:])  # (n, steps, ...) -> (n*steps, pitches, 2)
    notes = []
    for row, pitch in enumerate(range(layout.lowest, layout.highest + 1)):
        start = None
        for step, (sounds, begins) in enumerate(cells[:, row].tolist()):
            if start is not None and (begins or not sounds):
                notes.append(Note(start, step, pitch))
                start = None
            if start is None and sounds:
                start = step
        if start is not None:
            notes.append(Note(start, len(cells), pitch))
    return sorted(notes)
