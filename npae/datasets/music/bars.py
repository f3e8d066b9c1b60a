"""Music as samples: every bar of one meter becomes an array that says what sounds and what begins at each step."""

import os
import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from npae.datasets.music.key import shift_to_c
from npae.datasets.music.layout import DEFAULT_TEMPO, FASTEST, HIGHEST, MOST_STEPS, SLOWEST, Layout
from npae.datasets.music.midi import read_midi
from npae.datasets.music.music_files import MIDI_SUFFIXES, XML_SUFFIXES, find_music, find_other_music
from npae.datasets.music.musicxml import read_musicxml
from npae.datasets.music.piece import Bar, Meter, Piece, is_meter, pitch_name, quarters
from npae.datasets.streams import MAX_BYTES
from npae.utils.console import shows_progress
from npae.utils.errors import FileFormatError, quoted
from npae.utils.scalars import whole_number
from npae.utils.types import Array

TRANSPOSE = ("c", "all")
STEPS = 4  # of a quarter note
MOST_SPANS = 500_000  # notes of a file, counted once in each bar in which they sound
LARGEST_ROLL = 2**21  # quarter notes of a file's bars times pitches: 64 MiB with four steps to a quarter note
SPANS_AT_ONCE = 4096  # as Python numbers, which take ten times the memory
PATIENCE = 3.0  # seconds after which a terminal shows how many files are read
OFF_GRID = 0.1  # steps by which a note may miss the grid without being counted as moved


class Bars(NamedTuple):
    """Bars of music as samples.

    Attributes
    ----------
    X : ndarray of float32, shape (n, steps, pitches, 2)
        1 where a pitch sounds (channel 0) or begins (channel 1), else 0.
    layout : Layout
        The meter, the pitches and the tempo.
    names : list of str
        The file and the number of each bar.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.datasets.music import Bars, Layout
    >>> layout = Layout((4, 4), 16, 48, 72)
    >>> bars = Bars(np.zeros((2, *layout.shape), np.float32), layout, ["a.mid bar 1", "a.mid bar 2"])
    >>> bars.X.shape
    (2, 16, 25, 2)
    """

    X: Array
    layout: Layout
    names: list[str]


