"""Bars become notes with as many voices as the probabilities say; MIDI, sound and pictures say what the notes say."""

import io
import sys
import wave

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npae.applications.music import (
    Note,
    binarization,
    binarize,
    distance_to_nearest,
    find_notes,
    independent_draws,
    midi_bytes,
    novelty,
    roll_png,
    statistics,
    synthesise,
    wav_bytes,
)
from npae.datasets.music import Layout, read_bars
from npae.utils.errors import MissingExtraError

LAYOUT = Layout((4, 4), 16, 48, 72, 120.0)
few = settings(max_examples=8)


def random_bars(seed: int, n: int = 3, layout: Layout = LAYOUT):
    """Bars of zeros and ones in which notes are held only where they began, or from the first step on."""
    rng = np.random.default_rng(seed)
    X = np.zeros((n, *layout.shape), np.float32)
    for _ in range(12 * n):
        bar, row = rng.integers(n), rng.integers(layout.shape[1])
        start, end = sorted(rng.integers(0, layout.steps + 1, 2))
        if start < end:
            X[bar, start:end, row, 0] = 1
            X[bar, start, row, 1] = start > 0 or rng.random() < 0.5
            if end < layout.steps and X[bar, end, row, 0]:
                X[bar, end, row, 1] = 1
    return X


def probabilities(seed: int, n: int = 4, most: float = 0.6):
    rng = np.random.default_rng(seed)
    return rng.random((n, *LAYOUT.shape)) ** 4 * most


# --- from probabilities to zeros and ones ----------------------------------------------------------------------------


@few
@given(seed=st.integers(0, 10_000))
def test_bars_of_zeros_and_ones_stay_as_they_are(seed):
    X = random_bars(seed)
    np.testing.assert_array_equal(binarize(X), X)


@few
@given(seed=st.integers(0, 10_000))
def test_a_note_is_held_only_where_it_began_or_from_the_first_step_on(seed):
    found = binarize(probabilities(seed)).astype(bool)
    sounds, begins = found[..., 0], found[..., 1]
    assert not (begins & ~sounds).any()
    assert not (sounds[:, 1:] & ~begins[:, 1:] & ~sounds[:, :-1]).any()


@pytest.mark.parametrize(("seed", "most"), [(0, 0.3), (1, 0.6), (2, 0.9), (3, 1.0)])
def test_about_as_many_pitches_sound_at_each_step_as_the_probabilities_add_up_to(seed, most):
    p = probabilities(seed, most=most)
    wanted, found = p[..., 0].sum(axis=2), binarize(p)[..., 0].sum(axis=2)
    assert abs(found.mean() - wanted.mean()) < 0.3
    assert np.abs(found - wanted).mean() < 1
    assert abs((p[..., 0] > 0.5).sum(axis=2).mean() - wanted.mean()) > 0.8  # what a threshold gives


def test_voices_of_which_the_model_is_not_sure_are_not_lost():
    p = np.zeros((1, *LAYOUT.shape))
    for row, probability in {0: 0.45, 4: 0.43, 7: 0.4, 12: 0.37, 16: 0.35}.items():  # none is above one half
        p[0, :, row, 0] = probability
        p[0, 0, row, 1] = probability / 2
    np.testing.assert_array_equal(binarize(p)[0, ..., 0].nonzero()[1].reshape(16, 2), [[0, 4]] * 16)


def test_a_note_is_held_over_a_step_where_another_pitch_is_more_probable():
    p = np.full((1, *LAYOUT.shape), 1e-4)
    p[0, :, 5, 0] = 0.9
    p[0, 0, 5, 1] = 0.9
    p[0, 7, 5, 0], p[0, 7, 9, 0] = 0.4, 0.5
    found = binarize(p)
    assert found[0, :, 5, 0].all()
    assert found[0, :, 5, 1].sum() == 1
    assert not found[0, :, 9].any()


def test_a_begin_in_the_middle_of_a_note_repeats_it():
    p = np.full((1, *LAYOUT.shape), 1e-4)
    p[0, :, 5, 0] = 0.9
    p[0, [0, 8], 5, 1] = 0.9
    assert [note[:2] for note in find_notes(p, LAYOUT)] == [(0, 8), (8, 16)]


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_silence_and_everything_at_once(value):
    p = np.full((2, *LAYOUT.shape), value)
    assert (binarize(p)[..., 0] == value).all()


def test_values_beyond_the_unit_interval_are_cut():
    p = random_bars(0)
    np.testing.assert_array_equal(binarize(3 * p - 1), p)


def test_bars_do_not_depend_on_each_other_however_many_there_are(monkeypatch):
    p = probabilities(0, n=5)
    monkeypatch.setattr(binarization, "PIECE", 2)
    np.testing.assert_array_equal(binarize(p), np.concatenate([binarize(p[i : i + 1]) for i in range(5)]))
    assert binarize(p[:0]).shape == (0, *LAYOUT.shape)


# --- notes -----------------------------------------------------------------------------------------------------------


