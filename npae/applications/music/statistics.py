"""Statistics of bars, to compare those of a model with those that it learned from."""

from typing import NamedTuple

import numpy as np

from npae.utils.randomness import generator
from npae.utils.scalars import whole_number
from npae.utils.types import Array

MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11)  # semitones above the tonic; the natural minor scales have the same pitches
CONSONANT = (0, 3, 4, 5, 7, 8, 9)  # semitones, octaves apart: unison, thirds, fourth, fifth, sixths


class Statistics(NamedTuple):
    """Of bars.

    Attributes
    ----------
    voices : float
        Pitches that sound at a step, on average.
    notes : float
        Notes that begin in a bar, on average.
    fragments : float
        Share of the notes that last one step only.
    in_key : float
        Share of what sounds in a bar that belongs to one major scale, the best for that bar.
    consonant : float
        Share of the pairs of pitches that sound together and are consonant: thirds, fourths, fifths, sixths, octaves.

    Examples
    --------
    >>> from npae.applications.music import Statistics
    >>> Statistics(voices=1.0, notes=4.0, fragments=0.0, in_key=1.0, consonant=0.5).notes
    4.0
    """

    voices: float
    notes: float
    fragments: float
    in_key: float
    consonant: float


HEADER = ("voices a step", "notes a bar", "of one step", "in key", "consonant")


def statistics(bars: Array, lowest: int) -> Statistics:
    """Statistics of bars of zeros and ones, those of samples after ``binarize``.

    Parameters
    ----------
    bars : ndarray of shape (n, steps, pitches, 2)
    lowest : int
        MIDI pitch of the first row.

    Returns
    -------
    Statistics
        NaN for a share of nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.music import statistics
    >>> bars = np.zeros((1, 4, 12, 2))
    >>> bars[0, :, [0, 7], 0] = bars[0, 0, [0, 7], 1] = 1  # C and G, a fifth
    >>> found = statistics(bars, lowest=60)
    >>> found.voices, found.notes, found.consonant
    (2.0, 2.0, 1.0)
    """
    sounds = bars[..., 0] > 0.5  # (n, steps, pitches)
    begins = (bars[..., 1] > 0.5) & sounds
    begins[:, 1:] |= sounds[:, 1:] & ~sounds[:, :-1]
    # Notes that begin at the last step are not counted: whether they last longer is in the next bar.
    is_short = begins[:, :-1] & (begins[:, 1:] | ~sounds[:, 1:])
    by_class = np.zeros((len(bars), 12))  # sounding steps of each pitch class
    np.add.at(by_class.T, (np.arange(bars.shape[2]) + lowest) % 12, sounds.sum(axis=1).T)
    scales = np.array([[(c - tonic) % 12 in MAJOR_SCALE for tonic in range(12)] for c in range(12)])
    in_key = (by_class @ scales).max(axis=1)  # (n, 12) @ (12, 12)
    together = [int((sounds[..., d:] & sounds[..., :-d]).sum()) for d in range(1, bars.shape[2])]
    consonant = sum(count for d, count in enumerate(together, 1) if d % 12 in CONSONANT)
    return Statistics(
        float(sounds.sum(axis=2).mean()),
        float(begins.sum(axis=(1, 2)).mean()),
        _share(is_short.sum(), begins[:, :-1].sum()),
        _share(in_key.sum(), by_class.sum()),
        _share(consonant, sum(together)),
    )


def independent_draws(bars: Array, n: int, seed: int = 0) -> Array:
    """Bars in which each cell is drawn on its own, as often as it sounds, or begins, in the data: a baseline.

    Parameters
    ----------
    bars : ndarray of shape (m, steps, pitches, 2)
        Zeros and ones.
    n : int
    seed : int, default 0

    Returns
    -------
    ndarray of float32, shape (n, steps, pitches, 2)

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.music import independent_draws
    >>> independent_draws(np.ones((4, 16, 25, 2)), n=3).mean().item()
    1.0
    """
    frequency = bars.mean(axis=0, dtype=np.float64)
    draws = generator(seed, "independent draws").random((whole_number(n, "n"), *frequency.shape))
    drawn: Array = (draws < frequency).astype(np.float32)
    return drawn


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")