def read_bars(
    source: str | os.PathLike[str],
    *,
    meter: str | None = None,
    steps_per_quarter: int | None = None,
    transpose: str | None = None,
    layout: Layout | None = None,
) -> Bars:
    """Read the bars of a file of music, or of all such files in a folder and below it.

    MIDI files (.mid, .midi) need mido, and MusicXML (.musicxml, .mxl, .xml) needs music21. All instruments and voices
    are put together. Starts and ends are moved to the nearest step, and every note lasts a step at least. Left out are
    bars of other meters, incomplete ones (pickups), bars in which nothing sounds, drums, grace notes, and files of
    music in other formats; a warning says how many. Repeats are read once.

    Parameters
    ----------
    source : str or PathLike
    meter : str, optional
        Such as "3/4"; by default the one that most bars have.
    steps_per_quarter : int, optional
        4 by default: sixteenth notes; 12 also holds triplets.
    transpose : {"c", "all"}, optional
        "c" moves each piece to C major or A minor, by the nearest way; "all" gives each in twelve keys. Without it,
        pieces stay as they are.
    layout : Layout, optional
        Read as these bars, in place of ``meter``, ``steps_per_quarter`` and the range of pitches that the data has.

    Returns
    -------
    Bars

    Raises
    ------
    FileNotFoundError
    MissingExtraError
        If mido, or music21, is needed and not installed.
    FileFormatError
        If a file is damaged or beyond the limits of :func:`read_midi` and :func:`read_musicxml`, if its notes sound in
        more than 500,000 bars, added up, if its bars have more than 2,097,152 quarter notes times pitches, if no bar
        is left, if a pitch lies outside the given layout, or if the bars would take more than 4 GiB.
    ValueError
        If an option is not one of these.

    Examples
    --------
    >>> from mido import Message, MidiFile, MidiTrack
    >>> from npae.datasets.music import read_bars
    >>> track = MidiTrack([Message("note_on", note=60, time=0), Message("note_off", note=60, time=1920)])
    >>> MidiFile(tracks=[track], ticks_per_beat=480).save("one_note.mid")
    >>> bars = read_bars("one_note.mid")
    >>> bars.X.shape, bars.layout.meter, bars.names
    ((1, 16, 1, 2), (4, 4), ['one_note.mid bar 1'])
    """
    source = Path(source)
    if transpose is not None and transpose not in TRANSPOSE:
        raise ValueError(f'transpose is {transpose!r}; expected "c" (to C major or A minor) or "all" (into 12 keys)')
    if layout is not None and (meter is not None or steps_per_quarter is not None):
        raise ValueError("meter or steps_per_quarter was given with a layout, which says both; leave them out")
    wanted = None if meter is None else parse_meter(meter)
    a_quarter = (
        STEPS if steps_per_quarter is None else whole_number(steps_per_quarter, "steps_per_quarter", most=MOST_STEPS)
    )
    from tqdm import tqdm  # imported here, since it takes 50 ms

    paths = tqdm(
        find_music(source), desc="reading", unit="file", delay=PATIENCE, disable=not shows_progress(), leave=False
    )
    pieces = [_read(path) for path in paths]
    if layout is not None:
        chosen, n_steps = layout.meter, layout.steps
    else:
        chosen = wanted or _most_common(pieces, source)
        n_steps = _steps_of(chosen, a_quarter, source)
    parts = [part for piece in pieces for part in _cut(piece, chosen, n_steps / quarters(chosen), transpose)]
    if not any(len(part.kept) for part in parts):
        raise FileFormatError(
            f"{str(source)!r} holds no complete bar of {chosen[0]}/{chosen[1]} with notes; give another meter, or "
            f"other files"
        )
    _say_what_is_left_out(source, pieces, parts, chosen)
    if layout is None:
        ranges = [part.pitch_range() for part in parts if len(part.kept)]
        layout = Layout(chosen, n_steps, min(ranges)[0], max(high for _, high in ranges), _tempo(pieces))
    for part in parts:
        _check_range(part, layout)
        _check_size(part, layout)
    n = sum(len(part.kept) for part in parts)
    if n * int(np.prod(layout.shape)) * 4 > MAX_BYTES:
        raise FileFormatError(
            f"{str(source)!r} has {n:,} bars of {layout.shape} numbers, which take more than {MAX_BYTES:,} bytes; give "
            f"fewer files"
        )
    X = np.zeros((n, *layout.shape), np.float32)
    first = 0
    for part in parts:
        _paint(X[first : first + len(part.kept)], part, layout.lowest)
        first += len(part.kept)
    return Bars(X, layout, [name for part in parts for name in part.names()])


class _Part(NamedTuple):
    """The complete bars of a piece, in one key.

    ``spans`` (m, 5) holds, for each note and each bar that it sounds in: the number of the bar among ``kept``, the
    first step, the step behind the last, the pitch before it is shifted, and whether the note begins there. The keys
    of a piece share it.
    """

    piece: Piece
    kept: list[int]  # numbers of the bars in the piece, from 0
    spans: Array
    left_out: Counter[str]  # bars
    moved: int  # notes that were not on the grid
    shift: int

    def pitch_range(self) -> tuple[int, int]:
        """The lowest and the highest pitch, shifted; of a part that has bars."""
        pitches = self.spans[:, 3]
        return int(pitches.min()) + self.shift, int(pitches.max()) + self.shift

    def names(self) -> list[str]:
        """The file and the number of each bar, and how it was moved."""
        key = f" {self.shift:+d}" if self.shift else ""
        return [f"{self.piece.path.name} bar {number + 1}{key}" for number in self.kept]


def _read(path: Path) -> Piece:
    suffix = path.suffix.lower()
    if suffix in MIDI_SUFFIXES:
        return read_midi(path)
    if suffix in XML_SUFFIXES:
        return read_musicxml(path)
    return read_midi(path)  # by its first bytes


