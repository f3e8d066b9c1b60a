"""A piece of music as it is read: notes, bars and tempo, with times in quarter notes from the beginning."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from npae.utils.types import Array

Meter = tuple[int, int]  # 3/4 is (3, 4)

NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


class Bar(NamedTuple):
    """A bar of the score.

    Attributes
    ----------
    start, length : float
        In quarter notes. The length is shorter than the meter's in a pickup, and before a change of meter.
    meter : pair of int
    """

    start: float
    length: float
    meter: Meter

    @property
    def is_complete(self) -> bool:
        """Whether it is as long as its meter says."""
        return abs(self.length - quarters(self.meter)) < 1e-6


@dataclass(frozen=True)
class Piece:
    """What a file of music holds.

    Attributes
    ----------
    path : Path
    notes : ndarray of float64, shape (n, 3)
        Start, end (both in quarter notes) and pitch of each note, the pitch as MIDI numbers it: 60 is C4.
    bars : list of Bar
        In order.
    tempo : float or None
        Quarter notes a minute at the beginning; None where the file does not say.
    left_out : dict of str to int
        How many notes of which kind were not read.
    """

    path: Path
    notes: Array
    bars: list[Bar]
    tempo: float | None = None
    left_out: dict[str, int] = field(default_factory=dict)


def is_meter(numerator: int, denominator: int) -> bool:
    """Whether two numbers are a time signature that is read: up to 64, the second a power of two.

    Examples
    --------
    >>> is_meter(6, 8), is_meter(0, 4), is_meter(4, 3)
    (True, False, False)
    """
    return 1 <= numerator <= 64 and denominator in (1, 2, 4, 8, 16, 32, 64)


def quarters(meter: Meter) -> float:
    """Length of a bar in quarter notes.

    Examples
    --------
    >>> quarters((6, 8))
    3.0
    """
    return 4 * meter[0] / meter[1]


def pitch_name(pitch: int) -> str:
    """Name of a MIDI pitch, with the octave.

    Examples
    --------
    >>> pitch_name(60), pitch_name(70)
    ('C4', 'A#4')
    """
    return f"{NAMES[pitch % 12]}{pitch // 12 - 1}"
