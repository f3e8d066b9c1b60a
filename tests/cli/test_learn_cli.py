"""``npae learn``: files, progress, messages, and recovery from damaged or locked files."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import windows

from npae.cli import main
from npae.learn.catalogue import catalogue
from npae.learn.workspace import milestones, overview, progress, watch
from npae.learn.workspace.workspace import Workspace
from npae.utils import pictures
from npae.utils.folder_lock import locked

#: The learner's first exercise, solved, and with a typical mistake.
FIRST = catalogue.find("1")
SOLVED = f"{FIRST.header}\n{FIRST.solution_text()}"
RELU = catalogue.find("relu")
GUIDED = f"{RELU.header}\ndef backward(g, x):\n    return g * (g > 0) * (x > 0)\n"
RIGHT = f"{RELU.header}\ndef backward(g, x):\n    return g * (x > 0)\n"


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert main(["learn", "start", "mine"]) == 0
    monkeypatch.chdir(tmp_path / "mine")
    return tmp_path / "mine"


def learn(capsys, *arguments: str) -> tuple[int, str]:
    """The exit status and all that is printed."""
    capsys.readouterr()
    status = main(["learn", *arguments])
    printed = capsys.readouterr()
    return status, printed.out + printed.err


def record(folder: Path, name: str) -> dict:
    return json.loads((folder / progress.FILE).read_text())["exercises"][name]


def test_beginning_writes_the_first_exercise_and_says_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    status, said = learn(capsys, "start", "mine")
    assert status == 0
    assert (tmp_path / "mine" / FIRST.file_name).read_text() == FIRST.stub
    assert "npae learn check" in (tmp_path / "mine" / "README.md").read_text()
    assert FIRST.text.strip() in said
    assert f"cd {tmp_path / 'mine'}" in said
    assert FIRST.file_name in said
    assert "npae learn check" in said


def test_a_folder_with_a_space_can_be_gone_to(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert f'cd "{tmp_path / "my course"}"\n' in learn(capsys, "start", "my course")[1]


def test_a_file_is_no_place_to_begin(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    status, said = learn(capsys, "start", str(tmp_path / "file"))
    assert status == 2
    assert "cannot be made" in said
    assert "choose another" in said


def test_a_folder_that_cannot_be_written_is_told_of(folder, monkeypatch, capsys):
    opened = os.open

    def refuse(path, *more):
        if str(path).endswith(progress.LOCK):
            raise PermissionError(13, "Permission denied")
        return opened(path, *more)

    monkeypatch.setattr(os, "open", refuse)
    status, said = learn(capsys, "check")
    assert status == 2
    assert f"{folder} cannot be written (Permission denied)" in said


def test_beginning_within_another_folder_says_where_to_go_on(folder, capsys):
    status, said = learn(capsys, "start", "mine")
    assert status == 0
    assert f"npae learn text --dir {folder} goes on there" in said
    assert "goes on there" not in learn(capsys, "start", "mine/../..")[1]
    assert "goes on there" not in learn(capsys, "start", ".")[1]


def test_what_passed_and_was_spoiled_since_is_listed_as_edited(folder, capsys):
    (folder / FIRST.file_name).write_text(SOLVED)
    assert learn(capsys, "check")[0] == 0
    assert "edited since" not in learn(capsys, "list")[1]
    (folder / FIRST.file_name).write_text(FIRST.stub)
    assert learn(capsys, "check")[0] == 1
    assert "[passed, edited since]" in learn(capsys, "list")[1]


def test_a_misspelt_exercise_is_guessed(folder, capsys):
    assert "did you mean relu?" in learn(capsys, "next", "rleu")[1]
    assert "did you mean relu?" in learn(capsys, "next", "ReLU")[1]
    assert "did you mean" not in learn(capsys, "next", "99")[1]


def test_beginning_again_keeps_what_is_there(folder, capsys):
    (folder / FIRST.file_name).write_text(SOLVED)
    (folder / "README.md").write_text("mine")
    assert main(["learn", "start", str(folder)]) == 0
    assert (folder / FIRST.file_name).read_text() == SOLVED
    assert (folder / "README.md").read_text() == "mine"


def test_from_the_stub_to_the_next_exercise(folder, capsys):
    status, said = learn(capsys, "check")
    assert status == 1
    assert "not written yet" in said
    assert "npae learn hint: hint 1/3" in said
    assert learn(capsys, "next")[0] == 1  # not before a pass

    (folder / FIRST.file_name).write_text(SOLVED)
    status, said = learn(capsys, "check")
    assert status == 0
    known = sum(len(FIRST.known(f)) for f in FIRST.functions)
    assert f"{known} known mistakes are excluded" in said
    assert "Unlocked: central_difference (2)" in said
    assert "Go on: npae learn next" in said
    assert not (folder / "central_difference.py").exists()  # it stops until asked to go on
    assert record(folder, "chain_rule")["status"] == "passed"
    assert record(folder, "chain_rule")["attempts"] == 2

    status, said = learn(capsys, "next")
    assert status == 0
    assert catalogue.find("2").text.strip() in said
    assert (folder / "central_difference.py").exists()
    assert "1 of 20 passed" in learn(capsys, "list")[1]


def test_a_known_mistake_is_called_by_its_name(folder, capsys):
    assert learn(capsys, "next", "relu")[0] == 0
    (folder / "relu.py").write_text(GUIDED)
    status, said = learn(capsys, "check")
    assert status == 1
    lines = said.splitlines()
    assert lines[0] == "relu  ✗ 0 of 1 right   dx ✗"
    assert lines[1].startswith("dx[")
    assert "yours 0  true" in lines[1]
    assert lines[2].startswith("Looks like: guided. ")
    assert lines[3] == "npae learn hint: hint 1/3"
    assert len(lines) == 4


def test_commands_work_from_below_and_with_dir(folder, tmp_path, monkeypatch, capsys):
    (folder / "deep" / "down").mkdir(parents=True)
    monkeypatch.chdir(folder / "deep" / "down")
    assert learn(capsys, "list")[0] == 0
    monkeypatch.chdir(tmp_path)
    status, said = learn(capsys, "list")
    assert status == 2
    assert "npae learn start DIR" in said
    assert learn(capsys, "list", "--dir", str(folder))[0] == 0


def test_hints_come_one_by_one_and_are_counted(folder, capsys):
    for i in (1, 2, 3):
        said = learn(capsys, "hint")[1]
        assert f"hint {i}/3 of chain_rule" in said
        assert FIRST.hints[i - 1] in said
        assert record(folder, "chain_rule")["hints"] == i
    assert "--reveal" in said
    again = learn(capsys, "hint")[1]
    assert all(hint in again for hint in FIRST.hints)
    assert "3 hints" in learn(capsys, "list")[1]
    assert "all 3 hints are shown" in learn(capsys, "check")[1]


def test_the_solution_opens_after_a_pass_or_on_demand_which_is_recorded(folder, capsys):
    status, said = learn(capsys, "solution", "chain_rule")
    assert status == 2
    assert "--reveal" in said
    assert "def chain" in learn(capsys, "solution", "chain_rule", "--reveal")[1]
    assert record(folder, "chain_rule")["revealed"] is True
    assert "solution revealed" in learn(capsys, "list")[1]
    learn(capsys, "next", "relu")
    (folder / "relu.py").write_text(RIGHT)
    assert learn(capsys, "check")[0] == 0
    assert "def backward" in learn(capsys, "solution", "relu")[1]
    assert record(folder, "relu")["revealed"] is False


def test_a_reset_keeps_what_was_there(folder, capsys):
    for i in (1, 2):
        (folder / FIRST.file_name).write_text(f"# try {i}")
        said = learn(capsys, "reset", "chain_rule")[1]
        assert f"chain_rule.py.old-{i}" in said
        assert (folder / f"chain_rule.py.old-{i}").read_text() == f"# try {i}"
        assert (folder / FIRST.file_name).read_text() == FIRST.stub
    (folder / FIRST.file_name).unlink()
    assert learn(capsys, "reset", "chain_rule")[1].strip() == "chain_rule.py begins anew."


def test_a_missing_file_says_how_to_get_it(folder, capsys):
    (folder / FIRST.file_name).unlink()
    status, said = learn(capsys, "check")
    assert status == 1
    assert "there is no file chain_rule.py" in said
    assert "npae learn next chain_rule writes that file" in said


def test_checking_what_is_not_begun_leaves_the_present_exercise(folder, capsys):
    learn(capsys, "check")
    assert learn(capsys, "check", "relu")[0] == 1
    assert "relu" not in json.loads((folder / progress.FILE).read_text())["exercises"]
    assert learn(capsys, "check")[1].startswith(FIRST.name)


def test_a_folder_in_the_place_of_a_file_is_no_file(folder, capsys):
    (folder / FIRST.file_name).unlink()
    (folder / FIRST.file_name).mkdir()
    status, said = learn(capsys, "check")
    assert status == 1
    assert f"there is no file {FIRST.file_name}" in said


def test_the_explanation_can_be_read_again(folder, capsys):
    assert FIRST.text.strip() in learn(capsys, "text")[1]
    assert RELU.text.strip() in learn(capsys, "text", "relu")[1]


def test_after_the_last_one_there_is_nothing_next(folder, capsys):
    with progress.changing(folder) as p:
        for exercise in catalogue.exercises():
            if exercise.number:
                p.record(exercise.name).status = "passed"
    status, said = learn(capsys, "next")
    assert status == 0
    assert "passed all numbered exercises" in said


# Progress


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe\x00", b"[]", b'{"exercises": 3}', b"[" * 100_000])
def test_damaged_progress_is_set_aside_and_the_copy_is_used(folder, capsys, damage):
    learn(capsys, "hint")
    learn(capsys, "hint")  # the copy knows of one hint
    (folder / progress.FILE).write_bytes(damage)
    said = learn(capsys, "list")[1]
    assert "damaged" in said
    assert "the copy before the last change is used" in said
    assert (folder / progress.DAMAGED).read_bytes() == damage
    assert record(folder, "chain_rule")["hints"] == 1
    assert "damaged" not in learn(capsys, "list")[1]  # it is whole again


def test_progress_without_a_copy_begins_anew_and_keeps_the_files(folder, capsys):
    (folder / progress.BACKUP).unlink(missing_ok=True)
    (folder / progress.FILE).write_text("nonsense")
    assert "your files are as they were" in learn(capsys, "list")[1]
    assert (folder / FIRST.file_name).exists()
    assert learn(capsys, "check")[0] == 1
    (folder / progress.FILE).unlink()
    assert "is missing" in learn(capsys, "list")[1]


def test_missing_and_senseless_entries_get_their_defaults(folder, capsys):
    told = {"exercises": {"chain_rule": {"hints": "many", "attempts": True, "odd": 1}, "relu": 7}, "present": 3}
    (folder / progress.FILE).write_text(json.dumps(told))
    assert learn(capsys, "check")[0] == 1
    found = record(folder, "chain_rule")
    assert (found["hints"], found["attempts"], found["status"]) == (0, 1, "begun")
    (folder / progress.FILE).write_text(json.dumps({"exercises": {}, "present": "gone"}))
    assert learn(capsys, "hint")[0] == 0  # of the first one


def test_another_version_of_an_exercise_is_to_be_checked_again(folder, capsys):
    (folder / FIRST.file_name).write_text(SOLVED.replace("v1", "v0", 1))
    said = learn(capsys, "check")[1]
    assert "your file says 'chain_rule v0', and the exercise is now version 1" in said
    with progress.changing(folder) as p:
        p.record("chain_rule").version = 0
    assert "[changed, check again]" in learn(capsys, "list")[1]
    assert learn(capsys, "check")[0] == 0
    assert "[passed]" in learn(capsys, "list")[1]
    (folder / FIRST.file_name).write_text(SOLVED + "\n")
    assert "edited since" in learn(capsys, "list")[1]


def test_two_commands_at_once_lose_nothing(folder):
    count = 8
    script = (
        "import sys; from pathlib import Path; from npae.learn.workspace import progress\n"
        f"for _ in range({count}):\n"
        "    with progress.changing(Path(sys.argv[1])) as p:\n"
        "        p.record('relu').attempts += 1\n"
    )
    both = [subprocess.Popen([sys.executable, "-c", script, str(folder)]) for _ in range(2)]
    assert [one.wait(timeout=300) for one in both] == [0, 0]
    assert record(folder, "relu")["attempts"] == 2 * count


@pytest.mark.parametrize("age", [100, -(10**6)])  # the latter where the clock has been set back
def test_a_lock_that_was_left_behind_is_nobodys_and_a_held_one_is_told_of(folder, monkeypatch, capsys, age):
    lock = folder / progress.LOCK
    lock.touch()
    os.utime(lock, (time.time() - age,) * 2)
    assert learn(capsys, "hint")[0] == 0
    monkeypatch.setattr(progress, "PATIENCE", 0.2)
    with locked(folder, progress.PURPOSE):
        status, said = learn(capsys, "hint")
    assert status == 2
    assert f"is in use: process {os.getpid()} changes the progress in it; wait for its end" in said
    assert learn(capsys, "hint")[0] == 0


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links here")
def test_a_lock_that_is_a_link_is_told_of_and_what_it_leads_to_is_not_emptied(folder, capsys):
    (folder / "precious").write_text("all I have")
    (folder / progress.LOCK).symlink_to(folder / "precious")
    status, said = learn(capsys, "hint")
    assert status == 2
    assert f"cannot be written ({progress.LOCK} is a link)" in said
    assert (folder / "precious").read_text() == "all I have"


@pytest.mark.parametrize("refusals", [3, 10**9])
def test_on_windows_a_lock_that_is_just_being_removed_is_waited_for(folder, monkeypatch, capsys, refusals):
    """Simulated: a file that is marked for removal cannot be opened, and os.open gives no number of Windows."""
    opened, refused = os.open, []

    def refuse(path, *arguments, **options):
        if Path(path).name == progress.LOCK and len(refused) < refusals:
            refused.append(path)
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr("npae.utils.files.IS_WINDOWS", True)
    monkeypatch.setattr("npae.utils.files.PATIENCE", 0.4)
    status, said = learn(capsys, "hint")
    assert (status, "cannot be written (Permission denied)" in said) == ((0, False) if refusals == 3 else (2, True))


def test_a_virus_scanner_that_has_files_open_for_a_moment_is_waited_for(folder, monkeypatch, capsys):
    asked = []

    def is_scanned(path):
        asked.append(path)
        return len(asked) % 5 not in (4, 0)  # three times

    windows.refuse_where(monkeypatch, is_scanned)
    assert learn(capsys, "hint")[0] == 0
    assert learn(capsys, "reset", FIRST.name)[0] == 0
    (folder / progress.FILE).write_text("nonsense")
    assert learn(capsys, "hint")[0] == 0


# Own exercises


def test_a_users_exercise_is_written_checked_and_learned(folder, tmp_path, capsys):
    status, said = learn(capsys, "dev", "new", str(tmp_path / "21_scale"))
    assert status == 0
    assert "npae learn dev check" in said
    status, said = learn(capsys, "dev", "check", str(tmp_path / "21_scale"))
    assert status == 0
    assert "13 of 13" in said
    assert "all fit" in said
    assert learn(capsys, "next", str(tmp_path / "21_scale"))[0] == 0
    assert (folder / "scale.py").exists()
    assert "not written yet" in learn(capsys, "check")[1]  # found again by its name
    (folder / "scale.py").write_text("def backward(g, x, W):\n    return -g @ W.T, x.T @ g, g.sum(axis=0)\n")
    assert "Looks like: sign-of-dx" in learn(capsys, "check", "scale")[1]


def test_a_folder_that_is_not_fit_is_told_of(tmp_path, capsys):
    status, said = learn(capsys, "dev", "check", str(tmp_path))
    assert status == 1
    assert "has no exercise.toml" in said
    status, said = learn(capsys, "dev", "check")
    assert status == 2
    assert "--all" in said


# Milestones


def test_a_milestone_trains_and_leaves_a_picture(folder, monkeypatch, capsys):
    pytest.importorskip("PIL")
    exercise = catalogue.find("vanilla")
    few = milestones.load_digits()
    monkeypatch.setattr(milestones, "load_digits", lambda: few._replace(train_images=few.train_images[:100]))
    learn(capsys, "next", "vanilla")
    (folder / "vanilla.py").write_text(f"{exercise.header}\n{exercise.solution_text()}")
    status, said = learn(capsys, "check")
    assert status == 0
    assert "your loss   reference" in said
    assert len([line for line in said.splitlines() if line[:5].strip().isdigit()]) == exercise.training.epochs
    assert (folder / "vanilla.png").read_bytes().startswith(b"\x89PNG")
    assert pictures.is_of_npae(folder / "vanilla.png")  # so that it is drawn anew
    (folder / "vanilla.png").write_bytes(b"precious")
    assert "no picture: vanilla.png is there already, and npae did not draw it" in learn(capsys, "check")[1]
    assert (folder / "vanilla.png").read_bytes() == b"precious"
    (folder / "vanilla.png").unlink()
    assert "your loss" not in learn(capsys, "check", "--no-training")[1]
    monkeypatch.setattr("npae.utils.pictures.find_spec", lambda name: None)
    status, said = learn(capsys, "check")
    assert status == 0
    assert "pictures need Pillow" in said


def test_a_training_that_cannot_go_on_is_no_failure_of_the_check(folder, monkeypatch, capsys):
    exercise = catalogue.find("vanilla")
    learn(capsys, "next", "vanilla")
    source = exercise.solution_text().replace(
        "def gradient(x, W1, b1, W2, b2):", "def gradient(x, W1, b1, W2, b2):\n    assert len(x) < 9, 'too many'"
    )
    (folder / "vanilla.py").write_text(source)
    status, said = learn(capsys, "check")
    assert status == 0
    assert "the training stopped: " in said
    assert "too many" in said


# Watching


def test_watching_checks_at_every_save_and_stops_after_a_pass(folder):
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "npae", "learn", "watch", "relu"]
    assert main(["learn", "next", "relu"]) == 0
    log = folder / "log"
    with (
        log.open("w") as out,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=environment, cwd=folder
        ) as watching,
    ):
        try:
            _until(lambda: "not written yet" in log.read_text())
            (folder / "relu.py").write_text(GUIDED)
            _until(lambda: "Looks like: guided" in log.read_text())
            (folder / "new").write_text(RIGHT)
            os.replace(folder / "new", folder / "relu.py")  # as editors save
            assert watching.wait(timeout=300) == 0
        finally:
            watching.kill()
    said = log.read_text()
    assert said.count("] checking relu.py") == 3
    assert "known mistakes are excluded" in said
    assert record(folder, "relu")["status"] == "passed"


def _until(condition, seconds: float = 240.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _pseudo_terminal() -> tuple[int, int]:
    try:
        return os.openpty()
    except (AttributeError, OSError) as error:  # Windows; no /dev/pts, as in a bare chroot
        pytest.skip(f"no pseudo-terminal can be had here ({error})")


def test_in_a_terminal_keys_show_hints_and_lead_on(folder):
    terminal, inner = _pseudo_terminal()
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    (folder / FIRST.file_name).write_text(FIRST.stub)
    watching = subprocess.Popen(
        [sys.executable, "-m", "npae", "learn", "watch"],
        stdin=inner,
        stdout=inner,
        stderr=inner,
        env=environment,
        cwd=folder,
    )
    os.close(inner)
    said = b""

    def wait_for(text: str) -> None:
        nonlocal said
        while text.encode() not in said:
            said += os.read(terminal, 4096)

    try:
        wait_for("[h] hint 1/3")
        os.write(terminal, b"h")
        wait_for("hint 1/3 of chain_rule")
        (folder / FIRST.file_name).write_text(SOLVED)
        wait_for("[n] the next exercise   [q] stop")
        assert not (folder / "central_difference.py").exists()
        os.write(terminal, b"n")
        wait_for("(still watching)")
        assert (folder / "central_difference.py").exists()
        os.write(terminal, b"q")
        assert watching.wait(timeout=300) == 0
    finally:
        watching.kill()
        watching.wait()
        os.close(terminal)


class Script:
    """Keys as if pressed, one at each look."""

    def __init__(self, *pressed: str) -> None:
        self.pressed = list(pressed)

    def wait(self, seconds: float) -> str:
        return self.pressed.pop(0)


def watched(monkeypatch, *pressed: str) -> None:
    """Let ``npae learn watch`` have these keys, then q."""
    from contextlib import nullcontext

    monkeypatch.setattr(watch, "keys", lambda: nullcontext(Script(*pressed, "q")))


def test_watching_goes_on_with_keys(folder, monkeypatch, capsys):
    watched(monkeypatch, "", "x", "h", "n")
    status, said = learn(capsys, "watch")
    assert status == 0
    assert "hint 1/3 of chain_rule" in said
    assert said.count("checking") == 1
    (folder / FIRST.file_name).write_text(SOLVED)
    watched(monkeypatch, "n")
    status, said = learn(capsys, "watch")
    assert "(still watching)" in said
    assert Workspace.at(folder).chosen().name == "central_difference"


def test_a_file_that_comes_late_is_waited_for(tmp_path):
    path = tmp_path / "f.py"
    before = watch.state(path)
    assert before is None

    class Writing(Script):
        def wait(self, seconds: float) -> str:
            if len(self.pressed) == 1:
                path.write_text("now")
            return super().wait(seconds)

    assert watch.until_change(path, before, Writing("", "")) == ""
    assert watch.state(path) is not None


def test_a_file_that_an_editor_replaces_is_waited_for(tmp_path):
    path = tmp_path / "f.py"
    path.write_text("before")
    before = watch.state(path)

    class Replacing(Script):
        def wait(self, seconds: float) -> str:
            if path.exists():
                path.unlink()
            else:
                path.write_text("after, and longer")
            return super().wait(seconds)

    assert watch.until_change(path, before, Replacing("", "")) == ""
    assert path.read_text() == "after, and longer"


def test_one_check_and_one_hint_are_counted_in_the_singular(folder):
    told = []
    for n in (1, 2):
        with progress.changing(folder) as p:
            p.record(FIRST.name).attempts = p.record(FIRST.name).hints = n
        told.append(overview.text(overview.standings(Workspace.at(folder))))
    assert "[begun, 1 check, 1 hint]" in told[0]
    assert "[begun, 2 checks, 2 hints]" in told[1]


def test_the_list_as_json_says_what_its_text_says(folder, capsys):
    (folder / RELU.file_name).write_text(RIGHT)
    assert learn(capsys, "check", "relu")[0] == 0
    capsys.readouterr()
    assert main(["learn", "list", "--json"]) == 0
    rows = {row["exercise"]: row for row in json.loads(capsys.readouterr().out)}
    assert len(rows) == len(catalogue.exercises())
    assert rows["relu"] == {
        "number": RELU.number, "exercise": "relu", "kind": "exercise", "title": RELU.title, "state": "passed",
        "edited": False, "checks": 1, "hints": 0, "revealed": False, "present": True,
    }  # fmt: skip
    assert (rows[FIRST.name]["state"], rows["fool_relu"]["state"]) == ("begun", "")
    assert rows["fool_relu"]["number"] is None
    with (folder / RELU.file_name).open("a") as file:
        file.write("# changed\n")
    main(["learn", "list", "--json", "--quiet"])
    edited = [row["exercise"] for row in json.loads(capsys.readouterr().out) if row["edited"]]
    assert edited == ["relu"]


def test_without_a_terminal_there_are_no_keys(monkeypatch):
    monkeypatch.setattr(sys, "stdin", open(os.devnull))  # noqa: SIM115
    with watch.keys() as source:
        assert source is None
    sys.stdin.close()
    start = time.monotonic()
    assert watch.NoKeys().wait(0.01) == ""
    assert time.monotonic() > start
