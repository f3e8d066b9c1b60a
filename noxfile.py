"""The project's chores: ``nox -l`` lists them, ``nox`` runs lint, types and tests."""

from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "tests"]


@nox.session
def lint(session: nox.Session) -> None:
    """Style, formatting, and the border around the kernels."""
    session.install("-e", ".[dev]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """Static types."""
    session.install("-e", ".[dev]")
    session.run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """All tests."""
    session.install("-e", ".[test]")
    session.run("pytest", "-n", "auto", "--dist", "worksteal", *session.posargs)


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def pythons(session: nox.Session) -> None:
    """All tests with few drawn examples, and the demonstration, on each Python that npae supports."""
    session.install("-e", ".[test]")
    session.run("pytest", "-n", "auto", "--dist", "worksteal", *session.posargs, env={"HYPOTHESIS_PROFILE": "few"})
    session.run("npae", "demo", "--out", f"{session.create_tmp()}/report.html")


@nox.session(python="3.11")
def oldest(session: nox.Session) -> None:
    """All tests with few drawn examples, with the oldest version of each dependency that setup.cfg allows."""
    session.install("-e", ".[test]", "-c", "tests/oldest.txt")
    session.run("pytest", "-n", "auto", "--dist", "worksteal", *session.posargs, env={"HYPOTHESIS_PROFILE": "few"})


@nox.session
def coverage(session: nox.Session) -> None:
    """Line coverage, with kernels as plain Python so that their lines count too."""
    session.install("-e", ".[test]")
    session.run("pytest", "-n", "auto", "--cov=npae", "--cov-report=term-missing", env={"NUMBA_DISABLE_JIT": "1"})


@nox.session
def oracles(session: nox.Session) -> None:
    """The tests that need libraries too heavy for everyday: PyTorch, polars, and an ONNX runtime."""
    session.install("-e", ".[test,onnx]", "torch", "polars", "onnxruntime")
    session.run(
        "pytest",
        "tests/layers/test_against_torch.py",
        "tests/storage/test_export.py",
        "tests/storage/test_import_weights.py",
        "tests/estimators/test_sklearn_api.py",
    )


@nox.session
def arm(session: nox.Session) -> None:
    """Kernels, recorded programs and determinism on an emulated 64-bit ARM, with the wheels that ARM machines install.

    It needs Debian or a relative with ``qemu-user-static`` and ``debootstrap``, root, and an hour. Other files to test
    are arguments. Nothing is installed in the system: Python's packages are unpacked into a folder. ``QEMU_CPU``
    chooses the processor, such as ``neoverse-v1``, which has SVE; LLVM learns of it from QEMU 8.1 on.
    """
    folder = Path(session.create_tmp()).resolve()
    system, wheels, python = folder / "system", folder / "wheels", folder / "python"
    if not (system / "usr/bin/python3.11").exists():
        packages = folder / "packages"
        session.run(
            *("debootstrap", "--arch=arm64", "--foreign", "--variant=minbase", "--include=python3", "bookworm"),
            str(packages),
            external=True,
        )
        for package in sorted((packages / "var/cache/apt/archives").glob("*.deb")):
            session.run("dpkg-deb", "--extract", str(package), str(system), external=True, silent=True)
    session.run(
        *("python", "-m", "pip", "install", "--quiet", "--upgrade", "--target", str(wheels), "--only-binary=:all:"),
        *(f"--platform=manylinux{tag}_aarch64" for tag in ("_2_28", "_2_27", "_2_17", "2014")),
        *("--python-version=3.11", "--implementation=cp"),
        *("numpy>=2.0", "numba>=0.61", "tqdm>=4.66", "pytest>=8", "hypothesis>=6.100", "safetensors>=0.4"),
    )
    # Tests start Python again by the name that it was started by: a program of this machine, which starts the emulator.
    start = f'exec qemu-aarch64-static -0 "$0" -L "{system}" "{system}/usr/bin/python3.11" "$@"'
    python.write_text(f"#!/bin/sh\n{start}\n", encoding="utf-8")
    python.chmod(0o755)
    files = session.posargs or [
        "tests/kernels/test_float_mode.py",
        "tests/kernels/test_kernels.py",
        "tests/kernels/test_program.py",
        "tests/kernels/test_thread_team.py",
        "tests/training/test_determinism.py",
    ]
    session.run(
        *(str(python), "-m", "pytest", "-p", "no:cacheprovider", *files),
        env={
            "PYTHONHOME": str(system / "usr"),
            "PYTHONPATH": f"{wheels}:{Path.cwd()}",
            "NUMBA_CACHE_DIR": str(folder / "cache"),
            "HYPOTHESIS_PROFILE": "few",
        },
        external=True,
    )


@nox.session
def fuzz(session: nox.Session) -> None:
    """Ten minutes of guided fuzzing for each reader, or for those that are given."""
    session.install("-e", ".[fuzz]")
    names = "import fuzzing.targets as t; print(*t.TARGETS, *t.CONTAINERS, sep='\\n')"
    readers = session.posargs or session.run("python", "-c", names, env={"PYTHONPATH": "tests"}, silent=True)
    session.chdir("tests")
    for reader in readers.splitlines() if isinstance(readers, str) else readers:  # "csv with options" is one name
        session.run("python", "-m", "fuzzing.atheris_run", reader, "--minutes", "10")


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation as HTML, with every warning an error."""
    session.install("-e", ".[docs]")
    session.run("sphinx-build", "-W", "-b", "html", "docs", "docs/_build/html")


@nox.session
def bench(session: nox.Session) -> None:
    """The quality that models reach, beside PyTorch; give the folder of idx files."""
    session.install("-e", ".[bench]")
    session.run("python", "benchmarks/quality.py", *session.posargs, "--peer", "torch")
