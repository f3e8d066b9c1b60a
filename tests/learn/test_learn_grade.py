"""Grading a class: every kind of submission gets a row, and only right gradients pass."""

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from helpers.hostile import HOSTILE, WRONG, doing
from helpers.paths import ROOT

from npae.cli import main
from npae.learn.catalogue.catalogue import exercises, find
from npae.learn.grading import gradebook
from npae.learn.grading.grade import Row, _GradingRun, grade
from npae.learn.grading.journal import Journal
from npae.learn.grading.submissions import Learner, handed_in, header, learners
from npae.learn.judging.outcome import STATUSES
from npae.learn.sandbox.process import Limits, Worker

RIGHT = "# npae-exercise: dense v1\ndef backward(g, x, W): return g @ W.T, x.T @ g, g.sum(0)\n"
WRONG_TOO = "# npae-exercise: dense v1\n" + WRONG
DENSE = find("dense")
LIMITS = Limits(seconds=20.0, memory_mb=512)


def write_class(folder: Path, files: dict[str, str | bytes], name: str = "dense.py") -> Path:
    for learner, source in files.items():
        (folder / learner).mkdir(parents=True)
        (folder / learner / name).write_bytes(source if isinstance(source, bytes) else source.encode())
    return folder


def marked(folder: Path, **options) -> dict[str, Row]:
    """The row of each learner in the exercise dense."""
    submissions = [learner.submission(DENSE) for learner in learners(folder)[0]]
    return {row.learner: row for row in grade(submissions, LIMITS, **options)}


