"""Reader for standard MIDI files, by mido."""

import io
from pathlib import Path
from typing import Any

import numpy as np

from npae.datasets.music.midi_events import with_text_for_other_events
from npae.datasets.music.piece import Bar, Meter, Piece, is_meter, quarters
from npae.datasets.streams import open_file
from npae.utils.errors import FileFormatError, MissingExtraError, one_line

MAGIC = b"MThd"
LARGEST_FILE = 2**21  # bytes; mido makes an object of each three of them
MOST_BARS = 10_000
DRUMS = 9  # the channel that General MIDI keeps for drums, counted from 0


def read_midi(path: Path) -> Piece:
    """Read the notes of all tracks and channels, drums (channel 10) left out, and bars by the time signatures.

    Where there is no time signature it is 4/4, as the format prescribes. Pedals, bends and loudness are passed over.
    A file may have up to 2 MiB and 10,000 bars.

    Raises
    ------
    FileNotFoundError
    MissingExtraError
        If mido is not installed.
    FileFormatError
        If the file is no MIDI file or damaged, of a type or with a division of time that is not read, or beyond the
        limits.
    """
    try:
        import mido
    except ImportError:
        raise MissingExtraError("reading MIDI files needs mido; install it: pip install 'npae[music]'") from None
    named = repr(str(path))
    midi = _parsed(_content(path), path, mido)
    if midi.type not in (0, 1):
        raise FileFormatError(
            f"{named} is a MIDI file of type {midi.type}, but 0 and 1 are read; save it as one of these"
        )
    if midi.ticks_per_beat < 1:
        raise FileFormatError(
            f"{named} counts {midi.ticks_per_beat} ticks a quarter note, where at least 1 is expected (seconds are not "
            f"read); save it with ticks a quarter note"
        )
    events = _Events(path)
    for track in midi.tracks:
        events.add(track)
    if not events.notes:
        raise FileFormatError(
            f"{named} holds no notes{' but drums' if events.drums else ''}; give one that does, or leave it out"
        )
    notes = np.array(events.notes, np.float64)
    notes[:, :2] /= midi.ticks_per_beat
    return Piece(
        path,
        notes,
        _bars(path, events.meters, notes[:, 1].max(), midi.ticks_per_beat),
        None if events.tempo is None else 60_000_000 / events.tempo[1],
        {"of drums": events.drums} if events.drums else {},
    )


def _content(path: Path) -> bytes:
    """The bytes of the file, within the limits."""
    named = repr(str(path))
    with open_file(path) as file:
        size = file.seek(0, 2)
        file.seek(0)
        content = file.read(LARGEST_FILE + 1)
    if not content.startswith(MAGIC):
        raise FileFormatError(f"{named} is no MIDI file, which begins with MThd; give a .mid that a program wrote")
    if len(content) > LARGEST_FILE:
        raise FileFormatError(f"{named} has {size:,} bytes, but at most {LARGEST_FILE:,} are read; split it")
    return content


def _parsed(content: bytes, path: Path, mido: Any) -> Any:
    """A ``mido.MidiFile``; from memory, since a file that is asked for 4 GiB makes room for them before it reads."""
    content = with_text_for_other_events(content, repr(str(path)))
    try:
        return mido.MidiFile(file=io.BytesIO(content))
    except Exception as error:  # mido raises whatever comes up
        reason = one_line(error) or type(error).__name__
        raise FileFormatError(f"{str(path)!r} is a damaged MIDI file ({reason}); fetch or write it again") from None


class _Events:
    """What the tracks hold, with times in ticks."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[tuple[int, int, int]] = []  # start, end, pitch
        self.meters: dict[int, Meter] = {}  # by the time of the change
        self.tempo: tuple[int, int] | None = None  # the first: its time, and microseconds a quarter note
        self.drums = 0

    def add(self, track: Any) -> None:
        """Read a track; notes that nothing ends last until its end."""
        now = 0
        sounding: dict[tuple[int, int], int] = {}  # channel and pitch: start
        for message in track:
            now += message.time
            if message.type in ("note_on", "note_off"):
                if message.channel == DRUMS:
                    self.drums += message.type == "note_on" and message.velocity > 0
                    continue
                key = message.channel, message.note
                self._end(sounding.pop(key, None), now, message.note)
                if message.type == "note_on" and message.velocity > 0:
                    sounding[key] = now
            elif message.type == "time_signature":
                self._add_meter(now, message.numerator, message.denominator)
            elif message.type == "set_tempo":
                self._add_tempo(now, message.tempo)
        for (_, pitch), start in sounding.items():
            self._end(start, now, pitch)

    def _end(self, start: int | None, end: int, pitch: int) -> None:
        if start is not None:
            self.notes.append((start, end, pitch))

    def _add_meter(self, now: int, numerator: int, denominator: int) -> None:
        if not is_meter(numerator, denominator):
            shown = denominator if denominator <= 64 else f"2**{denominator.bit_length() - 1}"
            raise FileFormatError(
                f"{str(self.path)!r} has a time signature of {numerator}/{shown}, where both numbers are expected "
                f"from 1 to 64; correct it"
            )
        self.meters[now] = (numerator, denominator)

    def _add_tempo(self, now: int, tempo: int) -> None:
        if tempo == 0:
            raise FileFormatError(f"{str(self.path)!r} has a tempo of 0 microseconds a quarter note; correct it")
        if self.tempo is None or now < self.tempo[0]:
            self.tempo = now, tempo


def _bars(path: Path, meters: dict[int, Meter], end: float, ticks: int) -> list[Bar]:
    """The bars up to ``end`` in quarter notes: whole ones from each change of meter on, the last before a next cut."""
    changes = sorted({0: (4, 4), **meters}.items())
    starts = [time / ticks for time, _ in changes] + [np.inf]
    bars: list[Bar] = []
    for i, (_, meter) in enumerate(changes):
        until, length = min(starts[i + 1], end), quarters(meter)
        n = max(0, int(np.ceil((until - starts[i]) / length - 1e-9)))
        if len(bars) + n > MOST_BARS:
            raise FileFormatError(
                f"{str(path)!r} has {len(bars) + n:,} bars, but at most {MOST_BARS:,} are read; split it"
            )
        for k in range(n):
            start = starts[i] + k * length
            bars.append(Bar(start, min(length, starts[i + 1] - start), meter))
    return bars
