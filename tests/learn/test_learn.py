"""Judging exercises: every status, the names of known mistakes, and the messages for the learner."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import npae.learn
from npae.learn import authoring
from npae.learn.catalogue import catalogue
from npae.learn.catalogue.exercise import ExerciseError, _names_used, load
from npae.learn.judging import messages
from npae.learn.judging.cases import draw_sheets
from npae.learn.judging.judge import judge
from npae.learn.judging.outcome import STATUSES
from npae.learn.sandbox.in_process import InProcess
from npae.learn.workspace import milestones

DENSE = catalogue.find("dense")


def right(g, x, W):
    return g @ W.T, x.T @ g, g.sum(axis=0)


def takes_too_few(g, x):
    return g, x, g


takes_too_few.__qualname__ = "backward"  # as a learner's function is called


def verdict(backward, name="dense", seed=0):
    exercise = catalogue.find(name)
    return judge(exercise, InProcess({exercise.functions[0].name: backward}), seed=seed)


# Exercises that come with npae


@pytest.mark.parametrize("folder", catalogue.folders(), ids=lambda folder: folder.name)
def test_a_stub_fails_its_reference_passes_and_every_known_mistake_is_named(folder):
    fitness = authoring.check(folder, seeds=2)
    assert fitness.faults == []
    assert fitness.passes == 2
    assert fitness.caught == fitness.named == fitness.mistakes
    assert fitness.mistakes >= 1


def test_hunts_and_fools_follow_the_exercise_that_unlocks_them():
    names = [e.name for e in catalogue.exercises()]
    numbers = [e.number for e in catalogue.exercises() if e.number]
    assert numbers == list(range(1, len(numbers) + 1))
    for exercise in catalogue.exercises():
        if exercise.after:
            assert names.index(exercise.after) < names.index(exercise.name)
            between = catalogue.exercises()[names.index(exercise.after) + 1 : names.index(exercise.name)]
            assert all(e.after == exercise.after for e in between)


def test_an_exercise_is_found_by_name_number_file_and_folder():
    for name in ("dense", "9", "dense.py", "09_dense", str(DENSE.folder)):
        assert catalogue.find(name).name == "dense"
    with pytest.raises(ExerciseError, match="npae learn list"):
        catalogue.find("nothing")


# Statuses


def test_a_pass_counts_the_mistakes_that_it_excludes():
    outcome = verdict(right)
    assert outcome.passed
    assert outcome.excluded == len(draw_sheets(DENSE)[0].known) == 12
    assert 0 < outcome.worst < 1e-6
    assert outcome.bug == ""
    assert outcome.first_wrong is None


@settings(max_examples=10)
@given(st.integers(0, 2**32))
def test_right_passes_and_wrong_fails_for_any_draw(seed):
    assert verdict(right, seed=seed).passed
    outcome = verdict(lambda g, x, W: (g @ W.T, x.T @ g, g.mean(axis=0)), seed=seed)
    assert (outcome.status, outcome.bug) == ("wrong", "db-mean")


def test_a_wrong_block_is_shown_where_it_is_furthest_off():
    outcome = verdict(lambda g, x, W: (g @ W.T, x.T @ g, g.mean(axis=0)))
    dx, dW, db = outcome.blocks
    assert (dx.right, dW.right, db.right) == (True, True, False)
    case = draw_sheets(DENSE)[0].plain[0]
    true = case.g.sum(axis=0)
    worst = int(np.argmax(np.abs(true)))  # where all are too small by the same factor
    assert db.index == (worst,)
    assert db.true == pytest.approx(true[worst], rel=1e-9)
    assert db.yours == pytest.approx(db.true / len(case))
    assert db.ratio == pytest.approx(1 / len(case))
    assert outcome.first_wrong is db


def test_two_mistakes_in_two_blocks_are_both_named():
    outcome = verdict(lambda g, x, W: (g @ W.T, x.T @ g / len(x), g.mean(axis=0)))
    assert {n.bug: n.blocks for n in outcome.names} == {"double-average": ("dW",), "db-mean": ("db",)}
    assert "dW looks like: double-average" in messages.describe(DENSE, outcome)


def test_a_mistake_that_only_runs_at_equal_sizes_is_named_all_the_same():
    outcome = verdict(lambda g, x, W: (g @ W, x.T @ g, g.sum(axis=0)))
    assert (outcome.status, outcome.bug) == ("error", "no-transpose")
    assert "ValueError" in outcome.text


def test_a_wrong_shape_is_said_and_named():
    outcome = verdict(lambda g, x, W: (g @ W.T, g.T @ x, g.sum(axis=0)))
    assert (outcome.status, outcome.bug) == ("shape", "dW-transposed")
    assert "expected" in outcome.text
    assert "that of W" in outcome.text


@pytest.mark.parametrize(
    ("backward", "status", "says"),
    [
        (lambda g, x, W: None, "shape", "return"),
        (lambda g, x, W: (g @ W.T, x.T @ g), "shape", "expected 3: dx, dW, db"),
        (lambda g, x, W: right(g, x, W)[0], "shape", "1 value"),
        (lambda g, x, W: (*right(g, x, W)[:2], g.sum(axis=0).astype("float32")), "shape", "float32"),
        (lambda g, x, W: (*right(g, x, W)[:2], g.sum(axis=0).astype("complex128")), "shape", "complex128"),
        (lambda g, x, W: (*right(g, x, W)[:2], g.sum(axis=0).astype(int)), "shape", "int64"),
        (lambda g, x, W: (*right(g, x, W)[:2], np.full(g.shape[1], np.nan)), "wrong", "db is not finite"),
        (lambda g, x, W: (*right(g, x, W)[:2], np.random.default_rng().random(g.shape[1])), "wrong", "drawn anew"),
        (lambda g, x, W: right(np.multiply(g, 2, out=g), x, W), "wrong", "changes g"),
        (lambda g, x, W: right(1 + g, x, W), "wrong", ""),
        (lambda g, x, W: 1 / 0, "error", "ZeroDivisionError"),
        (takes_too_few, "error", "It is called with these arguments: backward(g, x, W)"),
        (lambda g, x, W: np.zeros(10**15), "memory", "memory"),
    ],
)
def test_whatever_comes_back_has_a_status_and_a_sentence(backward, status, says):
    outcome = verdict(backward)
    assert outcome.status == status
    assert outcome.status in STATUSES
    assert says in outcome.text
    assert messages.describe(DENSE, outcome).startswith("dense  ✗")


def test_a_list_of_numbers_is_told_from_several_results():
    def paths(g, x, a):
        return [[g, x], [g, x]]

    exercise = catalogue.find("chain_rule")
    right = exercise.solution(exercise.functions[0])
    text = judge(exercise, InProcess({"chain": right, "paths": paths})).text
    assert text == "paths returns 1 value, an array of shape (2, 2); expected 2: dx, da, as in: return dx, da"
    text = judge(exercise, InProcess({"chain": lambda g, x, w, b: (1, g, g)})).text
    assert text == "dx is a number of type int64; expected float64, as the inputs are"


def test_what_is_not_written_or_not_there_is_missing():
    def backward(g, x, W):
        raise NotImplementedError

    assert verdict(backward).status == "missing"
    assert "not written yet" in verdict(backward).text
    assert judge(DENSE, InProcess({})).status == "missing"


def test_gradients_that_add_up_from_call_to_call_are_found():
    before = {}

    def backward(g, x, W):
        dx, dW, db = right(g, x, W)
        before[W.shape] = before.get(W.shape, 0.0) + dW
        return dx, before[W.shape], db

    outcome = verdict(backward)
    assert (outcome.status, outcome.bug) == ("wrong", "stale-accumulate")
    assert "adds to what was there before" in outcome.text


def test_something_kept_from_an_earlier_call_is_found():
    calls = []

    def backward(g, x, W):
        calls.append(W)
        dx, dW, db = right(g, x, W)
        return (dx if len(calls) < 6 else dx + 1), dW, db  # the sixth call is the first one once more

    outcome = verdict(backward)
    assert outcome.status == "wrong"
    assert "kept between calls" in outcome.text


def test_a_gradient_that_does_not_vanish_with_g_is_found():
    def backward(g, x, W):
        return g @ W.T, x.T @ g, g.sum(axis=0) if g.any() else np.ones(g.shape[1])

    outcome = verdict(backward)
    assert outcome.status == "wrong"
    assert "g = 0" in outcome.text


def winners(g, x, size, stride, which):
    """The gradient of max-pooling where of equal cells the first, the last, or each of them wins."""
    dx = np.zeros_like(x)
    for n, i, j, c in np.ndindex(g.shape):
        place = np.s_[n, i * stride[0] : i * stride[0] + size[0], j * stride[1] : j * stride[1] + size[1], c]
        window = x[place]
        chosen = np.argwhere(window == window.max())
        for k, m in {"first": chosen[:1], "last": chosen[-1:], "all": chosen}[which]:
            dx[place][k, m] += g[n, i, j, c]
    return dx


@pytest.mark.parametrize(("of", "last_passes"), [("hunt_pooling", True), ("pooling", False)])
def test_any_subgradient_will_do_where_cells_tie_unless_the_text_names_one_but_never_the_sum(of, last_passes):
    exercise = catalogue.find(of)
    name = exercise.functions[0].name
    sheets = draw_sheets(exercise)
    assert sheets[0].ties
    solutions = {f.name: exercise.solution(f) for f in exercise.functions}

    def outcome(which):
        return judge(exercise, InProcess({**solutions, name: lambda *arguments: winners(*arguments, which)}), sheets)

    assert outcome("first").passed
    assert outcome("last").passed is last_passes
    wrong = outcome("all")
    assert (wrong.status, wrong.bug) == ("wrong", "ties-all")
    assert "where entries tie" in wrong.text


def test_only_the_first_wrong_function_is_looked_at():
    exercise = catalogue.find("chain_rule")
    outcome = judge(exercise, InProcess({"chain": lambda g, x, w, b: (0.0, 0.0, 0.0)}))
    assert (outcome.status, outcome.function) == ("wrong", "chain")
    assert [b.right for b in outcome.blocks] == [False, False, False, None, None]
    assert "paths  dx ·   da ·" in messages.describe(exercise, outcome)


def test_single_numbers_are_shown_with_what_they_were_computed_from():
    exercise = catalogue.find("chain_rule")
    outcome = judge(exercise, InProcess({"chain": lambda g, x, w, b: (0.0, 0.0, 0.0)}))
    case = draw_sheets(exercise)[0].plain[0]
    assert f"\n  with g = {case.g:.4g}, x = " in messages.describe(exercise, outcome)


def test_a_constant_factor_is_explained_where_no_known_mistake_fits():
    outcome = verdict(lambda g, x, W: (2 * g @ W.T, x.T @ g, g.sum(axis=0)))
    assert outcome.names == []
    assert "ratio 2 everywhere (a factor 2 too many" in messages.describe(DENSE, outcome)


def test_a_factor_of_one_draw_only_is_not_called_a_ratio():
    outcome = verdict(lambda g, x, W: ((2 + x[0, 0]) * g @ W.T, x.T @ g, g.sum(axis=0)))
    assert outcome.blocks[0].right is False
    assert "ratio" not in messages.describe(DENSE, outcome)


def test_a_hunts_mistake_is_not_called_by_its_name():
    exercise = catalogue.find("hunt_dense")
    names: dict = {}
    exec(exercise.stub, names)
    outcome = judge(exercise, InProcess(names))
    assert outcome.status == "wrong"
    assert outcome.bug
    assert outcome.bug not in messages.describe(exercise, outcome)
    assert "It is a known mistake: find it." in messages.describe(exercise, outcome)


# Fools


def test_a_fool_must_be_wrong_somewhere_and_right_at_the_weak_inputs():
    exercise = catalogue.find("fool_dense")
    strong = exercise.solution(exercise.functions[1])

    def outcome(wrong, inputs=strong):
        return judge(exercise, InProcess({"wrong": wrong, "inputs": inputs}))

    assert outcome(exercise.solution(exercise.functions[0])).passed
    assert "right at random inputs too" in outcome(right).text
    assert "the weak test catches you" in outcome(lambda g, x, W: (g, x.T @ g, g.sum(axis=0))).text
    assert outcome(lambda g, x, W: (g @ W.T, x.T @ g)).status == "shape"
    assert outcome(lambda g, x, W: (g @ W.T, x.T @ g, g.sum())).status == "shape"
    assert outcome(lambda g, x, W: (g @ W.T, x.T @ g, 1j * g.sum(axis=0))).status == "shape"
    assert "other inputs too" in outcome(lambda g, x, W: right(np.zeros((1, 3)) + g, x, W)).text


def test_a_fools_inputs_must_show_every_known_mistake():
    exercise = catalogue.find("fool_dense")
    fools = exercise.solution(exercise.functions[0])

    def outcome(*arrays):
        return judge(exercise, InProcess({"wrong": fools, "inputs": lambda: arrays}))

    weak = exercise.reference.weak_inputs()
    told = outcome(weak["g"], weak["x"], weak["W"])
    assert told.status == "wrong"
    assert 0 < told.excluded < 10
    assert "known mistakes are caught" in told.text
    assert "do not fit together" in outcome(weak["g"], weak["x"], weak["W"].T[:2]).text
    assert outcome(np.ones((2, 2)), weak["x"], weak["W"]).status == "shape"
    assert "at most" in outcome(np.ones((10**4, 3)), weak["x"], weak["W"]).text


# Folders


def changed(folder: Path, file: str, old: str, new: str) -> Path:
    copy = folder / "mine"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(DENSE.folder, copy, ignore=shutil.ignore_patterns("__pycache__"))
    text = (copy / file).read_text()
    assert old in text
    (copy / file).write_text(text.replace(old, new))
    return copy


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("exercise.toml", 'name = "dense"', 'name = "json"', "no name of Python's own"),
        ("exercise.toml", 'name = "dense"', 'name = "con"', "or of a device of Windows"),
        ("exercise.toml", 'name = "dense"', 'name = "A b"', "lower-case letters"),
        ("exercise.toml", 'name = "dense"', 'name = "class"', "the name is 'class'"),
        ("exercise.toml", "number = 9", 'number = "8"', "expected int"),
        ("exercise.toml", "version = 1", "vision = 1", "vision is not known"),
        ("exercise.toml", "title =", "title", "Expected '='"),
        ("exercise.toml", 'title = "A dense layer, backwards"', "", "title is missing"),
        ("exercise.toml", 'kind = "exercise"', 'kind = "riddle"', "expected one of exercise, hunt, fool"),
        ("exercise.toml", 'bugs = ["dense"]', 'bugs = ["dance"]', "the kind 'dance'"),
        ("exercise.toml", 'bugs = ["dense"]', 'bugs = ["dense/db-max"]', "known mistakes of dense are"),
        ("exercise.toml", 'bugs = ["dense"]', 'bugs = ["relu/guided", "mse/sign"]', "spoils nothing"),
        ("exercise.toml", 'bugs = ["dense"]', "bugs = [1]", "a list of names"),
        ("exercise.toml", 'bugs = ["dense"]', "bug = []", "bug is not known in [[function]]"),
        ("exercise.toml", '["dx", "dW", "db"]', '["x", "W"]', "returns no gradient"),
        ("exercise.toml", '["dx", "dW", "db"]', '["dx", "dW", "dc"]', "no argument c"),
        ("exercise.toml", '["g", "x", "W"]', '["g", "x", "V"]', "gives no V"),
        ("exercise.toml", "milestone = false", "milestone = true", "[training]"),
        ("reference.py", "def draw", "def drew", "no function draw"),
        ("reference.py", '"b": rng', '"c": rng', "takes b, which draw() does not give"),
        ("reference.py", "g.sum(axis=0)", "g.sum(axis=0) * 1.001", "but the slope there is"),
        ("reference.py", "g.sum(axis=0)", "g.sum(axis=0)[:1]", "has shape (1,)"),
        ("reference.py", "x @ W + b", "np.linalg.norm(x @ W) + b", "NameError"),
        ("reference.py", '"""y = x W + b."""', "1 / 0", "ZeroDivisionError"),
        ("stub.py", "dense v1", "dense v2", "stub.py begins with"),
        ("stub.py", "raise NotImplementedError", "return g @ W.T, x.T @ g, g.sum(axis=0)", "the stub passes"),
        ("stub.py", "raise NotImplementedError", "return g", "the stub is shape"),
        ("stub.py", "raise NotImplementedError", "return (", "stub.py does not run"),
        ("stub.py", "def backward", "def backwards", "stub.py has no function backward"),
        ("text.md", "# A dense", "A dense", "begin with a title"),
        ("hints.md", "## 3", "## 4", "expected the sections"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said(tmp_path, file, old, new, says):
    faults = authoring.check(changed(tmp_path, file, old, new), seeds=1).faults
    assert any(says in fault for fault in faults), faults


def test_a_draw_on_a_kink_is_refused(tmp_path):
    folder = tmp_path / "kinked"
    shutil.copytree(catalogue.find("relu").folder, folder, ignore=shutil.ignore_patterns("__pycache__"))
    text = (folder / "reference.py").read_text()
    (folder / "reference.py").write_text(
        text + "\n\n_draw = draw\n\n\ndef draw(rng):\n    return {'x': np.zeros((3, 2))}\n"
    )
    assert any("on a kink" in fault for fault in authoring.check(folder, seeds=1).faults)


def test_mutants_are_held_against_each_other(tmp_path):
    folder = changed(tmp_path, "stub.py", "Return", "Return")
    head = "from npae.learn.mutant import mutant\n\n"
    twice = '@mutant("backward", "db = mean", "h")\ndef again(right, g, x, W):\n    dx, dW, db = right(g, x, W)\n'
    (folder / "mutants.py").write_text(f"{head}{twice}    return dx, dW, db / len(x)\n")
    fitness = authoring.check(folder, seeds=1)
    assert (fitness.mistakes, fitness.caught, fitness.named) == (13, 13, 11)
    assert any("is called again and db-mean" in fault for fault in fitness.faults)
    (folder / "mutants.py").write_text(f"{head}{twice}    return dx, dW, db\n")
    assert any("again (db = mean) passes" in fault for fault in authoring.check(folder, seeds=1).faults)
    (folder / "mutants.py").write_text(head + twice.replace("backward", "back") + "    return dx, dW, db\n")
    assert any("expected one of backward" in fault for fault in authoring.check(folder, seeds=1).faults)


def test_a_new_exercise_is_fit_as_it_is(tmp_path):
    folder = authoring.new(tmp_path / "21_scale")
    fitness = authoring.check(folder, seeds=2)
    assert fitness.faults == []
    assert (fitness.mistakes, fitness.named) == (13, 13)
    assert load(folder).name == "scale"
    assert load(folder).header == "# npae-exercise: scale v1"
    with pytest.raises(ExerciseError, match="is there already"):
        authoring.new(folder)
    with pytest.raises(ExerciseError, match="no name of Python's own"):
        authoring.new(tmp_path / "22_json")
    with pytest.raises(ExerciseError, match=r"has no exercise\.toml"):
        load(tmp_path)


def test_a_solution_brings_the_helpers_that_it_calls():
    text = catalogue.find("vanilla").solution_text()
    names: dict = {}
    exec(text, names)
    assert {"np", "gradient", "activations", "sigmoid", "cross_entropy"} <= set(names)
    assert "draw" not in names


def test_helpers_that_only_a_lambda_or_a_comprehension_calls_are_found_too():
    code = compile("[listed(n) for n in (lambda n: inner(n))(numbers)], sum(added(n) for n in x)", "", "eval")
    assert {"listed", "inner", "numbers", "added", "sum"} <= set(_names_used(code))


# Messages


def test_numbers_that_differ_late_are_shown_with_more_digits():
    assert messages.numbers(0.5, 0.25) == ("0.5", "0.25")
    assert messages.numbers(1.0000004, 1.0) == ("1.0000004", "1")
    assert messages.numbers(-0.0, 2.0) == ("0", "2")


def test_a_terminal_without_unicode_gets_plain_letters():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    messages.write(stream, "dense  ✗ Σ ∂L/∂x ≥ ½ 中")
    assert stream.buffer.getvalue().decode("ascii") == "dense  WRONG sum  dL/dx >= 1/2 ?\n"  # type: ignore[attr-defined]


def test_a_power_is_one_in_plain_letters_too():
    assert messages.plain("1 / (1 + e⁻ˣ)") == "1 / (1 + e^-x)"


def test_lines_end_between_words_where_a_terminal_is_narrow(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("COLUMNS", "20")
    text = "    dx = g · f′(x)    and so on\n\n- npae learn hint shows the next\n" + "-" * 30
    terminal, file = Terminal(), io.StringIO()
    messages.write(terminal, text)
    messages.write(file, text)
    assert terminal.getvalue() == (
        "    dx = g · f′(x)\n    and so on\n\n- npae learn hint\nshows the next\n" + "-" * 30 + "\n"
    )
    assert file.getvalue() == text + "\n"
    whole = Terminal()
    messages.write(whole, text, whole_lines=True)
    assert whole.getvalue() == text + "\n"


def test_every_letter_of_the_exercises_has_a_plain_form():
    for exercise in catalogue.exercises():
        for text in (exercise.text, *exercise.hints, *(k.hint for f in exercise.functions for k in exercise.known(f))):
            odd = {c for c in messages.plain(text) if ord(c) > 127}
            assert not odd, (exercise.name, odd)


def test_what_a_function_printed_is_shown_with_its_failure():
    class Printing:
        def call(self, function, arguments):
            answer = InProcess({"backward": lambda g, x, W: g}).call(function, arguments)
            return type(answer)(answer.values, answer.trouble, "x is (3, 4)\n" + "z" * 1000, 0.0)

    text = messages.describe(DENSE, judge(DENSE, Printing()))
    assert "your print:\n  x is (3, 4)\n  zzz" in text
    assert text.endswith("…")


# Notebooks


def test_a_notebook_gets_the_same_verdict_and_a_heat_map():
    checked = npae.learn.check("dense", lambda g, x, W: (g @ W.T, x.T @ g, g.mean(axis=0)))
    assert not checked.passed
    assert "Looks like: db-mean. Broadcast forward means sum backward." in repr(checked)
    page = checked._repr_html_()
    assert "Looks like: db-mean" in page
    assert page.count("<svg") == 1
    passed = npae.learn.check("9", right)
    assert passed.passed
    assert "12 known mistakes are excluded" in repr(passed)
    assert "<svg" not in passed._repr_html_()


def test_a_notebooks_functions_are_found_by_name_or_by_place():
    exercise = catalogue.find("chain_rule")
    chain, paths = (exercise.solution(f) for f in exercise.functions)
    assert npae.learn.check("chain_rule", paths, chain).passed
    assert npae.learn.check("chain_rule", lambda *a: chain(*a), lambda *a: paths(*a)).passed
    assert npae.learn.check("chain_rule", chain).outcome.status == "missing"
    with pytest.raises(ValueError, match=r"asks for chain, paths: check\("):
        npae.learn.check("chain_rule")
    with pytest.raises(ValueError, match="3 functions are given"):
        npae.learn.check("chain_rule", chain, paths, chain)


# Milestones


@pytest.mark.parametrize("name", [e.name for e in catalogue.exercises() if e.milestone])
def test_a_milestones_own_gradients_train_as_the_references_do(name, monkeypatch):
    pytest.importorskip("PIL")
    exercise = catalogue.find(name)
    assert exercise.training is not None
    images = milestones.load_digits().train_images[: 4 * exercise.training.batch]
    caller = InProcess({f.name: exercise.solution(f) for f in exercise.functions})
    epochs = []
    for epoch in milestones.train(exercise, caller, images):
        epochs.append(epoch)
        if len(epochs) == 3:
            break
    assert all(e.yours == e.reference for e in epochs)
    assert epochs[2].yours < epochs[0].yours
    png = milestones.picture(exercise, epochs[-1].parameters, scale=1)
    from PIL import Image

    rows = 3 if milestones.corrupts(exercise) else 2
    assert Image.open(io.BytesIO(png)).size == (milestones.SHOWN * 29 - 1, rows * 29 - 1)


def test_training_stops_with_a_sentence_where_the_learners_function_fails():
    exercise = catalogue.find("vanilla")
    solution = exercise.solution(exercise.functions[0])
    images = milestones.load_digits().train_images[:200]

    def trained(gradient):
        for _ in milestones.train(exercise, InProcess({"gradient": gradient}), images):
            pass

    def infinite(*arguments):
        loss, dW1, *others = solution(*arguments)
        return loss, dW1 / 0.0, *others

    with np.errstate(all="ignore"), pytest.raises(milestones.TrainingError, match="in step 1 dW1 is not finite"):
        trained(infinite)
    with pytest.raises(milestones.TrainingError, match="IndexError"):
        trained(lambda *arguments: [][0])


@pytest.mark.parametrize("name", ["chain_rule", "reparameterization"])
def test_results_may_come_in_a_list_or_an_array_of_all(name):
    exercise = catalogue.find(name)

    def status(as_one):
        functions = {f.name: getattr(exercise.reference, f.name) for f in exercise.functions}
        first = exercise.functions[0].name
        right = functions[first]
        return judge(exercise, InProcess({**functions, first: lambda *a: as_one(right(*a))})).status

    assert status(list) == "pass"
    assert status(np.array) == "pass"
    assert status(lambda results: 2 * np.array(results)) == "wrong"
    assert status(lambda results: np.array(results)[:1]) == "shape"


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan, 1e308])
def test_what_is_not_finite_only_where_cells_tie_does_not_pass(bad):
    exercise = catalogue.find("pooling")
    sheets = draw_sheets(exercise)
    functions = {f.name: getattr(exercise.reference, f.name) for f in exercise.functions}
    for sheet in sheets:
        right, tied = functions[sheet.function.name], [case.arguments()[0] for case in sheet.ties]

        def odd(g, *others, right=right, tied=tied):
            result = right(g, *others)
            return result + bad if any(np.array_equal(g, t) for t in tied) else result

        outcome = judge(exercise, InProcess({**functions, sheet.function.name: odd}), sheets)
        assert outcome.status == ("wrong" if tied else "pass")
    assert any(sheet.ties for sheet in sheets)


@pytest.mark.parametrize("factor", [1.7e308, np.inf, np.nan])
def test_numbers_that_overflow_are_no_warning_of_the_checkers(factor, recwarn):
    exercise = catalogue.find("dense")
    outcome = judge(exercise, InProcess({"backward": lambda g, x, W: (g @ W.T * factor, x.T @ g, g.sum(0))}))
    assert outcome.status == "wrong"
    fool = catalogue.find("fool_dense")
    huge = tuple(np.full(shape, 1e300) for shape in ((2, 3), (2, 4), (4, 3)))
    assert judge(fool, InProcess({"wrong": fool.reference.wrong, "inputs": lambda: huge})).status == "wrong"
    assert not [str(w.message) for w in recwarn if issubclass(w.category, RuntimeWarning)]


@pytest.mark.parametrize(
    ("spoiled", "says"),
    [
        (lambda db: db + np.inf, "db has NaN or infinity in it"),
        (lambda db: db * np.nan, "db has NaN or infinity in it"),
        (lambda db: db + 1j, "db is an array of type complex128"),
        (lambda db: db[:-1], "db has shape"),
    ],
)
def test_a_fool_with_a_malformed_gradient_fails(spoiled, says):
    fool = catalogue.find("fool_dense")

    def wrong(g, x, W):
        dx, dW, db = fool.reference.backward(g, x, W)
        return dx, dW, db if len(g) == 1 else spoiled(db)

    outcome = judge(fool, InProcess({"wrong": wrong, "inputs": fool.reference.inputs}))
    assert not outcome.passed
    assert says in outcome.text
    assert "must run at other inputs too" in outcome.text


@pytest.mark.parametrize(("n", "end"), [(500, ""), (501, "…")])
def test_an_output_ends_with_dots_only_where_some_of_it_is_left_out(n, end):
    exercise = catalogue.find("relu")

    def backward(g, x):
        print("x" * n)
        return 2 * g

    text = messages.describe(exercise, judge(exercise, InProcess({"backward": backward})))
    assert text.endswith("x" * 500 + end)
