"""Faces found in photographs and cut out, with the detector of scikit-image."""

import io
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from npae.datasets.image_files import find_images
from npae.datasets.images import is_size
from npae.datasets.pixels import read_image
from npae.utils.errors import MissingExtraError
from npae.utils.files import atomic_write
from npae.utils.types import Array

LARGEST = 640  # pixels: larger images are searched in this size
SMALLEST = 30  # pixels: smaller faces in an image of that size are not looked for
MARGIN = 0.1  # of the side, on each side


class Crop(NamedTuple):
    """What ``crop_faces`` did with one image.

    Attributes
    ----------
    image : Path
        The image, in the folder that was read.
    n_faces : int
        Number of faces that were found in it; of several only the largest is cut out.
    face : Path or None
        The file that was written, or None where no face was found.

    Examples
    --------
    >>> from pathlib import Path
    >>> from npae.datasets import Crop
    >>> Crop(Path("holiday.jpg"), n_faces=0, face=None).face is None
    True
    """

    image: Path
    n_faces: int
    face: Path | None


def crop_faces(
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    size: tuple[int, int] = (64, 64),
    *,
    replace: bool = False,
) -> list[Crop]:
    """Cut the largest face out of each image of a folder, or of its sub-folders, and write it as PNG.

    Faces seen from the front are found by a cascade of local binary patterns (Ahonen et al. 2004; Viola & Jones 2001),
    that of scikit-image, where they are at least 30 pixels wide once the image's longer side has at most 640. The face
    and a margin of a tenth on each side are cut out, in the proportions of ``size``.

    Parameters
    ----------
    folder : str or PathLike
        As ``npae.datasets.read`` takes it.
    out : str or PathLike
        Folder to write to, made if it is missing: sub-folders are kept, and names, with the suffix ``.png``.
    size : pair of int, default (64, 64)
        Height and width of the pictures that are written.
    replace : bool, default False
        Whether files that exist are replaced.

    Returns
    -------
    list of Crop
        One for each image, in the order in which they are read.

    Raises
    ------
    ValueError
        If ``size`` is not two whole numbers of at least 1.
    FileExistsError
        If a file to be written exists and ``replace`` is false; nothing is written then.
    FileFormatError
        As ``npae.datasets.read`` raises, and if two images would get one name.
    MissingExtraError
        If scikit-image or Pillow is not installed.

    Examples
    --------
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from skimage import data
    >>> from npae.datasets import crop_faces
    >>> Path("photos").mkdir()
    >>> Image.fromarray(data.astronaut()[:256, 100:356]).save("photos/astronaut.png")
    >>> [(crop.n_faces, crop.face.name) for crop in crop_faces("photos", "faces", size=(32, 32))]
    [(1, 'astronaut.png')]
    """
    if not is_size(size):
        raise ValueError(f"size is {size}, but a height and a width of at least 1 are expected; give e.g. (64, 64)")
    targets = cropped_files(folder, out)
    if not replace and (there := next(filter(Path.exists, targets.values()), None)):
        raise FileExistsError(f"{there} exists already; give another folder, or replace=True")
    detector = _detector()
    return [_crop(detector, path, target, size) for path, target in targets.items()]


def _crop(detector: Any, path: Path, target: Path, size: tuple[int, int]) -> Crop:
    image = read_image(path)
    found = _frames(detector, image)
    if not found:
        return Crop(path, 0, None)
    content = _cut(image, found[-1], size)
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(target) as file:
        file.write(content)
    return Crop(path, len(found), target)


def cropped_files(folder: str | os.PathLike[str], out: str | os.PathLike[str]) -> dict[Path, Path]:
    """The file that ``crop_faces`` writes for each image of a folder."""
    folder, out = Path(folder), Path(out)
    paths = find_images(folder).paths
    targets = {path: out / path.relative_to(folder).with_suffix(".png") for path in paths}
    taken: dict[str, Path] = {}
    for path, target in targets.items():
        before = taken.setdefault(str(target).casefold(), path)
        if before != path:
            raise ValueError(f"{before} and {path} would both be written as {target}; give one of them another name")
    return targets


def _detector() -> Any:
    if find_spec("skimage") is None:
        raise MissingExtraError("finding faces needs scikit-image, which is not installed; pip install 'npae[faces]'")
    from skimage.data import lbp_frontal_face_cascade_filename
    from skimage.feature import Cascade

    return Cascade(lbp_frontal_face_cascade_filename())


def _frames(detector: Any, image: Array) -> list[tuple[float, float, float]]:
    """Middle (row, column) and side of each face in an image (h, w[, 3]), in pixels, the largest last."""
    from PIL import Image

    picture = Image.fromarray(image).convert("RGB")
    shrink = min(1.0, LARGEST / max(picture.size))
    picture = picture.resize([max(round(n * shrink), 1) for n in picture.size])
    small = np.asarray(picture)
    if min(small.shape[:2]) < SMALLEST:
        return []
    found = detector.detect_multi_scale(
        img=small, scale_factor=1.1, step_ratio=1, min_size=(SMALLEST, SMALLEST), max_size=small.shape[:2]
    )
    frames = [
        ((face["r"] + face["height"] / 2) / shrink, (face["c"] + face["width"] / 2) / shrink, face["width"] / shrink)
        for face in found
    ]
    return sorted(frames, key=lambda frame: frame[2])


def _cut(image: Array, frame: tuple[float, float, float], size: tuple[int, int]) -> bytes:
    """The content of a PNG file of a face with its margin, of the shape of ``size``, moved to where the image is."""
    from PIL import Image

    middle, side = frame[:2], frame[2] * (1 + 2 * MARGIN)
    extent = [side * n / max(size) for n in size]  # height and width
    extent = [n * min(1.0, *(m / k for m, k in zip(image.shape[:2], extent, strict=True))) for n in extent]
    top, left = (
        min(max(m - n / 2, 0.0), whole - n) for m, n, whole in zip(middle, extent, image.shape[:2], strict=True)
    )
    box = (left, top, left + extent[1], top + extent[0])
    face = Image.fromarray(image).resize((size[1], size[0]), Image.Resampling.BILINEAR, box=box, reducing_gap=3.0)
    buffer = io.BytesIO()
    face.save(buffer, "PNG")
    return buffer.getvalue()
