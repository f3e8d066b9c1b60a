"""What people expect of any command line: help with examples, suggestions, --quiet, --json, pipes and completion."""

import argparse
import io
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from helpers.paths import ROOT
from helpers.same_sides import SAME_SIDES
from helpers.small_models import data_for, fitted

from npae.cli import GROUPS, VERBS, main, make_parser
from npae.cli.parser import Parser
from npae.cli.tables import as_json, say_table, texts
from npae.utils import console

pytestmark = SAME_SIDES

TRAIN = ["train", "vanilla", "--code-size", "2", "--epochs", "1", "--batch-size", "8"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as npae train writes it, with the model's samples beside it."""
    folder = tmp_path_factory.mktemp("run")
    fitted("variational").save(folder / "model.safetensors")
    np.save(folder / "X.npy", data_for("variational"))
    return folder


@pytest.fixture
def run_folder(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return run


def all_parsers(parser: Any) -> Iterator[Parser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from all_parsers(below)


PARSERS = list(all_parsers(make_parser()))


# Help


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.prog)
def test_every_help_text_ends_with_an_example_of_its_verb_that_can_be_parsed(parser: Parser) -> None:
    *_, title, example = parser.format_help().rstrip().splitlines()
    assert title == "example:"
    words = shlex.split(example.split(">")[0])
    assert words[: len(parser.prog.split())] == parser.prog.split()
    args = make_parser().parse_args(words[1:])
    assert args.verb == words[1]


def test_the_help_text_lists_every_verb_once_in_a_line_of_at_most_80_characters() -> None:
    text = make_parser().format_help()
    for name in VERBS:
        (line,) = [line for line in text.splitlines() if line.startswith(f"  {name} ")]
        assert len(line) <= 80
    assert all(f"{title}:" in text for title in GROUPS)


@pytest.mark.parametrize("words", [[], ["encode"], ["train", "deep"], ["learn", "check"]])
def test_help_is_what_the_option_help_shows(words: list[str], capsys) -> None:
    shown = []
    for arguments in (["help", *words], [*words, "--help"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1]
    assert shown[0].startswith(" ".join(["usage: npae", *words, ""]))


def test_help_texts_have_no_colours_in_tests_also_where_a_service_asks_for_them(monkeypatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # which Python 3.14 follows
    assert "\x1b" not in make_parser().format_help()


def test_without_a_verb_the_verbs_are_listed(capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 0
    assert capsys.readouterr().out == make_parser().format_help()


MISTAKES = {"npae encod", "npae train deep --epoch 3", "npae encode m.safetensors --dta x.npy"}


def test_the_page_of_conventions_shows_commands_that_there_are() -> None:
    rows = [line for line in (ROOT / "docs/command_line.md").read_text(encoding="utf-8").splitlines() if "|" in line]
    shown = {command for row in rows for command in re.findall(r"`(npae[^`]*)`", row)}
    assert shown > MISTAKES
    for command in shown:
        words = shlex.split(re.split(r"[;<>]|2>", command)[0])[1:]
        words = [*words[1:], "--help"] if words[:1] == ["help"] else words or ["--help"]
        if command in MISTAKES:
            with pytest.raises(SystemExit) as ended:
                make_parser().parse_args(words)
            assert ended.value.code == 2
        elif {"--help", "-h", "--version"} & set(words):
            with pytest.raises(SystemExit) as ended:
                make_parser().parse_args(words)
            assert ended.value.code == 0
        else:
            make_parser().parse_args(words)


# Mistakes


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["encod"], "there is no 'encod'; did you mean encode?"),
        (["help", "trian"], "there is no 'trian'; did you mean train?"),
        (["train", "deap"], "there is no 'deap'; did you mean deep?"),
        (["train", "deep", "--epoch", "3"], "there is no option --epoch; did you mean --epochs?"),
        (["train", "deep", "--epoch=3"], "there is no option --epoch; did you mean --epochs?"),
        (["info", "m", "--zzz"], "there is no option --zzz; npae info --help lists those that there are"),
        (["info", "m", "n"], "n is more than npae info takes; leave it out"),
        (["-v"], "there is no option -v; npae --help lists those that there are"),
        (["encode", "--dta", "x"], "there is no option --dta; did you mean --data?"),
        (["train", "--epochs", "3"], "--epochs comes after TYPE, as in npae train vanilla --epochs"),
        (["--data", "x", "encode", "m"], "--data comes after VERB, as in npae encode --data"),
        (["--data=x"], "--data comes after VERB, as in npae encode --data"),
        (["decode", "m"], "CODES is missing; npae decode --help says what to give"),
        (["search"], "MODEL, INDEX, QUERY are missing; npae search --help says what to give"),
        (["search", "-k5"], "MODEL, INDEX, QUERY are missing; npae search --help says what to give"),
        (["index", "m", "--metric", "cosin"], "there is no 'cosin'; did you mean cosine?"),
        (["export", "m", "--to", "xyz"], "there is no 'xyz'; choose from encoder, onnx, python"),
    ],
)
def test_what_is_not_known_is_named_with_what_may_have_been_meant(words: list[str], said: str, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert capsys.readouterr().err.rstrip().endswith(said)


def test_a_mistake_in_a_verbs_options_shows_the_usage_of_that_verb(capsys) -> None:
    with pytest.raises(SystemExit):
        main(["train", "deep", "--epoch", "3"])
    error = capsys.readouterr().err
    assert error.startswith("usage: npae train deep ")
    assert "\nnpae train deep: error: " in error


# --quiet


@pytest.mark.parametrize("place", ["before", "after"])
def test_quiet_prints_nothing(place: str, run_folder: Path, capsys) -> None:
    command = ["encode", str(run_folder), "--data", str(run_folder / "X.npy"), "--out", "c.npy"]
    assert main(["--quiet", *command] if place == "before" else [*command, "-q"]) == 0
    assert tuple(capsys.readouterr()) == ("", "")
    assert np.load("c.npy").shape[0] == 24


@pytest.mark.filterwarnings("default")
def test_quiet_prints_no_hint_and_no_progress(run_folder: Path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    X = str(run_folder / "X.npy")
    train = [*TRAIN, "--batch-size", "100", "--data", X, "--out"]  # a hint: fewer samples than a batch has
    assert main([*train, "a"]) == 0
    assert "npae: " in capsys.readouterr().err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert main([*train, "b", "--quiet"]) == 0
    assert tuple(capsys.readouterr()) == ("", "")


def test_quiet_holds_for_the_exercises(run_folder: Path, capsys) -> None:
    assert main(["learn", "start", "mine", "--quiet"]) == 0
    assert main(["learn", "list", "--dir", "mine", "--quiet"]) == 0
    assert tuple(capsys.readouterr()) == ("", "")


def test_quiet_prints_errors(run_folder: Path, capsys) -> None:
    assert main(["encode", str(run_folder), "--data", "none.npy", "--quiet"]) == 2
    assert capsys.readouterr().err.startswith("npae encode: ")


def test_quiet_prints_the_json_that_was_asked_for(run_folder: Path, capsys) -> None:
    assert main(["info", str(run_folder), "--json", "--quiet"]) == 0
    assert json.loads(capsys.readouterr().out)["estimator"] == "VariationalAutoencoder"


def test_a_progress_bar_is_shown_on_terminals_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for is_terminal in (True, False):
        monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda answer=is_terminal: answer))
        assert console.shows_progress() is is_terminal
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: True))
    with console.speaking(quiet=True):
        assert not console.shows_progress()