def parse_meter(text: str) -> Meter:
    """A time signature; raises ValueError for what is none.

    Examples
    --------
    >>> parse_meter("6/8")
    (6, 8)
    """
    numbers = text.split("/") if isinstance(text, str) else []
    are_whole = all(number.isascii() and number.isdecimal() and len(number) <= 2 for number in numbers)
    if len(numbers) == 2 and are_whole and is_meter(int(numbers[0]), int(numbers[1])):
        return int(numbers[0]), int(numbers[1])
    raise ValueError(f'meter is {quoted(text)}; expected a time signature up to 64/64, such as "3/4"')


def _steps_of(meter: Meter, a_quarter: int, source: Path) -> int:
    steps = quarters(meter) * a_quarter
    if steps != int(steps) or steps > MOST_STEPS:
        raise FileFormatError(
            f"{str(source)!r} is to be read in bars of {meter[0]}/{meter[1]}, which have {steps:g} steps where a "
            f"quarter note has {a_quarter}, but a whole number up to {MOST_STEPS} is expected; give another meter, or "
            f"other steps_per_quarter"
        )
    return int(steps)


def _most_common(pieces: Iterable[Piece], source: Path) -> Meter:
    meters = Counter(bar.meter for piece in pieces for bar in piece.bars if bar.is_complete)
    if not meters:
        raise FileFormatError(f"{str(source)!r} holds no complete bar; give other files")
    return max(meters, key=lambda meter: (meters[meter], meter))


def _tempo(pieces: Iterable[Piece]) -> float:
    tempi = [piece.tempo for piece in pieces if piece.tempo is not None]
    return float(np.clip(round(float(np.median(tempi)), 1), SLOWEST, FASTEST)) if tempi else DEFAULT_TEMPO


def _cut(piece: Piece, meter: Meter, a_quarter: float, transpose: str | None) -> list[_Part]:
    """The bars of the piece that have this meter, in each key that is wanted."""
    of_meter = [i for i, bar in enumerate(piece.bars) if bar.meter == meter and bar.is_complete]
    spans, moved = _spans(piece, of_meter, a_quarter)
    sounding = np.unique(spans[:, 0])
    left_out = Counter(
        f"{bar.meter[0]}/{bar.meter[1]}" if bar.meter != meter else "incomplete"
        for bar in piece.bars
        if bar.meter != meter or not bar.is_complete
    )
    left_out["without a note"] = len(of_meter) - len(sounding)
    spans[:, 0] = np.searchsorted(sounding, spans[:, 0])
    kept = [of_meter[i] for i in sounding]
    return [_Part(piece, kept, spans, left_out, moved, shift) for shift in _shifts(piece, spans, transpose)]


def _shifts(piece: Piece, spans: Array, transpose: str | None) -> list[int]:
    """By how many semitones the piece is moved; an octave the other way where pitches would leave those of MIDI."""
    if transpose is None or not len(spans):
        return [0]
    low, high = -int(spans[:, 3].min()), HIGHEST - int(spans[:, 3].max())
    wanted = [shift_to_c(piece.notes)] if transpose == "c" else list(range(-5, 7))
    shifts = [next((s for s in (shift, shift - 12, shift + 12) if low <= s <= high), None) for shift in wanted]
    if None in shifts:
        raise FileFormatError(
            f"{str(piece.path)!r} has pitches from {-low} to {HIGHEST - high}, which cannot be transposed within 0 to "
            f"{HIGHEST}; leave it out"
        )
    return [shift for shift in shifts if shift is not None]


