"""Notes as a standard MIDI file, written by mido."""

import io
from collections.abc import Sequence

from npae.applications.music.notes import Note
from npae.datasets.music.layout import Layout
from npae.datasets.music.piece import quarters
from npae.utils.errors import MissingExtraError

TICKS_PER_STEP = 120
LOUDNESS = 80  # of 127


def midi_bytes(notes: Sequence[Note], layout: Layout, n_bars: int) -> bytes:
    """Notes as a MIDI file of one track, in the layout's meter and tempo.

    Parameters
    ----------
    notes : sequence of Note
    layout : Layout
    n_bars : int
        Length of the piece.

    Returns
    -------
    bytes
        The content of the file.

    Raises
    ------
    MissingExtraError
        If mido is not installed.

    Examples
    --------
    >>> from npae.applications.music import Note, midi_bytes
    >>> from npae.datasets.music import Layout
    >>> midi_bytes([Note(0, 4, 60)], Layout((4, 4), 16, 48, 72), n_bars=1)[:4]
    b'MThd'
    """
    try:
        import mido
    except ImportError:
        raise MissingExtraError("writing MIDI files needs mido; install it: pip install 'npae[music]'") from None
    numerator, denominator = layout.meter
    # A quarter note has a whole number of ticks, and a step too.
    file = mido.MidiFile(type=0, ticks_per_beat=round(layout.steps_per_quarter * TICKS_PER_STEP))
    track = mido.MidiTrack()
    file.tracks.append(track)
    track.append(mido.MetaMessage("set_tempo", tempo=round(60_000_000 / layout.tempo)))
    track.append(mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator))
    events = sorted(
        event
        for note in notes
        for event in ((note.start, 1, note.pitch), (note.end, 0, note.pitch))  # what ends comes first
    )
    now = 0
    for step, begins, pitch in events:
        velocity = LOUDNESS if begins else 0
        delta = (step - now) * TICKS_PER_STEP
        track.append(mido.Message("note_on", note=pitch, velocity=velocity, time=delta))
        now = step
    end = round(n_bars * quarters(layout.meter) * layout.steps_per_quarter)
    track.append(mido.MetaMessage("end_of_track", time=(end - now) * TICKS_PER_STEP))
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()
