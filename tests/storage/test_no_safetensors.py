"""What is no safetensors file is called that, and one that was cut off is not."""

import numpy as np
import pytest

import npae
from npae.applications.retrieval import Index
from npae.utils import safetensors
from npae.utils.errors import FileFormatError


@pytest.mark.parametrize(
    "content",
    [b"id,a,b\n0,0.5,0.25\n", b"\x89PNG\r\n\x1a\n" + bytes(9), b"PK\3\4" + b"\xff" * 9, b"label\ttext\n1\ta\n"],
)
@pytest.mark.parametrize("read", [npae.load, npae.load_encoder, Index.load])
def test_another_file_is_said_to_be_none(tmp_path, content, read):
    (tmp_path / "idx.csv").write_bytes(content)
    with pytest.raises(
        FileFormatError,
        match=r"idx\.csv is no safetensors file.*give one \(in Python npae\.datasets\.read reads data\)$",
    ):
        read(tmp_path / "idx.csv")


def test_a_file_that_was_cut_off_is_said_to_be_incomplete(tmp_path):
    path = tmp_path / "x.safetensors"
    safetensors.write(path, {"a": np.zeros(3)}, {})
    content = path.read_bytes()
    for n in range(len(content)):
        path.write_bytes(content[:n])
        with pytest.raises(FileFormatError, match="is not a complete safetensors file"):
            safetensors.read(path)
