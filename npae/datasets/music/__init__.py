"""Music as data: bars of MIDI files and MusicXML as arrays."""

from npae.datasets.music.bars import Bars, read_bars
from npae.datasets.music.layout import Layout

__all__ = ["Bars", "Layout", "read_bars"]
