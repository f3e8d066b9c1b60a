"""Reader for MusicXML, plain and compressed, by music21."""

import warnings
import zipfile
from pathlib import Path
from typing import Any
from xml.parsers import expat

import numpy as np

from npae.datasets.music.layout import FASTEST, SLOWEST
from npae.datasets.music.measure_lengths import MeasureLengths
from npae.datasets.music.piece import Bar, Piece, is_meter
from npae.datasets.streams import open_file
from npae.utils.errors import FileFormatError, MissingExtraError, one_line

MOST_SEARCHED = 20_000_000  # measures of a part that are not full, times its elements: some 10 s
LARGEST_TEXT = 2**24  # bytes of XML
LARGEST_CONTAINER = 2**16  # bytes of the list of files within a compressed one
MOST_ELEMENTS = 200_000  # for which music21 takes some 300 MB
MOST_MEASURES = 4_000  # of a part: the time that music21 takes grows with their square
MOST_IN_ALL = 20_000  # measures of all parts and staves, for which music21 takes some 120 MB, empty ones too
MOST_PARTS = 256  # for each of which it takes some 20 kB
DEEPEST = 40  # levels of elements
ROOTS = ("score-partwise", "score-timewise")
CONTAINER = "META-INF/container.xml"
#: Elements that hold a number, and its largest size: music21 takes minutes, or all memory, where it is large.
NUMBERS = {
    **dict.fromkeys(("divisions", "duration", "offset"), 100_000),
    **dict.fromkeys(("beats", "beat-type", "actual-notes", "normal-notes"), 64),
    **dict.fromkeys(("octave", "octave-change", "alter", "fifths", "staves", "staff", "instruments"), 20),
    **dict.fromkeys(("chromatic", "diatonic", "multiple-rest"), 128),
}


def read_musicxml(path: Path) -> Piece:
    """Read the notes of all parts, as they sound, and the bars of the first part.

    A file may have up to 16 MiB of XML (expanded, if compressed), 200,000 elements, 256 parts, 4,000 measures a part,
    and 20,000 in all parts and staves; the measures of a part that its notes and rests do not fill, times its elements,
    may be 20,000,000. Entities are refused, so that nothing is expanded or fetched. Repeats are read once, and grace
    notes and percussion are left out.

    Raises
    ------
    FileNotFoundError
    MissingExtraError
        If music21 is not installed.
    FileFormatError
        If the file is no MusicXML, is damaged, declares entities, or is beyond the limits.
    """
    try:
        import music21
    except ImportError:
        raise MissingExtraError("reading MusicXML needs music21; install it: pip install 'npae[music]'") from None
    named = repr(str(path))
    with open_file(path) as file:
        is_zip = file.read(2) == b"PK"
        file.seek(0)
        text = _expanded(path) if is_zip else file.read(LARGEST_TEXT + 1)
    if len(text) > LARGEST_TEXT:
        raise FileFormatError(f"{named} has more than {LARGEST_TEXT:,} bytes of XML, which are not read; split it")
    _check(text, path)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            score = music21.converter.parseData(text, format="musicxml", forceSource=True)
            piece = _piece(score, path, music21)
        except FileFormatError:
            raise
        except Exception as error:  # music21 raises whatever comes up
            reason = one_line(error) or type(error).__name__
            raise FileFormatError(f"{named} is MusicXML that music21 cannot read ({reason}); export it again") from None
    if said:
        warnings.warn(f"{named}: music21 says: {one_line(said[0].message)}", stacklevel=3)
    return piece


def _expanded(path: Path) -> bytes:
    """The score in a compressed file, of which no more is expanded than is read."""
    damaged = f"{str(path)!r} is a damaged .mxl file; export it again"
    try:
        with zipfile.ZipFile(path) as archive:
            with archive.open(CONTAINER) as member:
                container = member.read(LARGEST_CONTAINER + 1)
            if len(container) > LARGEST_CONTAINER:
                raise FileFormatError(damaged)
            roots = _roots(container)
            with archive.open(roots[0]) as member:
                return member.read(LARGEST_TEXT + 1)
    except FileFormatError:
        raise
    except Exception as error:  # whatever zipfile, zlib and expat raise on damage
        reason = one_line(error) or type(error).__name__
        raise FileFormatError(f"{str(path)!r} is a damaged .mxl file ({reason}); export it again") from None


def _roots(container: bytes) -> list[str]:
    """The files that the container names, the score first."""
    roots: list[str] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: (
        roots.append(attributes["full-path"]) if name == "rootfile" and "full-path" in attributes else None
    )
    parser.EntityDeclHandler = _refuse_entity
    parser.Parse(container, True)
    return roots


class _EntityError(Exception):
    """An entity is declared."""


def _refuse_entity(*_: Any) -> None:
    raise _EntityError("it declares entities")


