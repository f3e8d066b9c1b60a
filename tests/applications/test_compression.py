"""Compression: quantised codes come back, files with damage are refused, and another model's too."""

import numpy as np
import pytest
from helpers.small_models import TYPES, data_for, fitted
from hypothesis import given, settings
from hypothesis import strategies as st

from npae.applications import compression
from npae.applications.compression import packing
from npae.applications.quantization import Quantizer
from npae.utils.errors import FileFormatError


@given(
    bits=st.integers(1, 16), n=st.integers(1, 30), seed=st.integers(0, 99), scale=st.just(0.0) | st.floats(1e-30, 1e3)
)
@settings(deadline=None)
def test_quantising_is_off_by_at_most_half_a_step(bits, n, seed, scale):
    codes = (scale * np.random.default_rng(seed).normal(size=(n, 3)) * [1, 0.1, 0]).astype("float32")
    quantizer = Quantizer.fit(codes, bits)
    numbers = quantizer.quantize(codes)
    assert numbers.max() <= 2**bits - 1
    assert np.abs(quantizer.restore(numbers) - codes).max() <= 0.5001 * quantizer.step + 1e-5 * scale


def test_codes_beyond_16_bits_get_the_nearest_number_and_do_not_wrap_around():
    numbers = Quantizer(np.zeros(1, "float32"), 1.0).quantize(np.array([[-1.0], [65535.0], [65536.0], [70000.0]]))
    assert numbers.ravel().tolist() == [0, 65535, 65535, 65535]


@given(n=st.integers(1, 300), size=st.integers(1, 5), bits=st.integers(1, 16), seed=st.integers(0, 9))
@settings(deadline=None)
def test_numbers_survive_packing(n, size, bits, seed):
    numbers = np.random.default_rng(seed).integers(0, 2**bits, (n, size)).astype("uint16")
    quantizer = Quantizer(np.arange(size, dtype="float32"), 0.25)
    again, other, maker = compression.unpack(compression.pack(quantizer, numbers, "who"))
    assert np.array_equal(again, numbers)
    assert (other.low.tolist(), other.step, maker) == (quantizer.low.tolist(), 0.25, "who")


@pytest.mark.parametrize("kind", TYPES)
def test_decompressed_samples_are_close_to_reconstructions(kind):
    model, x = fitted(kind), data_for(kind)
    content = compression.compress(model, x, bits=12)
    np.testing.assert_allclose(compression.decompress(model, content), model.reconstruct(x), atol=0.01)


def test_any_flipped_byte_and_any_cut_is_detected():
    model = fitted("vanilla")
    content = compression.compress(model, data_for("vanilla"), bits=4)
    for i in range(len(content)):
        changed = bytearray(content)
        changed[i] ^= 1 << (i % 8)
        with pytest.raises(FileFormatError):
            compression.decompress(model, bytes(changed))
        with pytest.raises(FileFormatError):
            compression.decompress(model, content[:i])
    with pytest.raises(FileFormatError):
        compression.decompress(model, content + b"\0")


def test_a_forged_header_with_a_right_checksum_is_still_refused():
    numbers = np.zeros((3, 2), "uint16")
    content = compression.pack(Quantizer(np.zeros(2, "float32"), 1.0), numbers, "x")
    body = content[len(packing.MAGIC) + packing.CHECKSUM :]
    for old, new in ((b'"n": 3', b'"n": 0'), (b'"size": 2', b'"size": 9'), (b'"n": 3', b'"m": 3')):
        forged = body.replace(old, new)
        with pytest.raises(FileFormatError, match="laid out in a way"):
            compression.unpack(packing.MAGIC + packing._checksum(forged) + forged)


def test_another_model_is_refused(tmp_path):
    compression.compress_file(fitted("deep"), data_for("deep"), tmp_path / "x.npaez")
    with pytest.raises(ValueError, match=r"x\.npaez: it was compressed with another model"):
        compression.decompress_file(fitted("deep", random_state=1), tmp_path / "x.npaez")


def test_the_old_file_stays_where_compressing_fails(tmp_path):
    (tmp_path / "x.npaez").write_bytes(b"old")
    with pytest.raises(ValueError, match="bits is 17; expected a whole number from 1 to 16"):
        compression.compress_file(fitted("deep"), data_for("deep"), tmp_path / "x.npaez", bits=17)
    assert (tmp_path / "x.npaez").read_bytes() == b"old"