def test_a_note_goes_on_over_a_bar_line_unless_it_begins_anew_or_nothing_sounded():
    X = np.zeros((3, *LAYOUT.shape), np.float32)
    X[0, 8:, 0, 0] = X[0, 8, 0, 1] = 1
    X[1, :4, 0, 0] = 1  # held
    X[1, 8:, 2, 0] = X[1, 8, 2, 1] = 1
    X[2, :2, 2, 0] = X[2, 0, 2, 1] = 1  # begins anew
    X[2, :3, 4, 0] = 1  # held, but nothing sounded
    assert find_notes(X, LAYOUT) == [Note(8, 20, 48), Note(24, 32, 50), Note(32, 34, 50), Note(32, 35, 52)]


def test_bars_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"bars has shape \(3, 16, 24, 2\); expected \(n, 16, 25, 2\)"):
        find_notes(np.zeros((3, 16, 24, 2)), LAYOUT)


# --- MIDI ------------------------------------------------------------------------------------------------------------


@given(
    seed=st.integers(0, 10_000),
    shape=st.sampled_from([((4, 4), 16), ((3, 4), 12), ((6, 8), 12), ((4, 4), 48), ((5, 8), 10), ((2, 2), 8)]),
)
def test_what_is_written_as_midi_is_read_as_the_same_bars(seed, shape, tmp_path_factory):
    pytest.importorskip("mido")
    layout = Layout(*shape, 48, 72, 90.0)
    X = random_bars(seed, layout=layout)
    X[:, 0, :, 1] = X[:, 0, :, 0]  # every note begins in its bar
    X[0, :, 0, 0] = X[0, 0, 0, 1] = X[-1, -1, -1, 0] = X[-1, -1, -1, 1] = 1
    X[1:, -1, 3, 0] = X[1:, -1, 3, 1] = 1
    path = tmp_path_factory.getbasetemp() / "x.mid"
    path.write_bytes(midi_bytes(find_notes(X, layout), layout, len(X)))
    found = read_bars(path, meter=f"{shape[0][0]}/{shape[0][1]}", steps_per_quarter=round(layout.steps_per_quarter))
    np.testing.assert_array_equal(found.X, X)
    assert found.layout == layout


def test_a_midi_file_is_as_long_as_its_bars():
    mido = pytest.importorskip("mido")
    content = midi_bytes([Note(0, 1, 60)], LAYOUT, 3)
    assert mido.MidiFile(file=io.BytesIO(content)).length == pytest.approx(3 * 4 * 0.5)


def test_without_mido_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "mido", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'npae\[music\]'"):
        midi_bytes([], LAYOUT, 1)


# --- sound -----------------------------------------------------------------------------------------------------------


def strongest(sound, rate):
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return np.fft.rfftfreq(len(sound), 1 / rate)[spectrum.argmax()]


@pytest.mark.parametrize(("pitch", "frequency"), [(69, 440.0), (57, 220.0), (60, 261.63), (81, 880.0)])
def test_a_note_sounds_at_its_frequency(pitch, frequency):
    sound = synthesise([Note(0, 16, pitch)], LAYOUT, 1)
    assert strongest(sound, 22_050) == pytest.approx(frequency, abs=1)


