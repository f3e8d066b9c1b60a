"""Events of MIDI files that are not music: the notes after them begin when they begin."""

import io
from random import Random

import numpy as np
import pytest
from fuzzing import mutations, seeds
from helpers.midi import delta, midi, note, write

from npae.datasets.music import read_bars
from npae.datasets.music.midi_events import with_text_for_other_events
from npae.utils.errors import FileFormatError

MUSIC = note(60, 0, 1) + note(64, 2, 2)
EVENTS = {
    "a kind of meta event that does not exist": b"\xff\x4b\x01\x00",
    "the name of a program": b"\xff\x08\x05piano",
    "a key that does not exist": b"\xff\x59\x02\x63\x00",
    "a long text": b"\xff\x05" + delta(30_000) + "歌".encode() * 10_000,
    "a message to a device": b"\xf0\x04\x7e\x7f\x09\xf7",
    "the rest of such a message": b"\xf7\x02\x01\x02",
}


@pytest.mark.parametrize("name", EVENTS)
def test_notes_after_an_event_that_is_not_used_begin_in_time(name, tmp_path):
    pytest.importorskip("mido")
    expected = read_bars(write(tmp_path, "a.mid", midi(MUSIC))).X
    path = write(tmp_path, "b.mid", midi([*MUSIC, (150, EVENTS[name])]))  # within the rest between the two notes
    np.testing.assert_array_equal(read_bars(path).X, expected)


def test_messages_of_every_kind_are_passed_over_by_their_length(tmp_path):
    mido = pytest.importorskip("mido")
    kinds = [bytes([status, *[1, 2][: size - 1]]) for status, size in
             [(0x80, 3), (0x90, 3), (0xA0, 3), (0xB0, 3), (0xC0, 2), (0xD0, 2), (0xE0, 3),
              (0xF1, 2), (0xF2, 3), (0xF3, 2), (0xF6, 1), (0xF8, 1)]]  # fmt: skip
    other = b"\xff\x4b\x00"
    content = midi([(10 * i, kind) for i, kind in enumerate(kinds) for kind in (kind, other)])
    changed = with_text_for_other_events(content, "x.mid")
    assert changed.count(b"\xff\x01\x00") == len(kinds)
    assert changed == content.replace(other, b"\xff\x01\x00")
    assert len(mido.MidiFile(file=io.BytesIO(changed)).tracks[0]) == 2 * len(kinds) + 1


def test_a_file_without_other_events_stays_as_it_is_however_damaged():
    pytest.importorskip("mido")
    chance = Random(0)
    for content in seeds.midi():
        assert with_text_for_other_events(content, "x.mid") == content
        for _ in range(100):
            damaged = mutations.midi_edited(content, chance)
            try:
                changed = with_text_for_other_events(damaged, "x.mid")
            except FileFormatError:
                continue
            assert len(changed) == len(damaged)
            assert all(new == 1 for old, new in zip(damaged, changed, strict=True) if old != new)
