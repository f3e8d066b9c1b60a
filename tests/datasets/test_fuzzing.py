"""Fuzzing of every reader: any bytes give a result or a one-sentence error, within the documented memory."""

import tracemalloc
from random import Random

import pytest
from fuzzing.targets import TARGETS, Finding, Target
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import npae.network.base
from npae.kernels import reference_kernels

#: Shrinking takes minutes and explains nothing that the error does not.
drawn = settings(phases=[Phase.explicit, Phase.reuse, Phase.generate], suppress_health_check=list(HealthCheck))


#: Libraries that a target needs, and without which it is not tried.
NEEDED = {"images": ["PIL.Image"], "safetensors": ["safetensors.numpy"], "midi": ["mido"], "musicxml": ["music21"]}


@pytest.fixture(autouse=True)
def _in_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong shape is an error in NumPy, and a crash in machine code."""
    monkeypatch.setattr(npae.network.base, "default_kernels", reference_kernels)


@pytest.fixture(params=TARGETS)
def target(request: pytest.FixtureRequest) -> Target:
    for module in NEEDED.get(request.param, ()):
        pytest.importorskip(module)
    return TARGETS[request.param]


def test_every_valid_file_is_read(target, tmp_path):
    assert all(target.try_on(content, tmp_path) for content in target.seeds())


@pytest.mark.filterwarnings("default")  # a library may warn about a file, and the command line shows it as a sentence
def test_changed_files_end_in_a_result_or_a_sentence_in_little_memory(target, tmp_path):
    contents = target.seeds()
    for content in contents:  # whatever is imported and cached once is not what a file takes
        target.try_on(content, tmp_path)

    @drawn
    @given(content=st.sampled_from(contents), seed=st.integers(0, 2**32 - 1), times=st.integers(1, 3))
    def run(content: bytes, seed: int, times: int) -> None:
        chance = Random(seed)
        for _ in range(times):
            content = target.mutated(content, chance)
        tracemalloc.start()
        try:
            target.try_on(content, tmp_path)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < target.memory + 100 * len(content)

    run()


@pytest.mark.filterwarnings("default")
@drawn
@given(content=st.binary(max_size=200))
def test_any_bytes_end_in_a_result_or_a_sentence(content, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp()
    for target in TARGETS.values():
        if target.name not in NEEDED:
            target.try_on(content, folder)
            target.try_on(target.seeds()[0][:8] + content, folder)


def test_the_fuzzer_detects_an_invalid_result(tmp_path):
    def raises(error: Exception):
        def read(path):
            raise error

        return Target("x", "x", list, read, others=("allowed",))

    for error in (KeyError("x"), MemoryError(), RecursionError(), ValueError("other"), ValueError("allowed\nhere")):
        with pytest.raises(Finding):
            raises(error).try_on(b"", tmp_path)
    for text in ("", "two\nlines", "\x1b[2J", "\ud800", "x" * 2000):
        with pytest.raises(Finding, match="no sentence"):
            raises(npae.errors.FileFormatError(text)).try_on(b"", tmp_path)
    assert not raises(ValueError("this is allowed")).try_on(b"", tmp_path)
    assert Target("x", "x", list, lambda path: None).try_on(b"", tmp_path)
