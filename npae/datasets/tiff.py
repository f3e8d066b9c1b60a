"""Two tags of a TIFF's first page, BitsPerSample and SamplesPerPixel (TIFF 6.0, section 2; BigTIFF likewise).

Pillow opens some TIFFs with fewer bits or bands than they have, and does not open others at all; so the file is asked.
"""

import struct
from typing import NamedTuple

BITS_PER_SAMPLE, SAMPLES_PER_PIXEL = 258, 277
SHORT = 3  # the type of both tags: 2 bytes


class Samples(NamedTuple):
    """What a pixel consists of.

    Attributes
    ----------
    bits : int
        The most that a sample has; 1 where the file does not say, as the specification has it.
    per_pixel : int
        Bands, extra ones included; 1 where the file does not say.
    """

    bits: int
    per_pixel: int


def tiff_samples(content: bytes) -> Samples | None:
    """Bits and bands of the first page; None if the content is no TIFF, or is damaged there."""
    if content[:4] not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return None
    order, is_big = "<>"[content[:2] == b"MM"], b"+" in content[2:4]
    # An entry: tag, type, number of values, then the values if they fit into the field, else where they are.
    entry = struct.Struct(order + ("HHQ8s" if is_big else "HHL4s"))
    count, offset = ("Q", "Q") if is_big else ("H", "L")
    try:
        (at,) = struct.unpack_from(order + offset, content, 8 if is_big else 4)
        (entries,) = struct.unpack_from(order + count, content, at)
        at += struct.calcsize(order + count)
        found = {}
        for i in range(min(entries, 65536)):
            tag, kind, n, field = entry.unpack_from(content, at + i * entry.size)
            if tag in (BITS_PER_SAMPLE, SAMPLES_PER_PIXEL) and kind == SHORT and 1 <= n <= 65536:
                if 2 * n > len(field):
                    (where,) = struct.unpack(order + offset, field)
                    field = content[where : where + 2 * n]
                found[tag] = max(struct.unpack_from(f"{order}{n}H", field))
    except struct.error:  # it ends before
        return None
    return Samples(found.get(BITS_PER_SAMPLE, 1), found.get(SAMPLES_PER_PIXEL, 1))
