"""Files of music that claim much in a few bytes: refused before memory or time is spent on the claim."""

import tracemalloc
import warnings
import zipfile
from pathlib import Path

import pytest
from fuzzing.seeds import compressed_score, score
from helpers.midi import meter, midi, note, scale, write

from npae.datasets.music import bars, musicxml, read_bars
from npae.utils.errors import FileFormatError

MIB = 2**20


def refused_in(memory: int, path: Path, words: str, **options) -> None:
    """In one sentence that names the file, and in so much memory at most."""
    tracemalloc.start()
    try:
        with pytest.raises(FileFormatError, match=words) as caught:
            read_bars(path, **options)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < memory
    assert str(caught.value).isprintable()
    assert path.name in str(caught.value)


# --- MIDI ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def far_apart(tmp_path) -> Path:
    """A file of 60 bytes or so that claims two notes of 10,000 bars, the lowest and the highest."""
    pytest.importorskip("mido")
    read_bars(write(tmp_path, "a.mid", midi(scale([60] * 4))))  # what is imported once is not what a file takes
    return write(tmp_path, "far.mid", midi(note(0, 0, 40_000) + note(127, 0, 40_000)))


def test_long_notes_far_apart_are_refused_before_the_bars_are_made(far_apart):
    words = "has 10,000 bars of 4/4 with notes, which in 128 pitches are 5,120,000 quarter notes times pitches, but at"
    refused_in(8 * MIB, far_apart, words)


def test_the_number_of_steps_does_not_change_what_a_file_may_claim(far_apart):
    refused_in(8 * MIB, far_apart, "5,120,000 quarter notes times pitches", steps_per_quarter=1)
    long_bars = midi(meter(48, 2) + note(0, 0, 480_000) + note(127, 0, 480_000))
    refused_in(8 * MIB, write(far_apart.parent, "long.mid", long_bars), "61,440,000 quarter notes times pitches")


def test_bars_are_counted_in_the_pitches_of_a_given_layout(far_apart, monkeypatch):
    path = write(far_apart.parent, "b.mid", midi(scale([60, 64] * 4)))
    layout = read_bars(path).layout
    size = 2 * 4 * 5  # bars, quarter notes, pitches
    monkeypatch.setattr(bars, "LARGEST_ROLL", size)
    assert read_bars(path).X.shape == (2, 16, 5, 2)
    monkeypatch.setattr(bars, "LARGEST_ROLL", size - 1)
    refused_in(8 * MIB, path, "in 5 pitches are 40 quarter notes times pitches, but at most 39", layout=layout)


def test_a_header_that_claims_4_gib_takes_no_memory(far_apart):
    content = midi(scale([60] * 4))
    refused_in(8 * MIB, write(far_apart.parent, "b.mid", b"MThd\xff\xff\xff\xff" + content[8:]), "is a damaged MIDI")


@pytest.mark.parametrize("what", ["time", "length"])
def test_a_number_of_thousands_of_bytes_is_refused_before_it_is_added_up(what, far_apart):
    number = b"\xff" * 60_000 + b"\0"
    event = {"time": number + b"\x90<P", "length": b"\0\xff\x01" + number}[what]
    track = event + b"\0\xff\x2f\0"
    content = midi()[:10] + b"\0\1\0\x60MTrk" + len(track).to_bytes(4, "big") + track
    refused_in(8 * MIB, write(far_apart.parent, "b.mid", content), f"a {what} has more than four bytes")


# --- MusicXML --------------------------------------------------------------------------------------------------------


def parts_of(n_parts: int, n_measures: int, staves: int = 1) -> bytes:
    """Parts of empty measures, but for one note in the first."""
    attributes, inside = score().decode().split("<attributes>")[1].split("</measure>")[0].split("</attributes>")
    first = f"<measure><attributes>{attributes}<staves>{staves}</staves></attributes>{inside}</measure>"
    part = first + "<measure/>" * (n_measures - 1)
    listed = "".join(f'<score-part id="P{i}"><part-name>x</part-name></score-part>' for i in range(n_parts))
    parts = "".join(f'<part id="P{i}">{part}</part>' for i in range(n_parts))
    return f"<score-partwise><part-list>{listed}</part-list>{parts}</score-partwise>".encode()


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((6, 3900), "has more than 20,000 measures in all parts and staves"),
        ((6, 200, 20), "has more than 20,000 measures in all parts and staves"),
        ((257, 1), "has more than 256 parts"),
    ],
)
def test_parts_and_measures_in_all_are_limited_before_music21_sees_them(parts, words, tmp_path, monkeypatch):
    music21 = pytest.importorskip("music21")
    monkeypatch.delattr(music21.converter, "parseData")
    refused_in(8 * MIB, write(tmp_path, "a.mxl", compressed_score(parts_of(*parts))), words)


