"""Codes by Dask: blocks, dataframes, and parts in files."""

import json
import subprocess
import sys

import numpy as np
import pytest
from helpers.small_models import data_for, fitted, samples

import npae
from npae.applications.encoded_parts import RECORD
from npae.cli import main

da = pytest.importorskip("dask.array")


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for kind in ("vanilla", "convolutional"):
        fitted(kind, **({"code_size": None} if kind == "convolutional" else {})).save(folder / f"{kind}.safetensors")
    return folder


@pytest.fixture
def encoder(paths):
    return npae.load_encoder(paths / "vanilla.safetensors")


@pytest.mark.parametrize("kind", ["vanilla", "convolutional"])
def test_each_block_of_an_array_has_the_codes_of_that_block(kind, paths):
    encoder, X = npae.load_encoder(paths / f"{kind}.safetensors"), data_for(kind, 20)
    chunks = ((7, 0, 12, 1), *((size,) for size in X.shape[1:]))
    codes = npae.embed.map(encoder, da.from_array(X, chunks=chunks))
    assert codes.shape == (20, *encoder.code_shape)
    computed = codes.compute(scheduler="synchronous")
    assert computed.dtype == codes.dtype == np.float32
    blocks = [encoder.transform(block) for block in (X[:7], X[7:19], X[19:])]
    assert computed.tobytes() == np.concatenate(blocks).tobytes()
    np.testing.assert_allclose(computed, encoder.transform(X), atol=1e-6)


def test_an_array_that_is_cut_along_its_columns_is_joined(encoder):
    X = samples(10, 12)
    codes = npae.embed.map(encoder, da.from_array(X, chunks=(10, 5))).compute(scheduler="synchronous")
    assert codes.tobytes() == encoder.transform(X).tobytes()


def test_a_dataframe_keeps_its_index_and_an_empty_partition_has_no_codes(encoder):
    dd, pandas = pytest.importorskip("dask.dataframe"), pytest.importorskip("pandas")
    X = samples(9, 12)
    frame = pandas.DataFrame(X, index=np.arange(9) * 10)
    divided = dd.from_pandas(frame, npartitions=3)
    divided = dd.concat([divided, divided[divided[0] > 2]])  # none
    codes = npae.embed.map(encoder, divided)
    assert list(codes.columns) == ["code0", "code1", "code2", "code3"]
    computed = codes.compute(scheduler="synchronous")
    assert computed.index.tolist() == frame.index.tolist()
    assert computed.dtypes.unique().tolist() == [np.dtype("float32")]
    blocks = [encoder.transform(divided.partitions[i].compute()) for i in range(3)]
    assert computed.to_numpy().tobytes() == np.concatenate(blocks).tobytes()


def delayed(x):
    return pytest.importorskip("dask").delayed(x)


def frame():
    """A Dask dataframe of twelve columns, one of dates."""
    dd, pandas = pytest.importorskip("dask.dataframe"), pytest.importorskip("pandas")
    whole = pandas.DataFrame(np.ones((3, 12)), columns=list("abcdefghijkl"))
    return dd.from_pandas(whole.assign(a=pandas.Timestamp("2020-01-01")), npartitions=1)


@pytest.mark.parametrize(
    ("collection", "error", "message"),
    [
        (lambda: np.ones((3, 12)), TypeError, "expected a dask array or dataframe"),
        (lambda: da.ones((3, 5)), ValueError, r"samples of shape \(5,\); the encoder takes \(12,\)"),
        (lambda: delayed(np.ones((3, 12))), TypeError, r"the collection is a Delayed.*; expected a dask array"),
        (lambda: frame().a, TypeError, "the collection is a Series; expected a dask array or dataframe"),
        (lambda: frame().to_bag(), TypeError, "the collection is a Bag; expected a dask array or dataframe"),
        (frame, TypeError, "the column 'a' of the dataframe holds dates"),
    ],
)
def test_what_is_no_collection_of_such_samples_is_refused(encoder, collection, error, message):
    with pytest.raises(error, match=message):
        npae.embed.map(encoder, collection())


