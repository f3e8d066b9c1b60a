"""Data compression: samples are encoded, codes are quantised to integers, and integers are entropy-coded.

``codec`` does all three and undoes them; ``bits`` chooses how finely codes are quantised, ``packing`` writes and reads
the bytes, and ``measures`` says how small and how good the result is.
"""

from npae.applications.compression.bits import fewest_bits, quantizer_for
from npae.applications.compression.codec import compress, compress_file, decompress, decompress_file
from npae.applications.compression.measures import bits_per_value, psnr, quality
from npae.applications.compression.packing import pack, unpack

__all__ = [
    "bits_per_value",
    "compress",
    "compress_file",
    "decompress",
    "decompress_file",
    "fewest_bits",
    "pack",
    "psnr",
    "quality",
    "quantizer_for",
    "unpack",
]