def test_as_many_measures_as_the_limit_are_read(tmp_path, monkeypatch):
    pytest.importorskip("music21")
    path = write(tmp_path, "a.xml", parts_of(2, 3, staves=1))
    monkeypatch.setattr(musicxml, "MOST_IN_ALL", 6)
    monkeypatch.setattr(musicxml, "MOST_PARTS", 2)
    with pytest.warns(UserWarning, match="1 bars of 4/4 are read; bars left out: 2 without a note$"):
        assert len(read_bars(path).X) == 1
    monkeypatch.setattr(musicxml, "MOST_IN_ALL", 5)
    refused_in(32 * MIB, path, "more than 5 measures in all parts")


def test_the_list_of_files_in_a_compressed_score_is_limited(tmp_path):
    pytest.importorskip("music21")
    path = tmp_path / "a.mxl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        listed = '<rootfile full-path="score.xml"/>' * 500_000
        archive.writestr("META-INF/container.xml", f"<container><rootfiles>{listed}</rootfiles></container>")
        archive.writestr("score.xml", score())
    refused_in(8 * MIB, path, "is a damaged .mxl file; export it again")


FULL = "<note><rest/><duration>8</duration></note>"  # 8 of 2 to a quarter note
NOT_FULL = {
    "a quarter note": "<note><rest/><duration>2</duration></note>",
    "a chord, whose notes begin together": "<note><rest/><duration>4</duration></note>"
    "<note><chord/><rest/><duration>4</duration></note>",
    "two voices": "<note><rest/><duration>4</duration></note><backup><duration>4</duration></backup>"
    "<note><rest/><duration>6</duration></note>",
}
FILLED = {
    "whole": FULL,
    "empty": "",
    "with a gap": "<note><rest/><duration>2</duration></note><forward><duration>6</duration></forward>",
    "two voices": "<note><rest/><duration>8</duration></note><backup><duration>8</duration></backup>"
    "<note><rest/><duration>2</duration></note>",
    "longer": FULL + FULL,
    "in 3+2/8": "<attributes><time><beats>3+2</beats><beat-type>8</beat-type></time></attributes>"
    "<note><rest/><duration>5</duration></note>",
    "in smaller divisions": "<attributes><divisions>100</divisions></attributes>"
    "<note><rest/><duration>400</duration></note>",
}


def with_measures(inside: str, count: int) -> bytes:
    """A part of one full measure and then of some like this."""
    return (
        score(divisions=2)
        .replace(b"</part>", b"<measure>" + inside.encode() + b"</measure></part>")
        .replace(
            b"<measure>" + inside.encode() + b"</measure>", (b"<measure>" + inside.encode() + b"</measure>") * count
        )
    )


@pytest.mark.parametrize("name", NOT_FULL)
def test_many_measures_that_are_not_full_are_refused_before_music21_searches(name, tmp_path, monkeypatch):
    music21 = pytest.importorskip("music21")
    monkeypatch.setattr(musicxml, "MOST_SEARCHED", 10_000)
    monkeypatch.delattr(music21.converter, "parseData")
    words = r"has a part with \d+ measures or more that its notes and rests do not fill"
    refused_in(32 * MIB, write(tmp_path, "a.xml", with_measures(NOT_FULL[name], 100)), words)


@pytest.mark.parametrize("name", FILLED)
def test_measures_that_are_full_or_empty_are_not_said_to_be_short(name, tmp_path, monkeypatch):
    pytest.importorskip("music21")
    monkeypatch.setattr(musicxml, "MOST_SEARCHED", 0)
    path = write(tmp_path, "a.xml", with_measures(FILLED[name], 3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # bars that are left out
        assert len(read_bars(path, meter="4/4").X) >= 1
