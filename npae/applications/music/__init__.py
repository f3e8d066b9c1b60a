"""Music: notes from what a model of bars gives, as a MIDI file, sound or picture, and statistics of bars.

Bars are read by ``npae.datasets.music.read_bars``.
"""

from npae.applications.music.binarization import binarize
from npae.applications.music.midi_file import midi_bytes
from npae.applications.music.notes import Note, find_notes
from npae.applications.music.novelty import distance_to_nearest
from npae.applications.music.picture import roll_png
from npae.applications.music.statistics import Statistics, independent_draws, statistics
from npae.applications.music.synthesiser import synthesise, wav_bytes

__all__ = [
    "Note",
    "Statistics",
    "binarize",
    "distance_to_nearest",
    "find_notes",
    "independent_draws",
    "midi_bytes",
    "roll_png",
    "statistics",
    "synthesise",
    "wav_bytes",
]
