"""The exercises that come with npae, in order; each hunt and fool follows the exercise that unlocks it."""

import os
from difflib import get_close_matches
from functools import lru_cache
from importlib import resources
from pathlib import Path

from npae.learn.catalogue.exercise import Exercise, ExerciseError, load


def folders() -> list[Path]:
    """The built-in exercises' folders, by name."""
    root = Path(str(resources.files("npae.learn") / "exercises"))
    return sorted(path for path in root.iterdir() if (path / "exercise.toml").is_file())


@lru_cache(maxsize=1)
def exercises() -> tuple[Exercise, ...]:
    """All exercises: the numbered ones in order, each followed by the hunts and fools that it unlocks."""
    loaded = [load(folder) for folder in folders()]
    numbered = sorted((e for e in loaded if e.number), key=lambda e: e.number)
    names = {e.name for e in numbered}
    sides = [e for e in loaded if not e.number]
    ordered: list[Exercise] = [e for e in sides if e.after not in names]
    for exercise in reversed(numbered):
        ordered[:0] = [exercise, *(s for s in sides if s.after == exercise.name)]
    return tuple(ordered)


def is_path(name: str) -> bool:
    """Whether it says where an exercise is (./mine, ../mine, an absolute one), and is not the bare name of one.

    What happens to lie in the working directory under a bare name is never meant: its Python files would be run.
    """
    return name in (".", "..") or "/" in name or os.sep in name or bool(Path(name).drive)


def find(name: str) -> Exercise:
    """The built-in exercise of that name or number, or the one in a folder where ``name`` is a path, ``./mine``.

    Raises
    ------
    ExerciseError
        Where there is none.
    """
    return load(name) if is_path(name) else built_in(name)


def built_in(name: str) -> Exercise:
    """The exercise with this name or number among those that come with npae.

    Raises
    ------
    ExerciseError
        Where there is none; the message suggests a similar name.
    """
    for exercise in exercises():
        number = str(exercise.number or exercise.name)  # hunts and fools have none
        if name in (exercise.name, number, exercise.file_name, exercise.folder.name):
            return exercise
    if (Path(name) / "exercise.toml").is_file():
        raise ExerciseError(
            f"{name!r} is no exercise of npae; for the one in the folder of that name here, whose Python files are "
            f"then run, give its path: .{os.sep}{name}"
        )
    near = get_close_matches(name.lower(), [exercise.name for exercise in exercises()], n=1)
    meant = f"did you mean {near[0]}? " if near else ""
    raise ExerciseError(f"there is no exercise {name!r}; {meant}npae learn list shows them all")