def test_a_note_sounds_when_it_is_played_and_fades():
    sound = np.abs(synthesise([Note(8, 12, 60)], LAYOUT, 2))  # from 1 s to 1.5 s
    rate = 22_050
    assert sound[: rate - 1].max() == 0
    assert sound[rate : rate + rate // 10].max() == pytest.approx(0.9)
    assert 0 < sound[int(1.45 * rate) : int(1.5 * rate)].max() < 0.7
    assert sound[int(1.65 * rate) :].max() == 0


def test_no_sound_is_clipped_however_many_notes_there_are():
    notes = [Note(0, 16, pitch) for pitch in range(30, 100, 7)]
    sound = synthesise(notes, LAYOUT, 1)
    assert np.abs(sound).max() == pytest.approx(0.9)
    samples = np.frombuffer(wav_bytes(notes, LAYOUT, 1)[44:], "<i2")
    assert np.abs(samples.astype(int)).max() == pytest.approx(0.9 * 32767, abs=1)


def test_harmonics_above_half_the_rate_do_not_come_back_as_lower_ones():
    rate = 8000
    sound = synthesise([Note(0, 16, 100)], LAYOUT, 1, rate)  # 2637 Hz: its second harmonic would be heard at 2726 Hz
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    frequencies = np.fft.rfftfreq(len(sound), 1 / rate)
    assert spectrum[np.abs(frequencies - (rate - 2 * 2637.02)) < 20].max() < 1e-3 * spectrum.max()


def test_silence_is_silent_and_has_the_length_of_its_bars():
    sound = synthesise([], LAYOUT, 2)
    assert not sound.any()
    assert len(sound) / 22_050 == pytest.approx(2 * 2 + 0.12, abs=0.001)


def test_a_wav_is_mono_of_16_bits():
    with wave.open(io.BytesIO(wav_bytes([Note(0, 4, 60)], LAYOUT, 1, 11_025))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 11_025)
        assert file.getnframes() == len(synthesise([Note(0, 4, 60)], LAYOUT, 1, 11_025))


def test_more_than_an_hour_of_sound_is_refused():
    with pytest.raises(ValueError, match="2,000 bars would last 67 minutes, but at most 60"):
        synthesise([], LAYOUT, 2000)


# --- pictures --------------------------------------------------------------------------------------------------------


def test_a_roll_shows_higher_notes_higher_and_later_ones_to_the_right():
    pytest.importorskip("matplotlib")
    image = pytest.importorskip("PIL.Image")
    pixels = np.asarray(image.open(io.BytesIO(roll_png([Note(0, 8, 50), Note(8, 16, 70)], LAYOUT, 1))).convert("RGB"))
    is_blue = (pixels.astype(int) - [0x25, 0x63, 0xEB]).__abs__().sum(axis=2) < 10
    y, x = np.nonzero(is_blue)
    low, high = y[x < x.mean()], y[x > x.mean()]
    assert low.min() > high.max()  # rows of pixels are counted downwards


def test_a_roll_of_silence_is_drawn():
    pytest.importorskip("matplotlib")
    assert roll_png([], LAYOUT, 2).startswith(b"\x89PNG")


def test_octaves_are_named(monkeypatch):
    pytest.importorskip("matplotlib")
    from npae.utils import charts

    names = []
    monkeypatch.setattr(charts, "_png", lambda figure, dpi: names.extend(figure.axes[0].get_yticklabels()) or b"")
    roll_png([Note(0, 8, 48), Note(0, 8, 72)], LAYOUT, 1)
    assert [name.get_text() for name in names] == ["C3", "C4", "C5"]


# --- statistics ------------------------------------------------------------------------------------------------------


def bar_of(*notes: Note, layout: Layout = LAYOUT):
    X = np.zeros((1, *layout.shape), np.float32)
    for start, end, pitch in notes:
        X[0, start:end, pitch - layout.lowest, 0] = 1
        X[0, start, pitch - layout.lowest, 1] = 1
    return X


def test_statistics_of_a_bar_counted_by_hand():
    # C major: three voices for half of the bar, then two notes of one step, one of them outside of the key
    X = bar_of(Note(0, 8, 48), Note(0, 8, 52), Note(0, 8, 55), Note(8, 9, 60), Note(10, 11, 61), Note(15, 16, 60))
    found = statistics(X, LAYOUT.lowest)
    assert found.voices == pytest.approx((3 * 8 + 3) / 16)
    assert found.notes == 6
    assert found.fragments == pytest.approx(2 / 5)  # of the note at the last step nobody knows
    assert found.in_key == pytest.approx(26 / 27)
    assert found.consonant == 1


def test_a_second_and_a_tritone_are_dissonant_and_a_repeated_step_is_two_fragments():
    X = bar_of(Note(0, 4, 48), Note(0, 4, 50), Note(4, 8, 48), Note(4, 8, 54))
    assert statistics(X, 48).consonant == 0
    X = bar_of(Note(0, 1, 48), Note(1, 2, 48), Note(2, 8, 48))
    assert statistics(X, 48).fragments == pytest.approx(2 / 3)


def test_statistics_do_not_depend_on_the_key_or_on_where_the_range_begins():
    notes = [Note(0, 8, 50), Note(4, 8, 54), Note(8, 16, 57), Note(12, 16, 58)]
    expected = statistics(bar_of(*notes), 48)
    for shift in range(-2, 12):
        assert statistics(bar_of(*(Note(s, e, p + shift) for s, e, p in notes)), 48) == pytest.approx(expected)
    assert statistics(bar_of(*notes), 53) == pytest.approx(expected)


def test_shares_of_silence_are_nan():
    found = statistics(np.zeros((2, *LAYOUT.shape)), 48)
    assert found.voices == found.notes == 0
    assert np.isnan([found.fragments, found.in_key, found.consonant]).all()


def test_independent_draws_have_the_voices_of_the_data_and_fall_into_fragments():
    X = random_bars(0, n=50)
    draws = independent_draws(X, 200)
    assert statistics(draws, 48).voices == pytest.approx(statistics(X, 48).voices, rel=0.05)
    assert statistics(draws, 48).fragments > 2 * statistics(X, 48).fragments
    np.testing.assert_array_equal(draws, independent_draws(X, 200))


def test_a_copy_has_distance_0_and_others_the_cells_in_which_they_differ(monkeypatch):
    monkeypatch.setattr(novelty, "PIECE", 2)
    data, bars = random_bars(0, n=6), random_bars(1, n=5)
    bars[3] = data[2]
    expected = [min(int((bar[..., 0] != known[..., 0]).sum()) for known in data) for bar in bars]
    np.testing.assert_array_equal(distance_to_nearest(bars, data), expected)
    assert expected[3] == 0
    assert len(distance_to_nearest(bars[:0], data)) == 0
