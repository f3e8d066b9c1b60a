"""The two lines to look at first, the folded HTML and its contrast, and the documented keys of to_dict."""

import json
import re

import numpy as np
import pytest
from helpers.paths import ROOT

from npae.gradcheck import BlockReport, BugMatch, Invariant, Report, Verdict, check, check_jvp

RNG = np.random.default_rng(0)
x, W, b = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 5)), RNG.normal(size=5)


def dense(x, W, b):
    return x @ W + b


def look(backward, f=dense, inputs=(x, W, b), **options):
    return check(f, backward, list(inputs), **options).first_look()


def test_a_pass_has_nothing_to_look_at():
    report = check(dense, lambda g, x, W, b: (g @ W.T, x.T @ g, g.sum(axis=0)), [x, W, b])
    assert report.first_look() == []
    assert "look first" not in str(report)
    assert "Look first" not in report._repr_html_()


def test_a_known_mistake_comes_first_then_what_agrees():
    assert look(lambda g, x, W, b: (g @ W.T, x.T @ g, g.mean(axis=0))) == [
        "db looks like db-mean: Broadcast forward means sum backward.",
        "dx, dW agree with differences at these inputs",
    ]


def test_a_ratio_is_said_with_its_cause():
    first, second = look(lambda g, x, W, b: (g @ W.T, 3 * x.T @ g, g.sum(axis=0)))
    assert first.startswith("dW is 3 times the numeric gradient: it is 3 (x.shape[0] = 3, y.shape[0] = 3)")
    assert second == "dx, db agree with differences at these inputs"


def test_otherwise_the_worst_entry_is_said_with_both_values():
    def backward(g, x, W, b):
        d = x.T @ g
        d[1, 2] *= 3
        return g @ W.T, d, g.sum(axis=0)

    report = check(dense, backward, [x, W, b])
    first = report.first_look()[0]
    found = re.fullmatch(r"dW is wrong; at dW\[1, 2\] it is (\S+), not (\S+)", first)
    assert found, first
    assert float(found[1]) == pytest.approx(3 * float(found[2]), rel=1e-4)


def test_what_was_raised_is_said_once_for_all_gradients():
    lines = look(lambda g, x, W, b: 1 / 0)
    assert lines == ["dx, dW, db: backward raised ZeroDivisionError: division by zero"]


def test_a_backward_that_is_not_linear_is_said_before_the_entries():
    first = look(lambda g, x: g**2, np.sin, (x,))[0]
    assert first.startswith("linear in the upstream gradient: backward(2u − 3v) is not 2 backward(u) − 3 backward(v)")


def test_a_failed_adjoint_test_is_said_where_no_gradient_is_wrong():
    report = check_jvp(np.sin, lambda v, x: np.cos(x) * v, [x], backward=lambda g, x: g)
    assert report.first_look()[0].startswith("adjoint: along x, ⟨g, J v⟩ is ")


def test_what_disturbs_the_check_comes_before_all_and_then_nothing_is_said_to_agree():
    def f(x):
        return x + RNG.normal(size=x.shape)

    lines = look(lambda g, x: g, f, (x,))
    assert lines[0].startswith("forward repeats: two calls with the same inputs give two outputs; mend this first")
    assert not any("agree" in line for line in lines)


def test_nothing_is_said_to_agree_where_a_gradient_depends_on_earlier_calls():
    kept = {"dx": np.zeros(x.shape)}

    def backward(g, x):
        kept["dx"] += g * np.cos(x)
        return kept["dx"]

    report = check(np.sin, backward, [x])
    why = "mend this first: differences prove nothing where calls do not repeat"
    assert report.first_look()[0] == f"backward repeats: each call adds to dx; {why}"
    assert not any("agree" in line for line in report.first_look())
    passed = Report("f", [BlockReport("a", (2,))], [Invariant("forward repeats", False, "two outputs")])
    assert passed.first_look() == [f"forward repeats: two outputs; {why}"]


def test_where_a_pass_writes_into_its_inputs_differences_still_prove_what_they_do():
    def backward(g, x):
        g *= np.cos(x)
        return g

    assert look(backward, np.sin, (x,)) == [
        "inputs unchanged: a pass overwrites the upstream gradient",
        "dx agrees with differences at these inputs",
    ]


