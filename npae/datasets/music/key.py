"""The key of a piece, by the profiles of Krumhansl and Kessler (1982) and the method of Krumhansl and Schmuckler."""

import numpy as np

from npae.utils.types import Array

#: How well each pitch class, from the tonic upwards, was judged to fit a key (Krumhansl & Kessler 1982).
MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
A = 9  # pitch class


def find_key(durations: Array) -> tuple[int, bool]:
    """The key whose profile correlates best with how long each pitch class sounds (Krumhansl 1990).

    Parameters
    ----------
    durations : ndarray of shape (12,)
        Of C, C#, D and so on, in any unit.

    Returns
    -------
    tonic : int
        Pitch class, 0 for C.
    is_major : bool

    Examples
    --------
    >>> find_key(np.array([0, 0, 4, 0, 2, 0, 2, 2, 0, 3, 0, 1]))
    (2, True)
    """
    profiles = [np.roll(profile, tonic) for profile in (MAJOR, MINOR) for tonic in range(12)]
    spread = durations - durations.mean()
    fits = [float((p - p.mean()) @ spread / p.std()) for p in profiles]  # the correlation, up to a common factor
    best = int(np.argmax(fits))
    return best % 12, best < 12


def shift_to_c(notes: Array) -> int:
    """Semitones, from -6 to 5, by which notes move so that their key is C major or A minor.

    Parameters
    ----------
    notes : ndarray of shape (n, 3)
        Start, end and pitch of each.
    """
    durations = np.bincount(notes[:, 2].astype(np.int64) % 12, notes[:, 1] - notes[:, 0], minlength=12)
    tonic, is_major = find_key(durations)
    return ((0 if is_major else A) - tonic + 6) % 12 - 6
