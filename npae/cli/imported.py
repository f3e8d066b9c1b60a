"""Objects named on the command line as ``module:name``."""

import importlib
import sys
import traceback
from pathlib import Path, PureWindowsPath
from typing import Any


def import_named(what: str, example: str = "mypackage.layers:Scale") -> Any:
    """The object named by ``module:name``; modules in the current folder are found too.

    Raises
    ------
    ValueError
        Where ``what`` has another form, the module cannot be imported, or it has no such name.
    """
    module_name, _, name = what.rpartition(":")
    if not module_name or not name:
        raise ValueError(f"{what!r} is no module:name; give a name such as {example}")
    if module_name.endswith(".py") or set(module_name) & set("/\\:"):
        stem = PureWindowsPath(module_name).stem
        raise ValueError(f"{module_name} is a file, and a module is expected; go to its folder, and give {stem}:{name}")
    sys.path.insert(0, "")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise ValueError(
            f"there is no module {error.name!r}; run this where it can be imported, or install it"
        ) from None
    except Exception as error:
        raise ValueError(in_one_line(error, f"the module {module_name!r} cannot be imported")) from error
    finally:
        sys.path.remove("")
    found = getattr(module, name, None)
    if found is None:
        raise ValueError(f"the module {module_name!r} has no {name!r}; give the name of a function, class or layer")
    return found


def in_one_line(error: Exception, what: str) -> str:
    """One line with an exception of the user's code and its place."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return f"{what}: {type(error).__name__}{place}: {error}"