def read_csv(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def batch(folder):
    """All hostile files and two honest ones, marked at once with short limits."""
    before = {p: p.stat().st_mtime_ns for p in ROOT.glob("npae/**/*.py")}
    honest = {"honest": RIGHT, "mistaken": WRONG}
    write_class(folder / "class", {name: source for name, (source, _) in HOSTILE.items()} | honest)
    submissions = [learner.submission(DENSE) for learner in learners(folder / "class")[0]]
    with pytest.MonkeyPatch.context() as patch, Journal(folder / "out.journal") as journal:
        patch.setattr("tempfile.tempdir", str(folder))  # what is written outside lands here
        rows = grade(submissions, Limits(seconds=2.0, memory_mb=512), jobs=4, journal=journal)
    assert before == {p: p.stat().st_mtime_ns for p in before}
    return {row.learner: row for row in rows}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_gets_its_status_and_no_pass(batch, name):
    row = batch[name]
    assert row.status in HOSTILE[name][1].split(), row
    assert row.status in STATUSES
    assert row.status != "pass"
    assert "cannot be judged" not in row.text
    assert all(c.isprintable() or c in "\n\t" for c in row.text)


def test_among_hostile_files_the_honest_are_marked_as_ever(batch):
    assert batch["honest"].status == "pass"
    mistaken = batch["mistaken"]
    assert (mistaken.status, mistaken.bug, mistaken.block) == ("wrong", "db-mean", "db")
    assert mistaken.yours != mistaken.true
    assert mistaken.index.startswith("[")


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_nothing_of_a_batch_lives_on(batch, folder):
    environments = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            environments.append(path.read_bytes())
        except OSError:
            continue
    assert not [e for e in environments if f"HOME={folder}".encode() in e]
    assert not list(folder.glob("npae-*/work"))


def test_right_inputs_cannot_be_foreseen(tmp_path):
    write_class(tmp_path, {"a": RIGHT})
    seeds = {marked(tmp_path)["a"].seed for _ in range(3)}
    assert len(seeds) == 3
    assert marked(tmp_path, seed=5)["a"].seed == 5


def test_a_file_that_recognises_the_inputs_of_check_fails_the_grader(tmp_path):
    from npae.learn.judging.cases import draw_sheets

    (sheet,) = draw_sheets(DENSE, seed=0)
    table = [
        ([v.tolist() for v in case.arguments()], [v.tolist() for v in case.truth.values()]) for case in sheet.cases
    ]
    source = f"import numpy as np\ntable = {table!r}\n" + doing(
        "for given, truth in table:\n"
        "    if all(np.array_equal(a, b) for a, b in zip(given, (g, x, W))): return tuple(map(np.array, truth))"
    )
    write_class(tmp_path, {"parrot": source})
    assert marked(tmp_path, seed=0)["parrot"].status == "pass"  # the parrot can speak
    assert marked(tmp_path)["parrot"].status == "wrong"


# Who has handed in what


def test_the_first_line_says_which_exercise_and_which_version(tmp_path):
    assert header(b"# npae-exercise: dense v12\r\nx") == ("dense", 12)
    assert header(b"\xef\xbb\xbf# npae-exercise: dense v1\n") == ("dense", 1)
    assert header(b"# npae-exercise: dense v1") == ("dense", 1)
    for other in (b"", b"def f(): pass", b"# npae-exercise: Dense v1\n", b"# npae-exercise: dense v\n", b"\n" * 9):
        assert header(other) == ("", 0)
    write_class(tmp_path, {"renamed": RIGHT, "old": RIGHT.replace("v1", "v0")}, name="my solution.py")
    rows = marked(tmp_path)
    assert rows["renamed"].status == "pass"
    assert rows["old"].status == "pass"
    assert "begun with version 0 of the exercise, which is now 1" in rows["old"].text


def test_what_is_no_ones_file_is_told_in_one_status(tmp_path):
    write_class(
        tmp_path, {"anna": RIGHT, "Anna": RIGHT, "huge": "#" * (2 << 20), "two": RIGHT, "bea": RIGHT, "other": ""}
    )
    (tmp_path / "two" / "a.py").write_text(WRONG_TOO)
    (tmp_path / "two" / "dense.py").rename(tmp_path / "two" / "b.py")
    (tmp_path / "other" / "dense.py").write_text(RIGHT.replace("dense", "relu"))
    (tmp_path / "none").mkdir()
    for name in ("linked", "circle", "pipe", "folder"):
        (tmp_path / name).mkdir()
    (tmp_path / "linked" / "dense.py").symlink_to(tmp_path / "bea" / "dense.py")
    (tmp_path / "circle" / "dense.py").symlink_to("dense.py")
    (tmp_path / "folder" / "dense.py").mkdir()
    os.mkfifo(tmp_path / "pipe" / "dense.py")
    (tmp_path / "copied").symlink_to(tmp_path / "bea")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / ".git").mkdir()
    expected = {
        "anna": ("error", "same name but for capitals"),
        "Anna": ("error", "same name but for capitals"),
        "huge": ("error", "more than 1,048,576 bytes"),
        "two": ("error", "a.py and b.py are both meant to be dense; keep one"),
        "other": ("error", "says in its first line that it is relu"),
        "none": ("missing", "there is no dense.py"),
        "linked": ("error", "leads out of the learner's folder"),
        "circle": ("error", "dense.py"),
        "pipe": ("error", "is no file"),
        "folder": ("error", "is no file"),
        "copied": ("error", "a link to another one"),
        "bea": ("pass", ""),
    }
    rows = marked(tmp_path)
    assert {name: (row.status, expected[name][1] in row.text) for name, row in rows.items()} == {
        name: (status, True) for name, (status, _) in expected.items()
    }
    assert learners(tmp_path)[1] == ["notes.txt"]


def test_a_link_within_the_learners_folder_is_followed(tmp_path):
    write_class(tmp_path, {"a": RIGHT}, name="final.py")
    (tmp_path / "a" / "dense.py").symlink_to("final.py")
    assert marked(tmp_path)["a"].status == "pass"


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="an administrator may read everything")
def test_what_may_not_be_read_is_told(tmp_path):
    write_class(tmp_path, {"a": RIGHT})
    (tmp_path / "a" / "dense.py").chmod(0)
    assert "dense.py cannot be read" in marked(tmp_path)["a"].text
    (tmp_path / "a").chmod(0)
    assert "the folder cannot be read" in marked(tmp_path)["a"].text
    (tmp_path / "a").chmod(0o700)


def test_only_exercises_with_a_submission_are_graded(tmp_path):
    write_class(tmp_path, {"a": RIGHT})
    write_class(tmp_path, {"b": "# npae-exercise: relu v1\n"}, name="x.py")
    found = handed_in(learners(tmp_path)[0], exercises())
    assert {e.name for e in found} == {"dense", "relu"}


# The journal