def _spans(piece: Piece, of_meter: list[int], a_quarter: float) -> tuple[Array, int]:
    """Each note in each bar of ``of_meter`` that it sounds in, as in ``_Part``; and how many notes missed the grid."""
    if not of_meter:
        return np.zeros((0, 5), np.int64), 0
    bars: list[Bar] = [piece.bars[i] for i in of_meter]
    starts = np.array([bar.start for bar in bars])  # (bars,)
    n_steps = round(quarters(bars[0].meter) * a_quarter)
    half = 0.5 / a_quarter
    begin, end = piece.notes[:, 0], piece.notes[:, 1]
    # The bars in which the note, moved to the grid, sounds: from `first` to before `behind`.
    first = np.searchsorted(starts, begin + half, side="right") - 1
    behind = np.maximum(np.searchsorted(starts, end - half, side="left"), first + 1)
    count = behind - np.maximum(first, 0)
    if count.sum() > MOST_SPANS:
        raise FileFormatError(
            f"{str(piece.path)!r} has notes that sound in {int(count.sum()):,} bars, added up, but at most "
            f"{MOST_SPANS:,} are read; split it"
        )
    note = np.repeat(np.arange(len(begin)), count)
    order = np.arange(len(note)) - np.repeat(np.cumsum(count) - count, count)  # 0, 1, ... for each note
    bar = np.maximum(first, 0)[note] + order
    since = (begin[note] - starts[bar]) * a_quarter  # steps
    from_step = np.rint(since).astype(np.int64)
    to_step = np.maximum(np.rint((end[note] - starts[bar]) * a_quarter).astype(np.int64), from_step + 1)
    begins = (from_step >= 0) & (from_step < n_steps)
    spans = np.stack(
        [
            bar,
            np.clip(from_step, 0, n_steps),
            np.clip(to_step, 0, n_steps),
            piece.notes[note, 2].astype(np.int64),
            begins,
        ],
        axis=1,
    )
    moved = begins & (np.abs(since - from_step) > OFF_GRID)
    return spans[spans[:, 1] < spans[:, 2]], int(moved.sum())


def _check_range(part: _Part, layout: Layout) -> None:
    pitches = part.spans[:, 3] + part.shift
    beyond = pitches[(pitches < layout.lowest) | (pitches > layout.highest)]
    if len(beyond):
        raise FileFormatError(
            f"{str(part.piece.path)!r} has the note {pitch_name(int(beyond[0]))}, but the model's music goes from "
            f"{pitch_name(layout.lowest)} to {pitch_name(layout.highest)}; transpose it, or leave it out"
        )


def _check_size(part: _Part, layout: Layout) -> None:
    """Refuse what a few bytes can claim: notes of thousands of bars, far apart."""
    n_pitches = layout.shape[1]
    size = round(len(part.kept) * quarters(layout.meter) * n_pitches)
    if size > LARGEST_ROLL:
        raise FileFormatError(
            f"{str(part.piece.path)!r} has {len(part.kept):,} bars of {layout.meter[0]}/{layout.meter[1]} with notes, "
            f"which in {n_pitches} pitches are {size:,} quarter notes times pitches, but at most {LARGEST_ROLL:,} are "
            f"read of a file; split it"
        )


def _paint(X: Array, part: _Part, lowest: int) -> None:
    for first in range(0, len(part.spans), SPANS_AT_ONCE):
        for bar, start, end, pitch, begins in part.spans[first : first + SPANS_AT_ONCE].tolist():
            row = pitch + part.shift - lowest
            X[bar, start:end, row, 0] = 1
            if begins:
                X[bar, start, row, 1] = 1


def _say_what_is_left_out(source: Path, pieces: list[Piece], parts: list[_Part], meter: Meter) -> None:
    """One warning that counts what was not read; silent where all was."""
    of_piece = {part.piece.path: part for part in parts}.values()  # one key of each
    bars: Counter[str] = sum((part.left_out for part in of_piece), Counter())
    notes: Counter[str] = sum((Counter(piece.left_out) for piece in pieces), Counter())
    moved = sum(part.moved for part in of_piece)
    said = []
    if bars:
        said.append(f"bars left out: {_listed(bars)}")
    if notes:
        said.append(f"notes left out: {_listed(notes)}")
    if moved:
        said.append(f"notes moved to the nearest step: {moved:,}")
    if others := find_other_music(source):
        said.append(f"files left out: {_listed(Counter(path.suffix.lower() for path in others))}")
    if said:
        kept = sum(len(part.kept) for part in of_piece)
        warnings.warn(
            f"{str(source)!r}: {kept:,} bars of {meter[0]}/{meter[1]} are read; {'; '.join(said)}", stacklevel=3
        )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {kind}" for kind, count in counts.most_common() if count)
