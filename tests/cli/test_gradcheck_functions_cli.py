"""``npae gradcheck module:function``: how the gradient is found, what inputs are drawn, exit codes and errors."""

import json

import numpy as np
import pytest

from npae.cli import main
from npae.cli.gradcheck_function import drawn_input, input_list

SOURCE = """
import numpy as np


def dense(x, W):
    return x @ W

def dense_backward(g, x, W):
    return g @ W.T, x.T @ g

def halved(g, x, W):
    return g @ W.T / 2, x.T @ g


def loss(w, x, labels, weight):
    scores = x @ w
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return -weight * np.log(p[np.arange(len(x)), labels]).mean()

def grad_loss(w, x, labels, weight):
    scores = x @ w
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    p[np.arange(len(x)), labels] -= 1
    return weight * x.T @ p / len(x)


def affine_forward(x):
    return 2 * x

def affine_backward(g, x):
    return 2 * g


def double(x):
    return 2 * x

def double_grad(g, x):
    return 2 * g

def grad_double(g, x):
    return 2 * g


def power(x):
    return np.log(x)

def power_grad(*arguments):
    g, x = arguments
    return g / x


def total(x):
    return (x**2).sum()

def total_grad(*arguments):
    (x,) = arguments
    return 2 * x

def total_wrong(x):
    return x


def picky(x):
    raise ValueError("picky about its input")

def picky_backward(g, x):
    return g

def alone(x):
    return x

NUMBER = 3
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gradcheck_functions.py").write_text(SOURCE, encoding="utf-8")
    return tmp_path


def run(capsys, *arguments):
    code = main(["gradcheck", *arguments])
    answer = capsys.readouterr()
    return code, answer.out, answer.err


def test_the_gradient_beside_a_function_is_found_and_named(folder, capsys):
    code, out, _ = run(capsys, "gradcheck_functions:dense", "--inputs", "3x4,4x5")
    assert code == 0
    assert "dense_backward: PASS" in out
    assert "12 of 12" in out
    assert "note: the gradient checked is dense_backward" in out
    code, out, _ = run(capsys, "gradcheck_functions:affine_forward", "--inputs", "3x4")
    assert code == 0
    assert "the gradient checked is affine_backward" in out


def test_a_gradient_that_is_given_is_checked_and_a_wrong_one_gives_1(folder, capsys):
    for given in ("halved", "gradcheck_functions:halved"):
        code, out, _ = run(capsys, "gradcheck_functions:dense", "--inputs", "3x4,4x5", "--backward", given, "--json")
        report = json.loads(out)
        assert code == 1
        assert [block["verdict"] for block in report["blocks"]] == ["WRONG", "PASS"]
        assert report["blocks"][0]["ratio"] == pytest.approx(0.5)


@pytest.mark.parametrize("options", [[], ["--scalar"]])
def test_a_loss_with_labels_and_a_number_is_checked_without_an_upstream_gradient(folder, capsys, options):
    arguments = ["gradcheck_functions:loss", "--inputs", "5x4,3x5,3:4,=0.5", "--wrt", "w", *options]
    code, out, _ = run(capsys, *arguments)
    assert code == 0, out
    assert "20 of 20" in out
    assert ("grad_loss takes 4 arguments, so it was called without an upstream gradient" in out) == (not options)


def test_a_gradient_that_takes_any_number_of_arguments_is_given_g(folder, capsys):
    code, out, _ = run(capsys, "gradcheck_functions:power", "--inputs", "+3x4", "--fast")
    assert code == 0, out
    assert "without an upstream" not in out


def test_a_gradient_of_a_loss_whose_arguments_do_not_show_it_needs_scalar(folder, capsys):
    given = ["gradcheck_functions:total", "--inputs", "3x4", "--backward", "total_grad"]
    assert run(capsys, *given)[0] == 1
    code, out, _ = run(capsys, *given, "--scalar")
    assert code == 0, out
    assert "12 of 12" in out


def test_a_wrong_gradient_of_a_loss_gives_1_and_its_ratio(folder, capsys):
    given = ["gradcheck_functions:total", "--inputs", "3x4", "--scalar", "--backward", "total_wrong", "--json"]
    code, out, _ = run(capsys, *given)
    (block,) = json.loads(out)["blocks"]
    assert code == 1
    assert (block["verdict"], block["ratio"]) == ("WRONG", pytest.approx(0.5))


def test_inputs_are_drawn_as_they_are_described():
    rng = np.random.default_rng(0)
    texts = input_list("3x4,+7,2x3:10,number,=3,=0.5,5:1")
    x, positive, labels, number, whole, part, zeros = (drawn_input(text, rng) for text in texts)
    assert x.shape == (3, 4)
    assert (x < 0).any()
    assert positive.shape == (7,)
    assert positive.min() > 0
    assert labels.shape == (2, 3)
    assert labels.dtype.kind == "i"
    assert 0 <= labels.min() <= labels.max() < 10
    assert isinstance(number, np.floating)
    assert (type(whole), whole, part) == (int, 3, 0.5)
    assert not zeros.any()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["dense"], "dense is a function, and its inputs are not given; add --inputs, such as 3x4,4x5"),
        (["dense", "--inputs", "3x4,4x5", "--shape", "3"], "--shape is for layers; give --inputs"),
        (["dense", "--inputs", "3x4,5x4"], "dense cannot be run with --inputs: ValueError at gradcheck_functions.py"),
        (["dense", "--inputs", "3x4,4x5", "--wrt", "V"], "wrt names 'V'"),
        (["dense", "--inputs", "3x4,4x5", "--backward", "NUMBER"], "is NUMBER, which is no function"),
        (["dense", "--inputs", "3x4,4x5", "--backward", "missing"], "has no 'missing'"),
        (["double", "--inputs", "3"], "double_grad and grad_double are both in gradcheck_functions; say which"),
        (["alone", "--inputs", "3"], "none of alone_backward, backward_alone, alone_grad, grad_alone is in"),
        (["picky", "--inputs", "3"], "ValueError at gradcheck_functions.py, line 64: picky about its input"),
        (["NUMBER", "--inputs", "3"], "is int, not a function or layer"),
        (["dense", "--inputs", "3x4,4x5", "--scalar"], "but check_grad is for functions that return one number"),
    ],
)
def test_a_mistake_in_use_gives_2_and_a_sentence(folder, capsys, arguments, sentence):
    code, _, err = run(capsys, f"gradcheck_functions:{arguments[0]}", *arguments[1:])
    assert code == 2
    assert sentence in err
    assert len(err.strip().split("\n")) == 1


@pytest.mark.parametrize("text", ["3x", "0x4", "3,,4", "=x", "+3:4", "-3", "3x4:0"])
def test_an_input_of_another_form_is_refused(folder, capsys, text):
    with pytest.raises(SystemExit) as caught:
        main(["gradcheck", "gradcheck_functions:dense", f"--inputs={text}"])
    assert caught.value.code == 2
    assert "--inputs" in capsys.readouterr().err


def test_other_batches_are_checked_where_their_axis_is_given(folder, capsys):
    code, out, _ = run(capsys, "gradcheck_functions:dense", "--inputs", "3x4,4x5", "--batch-axis", "0")
    assert code == 0
    assert "the batch is axis 0 of x\n" in out


def test_options_of_functions_are_refused_for_a_layer(capsys):
    for option in (["--inputs", "3x4"], ["--batch-axis", "0"], ["--scalar"]):
        assert main(["gradcheck", "npae.layers:ReLU", *option]) == 2
        assert f"is a layer, and {option[0]} is for functions; give --shape" in capsys.readouterr().err
