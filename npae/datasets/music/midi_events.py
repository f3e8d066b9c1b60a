"""The events of a MIDI file before mido reads them: numbers within the format, and text for what is not used.

mido reads numbers of any length, in a time that grows with their square, and forgets the time of a meta event that it
does not know, so that all notes after it would begin too early.
"""

from npae.utils.errors import FileFormatError

LONGEST_NUMBER = 4  # bytes, by the format
META, SYSEX = 0xFF, (0xF0, 0xF7)
TEXT = 0x01
USED = (0x2F, 0x51, 0x58)  # the end of a track, tempo, time signature
#: Bytes of data of a message, by its first byte; those of channels by its upper half. mido refuses the others.
DATA = {8: 2, 9: 2, 10: 2, 11: 2, 12: 1, 13: 1, 14: 2}
DATA_OF_SYSTEM = {0xF1: 1, 0xF2: 2, 0xF3: 1}


def with_text_for_other_events(content: bytes, named: str) -> bytes:
    r"""A MIDI file of the same events, in which meta events that are not used are texts.

    What is damaged stays as it is, from there on, for mido to say what it is.

    Parameters
    ----------
    content : bytes
    named : str
        The file, for messages.

    Returns
    -------
    bytes
        As many.

    Raises
    ------
    FileFormatError
        If a time or a length has more than four bytes.

    Examples
    --------
    >>> header = b"MThd" + bytes([0, 0, 0, 6, 0, 0, 0, 1, 0, 96])
    >>> track = b"MTrk" + bytes([0, 0, 0, 4, 5, 0xFF, 0x4B, 0])
    >>> with_text_for_other_events(header + track, "x.mid")[-4:]
    b'\x05\xff\x01\x00'
    """
    changed = bytearray(content)
    at = 8 + int.from_bytes(content[4:8], "big")
    try:
        for _ in range(int.from_bytes(content[10:12], "big", signed=True)):
            at = _after_track(changed, at, named)
    except IndexError:  # the file ends before its last event
        pass
    return bytes(changed)


def _after_track(content: bytearray, at: int, named: str) -> int:
    size, at = int.from_bytes(content[at + 4 : at + 8], "big"), at + 8
    end, running = at + size, 0  # a message without a first byte has that of the one before
    while at != end:
        _, at = _number(content, at, named, "time")
        status, is_running = content[at], content[at] < 0x80
        if is_running:
            status = running
        elif status != META:
            running = status
        at += 1
        if status == META:
            content[at] = content[at] if content[at] in USED else TEXT
            length, at = _number(content, at + 1, named, "length")
        elif status in SYSEX:
            length, at = _number(content, at, named, "length")
        else:
            length = DATA.get(status >> 4, DATA_OF_SYSTEM.get(status, 0)) - is_running
        at += length
    return at


def _number(content: bytearray, at: int, named: str, what: str) -> tuple[int, int]:
    """The number that begins at a place, seven bits a byte, and the place behind it."""
    number = 0
    for place in range(at, at + LONGEST_NUMBER):
        number = number << 7 | content[place] & 0x7F
        if content[place] < 0x80:
            return number, place + 1
    raise FileFormatError(
        f"{named} is a damaged MIDI file (a {what} has more than four bytes); fetch or write it again"
    )
