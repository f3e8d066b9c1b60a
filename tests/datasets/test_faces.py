"""Faces are found and cut out; what had none is told, and nothing is overwritten."""

import csv

import numpy as np
import pytest

from npae.cli import main
from npae.datasets import crop_faces, read
from npae.utils.errors import MissingExtraError

Image = pytest.importorskip("PIL.Image")


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A photograph of an astronaut, small, and one of a cup of coffee, each in a folder."""
    data = pytest.importorskip("skimage.data")
    monkeypatch.chdir(tmp_path)
    for folder, picture in (("people", data.astronaut()), ("things", data.coffee())):
        (tmp_path / "photos" / folder).mkdir(parents=True)
        Image.fromarray(picture).resize((200, 200)).save(tmp_path / "photos" / folder / "1.png")
    return tmp_path / "photos"


def test_the_face_is_cut_out_and_what_had_none_is_told(photos):
    person, thing = crop_faces(photos, "faces", (40, 32))
    assert (person.n_faces, thing.n_faces, thing.face) == (1, 0, None)
    assert read("faces").shape == (1, 40, 32, 3)
    with Image.open(photos / "people/1.png") as image:
        # The astronaut's face is at about (60 to 130 of 512 pixels from the top, 170 to 270 from the left).
        expected = np.asarray(image.crop((68, 24, 106, 68)).resize((32, 40)), float) / 255
    found = read("faces")[0]
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.5


def test_a_face_at_the_border_is_cut_out_within_the_image(photos):
    with Image.open(photos / "people/1.png") as image:
        image.crop((66, 22, 108, 66)).resize((126, 132)).save(photos / "people/1.png")
    person, _ = crop_faces(photos, "faces", (48, 48))
    if person.n_faces:  # then no black border is added
        assert read("faces")[0].min(axis=(1, 2)).max() > 0


def test_a_file_that_is_there_is_not_overwritten(photos):
    crop_faces(photos, "faces")
    before = read("faces")
    Image.new("RGB", (64, 64)).save("faces/people/1.png")
    with pytest.raises(FileExistsError, match="exists already; give another folder, or replace=True"):
        crop_faces(photos, "faces")
    assert not read("faces").any()
    crop_faces(photos, "faces", replace=True)
    np.testing.assert_array_equal(read("faces"), before)


def test_two_images_that_would_get_one_name_are_refused(photos):
    Image.new("RGB", (64, 64)).save(photos / "people/1.jpg")
    with pytest.raises(ValueError, match="would both be written as"):
        crop_faces(photos, "faces")


def test_the_command_lists_every_image(photos, capsys):
    assert main(["crop", "photos", "--out", "faces", "--size", "40,32"]) == 0
    said = capsys.readouterr().out
    assert "1 face of 2 images in faces, listed in faces.csv" in said
    assert "no face was found in 1: things/1.png" in said
    assert "several" not in said
    with open("faces/faces.csv", encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["image", "n_faces", "face"], ["people/1.png", "1", "people/1.png"], ["things/1.png", "0", ""]
        ]  # fmt: skip
    assert read("faces").shape == (1, 40, 32, 3)  # the list is not taken for an image
    assert main(["crop", "photos", "--out", "faces"]) == 2
    assert "already; give another name, or --force to replace it" in capsys.readouterr().err
    assert main(["crop", "photos", "--out", "faces", "--force"]) == 0


def test_a_folder_without_faces_is_told_by_the_exit_code(photos, capsys):
    assert main(["crop", "photos/things", "--out", "faces"]) == 1
    assert "0 faces of 1 image in" in capsys.readouterr().out


def test_a_size_that_is_none_is_refused(tmp_path):
    with pytest.raises(ValueError, match="size is"):
        crop_faces(tmp_path, tmp_path / "faces", (0, 4))


def test_without_scikit_image_the_extra_is_named(tmp_path, monkeypatch):
    (tmp_path / "photos").mkdir()
    Image.new("L", (9, 9)).save(tmp_path / "photos/1.png")
    monkeypatch.setattr("npae.datasets.faces.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"needs scikit-image, .* pip install 'npae\[faces\]'"):
        crop_faces(tmp_path / "photos", tmp_path / "faces")
