"""A configuration file of Numba in the working directory does not configure what npae compiles."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("yaml", reason="without it Numba reads no such file")
numba = pytest.importorskip("numba")

from helpers.paths import ROOT  # noqa: E402

SETTINGS = "cache_dir: evil\ncache_locator_classes: evil.Locator\nboundscheck: 1\n"
SHOW = "from numba.core import config as c; print([c.CACHE_DIR, c.CACHE_LOCATOR_CLASSES, c.BOUNDSCHECK])"
UNTOUCHED = "['', '', None]"


def said(folder: Path, *lines: str) -> tuple[str, str]:
    """What a child of Python prints, and what it warns of."""
    program = "\n".join([f"import sys; sys.path.insert(0, {str(ROOT)!r})", *lines])
    environment = {"PATH": "", "HOME": str(folder)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip(), done.stderr


@pytest.fixture
def hostile(tmp_path) -> Path:
    (tmp_path / ".numba_config.yaml").write_text(SETTINGS, encoding="utf-8")
    return tmp_path


def test_numba_reads_no_file_of_the_working_directory_where_npae_is_imported_first(hostile):
    again = "from numba.core import config as c; c.reload_config()"  # as each compilation does
    assert said(hostile, "import npae, numba", again, SHOW) == (UNTOUCHED, "")


def test_npae_kernels_import_numba_so(hostile):
    assert said(hostile, "import npae.kernels.target", SHOW) == (UNTOUCHED, "")


def test_a_file_that_numba_has_read_before_is_told_of_once(hostile):
    _, warned = said(hostile, "import numba, npae", SHOW)
    assert warned.count("RuntimeWarning: Numba was imported before npae, and NUMBA_BOUNDSCHECK, NUMBA_CACHE_DIR") == 1


def test_without_a_file_nothing_is_told_and_none_is_read_later(tmp_path):
    later = (
        f"open('.numba_config.yaml', 'w').write({SETTINGS!r}); from numba.core import config; config.reload_config()"
    )
    assert said(tmp_path, "import numba, npae", later, SHOW) == (UNTOUCHED, "")


def test_the_environment_is_the_users_own_and_obeyed(hostile):
    told, _ = said(hostile, "import os; os.environ['NUMBA_CACHE_DIR'] = 'mine'", "import npae, numba", SHOW)
    assert told == "['mine', '', None]"
