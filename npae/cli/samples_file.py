"""Write samples of a model: as every array, and those of a model of music also as MIDI, sound or a piano roll."""

from pathlib import Path

from npae.cli.output import write_array, write_bytes
from npae.datasets.music.layout import Layout
from npae.estimators import AutoencoderEstimator
from npae.utils.types import Array

MUSIC_SUFFIXES = (".mid", ".wav")


def write_samples(path: str, model: AutoencoderEstimator, samples: Array, *, columns: int | None = None) -> None:
    """Write samples in the format of the suffix; ``columns`` is the number of images in a row of a .png.

    The first line of a .csv names its columns, where the training data did.

    Raises
    ------
    ValueError
        If the suffix is one of music, and the model was not trained on music.
    """
    suffix = Path(path).suffix.lower()
    layout = Layout.from_metadata(model.metadata_)
    if layout is None and suffix in MUSIC_SUFFIXES:
        raise ValueError(
            f"{path} is to hold music, but the model was not trained on music by npae train; write a .npy or .csv"
        )
    if layout is None or suffix not in (*MUSIC_SUFFIXES, ".png"):
        write_array(path, samples, columns=columns, names=column_names(model))
        return
    from npae.applications.music import find_notes, midi_bytes, roll_png, wav_bytes

    write = {".mid": midi_bytes, ".wav": wav_bytes, ".png": roll_png}[suffix]
    write_bytes(path, write(find_notes(samples, layout), layout, len(samples)))


def column_names(model: AutoencoderEstimator) -> tuple[str, ...] | None:
    """The names of a table's columns that the model was trained on; None where they had none, or numbers."""
    columns = model.network_.columns
    return columns.labels if columns is not None and columns.are_names else None