def test_a_model_is_refused_in_place_of_its_encoder():
    with pytest.raises(TypeError, match=r"expected one of npae.load_encoder"):
        npae.embed.map(npae.VanillaAutoencoder(), da.ones((3, 12)))


def test_a_worker_that_encodes_does_not_import_numba(paths):
    program = (
        "import sys, npae, numpy; e = npae.load_encoder(sys.argv[1]); import dask.array as da;"
        "npae.embed.map(e, da.ones((4, 12), chunks=(2, 12))).compute(scheduler='synchronous');"
        "assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, str(paths / "vanilla.safetensors")], check=True)


# npae encode --workers


def test_workers_encode_what_is_missing_or_has_changed_and_nothing_else(paths, tmp_path, capsys):
    pytest.importorskip("distributed")
    data, out, model = tmp_path / "data", tmp_path / "codes", str(paths / "vanilla.safetensors")
    data.mkdir()
    X = samples(30, 12)
    for i in range(3):
        np.save(data / f"part-{i}.npy", X[10 * i : 10 * i + 10])
    command = ["encode", model, "--data", str(data), "--out", str(out), "--workers", "1"]
    assert main(command) == 0
    encoder = npae.load_encoder(model)
    for i in range(3):
        assert np.load(out / f"part-{i}.npy").tobytes() == encoder.transform(X[10 * i : 10 * i + 10]).tobytes()
    assert "3 parts encoded, 0 there already" in capsys.readouterr().out
    assert main(command) == 0
    assert "0 parts encoded, 3 there already" in capsys.readouterr().out
    np.save(data / "part-1.npy", X[:4])
    (out / "part-2.npy").unlink()
    assert main(command) == 0
    assert "2 parts encoded, 1 there already" in capsys.readouterr().out
    assert len(np.load(out / "part-1.npy")) == 4
    assert sorted(json.loads((out / RECORD).read_text(encoding="utf-8"))) == [f"part-{i}.npy" for i in range(3)]


def test_a_part_that_cannot_be_encoded_is_named_and_the_others_are_kept(paths, tmp_path, capsys):
    pytest.importorskip("distributed")
    data, out = tmp_path / "data", tmp_path / "codes"
    data.mkdir()
    np.save(data / "a.npy", samples(10, 12))
    np.save(data / "b.npy", samples(10, 5))
    command = ["encode", str(paths / "vanilla.safetensors"), "--data", str(data), "--out", str(out), "--workers", "1"]
    assert main(command) == 2
    assert f"{data / 'b.npy'} could not be encoded" in capsys.readouterr().err
    assert list(json.loads((out / RECORD).read_text(encoding="utf-8"))) == ["a.npy"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--workers", "2", "--scheduler", "tcp://localhost:1"], "give one of the two"),
        (["--workers", "2", "--data", "elsewhere"], "several --data were given"),
    ],
)
def test_options_of_workers_that_make_no_sense_are_refused(options, message, paths, tmp_path, capsys):
    data, model = tmp_path / "data", str(paths / "vanilla.safetensors")
    data.mkdir()
    np.save(data / "a.npy", samples(4, 12))
    command = ["encode", model, "--data", str(data), "--out", str(tmp_path / "out"), *options]
    assert main(command) == 2
    assert message in capsys.readouterr().err


def test_a_folder_without_files_of_samples_is_refused(paths, tmp_path, capsys):
    command = ["encode", str(paths / "vanilla.safetensors"), "--data", str(tmp_path), "--out", str(tmp_path / "codes")]
    assert main([*command, "--workers", "1"]) == 2
    assert f"{tmp_path} is no folder that holds files of samples" in capsys.readouterr().err


def test_codes_of_others_are_not_replaced(paths, tmp_path, capsys):
    data, out = tmp_path / "data", tmp_path / "codes"
    for folder in (data, out):
        folder.mkdir()
        np.save(folder / "a.npy", samples(4, 12))
    model = str(paths / "vanilla.safetensors")
    assert main(["encode", model, "--data", str(data), "--out", str(out), "--workers", "1"]) == 2
    assert "holds a.npy already" in capsys.readouterr().err
