"""How many measures of a part of MusicXML its durations do not fill, found while expat reads it.

For each of them music21 looks for a time signature in all that is before it: a file of 20 kB can take it minutes.
"""

from collections.abc import Sequence

TOLERANCE = 1e-6  # quarter notes


class MeasureLengths:
    """Follows the time within the measures of a part.

    Attributes
    ----------
    short : int
        Measures of this part so far that have notes or rests, but not as many as their time signature says.

    Examples
    --------
    >>> lengths = MeasureLengths()
    >>> for name in ("part", "measure", "note"):
    ...     lengths.begin(name)
    >>> lengths.end("duration", [3.0])
    >>> lengths.end("note", [])
    >>> lengths.end("measure", [])
    >>> lengths.short
    1
    """

    def __init__(self) -> None:
        self.short = 0
        self.divisions, self.beats, self.beat_type = 1.0, 4.0, 4.0  # of a quarter note; the time signature
        self.now = self.filled = 0.0  # quarter notes since the measure began
        self.duration, self.moves = 0.0, True  # of a note, and whether the next one begins after it

    def begin(self, name: str) -> None:
        """An element begins."""
        if name == "part":
            self.__init__()  # type: ignore[misc]
        elif name == "measure":
            self.now = self.filled = 0.0
        elif name in ("note", "backup", "forward"):
            self.duration, self.moves = 0.0, True

    def end(self, name: str, numbers: Sequence[float]) -> None:
        """An element ends, which has held these numbers."""
        if name in ("chord", "grace"):
            self.moves = False
        elif name == "duration":
            self.duration = numbers[0]
        elif name == "divisions":
            self.divisions = numbers[0] or 1.0
        elif name == "beats":
            self.beats = sum(numbers)  # 3+2
        elif name == "beat-type":
            self.beat_type = numbers[0] or 4.0
        elif name in ("note", "forward", "backup"):
            self._move(-1 if name == "backup" else 1)
        elif name == "measure":
            self.short += 0 < self.filled < 4 * self.beats / self.beat_type - TOLERANCE

    def _move(self, way: int) -> None:
        if self.moves:
            self.now += way * self.duration / self.divisions
            self.filled = max(self.filled, self.now)
