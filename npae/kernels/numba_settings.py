"""Numba's settings come from the user's environment alone, never from a file in the working directory.

Numba reads ``.numba_config.yaml`` in the working directory when it is imported and again before it compiles. Such a
file may lie beside somebody's data, and can name a folder from which Numba then unpickles machine code, or a module to
import. So Numba's module of settings is loaded with the name of that file replaced by one that is never a file.
"""

import os
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import CodeType, ModuleType
from typing import Any

FILE = ".numba_config.yaml"
SETTINGS = "numba.core.config"
NEVER_A_FILE = os.devnull


class _Loader(Loader):
    """Loads Numba's settings as their own loader would, but for the name of the file."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self._loader.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        code: CodeType = self._loader.get_code(module.__name__)
        constants = tuple(NEVER_A_FILE if constant == FILE else constant for constant in code.co_consts)
        exec(code.replace(co_consts=constants), module.__dict__)


class _Finder(MetaPathFinder):
    """Finds nothing but Numba's settings, and only once."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != SETTINGS:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        if spec is not None and hasattr(spec.loader, "get_code"):
            spec.loader = _Loader(spec.loader)
        return spec


def ignore_files() -> None:
    """Have Numba, whoever imports it from now on, read no file of the working directory.

    Where Numba has been imported before, it reads none from now on; what it has read already stays in force, and a
    warning says so.
    """
    config: Any = sys.modules.get(SETTINGS)
    if config is None:
        sys.meta_path.insert(0, _Finder())
        return
    told = _not_in_environment(config)
    if told:
        warnings.warn(
            f"Numba was imported before npae, and {', '.join(told)} in it is not from the environment as it is now, "
            f"but from a file {FILE} in the working directory, or a variable that is gone; if you know of neither, "
            f"import npae first, which has Numba read no such file",
            RuntimeWarning,
            stacklevel=3,
        )
    else:
        config._config_fname = NEVER_A_FILE


def _not_in_environment(config: Any) -> list[str]:
    """Names of the settings in force that the environment does not have; none where no file was ever read."""
    if config._config_fname == NEVER_A_FILE:
        return []
    in_force = getattr(config._env_reloader, "old_environ", {})
    return sorted(name for name in in_force if name not in os.environ)
