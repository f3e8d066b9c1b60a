"""Bars of MIDI files and MusicXML: what is read is what the notes say, and what is not read is said."""

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from fuzzing.seeds import compressed_score, score
from helpers.midi import delta, meter, midi, note, scale, tempo, write
from hypothesis import given
from hypothesis import strategies as st

from npae.datasets import read, read_labels
from npae.datasets.formats import read_data
from npae.datasets.music import Layout, bars, musicxml, read_bars
from npae.datasets.music import midi as midi_module
from npae.datasets.music.key import find_key, shift_to_c
from npae.datasets.music.music_files import is_music
from npae.datasets.music.piece import pitch_name
from npae.utils.errors import FileFormatError, MissingExtraError

C_MAJOR = [60, 62, 64, 65, 67, 69, 71, 72]


def sounding(X, layout):
    """For each step the pitches that sound; those that begin there with a star."""
    return [
        [
            f"{pitch_name(layout.lowest + row)}{'*' if begins else ''}"
            for row, (sounds, begins) in enumerate(step.astype(bool))
            if sounds or begins
        ]
        for bar in X
        for step in bar
    ]


def refused(path: Path, words: str, **options) -> None:
    """In one sentence that names the file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(FileFormatError, match=words) as caught:
            read_bars(path, **options)
    text = str(caught.value)
    assert text.isprintable()
    assert path.name in text


# --- MIDI ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def mido():
    return pytest.importorskip("mido")


def test_a_bar_says_what_sounds_and_what_begins_at_each_step(mido, tmp_path):
    path = write(tmp_path, "a.mid", midi(note(60, 0, 2) + note(60, 2, 2) + note(67, 1, 0.25) + tempo(600_000)))
    X, layout, names = read_bars(path)
    assert layout == Layout((4, 4), 16, 60, 67, 100.0)
    assert X.shape == (1, 16, 8, 2)
    assert X.dtype == np.float32
    expected = [["C4"]] * 16
    expected[0] = expected[8] = ["C4*"]
    expected[4] = ["C4", "G4*"]
    assert sounding(X, layout) == expected
    assert names == ["a.mid bar 1"]


def test_a_note_over_a_bar_line_sounds_in_the_next_bar_without_beginning(mido, tmp_path):
    path = write(tmp_path, "a.mid", midi(note(60, 3, 2) + note(62, 5, 3)))
    X, layout, _ = read_bars(path)
    assert sounding(X, layout) == [[]] * 12 + [["C4*"], *[["C4"]] * 7, ["D4*"], *[["D4"]] * 11]


def test_tracks_and_channels_are_put_together(mido, tmp_path):
    path = write(tmp_path, "a.mid", midi(note(60, 0, 4), note(64, 0, 4, channel=3), note(67, 0, 4)))
    X, layout, _ = read_bars(path)
    assert sounding(X, layout)[0] == ["C4*", "E4*", "G4*"]


def test_a_repeated_pitch_in_one_voice_begins_again_and_the_same_pitch_in_two_voices_sounds_once(mido, tmp_path):
    path = write(tmp_path, "a.mid", midi(note(60, 0, 4), note(60, 0, 2) + note(60, 2, 2)))
    X, layout, _ = read_bars(path)
    assert [len(step) for step in sounding(X, layout)] == [1] * 16
    assert sounding(X, layout)[8] == ["C4*"]


def test_a_note_that_nothing_ends_lasts_to_the_end_of_its_track(mido, tmp_path):
    on = [(0, bytes([0x90, 60, 80]))]
    path = write(tmp_path, "a.mid", midi(on + note(67, 0, 4)))
    X, layout, _ = read_bars(path)
    assert all("C4" in step[0] for step in sounding(X, layout))


def test_a_note_on_of_velocity_0_ends_the_note(mido, tmp_path):
    path = write(tmp_path, "a.mid", midi([(0, b"\x90<\x50"), (96, b"\x90<\x00"), *note(67, 0, 4)]))
    X, _, _ = read_bars(path)
    assert X[0, :, 0, 0].sum() == 4


def test_drums_are_left_out_and_counted(mido, tmp_path):
    path = write(tmp_path, "a.mid", midi(note(60, 0, 4), note(36, 0, 1, channel=9) + note(38, 1, 1, channel=9)))
    with pytest.warns(UserWarning, match="1 bars of 4/4 are read; notes left out: 2 of drums$"):
        layout = read_bars(path).layout
    assert (layout.lowest, layout.highest) == (60, 60)


def test_bars_of_other_meters_are_left_out_and_counted(mido, tmp_path):
    events = scale([60] * 8) + meter(3, 2, at=8) + [e for i in range(3) for e in note(62, 8 + i, 1)]
    path = write(tmp_path, "a.mid", midi(events))
    with pytest.warns(UserWarning, match="2 bars of 4/4 are read; bars left out: 1 3/4$"):
        X, _, _ = read_bars(path)
    assert len(X) == 2
    with pytest.warns(UserWarning, match="1 bars of 3/4 are read; bars left out: 2 4/4$"):
        X, layout, names = read_bars(path, meter="3/4")
    assert X.shape == (1, 12, 1, 2)
    assert layout.meter == (3, 4)
    assert names == ["a.mid bar 3"]


def test_bars_without_notes_and_bars_that_a_change_of_meter_cuts_are_left_out_and_counted(mido, tmp_path):
    events = note(60, 0, 4) + note(60, 8, 4) + meter(4, 2, at=14) + note(62, 12, 1) + note(62, 14, 4)
    path = write(tmp_path, "a.mid", midi(events))
    with pytest.warns(UserWarning, match="3 bars of 4/4 are read; bars left out: 1 incomplete, 1 without a note$"):
        read_bars(path)


def test_nothing_is_said_where_all_is_read(mido, tmp_path):
    read_bars(write(tmp_path, "a.mid", midi(scale(C_MAJOR))))  # a warning would be an error


def test_notes_off_the_grid_are_moved_and_counted_unless_by_little(mido, tmp_path):
    events = note(60, 0.1, 0.9) + note(62, 1.01, 0.99) + note(64, 1.9, 2.1)
    path = write(tmp_path, "a.mid", midi(events))
    with pytest.warns(UserWarning, match="notes moved to the nearest step: 2$"):
        X, layout, _ = read_bars(path)
    assert [i for i, step in enumerate(sounding(X, layout)) if any(name.endswith("*") for name in step)] == [0, 4, 8]


def test_a_note_just_before_a_bar_line_begins_in_the_next_bar(mido, tmp_path):
    path = write(tmp_path, "a.mid", midi(note(60, 0, 3.5) + note(62, 3.95, 4.05)))
    with pytest.warns(UserWarning, match="notes moved to the nearest step: 1$"):
        X, layout, _ = read_bars(path)
    assert sounding(X, layout)[14:18] == [[], [], ["D4*"], ["D4"]]


def test_a_short_note_just_before_a_bar_line_is_not_lost(mido, tmp_path):
    path = write(tmp_path, "a.mid", midi(note(60, 0, 3) + note(62, 3.95, 0.04) + note(64, 5, 3)))
    with pytest.warns(UserWarning, match="notes moved to the nearest step: 1$"):
        X, layout, _ = read_bars(path)
    assert sounding(X, layout)[16] == ["D4*"]


def test_every_note_lasts_a_step_at_least(mido, tmp_path):
    path = write(tmp_path, "a.mid", midi(note(60, 0, 0.02) + note(62, 1, 3)))
    X, _, _ = read_bars(path)
    assert X[0, :, 0, 0].sum() == 1


def test_steps_of_a_quarter_note_can_be_chosen(mido, tmp_path):
    path = write(tmp_path, "a.mid", midi(scale([60, 62, 64] * 4, length=1 / 3)))
    X, layout, _ = read_bars(path, steps_per_quarter=12)
    assert layout.steps == 48
    assert X[0, ..., 1].sum() == 12
    assert layout.steps_per_quarter == 12


def test_the_tempo_is_the_median_of_the_pieces(mido, tmp_path):
    for i, microseconds in enumerate((500_000, 600_000, 1_000_000)):
        write(tmp_path, f"{i}.mid", midi(scale(C_MAJOR) + tempo(microseconds)))
    write(tmp_path, "4.mid", midi(scale(C_MAJOR)))
    assert read_bars(tmp_path).layout.tempo == 100.0


def test_a_folder_is_read_with_its_folders_in_order_of_names_and_without_hidden_files(mido, tmp_path):
    for name in ("b.mid", "a.MID", "more/c.midi", ".hidden.mid", ".more/d.mid"):
        write(tmp_path, name, midi(scale(C_MAJOR)))
    write(tmp_path, "notes.txt", b"x")
    assert read_bars(tmp_path).names == [f"{name} bar {n}" for name in ("a.MID", "b.mid", "c.midi") for n in (1, 2)]


def test_transposing_to_c_moves_major_to_c_and_minor_to_a(mido, tmp_path):
    a_minor = [57, 59, 60, 62, 64, 65, 68, 69, 64, 60, 57, 57]
    for shift in range(-6, 6):
        for pitches in ([*C_MAJOR, 67, 64, 60, 60], a_minor):
            path = write(tmp_path, "a.mid", midi(scale([pitch + shift for pitch in pitches])))
            X, layout, _ = read_bars(path, transpose="c")
            first = layout.lowest + int(X[0, 0, :, 0].argmax())
            assert first % 12 == pitches[0] % 12


def test_all_transpositions_give_twelve_times_the_bars(mido, tmp_path):
    path = write(tmp_path, "a.mid", midi(scale(C_MAJOR)))
    X, layout, names = read_bars(path, transpose="all")
    assert len(X) == 24
    assert (layout.lowest, layout.highest) == (60 - 5, 72 + 6)
    assert names[:2] == ["a.mid bar 1 -5", "a.mid bar 2 -5"]
    assert len({X[i].tobytes() for i in range(0, 24, 2)}) == 12
    assert set(X.sum(axis=(1, 2, 3))) == {16 + 4}


def test_a_transposition_stays_within_the_pitches_of_midi(mido, tmp_path):
    path = write(tmp_path, "a.mid", midi(scale([0, 2, 4, 5])))
    assert read_bars(path, transpose="all").layout.lowest >= 0
    refused(write(tmp_path, "b.mid", midi(scale([0, 127, 1, 126]))), "cannot be transposed", transpose="all")


def test_other_bars_are_read_in_the_layout_of_a_model(mido, tmp_path):
    path = write(tmp_path, "a.mid", midi(scale([64, 65, 67, 69])))
    layout = Layout((4, 4), 16, 48, 72)
    X, given_layout, _ = read_bars(path, layout=layout)
    assert X.shape == (1, *layout.shape)
    assert given_layout == layout
    assert sounding(X, layout)[0] == ["E4*"]
    refused(path, r"has the note E4, but the model's music goes from C5 to C6", layout=Layout((4, 4), 16, 72, 84))
    with pytest.raises(ValueError, match="was given with a layout"):
        read_bars(path, layout=layout, meter="4/4")


def test_read_gives_the_bars_of_a_file_by_its_suffix_and_by_its_content(mido, tmp_path):
    content = midi(scale(C_MAJOR))
    expected = read_bars(write(tmp_path, "a.mid", content)).X
    for name in ("b.MIDI", "without"):
        np.testing.assert_array_equal(read(write(tmp_path, name, content)), expected)
    np.testing.assert_array_equal(read(tmp_path / "a.mid", meter="4/4", steps_per_quarter=4), expected)
    data = read_data(tmp_path / "a.mid")
    assert Layout.from_metadata(data.metadata) == read_bars(tmp_path / "a.mid").layout


def test_music_has_no_labels(tmp_path):
    write(tmp_path, "a.mid", b"x")
    for source in (tmp_path, tmp_path / "a.mid"):
        with pytest.raises(FileFormatError, match="is music, which has no labels; give a text"):
            read_labels(source)


def test_options_of_music_are_refused_for_other_data(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"meter='3/4' was given with .*, but is for music"):
        read(tmp_path / "x.npy", meter="3/4")


@pytest.mark.parametrize("value", ["", "3", "3/0", "0/4", "3/4/4", "a/b", "99/4", "3/128", "3/5", "-3/4", "³/4", 3])
def test_a_meter_that_is_none_is_refused(value, tmp_path):
    with pytest.raises(ValueError, match=r"meter is .* expected a time signature"):
        read_bars(tmp_path, meter=value)


def test_options_that_do_not_exist_or_do_not_fit_are_refused(mido, tmp_path):
    path = write(tmp_path, "a.mid", midi(scale(C_MAJOR)))
    with pytest.raises(ValueError, match="transpose is 'd'"):
        read_bars(path, transpose="d")
    with pytest.raises(ValueError, match="steps_per_quarter is 0"):
        read_bars(path, steps_per_quarter=0)
    refused(path, r"of 5/8, which have 2.5 steps where a quarter note has 1", meter="5/8", steps_per_quarter=1)
    refused(path, "which have 240 steps", meter="5/4", steps_per_quarter=48)
    refused(path, "holds no complete bar of 3/4 with notes", meter="3/4")


BROKEN = {
    "empty": (b"", "is no MIDI file"),
    "a text": (b"hello, this is no music", "is no MIDI file"),
    "cut off": (midi(scale(C_MAJOR))[:40], "is a damaged MIDI file"),
    "a header alone": (midi(scale(C_MAJOR))[:14], "is a damaged MIDI file"),
    "a header cut off": (b"MThd\0\0\0\6\0", "is a damaged MIDI file"),
    "no tracks": (midi(), "holds no notes; "),
    "no notes": (midi(tempo(500_000)), "holds no notes; "),
    "drums alone": (midi(note(36, 0, 4, channel=9)), "holds no notes but drums"),
    "tracks that are not simultaneous": (midi(scale(C_MAJOR), kind=2), "of type 2"),
    "no division": (midi(scale(C_MAJOR), ticks=0), "counts 0 ticks a quarter note"),
    "a division in seconds": (midi(scale(C_MAJOR), ticks=-25 * 256 + 40), "counts -6360 ticks"),
    "tempo 0": (midi(scale(C_MAJOR) + tempo(0)), "has a tempo of 0 microseconds"),
    "meter 0": (midi(scale(C_MAJOR) + meter(0, 2)), "has a time signature of 0/4"),
    "a meter of a googol": (midi(scale(C_MAJOR) + meter(4, 255)), r"has a time signature of 4/2\*\*255"),
    "a note of 400 years": (midi([*note(60, 0, 1), (2**27, b"\x90<\x50")]), "bars, but at most 10,000"),
    "a time beyond all": (midi([(2**2000, b"\x90<\x50")]), "a time has more than four bytes"),
    "a byte beyond 127": (midi([(0, bytes([0x90, 200, 80])), *note(60, 0, 1)]), "is a damaged MIDI file"),
    "an endless track": (b"MThd\0\0\0\6\0\1\0\1\0\x60MTrk\xff\xff\xff\xff" + delta(0) + b"\x90<P", "is a damaged"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_midi_file_that_cannot_be_read_is_refused_in_one_sentence(name, mido, tmp_path):
    content, words = BROKEN[name]
    refused(write(tmp_path, "broken.mid", content), words)


def test_limits_of_a_midi_file(mido, tmp_path, monkeypatch):
    path = write(tmp_path, "a.mid", midi(scale(C_MAJOR)))
    monkeypatch.setattr(midi_module, "LARGEST_FILE", 50)
    refused(path, "bytes, but at most 50 are read")
    monkeypatch.setattr(midi_module, "LARGEST_FILE", 1000)
    monkeypatch.setattr(bars, "MOST_SPANS", 7)
    refused(path, "sound in 8 bars, added up, but at most 7")
    monkeypatch.setattr(bars, "MOST_SPANS", 8)
    monkeypatch.setattr(bars, "MAX_BYTES", 1000)
    refused(path, "take more than 1,000 bytes")


def test_a_missing_file_is_not_found(mido, tmp_path):
    for name in ("no.mid", "no.mxl"):
        with pytest.raises(FileNotFoundError):
            read_bars(tmp_path / name)


def test_without_its_library_the_extra_is_named(tmp_path, monkeypatch):
    for module, name in (("mido", "a.mid"), ("music21", "a.mxl")):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(MissingExtraError, match=rf"needs {module}; install it: pip install 'npae\[music\]'"):
            read_bars(write(tmp_path, name, b"x"))


# --- folders ---------------------------------------------------------------------------------------------------------


def test_a_folder_of_music_and_images_is_refused(tmp_path):
    write(tmp_path, "a.mid", b"x")
    write(tmp_path, "b/c.png", b"x")
    with pytest.raises(FileFormatError, match=r"holds music \('a.mid'\) and images \('c.png'\), but only one"):
        read(tmp_path)


def test_xml_files_beside_images_are_no_music(tmp_path):
    write(tmp_path, "a.png", b"x")
    write(tmp_path, "a.xml", b"x")
    assert not is_music(tmp_path)
    write(tmp_path, "b.musicxml", b"x")
    assert is_music(tmp_path)


def test_files_of_music_in_other_formats_are_left_out_and_counted(tmp_path):
    pytest.importorskip("mido")
    write(tmp_path, "a.mid", midi(scale(C_MAJOR)))
    for name in ("a.krn", "b/c.KRN", "d.abc", "readme.txt"):
        write(tmp_path, name, b"x")
    with pytest.warns(UserWarning, match=r"2 bars of 4/4 are read; files left out: 2 .krn, 1 .abc$"):
        read_bars(tmp_path)


def test_a_folder_without_music_is_refused(tmp_path):
    with pytest.raises(FileFormatError, match="holds no music; put some"):
        read_bars(tmp_path)


# --- keys ------------------------------------------------------------------------------------------------------------


@given(tonic=st.integers(0, 11), is_major=st.booleans())
def test_the_key_of_a_scale_with_its_triad_is_found(tonic, is_major):
    steps, triad = ((0, 2, 4, 5, 7, 9, 11), (0, 4, 7)) if is_major else ((0, 2, 3, 5, 7, 8, 11), (0, 3, 7))
    durations = np.zeros(12)
    for step in steps + triad + triad:
        durations[(tonic + step) % 12] += 1
    assert find_key(durations) == (tonic, is_major)
    pitches = np.repeat(np.arange(12), durations.astype(int))
    notes = np.stack([np.zeros(len(pitches)), np.ones(len(pitches)), 60 + pitches], axis=1)
    assert -6 <= shift_to_c(notes) <= 5
    assert (tonic + shift_to_c(notes)) % 12 == (0 if is_major else 9)


# --- layouts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [{"steps": 0}, {"steps": 10**9}, {"meter": [4]}, {"meter": "44"}, {"meter": [0, 4]}, {"lowest": 100},
     {"highest": 128}, {"tempo": 0}, {"tempo": float("nan")}, {"steps": None}, {"more": 1}],
)  # fmt: skip
def test_a_layout_that_is_none_is_refused(change):
    stored = Layout((4, 4), 16, 48, 72).to_metadata()["music"] | change
    with pytest.raises(ValueError, match="of its music"):
        Layout.from_metadata({"music": stored})
    with pytest.raises(ValueError, match="not complete"):
        Layout.from_metadata({"music": 3})
    assert Layout.from_metadata({}) is None


# --- MusicXML --------------------------------------------------------------------------------------------------------


@pytest.fixture
def music21():
    return pytest.importorskip("music21")


def xml_note(step, duration, more=""):
    return f"<note>{more}<pitch><step>{step}</step><octave>4</octave></pitch><duration>{duration}</duration></note>"


def part_of(*measures: str) -> bytes:
    """A score of one part in 4/4, a quarter note being 2."""
    attributes = (
        "<attributes><divisions>2</divisions><time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
    )
    inside = "".join(
        f'<measure number="{i + 1}">{attributes if i == 0 else ""}{measure}</measure>'
        for i, measure in enumerate(measures)
    )
    return (
        '<score-partwise version="3.1"><part-list><score-part id="P1"><part-name>x</part-name></score-part></part-list>'
        f'<part id="P1">{inside}</part></score-partwise>'
    ).encode()


@pytest.mark.parametrize(("name", "pack"), [("a.musicxml", bytes), ("a.xml", bytes), ("a.mxl", compressed_score)])
def test_musicxml_is_read_plain_and_compressed(name, pack, music21, tmp_path):
    X, layout, names = read_bars(write(tmp_path, name, pack(score())))
    assert layout == Layout((4, 4), 16, 60, 67, 90.0)
    expected = [["C4", "E4"]] * 8 + [["G4"]] * 8
    expected[0], expected[8] = ["C4*", "E4*"], ["G4*"]
    assert sounding(X, layout) == expected
    assert names == [f"{name} bar 1"]


def test_tied_notes_are_one(music21, tmp_path):
    measures = [
        '<note><pitch><step>C</step><octave>4</octave></pitch><duration>8</duration><tie type="start"/></note>',
        '<note><pitch><step>C</step><octave>4</octave></pitch><duration>8</duration><tie type="stop"/></note>',
    ]
    X, _, _ = read_bars(write(tmp_path, "a.xml", part_of(*measures)))
    assert X[..., 0].sum() == 32
    assert X[..., 1].sum() == 1


def test_a_pickup_is_left_out_and_a_bar_that_is_written_as_two_is_read(music21, tmp_path):
    measures = [xml_note("C", 2), xml_note("D", 8), xml_note("E", 6), xml_note("F", 2), xml_note("G", 8)]
    with pytest.warns(UserWarning, match="3 bars of 4/4 are read; bars left out: 1 incomplete$"):
        X, layout, names = read_bars(write(tmp_path, "a.xml", part_of(*measures)))
    assert sounding(X, layout)[16 + 11 : 16 + 13] == [["E4"], ["F4*"]]
    assert names == [f"a.xml bar {n}" for n in (2, 3, 4)]


def test_grace_notes_percussion_and_chord_symbols_are_no_notes(music21, tmp_path):
    inside = (
        "<harmony><root><root-step>A</root-step></root><kind>minor</kind></harmony>"
        "<note><grace/><pitch><step>B</step><octave>4</octave></pitch></note>"
        + xml_note("C", 4)
        + "<note><unpitched><display-step>E</display-step><display-octave>4</display-octave></unpitched>"
        "<duration>4</duration></note>"
    )
    with pytest.warns(UserWarning, match="notes left out: 1 of percussion, 1 grace$"):
        layout = read_bars(write(tmp_path, "a.xml", part_of(inside))).layout
    assert (layout.lowest, layout.highest) == (60, 60)


def test_transposing_instruments_are_read_as_they_sound(music21, tmp_path):
    content = part_of(xml_note("D", 8)).replace(
        b"</attributes>", b"<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose></attributes>"
    )
    assert read_bars(write(tmp_path, "a.xml", content)).layout.lowest == 60


BOMB = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
BROKEN_XML = {
    "empty": (b"", "is no well-formed XML"),
    "cut off": (score()[:200], "is no well-formed XML"),
    "a web page": (b"<html><body/></html>", "is XML, but no MusicXML"),
    "entities": (BOMB + score().replace(b'<?xml version="1.0" encoding="UTF-8"?>', b""), "declares entities"),
    "an external entity": (
        b'<!DOCTYPE score-partwise [<!ENTITY a SYSTEM "file:///etc/passwd">]><score-partwise>&a;</score-partwise>',
        "declares entities",
    ),
    "an unknown encoding": (b'<?xml version="1.0" encoding="nonsense"?><score-partwise/>', "is no well-formed XML"),
    "deep": (b"<score-partwise>" + b"<a>" * 100 + b"</a>" * 100 + b"</score-partwise>", "nested more than 40 deep"),
    "no parts": (b"<score-partwise><part-list/></score-partwise>", "."),
    "no notes": (part_of(""), "holds no notes"),
    "divisions 0": (score(divisions=1).replace(b"<divisions>1<", b"<divisions>0<"), "."),
    "a duration beyond all": (part_of(xml_note("C", 10**12)), "has the duration '1000000000000'"),
    "a duration that is no number": (part_of(xml_note("C", "x\x1b"[0])), "has the duration 'x'"),
    "meter 99999/4": (score(meter=(99_999, 4)), "has the beats '99999', where a number up to 64"),
    "a thousand staves": (part_of("<attributes><staves>1000</staves></attributes>"), "has the staves '1000'"),
    "meter 3/7": (score(meter=(3, 7)), "."),
    "meter 0": (score(meter=(0, 4)), "."),
    "meter 99/4": (score(meter=(99, 4)), "has the beats '99'"),
    "a damaged zip": (compressed_score(score())[:100], "is a damaged .mxl file"),
    "a zip without a score": (compressed_score(score(), "other.xml").replace(b"other.xml", b"fther.xml", 1), "."),
}


@pytest.mark.parametrize("name", BROKEN_XML)
def test_musicxml_that_cannot_be_read_is_refused_in_one_sentence(name, music21, tmp_path):
    content, words = BROKEN_XML[name]
    refused(write(tmp_path, "broken.xml", content), words)


def test_a_doctype_without_entities_is_read(music21, tmp_path):
    doctype = b'<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 3.1 Partwise//EN" "http://x.org/p.dtd">'
    content = score().replace(b"?><score-partwise", b"?>" + doctype + b"<score-partwise")
    assert len(read_bars(write(tmp_path, "a.xml", content)).X) == 1


def test_a_compressed_score_that_expands_beyond_the_limit_is_refused(music21, tmp_path, monkeypatch):
    monkeypatch.setattr(musicxml, "LARGEST_TEXT", 5000)
    bomb = compressed_score(b" " * 10**6)
    assert len(bomb) < 5000
    refused(write(tmp_path, "a.mxl", bomb), "more than 5,000 bytes of XML")
    monkeypatch.setattr(musicxml, "MOST_ELEMENTS", 5)
    refused(write(tmp_path, "b.mxl", compressed_score(score())), "more than 5 elements")
    monkeypatch.setattr(musicxml, "MOST_ELEMENTS", 500)
    monkeypatch.setattr(musicxml, "MOST_MEASURES", 2)
    content = part_of(*[xml_note("C", 8)] * 3)
    refused(write(tmp_path, "c.xml", content), "a part of more than 2 measures")
    monkeypatch.setattr(musicxml, "MOST_MEASURES", 3)
    assert len(read_bars(write(tmp_path, "c.xml", content)).X) == 3
