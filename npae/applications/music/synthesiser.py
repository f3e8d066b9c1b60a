"""A small additive synthesiser: each note is a sum of harmonics that fade, the high ones sooner, like a plucked string.

The envelope of a note is an ADSR curve: attack, decay, sustain, release.
"""

import io
import wave
from collections.abc import Sequence

import numpy as np

from npae.applications.music.notes import Note
from npae.datasets.music.layout import Layout
from npae.utils.scalars import whole_number
from npae.utils.types import Array

RATE = 22_050  # samples a second
HARMONICS = 8
ROLL_OFF = 1.3  # the amplitude of harmonic h is h ** -ROLL_OFF
FADING = 0.7  # a second, of the amplitude's logarithm, times the number of the harmonic
ATTACK, DECAY, RELEASE = 0.008, 0.12, 0.12  # seconds
SUSTAIN = 0.75
LOUDEST = 0.9  # of full scale
LONGEST = 3600.0  # seconds


def synthesise(notes: Sequence[Note], layout: Layout, n_bars: int, rate: int = RATE) -> Array:
    """Sound of notes, in [-0.9, 0.9].

    Parameters
    ----------
    notes : sequence of Note
    layout : Layout
        For the tempo.
    n_bars : int
    rate : int, default 22050
        Samples a second; harmonics above half of it are left out, as they would sound as others.

    Returns
    -------
    ndarray of float32, shape (samples,)
        The loudest sample is 0.9, unless nothing sounds.

    Raises
    ------
    ValueError
        If it would last more than an hour.

    Examples
    --------
    >>> from npae.applications.music import Note, synthesise
    >>> from npae.datasets.music import Layout
    >>> sound = synthesise([Note(0, 4, 60)], Layout((4, 4), 16, 48, 72), n_bars=1, rate=8000)
    >>> sound.dtype.name, round(float(abs(sound).max()), 3)
    ('float32', 0.9)
    """
    rate = whole_number(rate, "rate", least=4000, most=192_000)
    seconds = n_bars * layout.steps * layout.seconds_per_step + RELEASE
    if seconds > LONGEST:
        raise ValueError(
            f"the {n_bars:,} bars would last {seconds / 60:,.0f} minutes, but at most {LONGEST / 60:.0f} are made into "
            f"sound; give fewer, or write a .mid"
        )
    sound = np.zeros(int(np.ceil(seconds * rate)) + 1, np.float32)
    for note in notes:
        start = round(note.start * layout.seconds_per_step * rate)
        tone = _tone(note.pitch, (note.end - note.start) * layout.seconds_per_step, rate)
        place = sound[start : start + len(tone)]
        place += tone[: len(place)]
    loudest = float(np.abs(sound).max())
    return sound * np.float32(LOUDEST / loudest) if loudest > 0 else sound


def wav_bytes(notes: Sequence[Note], layout: Layout, n_bars: int, rate: int = RATE) -> bytes:
    """Notes as a WAV file, mono, 16 bits a sample; see :func:`synthesise`.

    Parameters
    ----------
    notes : sequence of Note
    layout : Layout
    n_bars : int
    rate : int, default 22050
        Samples a second.

    Returns
    -------
    bytes
        The content of the file.

    Raises
    ------
    ValueError
        If it would last more than an hour.

    Examples
    --------
    >>> from npae.applications.music import Note, wav_bytes
    >>> from npae.datasets.music import Layout
    >>> wav_bytes([Note(0, 4, 60)], Layout((4, 4), 16, 48, 72), n_bars=1, rate=8000)[:4]
    b'RIFF'
    """
    sound = synthesise(notes, layout, n_bars, rate)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.rint(sound * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def _tone(pitch: int, seconds: float, rate: int) -> Array:
    """One note: harmonics of its frequency under the envelope; ``RELEASE`` longer than the note."""
    t = np.arange(int((seconds + RELEASE) * rate), dtype=np.float32) / np.float32(rate)
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    tone = np.zeros(len(t), np.float32)
    for h in range(1, HARMONICS + 1):
        if h * frequency >= rate / 2:
            break
        phase = np.float32(2 * np.pi) * ((t * np.float32(h * frequency)) % 1)
        tone += np.float32(h**-ROLL_OFF) * np.exp(-FADING * h * t) * np.sin(phase)
    return tone * _envelope(t, seconds)


def _envelope(t: Array, seconds: float) -> Array:
    """ADSR at the times ``t`` of a note that is held for ``seconds``."""
    held = np.interp(t, [0, ATTACK, ATTACK + DECAY], [0, 1, SUSTAIN])
    at_end = float(np.interp(seconds, [0, ATTACK, ATTACK + DECAY], [0, 1, SUSTAIN]))
    released = at_end * np.clip(1 - (t - seconds) / RELEASE, 0, 1)
    return np.where(t < seconds, held, released).astype(np.float32)
