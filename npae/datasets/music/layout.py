"""What the axes of a bar as an array mean: its meter, its steps and its pitches; stored with a model."""

from dataclasses import dataclass
from typing import Any

from npae.datasets.music.piece import Meter, is_meter, pitch_name, quarters
from npae.utils.errors import quoted
from npae.utils.scalars import real_number, whole_number, whole_numbers
from npae.utils.types import Shape

KEY = "music"  # of a model's metadata
MOST_STEPS = 192  # of a bar: 4/4 with 48 to a quarter note
HIGHEST = 127  # pitch of MIDI
DEFAULT_TEMPO = 100.0
SLOWEST, FASTEST = 4, 10_000  # quarter notes a minute; a MIDI file cannot be slower


@dataclass(frozen=True)
class Layout:
    """A bar is an array (steps, pitches, 2), of which channel 0 says what sounds and channel 1 what begins.

    Parameters
    ----------
    meter : pair of int
        (3, 4) is 3/4.
    steps : int
        Of a bar, 16 by default in 4/4.
    lowest, highest : int
        MIDI pitches of the first and last row, 60 is C4.
    tempo : float
        Quarter notes a minute.

    Examples
    --------
    >>> from npae.datasets.music import Layout
    >>> layout = Layout((4, 4), 16, 48, 72, 100.0)
    >>> layout.shape
    (16, 25, 2)
    >>> Layout.from_metadata(layout.to_metadata()) == layout
    True
    """

    meter: Meter
    steps: int
    lowest: int
    highest: int
    tempo: float = DEFAULT_TEMPO

    @property
    def shape(self) -> Shape:
        """(steps, pitches, 2)."""
        return self.steps, self.highest - self.lowest + 1, 2

    @property
    def steps_per_quarter(self) -> float:
        """Steps of a quarter note."""
        return self.steps / quarters(self.meter)

    @property
    def seconds_per_step(self) -> float:
        """Seconds that a step lasts."""
        return 60 / self.tempo / self.steps_per_quarter

    def __str__(self) -> str:
        numerator, denominator = self.meter
        pitches = f"{pitch_name(self.lowest)} to {pitch_name(self.highest)}"
        return f"bars of {numerator}/{denominator} in {self.steps} steps, pitches {pitches}"

    def to_metadata(self) -> dict[str, Any]:
        """An entry for the metadata of a model.

        Returns
        -------
        dict
            One entry, in plain JSON values, from which ``from_metadata`` gives the layout back.
        """
        return {
            KEY: {
                "meter": list(self.meter),
                "steps": self.steps,
                "lowest": self.lowest,
                "highest": self.highest,
                "tempo": self.tempo,
            }
        }

    @classmethod
    def from_metadata(cls, metadata: dict[str, Any]) -> "Layout | None":
        """The layout in a model's metadata, or None where the model was not trained on music.

        Parameters
        ----------
        metadata : dict
            ``metadata_`` of an estimator, or of a model file.

        Returns
        -------
        Layout or None

        Raises
        ------
        ValueError
            If what stands there is no layout.
        """
        if KEY not in metadata:
            return None
        stored = metadata[KEY]
        if not isinstance(stored, dict) or stored.keys() != {"meter", "steps", "lowest", "highest", "tempo"}:
            raise ValueError("the layout of its music is not complete; train it again")
        meter = whole_numbers(stored["meter"], "the meter of its music")
        if len(meter) != 2 or not is_meter(*meter):
            raise ValueError(f"the meter of its music is {quoted(meter)}; expected two numbers such as (3, 4)")
        lowest = whole_number(stored["lowest"], "the lowest pitch of its music", least=0, most=HIGHEST)
        return cls(
            (meter[0], meter[1]),
            whole_number(stored["steps"], "the steps of its music", most=MOST_STEPS),
            lowest,
            whole_number(stored["highest"], "the highest pitch of its music", least=lowest, most=HIGHEST),
            real_number(stored["tempo"], "the tempo of its music", least=SLOWEST, most=FASTEST),
        )