# --json


def test_info_as_json_says_what_its_text_says(run_folder: Path, capsys) -> None:
    assert main(["info", str(run_folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    model = fitted("variational")
    assert found["parameters"]["code_size"] == model.code_size
    assert found["code_shape"] == list(model.network_.code_shape)
    assert sum(layer["parameters"] for layer in found["layers"]) == model.network_.arena.parameter_count()
    assert found["history"]["loss"] == model.history_["loss"]
    assert (found["epochs"], found["steps"]) == (model.n_iter_, model.network_.run.step)


def test_one_table_is_a_list_of_rows_and_sentences_are_no_part_of_it(run_folder: Path, capsys) -> None:
    data = str(run_folder / "X.npy")
    assert main(["reduce", str(run_folder), "--train", data, "--test", data, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["features"] for row in rows] == ["autoencoder", "PCA"]
    assert all(isinstance(row["MSE"], float) and isinstance(row["values"], int) for row in rows)


def test_several_tables_are_an_object(capsys) -> None:
    with as_json():
        say_table("a", ("n", "x"), [(1200, 0.5), (np.int64(3), float("nan"))])
        say_table("b", ("n",), [("é",)])
    assert json.loads(capsys.readouterr().out) == {"a": [{"n": 1200, "x": 0.5}, {"n": 3, "x": None}], "b": [{"n": "é"}]}


def test_no_json_is_printed_after_an_error(run_folder: Path, capsys) -> None:
    assert main(["reduce", str(run_folder), "--train", "none.npy", "--test", "none.npy", "--json"]) == 2
    assert capsys.readouterr().out == ""


def test_tables_are_printed_as_text_again_after_json(capsys) -> None:
    def fails() -> None:
        with as_json():
            say_table("a", ("n",), [(1,)])
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fails()
    say_table("a", ("n",), [(1200,)])
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == ["n", "1,200"]


def test_formats_are_for_the_text_alone(capsys) -> None:
    header, row = ("label", "seconds", "x"), (1200, 1.25, None)
    assert texts(header, row, {"label": "", "seconds": ".1f", "x": ".1f"}) == ["1200", "1.2", ""]
    with as_json():
        say_table("a", header, [row], formats={"label": "", "seconds": ".1f"})
    assert json.loads(capsys.readouterr().out) == [{"label": 1200, "seconds": 1.25, "x": None}]


@pytest.mark.parametrize("parser", PARSERS[1:], ids=lambda parser: parser.prog)
def test_every_verb_with_a_table_has_json(parser: Parser) -> None:
    verb = parser.prog.split()[1]
    module = sys.modules[VERBS[verb].__name__]
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    takes_verbs = any(isinstance(action, argparse._SubParsersAction) for action in parser._actions)
    if "say_table(" in source and not takes_verbs and (verb != "learn" or parser.prog.endswith("dev check")):
        assert "--json" in parser._option_string_actions


# - for a stream


def piped(array: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.BytesIO()
    if isinstance(array, bytes):
        stream.write(array)
    else:
        np.save(stream, array)
    stream.seek(0)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream))


def test_a_pipe_of_arrays_gives_what_files_give(run_folder: Path, monkeypatch, capfdbinary) -> None:
    X = np.load(run_folder / "X.npy")
    piped(X, monkeypatch)
    assert main(["encode", str(run_folder), "--data", "-", "--out", "-"]) == 0
    out, err = capfdbinary.readouterr()
    codes = np.load(io.BytesIO(out))
    assert main(["encode", str(run_folder), "--data", str(run_folder / "X.npy"), "--out", "c.npy"]) == 0
    capfdbinary.readouterr()
    np.testing.assert_array_equal(codes, np.load("c.npy"))
    assert err.decode().strip() == f"24 codes of {codes.shape[1]} values in standard output"
    piped(codes, monkeypatch)
    assert main(["decode", str(run_folder), "-", "--out", "d.npy"]) == 0
    assert np.load("d.npy").shape == X.shape


def test_what_a_pipe_lacks_is_said_of_standard_input(run_folder: Path, monkeypatch, capsys) -> None:
    piped(b"1,2,3\n", monkeypatch)
    assert main(["encode", str(run_folder), "--data", "-", "--out", "c.npy"]) == 2
    assert capsys.readouterr().err == ("npae encode: 'standard input' is not an npy array; write it with numpy.save\n")


def test_standard_input_is_read_once(run_folder: Path, capsys) -> None:
    assert main(["reduce", str(run_folder), "--train", "-", "--test", "-"]) == 2
    assert "--train and --test are both -; standard input can be read once only" in capsys.readouterr().err


@pytest.mark.parametrize(("stream", "option"), [("stdin", "--data"), ("stdout", "--out")])
def test_a_terminal_neither_gives_nor_takes_an_array(stream: str, option: str, run_folder, monkeypatch, capsys) -> None:
    words = {"--data": str(run_folder / "X.npy"), "--out": "c.npy"} | {option: "-"}
    monkeypatch.setattr(getattr(sys, stream), "isatty", lambda: True, raising=False)
    assert main(["encode", str(run_folder), *(word for pair in words.items() for word in pair)]) == 2
    assert f"{option} - " in (said := capsys.readouterr().err)
    assert said.rstrip().endswith("which is a terminal; use a pipe, or name a file")


def test_nothing_is_written_to_standard_output_after_an_error(run_folder: Path, capfdbinary) -> None:
    assert main(["encode", str(run_folder), "--data", "none.npy", "--out", "-"]) == 2
    assert capfdbinary.readouterr().out == b""


# The rest


def test_the_folder_of_a_run_stands_for_its_model(run_folder: Path, capsys) -> None:
    assert main(["info", str(run_folder)]) == main(["info", str(run_folder / "model.safetensors")]) == 0
    first, second = capsys.readouterr().out.split("VariationalAutoencoder")[1:]
    assert first.rstrip() == second.rstrip()


def test_a_folder_without_a_model_is_said_to_be_one(tmp_path: Path, capsys) -> None:
    assert main(["info", str(tmp_path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err


def test_whether_a_bar_was_shown_is_no_part_of_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "X.npy", data_for("vanilla"))
    written = []
    for name, options in (("a", ["--verbose"]), ("b", ["--no-verbose"])):
        train = [*TRAIN, "--data", str(tmp_path / "X.npy")]
        assert main([*train, "--out", str(tmp_path / name), *options]) == 0
        written.append(json.loads(_info(tmp_path / name)))
    assert written[0]["parameters"] == written[1]["parameters"]


def _info(folder: Path) -> str:
    stream = io.StringIO()
    before, sys.stdout = sys.stdout, stream
    try:
        assert main(["info", str(folder), "--json"]) == 0
    finally:
        sys.stdout = before
    return stream.getvalue()


def test_bash_completes_verbs_types_and_options(tmp_path: Path, capsys) -> None:
    pytest.importorskip("shtab")
    assert main(["completion", "bash"]) == 0
    (tmp_path / "npae.bash").write_text(capsys.readouterr().out, encoding="utf-8")
    if shutil.which("bash") is None:
        return
    for words, expected in ((["npae", "enc"], "encode"), (["npae", "train", "deep", "--epo"], "--epochs")):
        line = " ".join(words)
        script = (
            f'source npae.bash; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _shtab_npae; echo "${{COMPREPLY[@]}}"'
        )
        done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True)
        assert done.stdout.split() == [expected]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_can_read_their_script(shell: str, tmp_path: Path, capsys) -> None:
    pytest.importorskip("shtab")
    assert main(["completion", shell]) == 0
    script = tmp_path / f"npae.{shell}"
    script.write_text(capsys.readouterr().out, encoding="utf-8")
    assert "encode" in script.read_text(encoding="utf-8")
    if shutil.which(shell) is not None:
        assert subprocess.run([shell, "-n", str(script)], capture_output=True).returncode == 0
