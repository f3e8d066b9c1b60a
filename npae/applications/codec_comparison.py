"""Other codecs for the same images, for comparison: PCA with the same quantiser and coder, and JPEG."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from npae.applications.compression import bits_per_value, compress, decompress, pack, psnr, unpack
from npae.applications.features import samples_for
from npae.applications.pca import PCA
from npae.applications.quantization import Quantizer
from npae.estimators import AutoencoderEstimator
from npae.utils.pictures import are_images, grid, require_pillow
from npae.utils.types import Array
from npae.utils.validation import check_dense

PCA_SIZES = (2, *range(4, 64, 4), *range(64, 129, 16))
PCA_BITS = (2, 3, 4, 5, 6)
JPEG_REDUCED = (1, 2, 4, 8)
JPEG_QUALITIES = (*range(1, 10), *range(10, 96, 5))


@dataclass(frozen=True)
class Coded:
    """Result of one codec on the test images.

    Attributes
    ----------
    name : str
        The codec.
    size : int or None
        Values in a code; None for JPEG.
    bytes : int
        Of the whole file.
    bits_per_value : float
    psnr : float
        Peak signal-to-noise ratio, in dB.

    Examples
    --------
    >>> from npae.applications.codec_comparison import Coded
    >>> Coded("JPEG", None, bytes=1000, bits_per_value=0.5, psnr=30.0).bytes
    1000
    """

    name: str
    size: int | None  # values in a code; None for JPEG
    bytes: int
    bits_per_value: float
    psnr: float  # dB


def compare(model: AutoencoderEstimator, train: Any, test: Any, bits: int | None = None) -> list[Coded]:
    """Compare the model with PCA at the same code size, at an equal PSNR and at equal bytes, and with JPEG.

    The model and the axes of PCA are not counted, since sender and receiver have them. JPEG compresses one sheet of all
    images, so that its header, which is large for a small image, is counted once, and may scale the sheet down first.

    Parameters
    ----------
    model : fitted estimator
    train : ndarray of shape (n, ...)
        Samples to which PCA is fitted.
    test : ndarray of shape (n, height, width) or (n, height, width, 3), values in [0, 1]
    bits : int, optional
        As for ``compress``.

    Returns
    -------
    list of Coded
        Of the model, of PCA at the same code size, at the model's PSNR and at its bytes, where there are such, and of
        JPEG.

    Raises
    ------
    ValueError
        If samples are no images, or training samples have another shape.
    MissingExtraError
        If Pillow is not installed.

    Examples
    --------
    >>> import npae
    >>> from npae.applications.codec_comparison import compare
    >>> X = npae.datasets.load_digits().test_images[:64]
    >>> model = npae.VanillaAutoencoder(code_size=4, epochs=1, batch_size=64, random_state=0).fit(X)
    >>> rows = compare(model, X, X, bits=8)
    >>> rows[0].name, rows[-1].name
    ('autoencoder', 'JPEG...')
    """
    test = samples_for(model, test, "the samples to compress")
    train = check_dense(train, "the training samples")
    check_comparable(train, test)
    content = compress(model, test, bits)
    ours = Coded(
        "autoencoder",
        model.network_.code_shape[0],
        len(content),
        bits_per_value(content, test.shape),
        psnr(decompress(model, content), test),
    )
    by_pca = list(_by_pca(train, test, ours.size or 1))
    same_size = [c for c in by_pca if c.size == ours.size]
    good, small = [c for c in by_pca if c.psnr >= ours.psnr], [c for c in by_pca if c.bytes <= ours.bytes]
    rows = [ours]
    if same_size:  # few training samples have fewer axes
        rows.append(_named(max(same_size, key=lambda c: c.psnr - c.bytes / 1e9), "PCA, same code size"))
    if good:
        rows.append(_named(min(good, key=lambda c: c.bytes), "PCA, at least this PSNR"))
    if small:
        rows.append(_named(max(small, key=lambda c: c.psnr), "PCA, at most these bytes"))
    return [*rows, _by_jpeg(test, ours.bytes)]


def check_comparable(train: Array, test: Array) -> None:
    """Refuse samples that are not images, which JPEG requires, and training samples of another shape.

    Parameters
    ----------
    train, test : ndarray of shape ``(n, *shape)``

    Raises
    ------
    ValueError

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.codec_comparison import check_comparable
    >>> check_comparable(np.zeros((9, 28, 28)), np.zeros((4, 28, 28)))
    """
    if not are_images(test):
        raise ValueError(
            f"samples of shape {test.shape[1:]} are no images (height, width[, 1 or 3]), which JPEG needs; compress "
            f"them without a comparison"
        )
    if train.shape[1:] != test.shape[1:]:
        raise ValueError(
            f"PCA would learn from samples of shape {train.shape[1:]}, but those to compress have shape "
            f"{test.shape[1:]}; give samples of one shape"
        )


def _by_pca(train: Array, test: Array, size: int) -> Iterator[Coded]:
    """Yield the results of PCA for many code sizes and numbers of bits."""
    largest = min(len(train), train[0].size)
    sizes = sorted({n for n in (*PCA_SIZES, size) if n <= largest})
    pca = PCA(train, sizes[-1])
    for n in sizes:
        codes = pca.encode(test, n)
        for bits in PCA_BITS:
            quantizer = Quantizer.fit(codes, bits)
            content = pack(quantizer, quantizer.quantize(codes), "")
            numbers, quantizer, _ = unpack(content)
            rebuilt = pca.decode(quantizer.restore(numbers)).reshape(test.shape).clip(0, 1)
            yield Coded("PCA", n, len(content), bits_per_value(content, test.shape), psnr(rebuilt, test))


def _by_jpeg(test: Array, most: int) -> Coded:
    """The best JPEG of at most ``most`` bytes, in full size or scaled down; the smallest if there is none."""
    sheet = grid(test, gap=0)
    made = [c for reduced in JPEG_REDUCED for c in _jpegs(sheet, reduced, most, test.size)]
    small = [c for c in made if c.bytes <= most]
    return max(small, key=lambda c: c.psnr) if small else min(made, key=lambda c: c.bytes)


def _jpegs(sheet: Array, reduced: int, most: int, n_values: int) -> Iterator[Coded]:
    """Yield the results of JPEG with increasing quality, up to the first of more than ``most`` bytes."""
    require_pillow()
    from PIL import Image

    full = Image.fromarray(sheet)
    small = full.resize((max(full.width // reduced, 1), max(full.height // reduced, 1)), Image.Resampling.LANCZOS)
    for quality in JPEG_QUALITIES:
        buffer = io.BytesIO()
        small.save(buffer, "jpeg", quality=quality, optimize=True)
        rebuilt = np.asarray(Image.open(buffer).resize(full.size, Image.Resampling.BICUBIC)) / 255
        size = len(buffer.getvalue())
        name = "JPEG" if reduced == 1 else f"JPEG, reduced to 1/{reduced}"
        yield Coded(name, None, size, 8 * size / n_values, psnr(rebuilt, sheet / 255))
        if size > most:
            break


def _named(coded: Coded, name: str) -> Coded:
    return Coded(name, coded.size, coded.bytes, coded.bits_per_value, coded.psnr)


HEADER: Sequence[str] = ("coder", "values", "bytes", "bits per pixel", "PSNR, dB")
