"""Errors, hints and help texts of the command line name its options, and not the parameters of Python."""

import argparse
import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.small_models import QUICK, samples

import npae
from npae.cli import main, make_parser
from npae.cli.option_names import in_options, option_names
from npae.estimators import ESTIMATORS
from npae.estimators.parameters import parameters_of


def parsed(line: str) -> argparse.Namespace:
    return make_parser().parse_args(line.split())


def leaves(parser: Any) -> Iterator[argparse.ArgumentParser]:
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield parser
    for choice in (choice for action in below for choice in action.choices.values()):
        yield from leaves(choice)


LEAVES = list(leaves(make_parser()))


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("lower batch_size for more steps", "lower --batch-size for more steps"),
        ('a new model with loss="mse", then', "a new model with --loss mse, then"),
        ("epochs is 0; expected a whole number", "--epochs is 0; expected a whole number"),
        ("every is 'x'; expected epochs", "--checkpoint-every is 'x'; expected epochs"),
        ("a value in hidden is 0; expected units", "a value in --hidden is 0; expected units"),
        ("n_jobs is 0; expected threads, or None", "--n-jobs is 0; expected threads, or none"),
        ("n_jobs is 0; expected threads", "--n-jobs is 0; expected threads"),
        ("random_state is -1; expected a seed", "--seed is -1; expected a seed"),
        ("validation_fraction=0.5 of 1 sample", "--validation-fraction 0.5 of 1 sample"),
        ("early_stopping=False", "--no-early-stopping"),
        ("recorded=True", "--recorded"),
        ("lower beta (1), or raise beta_warm_up", "lower beta (1), or raise --beta-warm-up"),
        ("give --header if it is (in Python header=(True, 1)), else", "give --header if it is, else"),
        (
            "divide (images of 0-255: X / 255, on the command line --divide 255)",
            "divide (images of 0-255: --divide 255)",
        ),
        ("resized (size=(h, w), on the command line --size H,W)", "resized (--size H,W)"),
    ],
)
def test_parameters_are_shown_as_the_options_that_are_typed(said: str, shown: str) -> None:
    assert in_options(said, parsed("train deep --data x.npy")) == shown


@pytest.mark.parametrize(
    "said",
    [
        "there is no column 'batch_size'",
        "runs/batch_size.csv: no such file or directory",
        "the batch is small and the loss is high",
        "call sample(sampler='gmm') after fit",
        "the size is given; the header is missing",
        "a file named my_batch_size or batch_size_2",
    ],
)
def test_names_of_files_and_columns_and_plain_words_stay(said: str) -> None:
    assert in_options(said, parsed("train deep --data x.npy")) == said


def test_a_name_that_was_typed_stays() -> None:
    said = "batch_size: no such file or directory"
    assert in_options(said, parsed("encode model.safetensors --data batch_size")) == said


def test_an_option_of_the_verb_comes_before_that_of_train() -> None:
    names = option_names(make_parser(), "texts")
    assert names["code_size"] == "--code-size"
    assert names["label_column"] == "--label-column"
    assert names["batch_size"] == "--batch-size"  # of npae train


def test_every_parameter_of_an_estimator_has_an_option() -> None:
    names = option_names(make_parser(), "train")
    for cls in ESTIMATORS.values():
        assert {parameter.name for parameter in parameters_of(cls)} <= set(names)


@pytest.mark.parametrize("parser", LEAVES, ids=lambda parser: parser.prog)
def test_help_names_options_and_no_value_of_python(parser: Any) -> None:
    text = " ".join(parser.format_help().split())
    parameters = {name for cls in ESTIMATORS.values() for name in inspect.signature(cls).parameters if "_" in name}
    assert not {name for name in parameters if re.search(rf"(?<![\w./]){name}\b", text)}
    assert not re.search(r"\b(None|True|False)\b", text)


def refusal(parser: Any, action: argparse.Action, word: str) -> str:
    """What is said of a word as the value of an option; nothing where it is taken."""
    try:
        parser._get_values(action, [word])
    except argparse.ArgumentError as error:
        return error.message
    return ""


@pytest.mark.parametrize("parser", LEAVES, ids=lambda parser: parser.prog)
def test_a_whole_number_is_asked_for_only_where_no_other_is_taken(parser: Any) -> None:
    for action in parser._actions:
        if action.type is not None and action.option_strings and not refusal(parser, action, "1.5"):
            assert "whole number" not in refusal(parser, action, "abc"), action.option_strings


@pytest.mark.parametrize("parser", LEAVES, ids=lambda parser: parser.prog)
def test_every_option_has_a_long_name(parser: Any) -> None:
    for action in parser._actions:
        assert not action.option_strings or any(name.startswith("--") for name in action.option_strings)


@pytest.mark.parametrize(
    ("option", "value"), [("--clip-norm", None), ("--validation-fraction", None), ("--filters", None)]
)
def test_none_is_typed_as_a_word(option: str, value: None) -> None:
    args = parsed(f"train denoising {option} none")
    assert getattr(args, option[2:].replace("-", "_")) is value
    assert parsed("train denoising --filters 2 3").filters == [2, 3]


@pytest.mark.filterwarnings("default")
def test_hints_and_errors_of_a_run_name_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", samples(12, 6))
    train = ["train", "vanilla", "--data", "x.npy", "--code-size", "2", "--no-verbose", "--out", "run"]
    assert main([*train, "--epochs", "0"]) == 2
    assert capsys.readouterr().err == "npae train: --epochs is 0; expected a whole number of at least 1\n"
    with pytest.warns(UserWarning, match="lower batch_size for more steps"):  # in Python
        npae.VanillaAutoencoder(**{**QUICK, "code_size": 2, "batch_size": 20}).fit(samples(12, 6))
    assert main([*train, "--epochs", "1"]) == 0
    assert "lower --batch-size for more steps" in capsys.readouterr().err


def test_a_message_that_reaches_python_too_says_which_words_are_those_of_the_command_line() -> None:
    package = Path(npae.__file__).parent
    texts = [
        (str(path.relative_to(package)), text)
        for path in sorted(package.rglob("*.py"))
        if path.relative_to(package).parts[0] not in ("cli", "learn") and "selftest" not in path.parts
        for text in messages(ast.parse(path.read_text(encoding="utf-8")))
    ]
    naming = [(path, text) for path, text in texts if re.search(r"(?<![\w-])--[a-z]", text) and "\n" not in text]
    assert len(naming) > 10
    assert [one for one in naming if not re.search("on the command line|in Python|npae train", one[1])] == []


def messages(tree: ast.AST) -> list[str]:
    """The texts of a module, each whole, with {} in place of values."""
    whole = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    parts = {id(part) for node in whole for part in node.values}
    constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in parts]
    return [text for text in constants if isinstance(text, str)] + [
        "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values) for node in whole
    ]


def test_the_refusal_of_a_large_page_names_the_options_on_the_command_line() -> None:
    said = 'take fewer samples (first=) or half the digits of the weights (weights="float16")'
    shown = in_options(said, parsed("explore m.safetensors --data x.npy"))
    assert shown == "take fewer samples (--first) or half the digits of the weights (--weights float16)"
