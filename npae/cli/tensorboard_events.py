"""TensorBoard's event files of a training run: one number for each column of the history and each epoch."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from npae.utils.errors import MissingExtraError

FOLDER = "tensorboard"


def require_tensorboard() -> None:
    """Raise MissingExtraError if TensorBoard is not installed."""
    if find_spec("tensorboard") is None:
        raise MissingExtraError(
            "--tensorboard needs TensorBoard, which is not installed; pip install 'npae[tensorboard]', or use --watch"
        )


class EventFile:
    """A new event file in the folder.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        from tensorboard.summary import Writer
        from tensorboard.summary._output import DirectoryOutput

        self._writer: Any = Writer(DirectoryOutput(str(folder)))

    def write(self, history: dict[str, list[float]]) -> None:
        """Write the last epoch."""
        epoch = len(history["loss"])
        for name, values in history.items():
            self._writer.add_scalar(name, values[-1], epoch)
        self._writer.flush()

    def close(self) -> None:
        """End the file."""
        self._writer.close()
