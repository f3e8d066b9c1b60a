"""The end of the course: what next says, the certificate, and training with the learner's own Adam."""

import json
from itertools import islice

import numpy as np
import pytest

from npae.cli import main
from npae.kernels.reference.optimizer import adam
from npae.learn.catalogue.catalogue import exercises, find
from npae.learn.sandbox.in_process import InProcess
from npae.learn.workspace import certificate, milestones, progress
from npae.learn.workspace.own_adam import RESTART, OwnAdam

ADAM = find("adam")


@pytest.fixture
def course(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    assert main(["learn", "start", "."]) == 0
    return tmp_path


def passed(course, names) -> None:
    records = {name: {"status": "passed", "attempts": 2, "hints": 1, "mistakes": ["db-mean"]} for name in names}
    told = {"npae-learn": 1, "present": "variational", "exercises": records}
    (course / progress.FILE).write_text(json.dumps(told), encoding="utf-8")


def test_after_the_last_exercise_next_names_what_is_left_and_only_that(course, capsys):
    numbered, sides = ([e.name for e in exercises() if bool(e.number) is kind] for kind in (True, False))
    for left in (sides, sides[:1], []):
        passed(course, [*numbered, *(set(sides) - set(left))])
        capsys.readouterr()
        assert main(["learn", "next"]) == 0
        told = capsys.readouterr().out
        assert [name in told for name in sides] == [name in left for name in sides]
        assert ("all bug hunts and fools" in told) is not left


def test_the_certificate_counts_and_shows_the_pictures_that_are_there(course, capsys):
    passed(course, ["vanilla", "dense"])
    parameters = find("vanilla").reference.initial(np.random.default_rng(0), np.zeros((1, 784)))
    (course / "vanilla.png").write_bytes(milestones.picture(find("vanilla"), parameters, scale=1))
    (course / "deep.png").write_bytes(b"another picture")
    assert main(["learn", "certificate"]) == 0
    page = (course / certificate.NAME).read_text(encoding="utf-8")
    assert "2 of 20 exercises passed, and 0 of 7 bug hunts and fools" in page
    assert "4 checks" in page
    assert "2 known mistakes met, 2 of them mended" in page
    assert page.count("data:image/png;base64,") == 1
    assert page.count("not passed yet") == 4
    assert "with the pictures that your gradients made" in capsys.readouterr().out
    (course / "vanilla.png").unlink()
    assert main(["learn", "certificate"]) == 0  # its own may be replaced
    assert "pictures" not in capsys.readouterr().out
    (course / certificate.NAME).write_text("mine")
    assert main(["learn", "certificate"]) == 1
    assert "npae did not write it" in capsys.readouterr().out


def test_mistakes_that_checks_have_found_are_kept(course):
    assert main(["learn", "next", "dense"]) == 0
    for line in ("g.mean(0)", "0 * g[0]"):
        (course / "dense.py").write_text(f"def backward(g, x, W): return g @ W.T, x.T @ g, {line}\n")
        main(["learn", "check"])
    assert progress.load(course).records["dense"].mistakes == ["db-mean"]


def test_own_adam_makes_the_steps_of_adam_begun_anew():
    caller, rng = InProcess({"adam": ADAM.reference.adam}), np.random.default_rng(0)
    parameters = {"W": rng.standard_normal((3, 2)), "b": rng.standard_normal(2)}
    expected = {name: value.copy() for name, value in parameters.items()}
    own = OwnAdam(caller, 0.01)
    for step in range(RESTART + 3):
        gradients = {name: rng.standard_normal(value.shape) for name, value in parameters.items()}
        own.step(parameters, gradients)
        if step % RESTART == 0:
            m, v, count = {}, {}, np.zeros(1, np.int64)
        count += 1
        for name, gradient in gradients.items():
            m.setdefault(name, np.zeros_like(gradient)), v.setdefault(name, np.zeros_like(gradient))
            adam(expected[name], gradient, m[name], v[name], np.array([0.01]), count, 0.9, 0.999, 1e-8, 0.0)
    for name in parameters:
        np.testing.assert_allclose(parameters[name], expected[name], rtol=1e-10)


def test_an_adam_that_fails_stops_the_training_with_its_reason():
    exercise = find("variational")
    right = InProcess({f.name: exercise.solution(f) for f in exercise.functions})
    images = milestones.load_digits().train_images[:200]
    with pytest.raises(milestones.TrainingError, match=r"your adam\.py gives no step: there is no function adam"):
        list(milestones.train(exercise, right, images, adam_caller=InProcess({})))


def test_own_gradients_and_own_adam_learn_and_draw():
    exercise = find("variational")
    right = InProcess({f.name: exercise.solution(f) for f in exercise.functions})
    images = milestones.load_digits().train_images[:200]
    epochs = list(islice(milestones.train(exercise, right, images, InProcess({"adam": ADAM.reference.adam})), 2))
    assert epochs[-1].yours < epochs[0].yours
    assert certificate.drawn_digits(epochs[-1].parameters, scale=1).startswith(b"\x89PNG")
