"""Images as they are meant; and what an array of 8 bits a channel cannot hold is refused by name."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from npae.datasets import read, read_labels
from npae.datasets.images import read_images
from npae.datasets.tiff import tiff_samples
from npae.utils.errors import FileFormatError

Image = pytest.importorskip("PIL.Image")
ImageOps = pytest.importorskip("PIL.ImageOps")

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (6, 5), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (6, 5, 3), dtype=np.uint8)
#: What an image is turned by, of EXIF orientation 1 to 8 (Exif 2.32, 4.6.4.A): where its rows and columns belong.
TURNED = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: x[::-1].swapaxes(0, 1),
    7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
    8: lambda x: x[:, ::-1].swapaxes(0, 1),
}


def saved(path, x, kind=None, mode=None, **options):
    image = x if isinstance(x, Image.Image) else Image.fromarray(x)
    path.parent.mkdir(parents=True, exist_ok=True)
    (image.convert(mode) if mode else image).save(path, kind, **options)


def assert_pixels(x, expected):
    np.testing.assert_array_equal(x, expected[None] / np.float32(255))


def refused(folder, words):
    with pytest.raises(FileFormatError, match=words) as caught:
        read_images(folder)
    assert str(caught.value).isprintable()


def png(color_type, channels, depth=16):
    """A PNG of random bytes; Pillow does not write colour of 16 bits."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", 5, 6, depth, color_type, 0, 0, 0)
    rows = b"".join(b"\0" + RNG.bytes(5 * channels * depth // 8) for _ in range(6))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tiff(bits, samples, extra=(), order="<", pixels=None):
    """A TIFF of one strip, with extra samples; Pillow does not write such ones."""
    pixels = RNG.bytes(6 * 5 * samples * bits // 8) if pixels is None else pixels
    photometric = 1 if samples - len(extra) == 1 else 2
    tags = [(256, [5]), (257, [6]), (258, [bits] * samples), (259, [1]), (262, [photometric]), (273, [0])]
    tags += [(277, [samples]), (278, [6]), (279, [len(pixels)]), *([(338, list(extra))] if extra else [])]
    end = 8 + 2 + 12 * len(tags) + 4
    far, entries = b"", b""
    for tag, values in tags:
        if tag == 273:  # the pixels stand behind everything else
            values = [end + 2 * (samples if samples > 2 else 0) + 2 * (len(extra) if len(extra) > 2 else 0)]
        packed = struct.pack(f"{order}{len(values)}H", *values)
        if len(packed) > 4:
            packed, far = struct.pack(order + "I", end + len(far)), far + packed
        entries += struct.pack(order + "HHI", tag, 3, len(values)) + packed.ljust(4, b"\0")
    magic = b"II*\0" if order == "<" else b"MM\0*"
    return magic + struct.pack(order + "IH", 8, len(tags)) + entries + bytes(4) + far + pixels


# --- orientation -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("kind", ["png", "tiff", "jpeg", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_turned_as_their_exif_orientation_says(tmp_path, orientation, kind, x):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "webp" else {}
    saved(tmp_path / "a.png", x, kind, exif=exif, **options)
    found = read_images(tmp_path)
    # From memory: of a file, Pillow 13 maps the rows of a grey TIFF that is turned by 90° in the wrong length.
    with Image.open(io.BytesIO((tmp_path / "a.png").read_bytes())) as image:
        turned = np.asarray(ImageOps.exif_transpose(image))
    assert_pixels(found, turned)
    if kind in ("png", "tiff"):
        assert_pixels(found, TURNED[orientation](x))


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_turns_nothing(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    saved(tmp_path / "a.png", GREY, exif=exif)
    assert_pixels(read_images(tmp_path), GREY)


def test_an_image_is_turned_before_it_is_resized_and_compared(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    saved(tmp_path / "a.png", GREY, exif=exif)
    saved(tmp_path / "b.png", GREY.T.copy())
    assert read_images(tmp_path).shape == (2, 5, 6)
    (tmp_path / "b.png").unlink()
    expected = Image.fromarray(np.ascontiguousarray(TURNED[6](GREY))).resize((2, 3), Image.Resampling.BILINEAR)
    assert_pixels(read_images(tmp_path, size=(3, 2)), np.asarray(expected))


# --- modes -----------------------------------------------------------------------------------------------------------


def test_a_palette_is_looked_up(tmp_path):
    image = Image.fromarray(np.arange(30, dtype=np.uint8).reshape(6, 5), "L").convert("P")
    palette = RNG.integers(0, 256, (256, 3), dtype=np.uint8)
    image.putpalette(palette.ravel().tolist())
    saved(tmp_path / "a.png", image)
    assert_pixels(read_images(tmp_path), palette[np.arange(30).reshape(6, 5)])


def test_a_palette_of_greys_is_grey_and_not_its_numbers(tmp_path):
    image = Image.fromarray(GREY).convert("P")
    image.putpalette([255 - i for i in range(256) for _ in range(3)])
    saved(tmp_path / "a.png", image)
    assert_pixels(read_images(tmp_path), 255 - GREY)


def test_an_image_in_colour_of_which_all_pixels_are_grey_stays_in_colour(tmp_path):
    saved(tmp_path / "a.png", GREY, mode="RGB")
    assert_pixels(read_images(tmp_path), np.repeat(GREY[..., None], 3, axis=2))


def test_black_and_white_is_0_and_1_whichever_of_them_a_tiff_calls_0(tmp_path):
    bits = GREY > 127
    saved(tmp_path / "a.tif", bits)
    np.testing.assert_array_equal(read_images(tmp_path), bits[None].astype(np.float32))
    inverted = bytearray((tmp_path / "a.tif").read_bytes())
    at = inverted.index(struct.pack("<HHI", 262, 3, 1)) + 8
    assert inverted[at] == 1  # BlackIsZero
    inverted[at] = 0
    (tmp_path / "a.tif").write_bytes(inverted)
    np.testing.assert_array_equal(read_images(tmp_path), ~bits[None].astype(bool))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_pixels_are_refused_and_an_opaque_alpha_band_is_not(tmp_path, mode):
    image = Image.fromarray(COLOUR).convert(mode)
    saved(tmp_path / "a.png", image)
    assert_pixels(read_images(tmp_path), np.asarray(image)[..., :-1].squeeze())
    image.putpixel((2, 3), (*image.getpixel((2, 3))[:-1], 254))
    saved(tmp_path / "a.png", image)
    refused(tmp_path, r"has transparent pixels \(alpha from 254 to 255\).*save it without the alpha band")


@pytest.mark.parametrize(("mode", "colour"), [("L", 7), ("RGB", (7, 7, 7)), ("P", 7), ("1", 0)])
def test_a_transparent_colour_is_refused_only_where_a_pixel_has_it(tmp_path, mode, colour):
    pixels = np.full((4, 4), 255, np.uint8)
    image = Image.fromarray(pixels).convert(mode)
    saved(tmp_path / "a.png", image, transparency=colour)
    assert (read_images(tmp_path) > 0.5).all()
    image.putpixel((1, 1), colour)
    saved(tmp_path / "a.png", image, transparency=colour)
    refused(tmp_path, "has transparent pixels")


@pytest.mark.parametrize(("color_type", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_a_png_of_16_bits_is_refused_by_its_number(tmp_path, color_type, channels):
    (tmp_path / "a.png").write_bytes(png(color_type, channels))
    refused(tmp_path, "has 16 bits a channel, but images of 8 bits are read")


def test_a_png_of_8_bits_and_fewer_is_not_called_one_of_16(tmp_path):
    (tmp_path / "a.png").write_bytes(png(2, 3, depth=8))
    (tmp_path / "b.png").write_bytes(png(0, 1, depth=8))
    assert read_images(tmp_path).shape == (2, 6, 5, 3)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("bits", "samples"), [(16, 1), (16, 3), (16, 4), (32, 1), (12, 1)])
def test_a_tiff_of_more_than_8_bits_is_refused_by_their_number(tmp_path, bits, samples, order):
    (tmp_path / "a.tif").write_bytes(tiff(bits, samples, order=order))
    refused(tmp_path, f"has {bits} bits a channel")


@pytest.mark.parametrize(
    ("content", "bits"),
    [
        (b"P5 5 6 65535\n" + bytes(60), 16),
        (b"P6 5 6 65535\n" + bytes(180), 16),
        (b"P6 5 6 1023\n" + bytes(180), 10),
        (b"P2 2 1 4095\n1 4000\n", 12),
        (b"P3 1 1 65535\n1 2 3\n", 16),
    ],
)
def test_a_ppm_of_more_than_8_bits_is_refused_by_their_number(tmp_path, content, bits):
    (tmp_path / "a.ppm").write_bytes(content)
    refused(tmp_path, f"has {bits} bits a channel")


def test_a_ppm_of_fewer_grades_is_scaled(tmp_path):
    (tmp_path / "a.pgm").write_bytes(b"P5 2 1 100\n\x00\x64")
    np.testing.assert_array_equal(read_images(tmp_path), [[[0, 1]]])


@pytest.mark.parametrize(
    ("samples", "extra"), [(4, (0,)), (5, (0, 0)), (6, (0, 0, 0)), (7, (0,) * 4), (2, (0,)), (5, (2, 0))]
)
def test_further_bands_of_a_tiff_are_refused_by_their_number(tmp_path, samples, extra):
    (tmp_path / "a.tif").write_bytes(tiff(8, samples, extra))
    refused(tmp_path, f"has {samples} bands")


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_tiff_of_three_bands_is_read_in_both_byte_orders(tmp_path, order):
    (tmp_path / "a.tif").write_bytes(tiff(8, 3, order=order, pixels=COLOUR.tobytes()))
    assert_pixels(read_images(tmp_path), COLOUR)


def test_the_tags_of_a_tiff_are_read_as_pillow_reads_them(tmp_path):
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"):
        image = (
            Image.fromarray(GREY).convert("L").convert(mode) if mode != "I;16" else Image.fromarray(GREY.astype("u2"))
        )
        for options in ({}, {"big_tiff": True}):
            file = io.BytesIO()
            image.save(file, "tiff", **options)
            with Image.open(file) as opened:
                tags = opened.tag_v2
                assert tiff_samples(file.getvalue()) == (max(tags.get(258, (1,))), tags.get(277, 1))
    for content in (b"", b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0+" + bytes(4), b"\x89PNG"):
        assert tiff_samples(content) is None


def test_a_lab_image_is_refused_by_its_mode(tmp_path):
    saved(tmp_path / "a.tif", COLOUR, mode="LAB")
    refused(tmp_path, "pixels of mode 'LAB'")


# --- pages and frames ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "n", "word"),
    [
        *((kind, n, word) for kind, word in (("tiff", "pages"), ("gif", "frames"), ("png", "frames")) for n in (2, 7)),
        ("webp", 7, "frames"),
        ("mpo", 2, "frames"),
    ],
)
def test_further_pages_and_frames_are_refused_by_their_number(tmp_path, kind, n, word):
    images = [Image.fromarray(np.roll(COLOUR, i)) for i in range(n)]
    images[0].save(tmp_path / "a.jpg", kind, save_all=True, append_images=images[1:])
    refused(tmp_path, f"holds {n} {word}, but one image a file is expected; save each as a file of its own")
    images[0].save(tmp_path / "a.jpg", kind, save_all=True)
    assert read_images(tmp_path).shape == (1, 6, 5, 3)


@pytest.mark.parametrize("suffix", ["pgm", "ppm", "pbm"])
def test_a_second_image_in_a_ppm_is_refused(tmp_path, suffix):
    saved(tmp_path / f"a.{suffix}", GREY, mode={"pgm": "L", "ppm": "RGB", "pbm": "1"}[suffix])
    content = (tmp_path / f"a.{suffix}").read_bytes()
    (tmp_path / f"a.{suffix}").write_bytes(content + b"\n")
    assert len(read_images(tmp_path)) == 1
    (tmp_path / f"a.{suffix}").write_bytes(2 * content)
    refused(tmp_path, f"holds {len(content)} bytes behind its first image")


# --- folders ---------------------------------------------------------------------------------------------------------


def test_hidden_files_and_folders_are_passed_over(tmp_path):
    saved(tmp_path / "a.png", GREY)
    (tmp_path / "._a.png").write_bytes(b"written by a Mac")
    saved(tmp_path / ".thumbnails" / "a.png", GREY)
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "._a.png").write_bytes(b"written by a Mac")
    assert_pixels(read(tmp_path), GREY)


def test_a_folder_of_folders_is_read_with_the_folders_as_labels(tmp_path):
    for i, name in enumerate(["dog/1", "cat/2", "cat/10", "bird/1", ".hidden/1"]):
        saved(tmp_path / f"{name}.png", GREY + np.uint8(i))
    (tmp_path / "empty").mkdir()
    expected = np.stack([GREY + np.uint8(i) for i in (3, 2, 1, 0)]) / np.float32(255)
    np.testing.assert_array_equal(read(tmp_path), expected)
    np.testing.assert_array_equal(read(tmp_path, size=(6, 5)), expected)
    assert read_labels(tmp_path).tolist() == ["bird", "cat", "cat", "dog"]
    np.testing.assert_array_equal(read(tmp_path / "cat"), expected[1:3])


def test_images_of_a_folder_itself_have_no_labels(tmp_path):
    saved(tmp_path / "a.png", GREY)
    with pytest.raises(FileFormatError, match="put those of each label into a sub-folder"):
        read_labels(tmp_path)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        read_labels(tmp_path / "none")
    with pytest.raises(FileFormatError, match="give the folder that the image is in"):
        read_labels(tmp_path / "a.png")


def test_images_that_would_be_left_out_are_refused(tmp_path):
    saved(tmp_path / "train" / "cat" / "1.png", GREY)
    refused(
        tmp_path, f"1.png' lies more than one folder below '.*', and would be left out; give '{tmp_path / 'train'}'"
    )
    assert len(read(tmp_path / "train")) == 1
    saved(tmp_path / "train" / "2.png", GREY)
    refused(tmp_path / "train", r"holds images itself \('2\.png'\) and in folders \('cat'\)")
    saved(tmp_path / "train" / "cat" / "deep" / "3.png", GREY)
    refused(tmp_path / "train" / "cat", "and in folders")


@pytest.mark.parametrize("name", ["b.HEIC", "o.cr2", "u.xbm", "cat/t.tga"])
def test_an_image_of_a_format_that_is_not_read_is_refused(tmp_path, name):
    saved(tmp_path / "a.png", GREY)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"")
    refused(
        tmp_path, f"{name}' is of a format that is not read, and would be left out of the images; convert it to PNG"
    )
    (tmp_path / "a.png").unlink()
    refused(tmp_path, f"{name}' is of a format that is not read")


@pytest.mark.parametrize("kind", ["png", "jpg", "gif", "tif", "webp", "bmp", "ppm"])
def test_an_image_without_the_suffix_of_one_is_known_by_its_first_bytes(tmp_path, kind):
    saved(tmp_path / "a.png", GREY)
    saved(tmp_path / f"b.{kind}", GREY)
    for name in ("b", "q.JPG.", "x.txt"):
        (tmp_path / f"b.{kind}").rename(tmp_path / name)
        refused(tmp_path, rf"begins as an image, .* and it would be left out; give it a name that ends in \.{kind}")
        (tmp_path / name).rename(tmp_path / f"b.{kind}")
    assert len(read(tmp_path)) == 2


def test_files_that_are_no_images_are_counted_and_named_in_one_warning(tmp_path):
    saved(tmp_path / "cat" / "a.png", GREY)
    (tmp_path / "notes.txt").write_text("BM is no image here")
    with pytest.warns(UserWarning, match=r"^1 file in '.*' is no image and was passed over: 'notes\.txt'$") as caught:
        read_images(tmp_path)
    assert [w.filename for w in caught] == [__file__]
    for name in ("cat/b.npy", "cat/p.png.gz", "dog/y.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    expected = r"^4 files in '.*' are no images and were passed over, such as 'notes\.txt', 'b\.npy', 'p\.png\.gz'$"
    with pytest.warns(UserWarning, match=expected) as caught:
        read(tmp_path)
    assert len(caught) == 1
    (tmp_path / "dog" / "y.mp4").unlink()
    with pytest.warns(UserWarning, match=r"passed over: 'notes\.txt', 'b\.npy', 'p\.png\.gz'$"):
        read(tmp_path)


def test_what_a_system_puts_into_folders_is_passed_over_without_a_word(tmp_path):
    saved(tmp_path / "cat" / "a.png", GREY)
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store", "cat/Thumbs.db", "cat/._a.png"):
        (tmp_path / name).write_bytes(b"")
    assert len(read(tmp_path)) == 1  # a warning would be an error


def test_a_link_to_an_image_that_is_gone_is_not_passed_over(tmp_path):
    saved(tmp_path / "a.png", GREY)
    try:
        (tmp_path / "b.png").symlink_to(tmp_path / "gone.png")
    except OSError:
        pytest.skip("no links here")
    with pytest.raises(FileNotFoundError, match=r"b\.png' is a link to '.*gone\.png', which does not exist"):
        read(tmp_path)


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "jpe", "jfif"])
def test_every_suffix_of_jpeg_is_read(tmp_path, suffix):
    saved(Path(tmp_path) / f"a.{suffix}", GREY, "jpeg")
    assert read(tmp_path).shape == (1, 6, 5)


@pytest.mark.parametrize("size", [28, (28,), (2.5, 3), "28", (0, 3), (3, 3, 3), None])
def test_a_size_that_is_no_pair_of_whole_numbers_is_refused(tmp_path, size):
    saved(tmp_path / "a.png", GREY)
    if size is None:
        assert read(tmp_path, size=size).shape == (1, 6, 5)
        return
    with pytest.raises(ValueError, match=r"size is .*a height and a width of at least 1 are expected"):
        read(tmp_path, size=size)


def test_mixed_sizes_name_the_option_in_python_and_on_the_command_line(tmp_path):
    saved(tmp_path / "a.png", GREY)
    saved(tmp_path / "b.png", GREY.T.copy())
    refused(tmp_path, r"size=\(height, width\), on the command line --size HEIGHT,WIDTH")