def test_a_property_that_does_not_hold_is_said():
    def squeezed(g, x, W, b):
        return (g @ W.T).squeeze(), x.T @ g, g.sum(axis=0)

    assert look(squeezed, batch_axis=0) == [
        "other batch sizes: with 1 sample dx is wrong",
        "dx, dW, db agree with differences at these inputs",
    ]


def test_what_cannot_be_told_and_kinks_are_said_with_their_reason():
    assert look(lambda g, x: g, np.sin, (x * np.nan,)) == ["dx: CAN'T TELL, x is not finite in 12 of 12 entries"]
    assert look(lambda g, x: g * np.sign(x), np.abs, (0 * b,)) == [
        "dx: KINK, 5 entries stand at a kink; their gradients are subgradients"
    ]


def test_there_are_never_more_than_two_lines_and_never_two_about_the_same_gradient():
    blocks = [BlockReport(name, (2,), Verdict.WRONG, ratio=2.0, size=2, checked=2) for name in "abcd"]
    report = Report("f", blocks, names=[BugMatch("one", "", "hint", ("a",)), BugMatch("two", "", "hint", ("a",))])
    assert report.first_look() == ["da looks like one: hint", "db is 2 times the numeric gradient"]
    part = Report("layer 1", blocks[:1])
    assert Report("net", blocks, parts=[part]).first_look() == [
        "layer 1 is wrong when checked alone: da is 2 times the numeric gradient",
        "da is 2 times the numeric gradient",
    ]
    measured = BlockReport("a", (9,), Verdict.WRONG, ratio=2.0, size=9, checked=4)
    (line,) = Report("f", [measured]).first_look()
    assert line == "da is 2 times the numeric gradient in the 4 entries that were measured"
    assert Report("f", [BlockReport("a", (2,))], [Invariant("p", False, "why")]).first_look() == [
        "p: why",
        "da agrees with differences at these inputs",
    ]


# HTML


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_that_of_the_definition():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("verdict", Verdict)
def test_text_has_the_themes_colour_or_enough_contrast_with_its_own_background(verdict):
    html = Report("f", [BlockReport("a", (2,), verdict, "reason", errors=np.ones(2))])._repr_html_()
    styles = re.findall(r'style="([^"]*)"', html)
    coloured = [style for style in styles if re.search(r"(^|;)color:", style)]
    assert coloured
    for style in coloured:
        ink, paper = re.search(r"color:(#\w{6});background:(#\w{6})", style).groups()
        assert contrast(ink, paper) >= 4.5


def test_the_first_look_is_open_and_the_rest_is_folded():
    html = check(dense, lambda g, x, W, b: (g @ W.T, x.T @ g, g.mean(axis=0)), [x, W, b])._repr_html_()
    before, folded = html.split("<details>")
    assert before.count("<p>Look first: ") == 2
    assert "<table>" not in before
    assert "<table>" in folded
    assert folded.rstrip().endswith("</details></div>")
    assert html.count("<svg") == 1


# JSON


def documented(heading):
    page = (ROOT / "docs/gradcheck.md").read_text(encoding="utf-8")
    table = page.split(f"| {heading} | value |\n| --- | --- |\n")[1].split("\n\n")[0]
    return [key for row in table.splitlines() for key in re.findall(r"`(\w+)`", row.split("|")[1])]


def test_the_keys_of_to_dict_are_those_of_the_page():
    report = check(dense, lambda g, x, W, b: (g @ W.T, x.T @ g, g.mean(axis=0)), [x, W, b])
    values = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert set(values) == set(documented("key"))
    of_blocks = set(documented("key of a block"))
    assert all(set(block) == of_blocks - {"output", "along"} for block in values["blocks"])
    directional = check_jvp(np.sin, lambda v, x: v, [x]).to_dict()
    assert all(set(block) == of_blocks for block in directional["blocks"])
    rows = (ROOT / "docs/gradcheck.md").read_text(encoding="utf-8").splitlines()
    for key in ("invariants", "names"):
        (row,) = [row for row in rows if row.startswith(f"| `{key}` |")]
        assert set(re.findall(r"`(\w+)`", row.split("|", 2)[2])) == set(values[key][0])