class _Checked:
    """What expat reports of a file, checked before music21 sees it."""

    def __init__(self, path: Path) -> None:
        self.named = repr(str(path))
        self.elements = self.depth = self.parts = self.listed = 0
        self.measures = 0  # of this part
        self.staves = 1  # of this part: music21 makes a part of each
        self.lengths, self.first = MeasureLengths(), 0  # of this part; and how many elements come before it
        self.before = 0  # measures of the parts before it, once for each staff
        self.text = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if self.elements == 0 and name not in ROOTS:
            raise FileFormatError(f"{self.named} is XML, but no MusicXML, whose root is {' or '.join(ROOTS)}")
        self.elements += 1
        self.depth += 1
        self.text = ""
        self.lengths.begin(name)
        if name == "part":
            self.before += self.measures * self.staves
            self.measures, self.staves, self.first = 0, 1, self.elements
        self.parts += name == "part"
        self.listed += name == "score-part"
        self.measures += name == "measure"
        if max(self.parts, self.listed) > MOST_PARTS:
            raise FileFormatError(f"{self.named} has more than {MOST_PARTS:,} parts; split it")
        if self.measures > MOST_MEASURES:
            raise FileFormatError(f"{self.named} has a part of more than {MOST_MEASURES:,} measures; split it")
        self._check_measures_in_all()
        if self.elements > MOST_ELEMENTS:
            raise FileFormatError(f"{self.named} has more than {MOST_ELEMENTS:,} elements; split it")
        if self.depth > DEEPEST:
            raise FileFormatError(f"{self.named} has elements that are nested more than {DEEPEST} deep; correct it")

    def _check_measures_in_all(self) -> None:
        if self.before + self.measures * self.staves > MOST_IN_ALL:
            raise FileFormatError(
                f"{self.named} has more than {MOST_IN_ALL:,} measures in all parts and staves; split it"
            )

    def data(self, text: str) -> None:
        """Text within an element."""
        self.text = (self.text + text)[:100]

    def end(self, name: str) -> None:
        """An element ends."""
        self.depth -= 1
        numbers = self._numbers(name) if name in NUMBERS else []
        self.lengths.end(name, numbers)
        if name == "measure" and self.lengths.short * (self.elements - self.first) > MOST_SEARCHED:
            raise FileFormatError(
                f"{self.named} has a part with {self.lengths.short:,} measures or more that its notes and rests do not "
                f"fill, which music21 would take minutes to read; correct its time signatures or durations, or split it"
            )
        if name == "staves":
            self.staves = max(self.staves, int(numbers[0]))
            self._check_measures_in_all()

    def _numbers(self, name: str) -> list[float]:
        """What an element holds that is to be a number, or several."""
        try:
            numbers = [float(part) for part in self.text.replace("+", " ").split()]
        except ValueError:
            numbers = [np.nan]
        if not numbers or not all(abs(number) <= NUMBERS[name] for number in numbers):
            raise FileFormatError(
                f"{self.named} has the {name} {one_line(self.text, 40)!r}, where a number up to {NUMBERS[name]:,} is "
                f"expected; correct it"
            )
        return numbers


def _check(text: bytes, path: Path) -> None:
    """Refuse what is no well-formed MusicXML, declares entities, or is beyond the limits."""
    checked = _Checked(path)
    parser = expat.ParserCreate()
    parser.StartElementHandler = checked.start
    parser.CharacterDataHandler = checked.data
    parser.EndElementHandler = checked.end
    parser.EntityDeclHandler = _refuse_entity
    try:
        parser.Parse(text, True)
    except _EntityError:
        raise FileFormatError(f"{checked.named} declares entities, which are not read; export it again") from None
    except (expat.ExpatError, ValueError, LookupError) as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(f"{checked.named} is no well-formed XML ({one_line(error)}); export it again") from None


def _piece(score: Any, path: Path, music21: Any) -> Piece:
    named = repr(str(path))
    parts = list(score.parts) if hasattr(score, "parts") else []
    if not parts:
        raise FileFormatError(f"{named} holds no parts; give a score with notes")
    notes: list[tuple[float, float, int]] = []
    left_out = {"of percussion": 0, "grace": 0}
    bars = _bars(parts[0], path, music21)
    for part in parts:
        part.toSoundingPitch(inPlace=True)  # copies would take three quarters of the time
        part.stripTies(inPlace=True)
        for element in part.flatten().notes:
            if isinstance(element, music21.harmony.Harmony):
                continue  # a chord symbol: text above the notes
            pitches = [] if isinstance(element, music21.percussion.PercussionChord) else element.pitches
            start, length = float(element.offset), float(element.duration.quarterLength)
            if not pitches:
                left_out["of percussion"] += 1
            elif length == 0:
                left_out["grace"] += len(pitches)
            else:
                notes += [(start, start + length, round(pitch.ps)) for pitch in pitches]
    if not notes:
        raise FileFormatError(f"{named} holds no notes; give a score that does, or leave it out")
    if not all(0 <= pitch <= 127 for _, _, pitch in notes):
        raise FileFormatError(f"{named} has pitches beyond those of MIDI (C-1 to G9); correct it")
    tempi = [mark.getQuarterBPM() for mark in score.flatten().getElementsByClass(music21.tempo.MetronomeMark)]
    tempo = next((float(bpm) for bpm in tempi if bpm), None)
    if tempo is not None and not SLOWEST <= tempo <= FASTEST:
        raise FileFormatError(f"{named} has a tempo of {tempo:g} quarter notes a minute; correct it")
    counted = {kind: count for kind, count in left_out.items() if count}
    return Piece(path, np.array(notes, np.float64), bars, tempo, counted)


def _bars(part: Any, path: Path, music21: Any) -> list[Bar]:
    """The bars of a part; two in a row that make up one, such as those that a repeat sign cuts, are one."""
    bars: list[Bar] = []
    meter = (4, 4)
    for measure in part.getElementsByClass(music21.stream.Measure):
        signature = measure.timeSignature
        if signature is not None:
            meter = signature.numerator, signature.denominator
            if not is_meter(*meter):
                raise FileFormatError(
                    f"{str(path)!r} has a time signature of {meter[0]}/{meter[1]}, where numbers up to 64 are "
                    f"expected, the second a power of two; correct it"
                )
        bar = Bar(float(measure.offset), float(measure.duration.quarterLength), meter)
        if bars and not bars[-1].is_complete and bars[-1].meter == meter:
            joined = Bar(bars[-1].start, bars[-1].length + bar.length, meter)
            if joined.is_complete and abs(bars[-1].start + bars[-1].length - bar.start) < 1e-6:
                bars[-1] = joined
                continue
        bars.append(bar)
    return bars