def test_what_has_not_changed_is_not_run_again(tmp_path):
    folder = write_class(tmp_path / "class", {"a": RIGHT, "b": WRONG, "c": "import helper\n" + RIGHT})
    (folder / "c" / "helper.py").write_text("")
    with Journal(tmp_path / "j") as journal:
        first = marked(folder, journal=journal, seed=1)
    (folder / "b" / "dense.py").write_text(RIGHT)
    (folder / "c" / "helper.py").write_text("raise ValueError('new')")
    (tmp_path / "j").write_text((tmp_path / "j").read_text() + '{"event": "end", "learner"')  # half a line
    with Journal(tmp_path / "j", resume=True) as journal:
        second = marked(folder, journal=journal, seed=2)
    assert second["a"] == first["a"]
    assert (first["b"].status, second["b"].status, second["b"].seed) == ("wrong", "pass", 2)
    assert (first["c"].status, second["c"].status) == ("pass", "error")
    with Journal(tmp_path / "j") as journal:
        assert not journal.ended


def test_a_journal_that_was_written_into_meanwhile_is_put_right(tmp_path):
    folder = write_class(tmp_path / "class", {"a": WRONG})
    with Journal(tmp_path / "j") as journal:
        marked(folder, journal=journal)
        (tmp_path / "j").write_text((tmp_path / "j").read_text().replace('"wrong"', '"pass"'))
    assert '"pass"' not in (tmp_path / "j").read_text()


def test_after_an_interruption_nothing_runs_or_counts_as_crashed(tmp_path):
    folder = write_class(tmp_path / "class", {"a": RIGHT, "loop": "while True: pass"})

    def interrupt(row):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Journal(tmp_path / "j") as journal:
        marked(folder, journal=journal, jobs=2, done=interrupt)
    journal = Journal(tmp_path / "j", resume=True)
    assert set(journal.ended) == {("a", "dense")}
    assert not journal.begun
    journal.close()


@pytest.mark.skipif(not hasattr(os, "getppid") or sys.platform == "win32", reason="needs signals")
def test_a_file_that_kills_the_grader_is_found_out_by_resuming(tmp_path):
    kill = "import os\nos.kill(os.getppid(), 9)"
    folder = write_class(tmp_path / "class", {"a": RIGHT, "killer": kill, "z": RIGHT})
    out = tmp_path / "out.csv"
    command = [sys.executable, "-m", "npae", "grade", str(folder), "--csv", str(out), "--resume", "-j", "2"]
    command += ["--sandbox", "none"]  # in a sandbox it cannot
    environment = {**os.environ, "TMPDIR": str(tmp_path)}  # whoever is killed leaves something behind
    runs = [subprocess.run(command, capture_output=True, timeout=300, env=environment) for _ in range(3)]
    statuses = [run.returncode for run in runs]
    assert statuses == [-9, -9, 0]
    rows = {row["learner"]: row for row in read_csv(out)}
    assert {name: row["status"] for name, row in rows.items()} == {"a": "pass", "killer": "crash", "z": "pass"}
    assert "ended twice" in rows["killer"]["text"]


