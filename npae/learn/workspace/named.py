"""Folders that the user has named on a command line, remembered in the user's own folder.

A progress file may come from anybody, with an archive or beside data. It says where a teacher's exercise lies, whose
Python files are run; they are run only where the user has named that folder before.
"""

import json
import os
import warnings
from pathlib import Path

from npae.utils.files import atomic_write


def file() -> Path:
    """Where they are remembered: ``npae/folders.json`` in XDG_STATE_HOME, or else in ~/.local/state."""
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    if not state.is_absolute():  # a relative one would lie in whatever folder this runs in
        state = Path.home() / ".local" / "state"
    return state / "npae" / "folders.json"


def is_named(folder: Path) -> bool:
    """Whether the user has named this folder before."""
    return str(folder.resolve()) in _folders()


def remember(folder: Path) -> None:
    """From now on the folder is one that the user has named; a warning where that cannot be kept."""
    name, folders = str(folder.resolve()), _folders()
    if name in folders:
        return
    try:
        path = file()
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = [other for other in folders if Path(other).is_dir()]
        with atomic_write(path) as stream:
            stream.write((json.dumps([*kept, name], indent=1) + "\n").encode())
    except (OSError, RuntimeError) as error:  # the latter where there is no home
        warnings.warn(
            f"it cannot be remembered that you have named {name} ({getattr(error, 'strerror', None) or error}); "
            "set XDG_STATE_HOME to a folder that can be written, or name it each time",
            stacklevel=2,
        )


def _folders() -> list[str]:
    try:
        told = json.loads(file().read_bytes())
    except (OSError, ValueError, RuntimeError):  # RuntimeError: no home, or lists within lists without end
        return []
    return [name for name in told if isinstance(name, str)] if isinstance(told, list) else []
