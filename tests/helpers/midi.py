"""MIDI files for tests, written byte by byte, so that damaged ones can be written too."""

import struct
from pathlib import Path

TICKS = 96  # a quarter note
Event = tuple[int, bytes]  # time in ticks, message


def delta(ticks: int) -> bytes:
    """A time as MIDI has it: seven bits a byte, the high bit set in all but the last."""
    found = [ticks & 127]
    while ticks := ticks >> 7:
        found.append(ticks & 127 | 128)
    return bytes(reversed(found))


def midi(*tracks: list[Event], kind: int = 1, ticks: int = TICKS) -> bytes:
    """The content of a file with tracks of events at absolute times."""
    content = b"MThd" + struct.pack(">IHHH", 6, kind, len(tracks), ticks & 0xFFFF)
    for events in tracks:
        body, now = b"", 0
        for time, message in sorted(events, key=lambda event: event[0]):
            body += delta(time - now) + message
            now = time
        body += b"\x00\xff\x2f\x00"
        content += b"MTrk" + struct.pack(">I", len(body)) + body
    return content


def note(pitch: int, start: float, length: float, channel: int = 0) -> list[Event]:
    """A note; times in quarter notes."""
    begin, end = round(start * TICKS), round((start + length) * TICKS)
    return [(begin, bytes([0x90 | channel, pitch, 80])), (end, bytes([0x80 | channel, pitch, 0]))]


def meter(numerator: int, power: int, at: float = 0) -> list[Event]:
    """A time signature, whose denominator is a power of two."""
    return [(round(at * TICKS), bytes([0xFF, 0x58, 4, numerator, power, 24, 8]))]


def tempo(microseconds: int, at: float = 0) -> list[Event]:
    """Microseconds a quarter note."""
    return [(round(at * TICKS), b"\xff\x51\x03" + microseconds.to_bytes(3, "big"))]


def scale(pitches: list[int], length: float = 1.0) -> list[Event]:
    """Notes, one after the other."""
    return [event for i, pitch in enumerate(pitches) for event in note(pitch, i * length, length)]


def write(folder: Path, name: str, content: bytes) -> Path:
    """Put a file into a folder, which is made."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