def test_the_command_restores_the_handler_of_sigterm(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert main(["grade", str(write_class(tmp_path, {"ada": RIGHT})), "--exercise", "dense"]) == 0
        after = signal.getsignal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert after == before


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_sigterm_ends_the_grader_and_no_file_counts_as_crashed(tmp_path):
    folder = write_class(tmp_path / "class", {"a": RIGHT, "loop": "while True: pass"})
    out, journal = tmp_path / "out.csv", tmp_path / "out.csv.journal"
    command = [sys.executable, "-m", "npae", "grade", str(folder), "--csv", str(out), "--timeout", "300"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 120
        while '"loop"' not in (journal.read_text() if journal.exists() else "") and time.monotonic() < deadline:
            time.sleep(0.02)
        process.terminate()
        _, said = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "Traceback" not in said
    read = Journal(journal, resume=True)
    assert set(read.ended) == {("a", "dense")}
    assert not read.begun
    read.close()


@pytest.fixture
def slow_start(monkeypatch):
    """Learners' processes that take ten minutes to start; Ctrl-C raises, also where a shell has it ignored."""
    monkeypatch.setattr("npae.learn.sandbox.process.BOOTSTRAP", "import time; time.sleep(600)")
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    start = time.monotonic()
    yield
    signal.signal(signal.SIGINT, handler)
    assert time.monotonic() - start < 300


def interrupted_while_starting(monkeypatch) -> None:
    """Ctrl-C comes while a process is being made, before there is one that could be ended."""
    made, waiting, answered = subprocess.Popen, threading.Event(), threading.Event()
    kill = Worker.kill

    def noted_wait(futures, **options):
        waiting.set()
        return wait(futures, **options)

    def noted_kill(worker):
        kill(worker)
        answered.set()

    def slow(*arguments, **options):
        assert waiting.wait(120)
        os.kill(os.getpid(), signal.SIGINT)
        assert answered.wait(120)
        return made(*arguments, **options)

    monkeypatch.setattr("npae.learn.grading.grade.wait", noted_wait)
    monkeypatch.setattr(Worker, "kill", noted_kill)
    monkeypatch.setattr("npae.learn.sandbox.process.subprocess.Popen", slow)


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_a_process_that_is_only_being_made_is_ended_by_ctrl_c(tmp_path, monkeypatch, slow_start):
    folder = write_class(tmp_path / "class", {"a": RIGHT})
    interrupted_while_starting(monkeypatch)
    with pytest.raises(KeyboardInterrupt), Journal(tmp_path / "j") as journal:
        marked(folder, journal=journal)
    read = Journal(tmp_path / "j", resume=True)
    assert not read.begun
    read.close()


def test_a_process_of_which_ctrl_c_did_not_know_yet_is_ended(tmp_path, slow_start):
    (submission,) = (s.submission(DENSE) for s in learners(write_class(tmp_path, {"a": RIGHT}))[0])
    with Journal(None) as journal:
        batch = _GradingRun(LIMITS, 0, journal, lambda row: None)
        batch.interrupt()
        with pytest.raises(RuntimeError, match="cannot be started"):
            batch.examine(submission)


def test_ctrl_c_while_files_are_still_being_handed_out_ends_those_that_run(tmp_path, monkeypatch, slow_start):
    class Pool(ThreadPoolExecutor):
        count = 0

        def submit(self, *arguments, **options):
            Pool.count += 1
            if Pool.count == 2:
                raise KeyboardInterrupt
            return super().submit(*arguments, **options)

    monkeypatch.setattr("npae.learn.grading.grade.ThreadPoolExecutor", Pool)
    folder = write_class(tmp_path, {"a": RIGHT, "b": RIGHT})
    with pytest.raises(KeyboardInterrupt):
        marked(folder)


# Files and tables


def test_no_cell_is_a_formula_and_odd_names_arrive(tmp_path):
    names = ["=cmd|'C calc'!A0", "+1", "-1", "@SUM(A1)", 'José, "J"', "a\nb", "tab\there", "\x1b[31mred"]
    folder = write_class(tmp_path / "class", dict.fromkeys(names, ""))
    (folder / "caf\udce9").mkdir()  # bytes that are no UTF-8
    rows = list(marked(folder).values())
    gradebook.write_csv(tmp_path / "out.csv", rows)
    read = read_csv(tmp_path / "out.csv")
    assert tuple(read[0]) == gradebook.COLUMNS
    assert len(read) == len(names) + 1
    assert not [r for r in read for cell in r.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    found = {r["learner"] for r in read}
    assert {"'=cmd|'C calc'!A0", "'+1", "'-1", "'@SUM(A1)", 'José, "J"', "a b", "tab here"} <= found
    assert "caf\N{REPLACEMENT CHARACTER}" in found


def test_json_holds_everything_and_no_nan(tmp_path):
    rows = [
        Row("a", "dense", "wrong", "db-mean", "db", "[3]", float("nan"), -1.5, 0.25, "text", 1, "d", 7),
        Row("b", "dense", "wrong", "db-mean"),
        Row("c", "dense", "pass"),
    ]
    gradebook.write_json(tmp_path / "out.json", rows)
    told = json.loads((tmp_path / "out.json").read_text())
    assert told["rows"][0]["yours"] == "nan"
    assert told["rows"][0]["true"] == -1.5
    assert told["rows"][2]["yours"] is None
    assert told["bugs"] == [{"exercise": "dense", "bug": "db-mean", "learners": 2}]
    gradebook.write_csv(tmp_path / "out.csv", rows)
    assert [r["yours"] for r in read_csv(tmp_path / "out.csv")] == ["nan", "", ""]
    assert read_csv(tmp_path / "out.csv")[0]["true"] == "-1.5"


def test_the_histogram_begins_with_the_commonest_mistake():
    rows = [Row("a", "relu", "wrong", "no-mask"), Row("d", "dense", "pass")]
    rows += [Row(name, "dense", "wrong", "db-mean") for name in "abc"]
    assert [line[:3] for line in gradebook.histogram(rows)] == [("db-mean", "dense", 3), ("no-mask", "relu", 1)]
    assert [len(line[3].strip()) for line in gradebook.histogram(rows)] == [30, 10]
    head, lines = gradebook.statuses(rows)
    assert head == ["exercise", "pass", "wrong"]
    assert lines == [["relu", 0, 1], ["dense", 1, 3]]


def test_the_command_marks_writes_and_tells(tmp_path, capsys):
    folder = write_class(tmp_path / "class", {"a": RIGHT, "b": WRONG})
    (folder / "readme.txt").write_text("")
    out = ["--csv", str(tmp_path / "o.csv"), "--json", str(tmp_path / "o.json")]
    assert main(["grade", str(folder), *out, "-j", "2", "--exercise", "dense"]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[0].split() == ["exercise", "pass", "wrong"]
    assert any(line.split()[:3] == ["db-mean", "dense", "1"] for line in told.out.splitlines())
    assert "readme.txt" in told.err
    assert [r["status"] for r in read_csv(tmp_path / "o.csv")] == ["pass", "wrong"]
    assert len(json.loads((tmp_path / "o.json").read_text())["rows"]) == 2
    assert main(["grade", str(folder), "--exercise", str(DENSE.folder)]) == 0


def test_files_that_are_not_looked_at_end_with_dots_only_where_some_are_left_out(tmp_path, capsys):
    folder = write_class(tmp_path, {"ada": RIGHT})
    told = []
    for names in ("abc", "d"):
        for name in names:
            (folder / f"{name}.txt").write_text("")
        assert main(["grade", str(folder), "--exercise", "dense"]) == 0
        told.append(next(line for line in capsys.readouterr().err.splitlines() if "not looked at" in line))
    assert [line.partition("a.txt")[2] for line in told] == [", b.txt, c.txt", ", b.txt, c.txt, …"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none"], "is no folder"),
        (["empty"], "has no folders; expected a folder or zip file for each learner"),
        (["class"], "no learner has a file of any exercise"),
        (["class", "--exercise", "nothing"], "there is no exercise 'nothing'"),
        (["class", "--resume"], "needs --csv or --json"),
        (["class", "--csv", "none/out.csv"], "does not exist"),
    ],
)
def test_mistakes_in_use_are_told_in_one_sentence(tmp_path, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    write_class(Path("class"), {"a": ""}, name="other.py")
    assert main(["grade", *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("option", [["-j", "0"], ["--timeout", "nan"], ["--memory", "10"], ["--timeout", "x"]])
def test_limits_that_are_none_are_refused(option, capsys):
    with pytest.raises(SystemExit):
        main(["grade", "class", *option])
    assert "is not" in capsys.readouterr().err


def test_help_says_that_limits_are_no_sandbox(capsys):
    with pytest.raises(SystemExit):
        main(["grade", "--help"])
    assert "no sandbox" in " ".join(capsys.readouterr().out.split())


def test_a_folder_that_cannot_be_read_is_the_learners_row(tmp_path, monkeypatch):
    def refuse(folder):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a").mkdir()
    monkeypatch.setattr("npae.learn.grading.tree.os.listdir", refuse)
    submission = Learner(tmp_path / "a").submission(DENSE)
    assert (submission.status, submission.fault) == ("error", "the folder cannot be read: Permission denied")


def test_answers_that_break_the_judge_do_not_break_the_batch(tmp_path, monkeypatch):
    monkeypatch.setattr("npae.learn.grading.grade.judge", lambda *_: 1 / 0)
    write_class(tmp_path, {"a": RIGHT, "b": RIGHT})
    assert [row.status for row in marked(tmp_path).values()] == ["crash", "crash"]


def test_a_file_that_ran_when_the_grader_was_killed_runs_alone_once(tmp_path):
    folder = write_class(tmp_path / "class", {"a": RIGHT, "b": RIGHT, "c": RIGHT})
    with Journal(tmp_path / "j") as journal:
        for learner in learners(folder)[0][:2]:
            journal.begin((learner.name, "dense"), learner.digest, alone=learner.name == "b")
        killed = (tmp_path / "j").read_text()
    (tmp_path / "j").write_text(killed)
    for _ in range(2):
        with Journal(tmp_path / "j", resume=True) as journal:
            rows = marked(folder, journal=journal)
        assert {name: row.status for name, row in rows.items()} == {"a": "pass", "b": "crash", "c": "pass"}
    (folder / "b" / "dense.py").write_text(RIGHT + "# mended\n")
    with Journal(tmp_path / "j", resume=True) as journal:
        assert marked(folder, journal=journal)["b"].status == "pass"


def test_a_journal_of_another_version_is_no_reason_to_skip(tmp_path):
    folder = write_class(tmp_path / "class", {"a": RIGHT})
    with Journal(tmp_path / "j") as journal:
        marked(folder, journal=journal, seed=1)
    (tmp_path / "j").write_text((tmp_path / "j").read_text().replace('"text"', '"words"'))
    with Journal(tmp_path / "j", resume=True) as journal:
        assert marked(folder, journal=journal, seed=2)["a"].seed == 2


def test_a_fool_is_marked_too(tmp_path):
    fool = find("fool_dense")
    source = (fool.folder / "reference.py").read_text(encoding="utf-8")
    write_class(tmp_path, {"a": source, "b": fool.stub}, name="fool_dense.py")
    rows = grade([learner.submission(fool) for learner in learners(tmp_path)[0]], LIMITS)
    assert rows[0].status == "pass", rows[0]
    assert rows[1].status != "pass"


def test_a_begun_run_is_kept_after_the_result_of_an_older_file(tmp_path):
    folder = write_class(tmp_path / "class", {"a": RIGHT, "b": RIGHT})
    with Journal(tmp_path / "j") as journal:
        marked(folder, journal=journal)
    for name in "ab":
        (folder / name / "dense.py").write_text(WRONG)
    for name in "ab":  # each takes the grader down twice; what is written of the one outlives the other
        for alone in (False, True):
            journal = Journal(tmp_path / "j", resume=True)
            journal.begin((name, "dense"), Learner(folder / name).digest, alone)
            journal._file.close()  # killed
    with Journal(tmp_path / "j", resume=True) as journal:
        assert {row.status for row in marked(folder, journal=journal).values()} == {"crash"}
    (folder / "a" / "dense.py").write_text(RIGHT)
    with Journal(tmp_path / "j", resume=True) as journal:
        assert [row.status for row in marked(folder, journal=journal).values()] == ["pass", "crash"]


def test_a_journal_of_anything_is_read(tmp_path):
    lines = ["[]", "5", '{"learner": [], "exercise": {}, "event": "end"}', "[" * 10_000, '{"event": "end"}', "\0"]
    (tmp_path / "j").write_text("\n".join(lines))
    folder = write_class(tmp_path / "class", {"a": RIGHT})
    with Journal(tmp_path / "j", resume=True) as journal:
        assert marked(folder, journal=journal)["a"].status == "pass"


def test_cells_that_other_spreadsheets_take_for_formulas(tmp_path):
    texts = ["x;=1+1", 'x; "=1+1"', "＝1+1", " =1", "a;b", "a-b; c = 1", "it's", "a\n-b"]
    gradebook.write_csv(tmp_path / "out.csv", [Row("a", "dense", "error", text=text) for text in texts])
    expected = ["x;'=1+1", 'x;\' "=1+1"', "'＝1+1", "' =1", "a;b", "a-b; c = 1", "it's", "a\n-b"]
    assert [row["text"] for row in read_csv(tmp_path / "out.csv")] == expected


def test_a_folder_that_fills_the_memory_is_not_read_to_its_end(tmp_path):
    write_class(tmp_path, {"a": RIGHT, "b": RIGHT})
    for number in range(9):
        (tmp_path / "a" / f"{number}.py").write_bytes(b"#" * (1 << 20))
    rows = marked(tmp_path)
    assert (rows["a"].status, rows["b"].status) == ("error", "pass")
    assert "4,194,304 bytes together" in rows["a"].text
    assert len(Learner(tmp_path / "a").files) < 9


def test_two_exercises_of_one_name_cannot_be_told_apart(tmp_path, capsys):
    write_class(tmp_path, {"a": RIGHT})
    assert main(["grade", str(tmp_path), "--exercise", "dense", "--exercise", str(DENSE.folder)]) == 2
    assert "--exercise gives dense twice" in capsys.readouterr().err
