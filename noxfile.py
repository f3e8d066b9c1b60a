"""The project's chores: ``nox -l`` lists them, ``nox`` runs lint, types and tests."""

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
    session.run("pytest", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Line coverage, with kernels as plain Python so that their lines count too."""
    session.install("-e", ".[test]")
    session.run("pytest", "--cov=npae", "--cov-report=term-missing", env={"NUMBA_DISABLE_JIT": "1"})


@nox.session
def oracles(session: nox.Session) -> None:
    """The tests that need libraries too heavy for everyday: PyTorch, polars, and an ONNX runtime."""
    session.install("-e", ".[test,onnx]", "torch", "polars", "onnxruntime")
    session.run(
        "pytest",
        "tests/test_against_torch.py",
        "tests/test_export.py",
        "tests/test_foreign.py",
        "tests/test_sklearn_manners.py",
    )


@nox.session
def fuzz(session: nox.Session) -> None:
    """Ten minutes of guided fuzzing for each reader, or for those that are given."""
    session.install("-e", ".[fuzz]")
    readers = session.posargs or session.run(
        "python", "-c", "import fuzzing.targets as t; print(*t.TARGETS)", env={"PYTHONPATH": "tests"}, silent=True
    )
    session.chdir("tests")
    for reader in readers.split() if isinstance(readers, str) else readers:
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
