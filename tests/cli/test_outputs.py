"""No verb replaces a file silently: what each one reads and writes is declared, and checked before its work."""

import argparse
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from helpers.small_models import samples

import npae
from npae.cli import VERBS, compress, main, make_parser
from npae.cli.arguments import samples_in
from npae.cli.paths import Input, Output
from npae.datasets import load_digits
from npae.estimators import ESTIMATORS
from npae.estimators.parameters import parameters_of
from npae.utils.files import UNFINISHED
from npae.utils.folder_lock import file_locked

Leaf = tuple[str, ...]


def leaves(parser: argparse.ArgumentParser, words: Leaf = ()) -> Iterator[tuple[Leaf, argparse.ArgumentParser]]:
    """Every command with its parser: ("encode",), ("train", "deep"), ("learn", "dev", "new"), and so on."""
    subparsers = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not subparsers:
        yield words, parser
    for action in subparsers:
        for name, subparser in action.choices.items():
            yield from leaves(subparser, (*words, name))


LEAVES = dict(leaves(make_parser()))
OUTPUTS: list[tuple[Leaf, Output]] = [
    (words, output) for words, parser in LEAVES.items() for output in parser.get_default("outputs") or []
]
INPUTS: list[tuple[Leaf, Output, Input]] = [
    (words, output, given) for words, output in OUTPUTS for given in LEAVES[words].get_default("inputs") or []
]
FILES = [case for case in INPUTS if case[0] != ("grade",)]
FOLDERS = [case for case in INPUTS if case[2].holds is samples_in]
#: Options that take text and name no file.
WORDS: dict[str, set[str]] = {
    "bench": {"peers", "models", "growth_of"},
    "encode": {"scheduler"},
    "train": {"checkpoint_every"},
    "sample": {"label"},
    "decode": {"label"},
    "interpolate": {"label"},
    "attribute": {"label"},
    "gradcheck": {"backward", "wrt"},  # functions of a module, and names of its arguments
    "texts": {"encoding"},
    "learn": {"name", "dir", "folder", "folders"},  # a learner's folder, in which no file is replaced
}


def named(leaf: Leaf, *declared: "Output | Input") -> str:
    return " ".join([*leaf, *(declaration.option for declaration in declared)])


every_output = pytest.mark.parametrize(("words", "output"), OUTPUTS, ids=[named(w, o) for w, o in OUTPUTS])


def command(words: Leaf, output: Output, out: Path, **given: str) -> list[str]:
    """The verb with all that it needs: names of nothing, but for what is ``given``."""
    parser = LEAVES[words]
    inputs = {i.dest: i for i in parser.get_default("inputs") or []}
    made = list(words)
    for action in parser._actions:
        value = given.get(action.dest)
        if not action.option_strings:
            made.append(value or f"no-{action.dest}")
        elif action.required:
            made += [action.option_strings[0], next(iter(action.choices or ["none"]))]
        elif value or (action.dest in inputs and inputs[action.dest].needed):
            made += [action.option_strings[-1], value or f"no-{action.dest}"]
    return [*made, output.option, str(out)]


def place(words: Leaf, output: Output, name: str = "out") -> tuple[Path, Path]:
    """What to give the option, and a file that is written then."""
    path = Path(name + next(iter(output.suffixes), ""))
    if not output.is_folder:
        return path, path
    args = make_parser().parse_args(command(words, output, path))
    return path, next(iter(output.files(args, path)))


def refused(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> str:
    """The sentence with which a command ends."""
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    status = main(arguments)
    printed = capsys.readouterr()
    assert status == 2, printed
    assert printed.out == ""
    (line,) = printed.err.strip().split("\n")
    assert line.startswith(f"npae {arguments[0]}: ")
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before
    return line


@pytest.fixture(autouse=True)
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("words", LEAVES, ids=named)
def test_every_option_that_takes_text_is_declared_as_read_or_written_or_names_no_file(words: Leaf) -> None:
    parser = LEAVES[words]
    declared = {d.dest for kind in ("inputs", "outputs") for d in parser.get_default(kind) or []}
    texts = {
        action.dest
        for action in parser._actions
        if action.nargs != 0 and action.type in (None, str) and not action.choices and action.dest != "help"
    }
    parameters = {p.name for p in parameters_of(ESTIMATORS[words[1]])} if words[0] == "train" else set()
    columns = {"drop", "text_column", "label_column"}
    assert texts - declared - parameters - columns <= WORDS.get(words[0], set())


def test_every_verb_is_known_here() -> None:
    assert {words[0] for words in LEAVES} == set(VERBS)
    assert {words for words, _ in OUTPUTS} == {tuple(line.split()) for line in [*RUNS, *TOO_LONG_TO_RUN]}


@every_output
def test_a_file_that_is_there_is_refused_before_the_work(
    words: Leaf, output: Output, capsys: pytest.CaptureFixture[str]
) -> None:
    path, file = place(words, output)
    file.parent.mkdir(exist_ok=True)
    file.write_text("precious")
    line = refused(capsys, command(words, output, path))  # with inputs that do not exist
    assert f"{output.option} {path} {f'holds {file.name}' if output.is_folder else 'exists'} already; give " in line
    assert line.endswith("or --force to replace it")


@pytest.mark.parametrize("way", ["itself", "link", "hard link", "link to it"])
@pytest.mark.parametrize(("words", "output", "given"), FILES, ids=[named(*case) for case in FILES])
def test_what_is_read_is_never_written(
    words: Leaf, output: Output, given: Input, way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path, file = place(words, output)
    file.parent.mkdir(exist_ok=True)
    value = file
    if way == "itself":
        file.write_text("precious")
    elif way == "link to it":
        file.write_text("precious")
        value = Path("link")
        value.symlink_to(file)
    else:
        value = Path("precious")
        value.write_text("precious")
        if way == "link":
            file.symlink_to(value.resolve())
        else:
            os.link(value, file)
    line = refused(capsys, [*command(words, output, path, **{given.dest: str(value)}), "--force"])
    assert f"{output.option} {file} is the file given as {given.option}, which would be lost; give another name" in line


@pytest.mark.parametrize(("words", "output", "given"), FOLDERS, ids=[named(*case) for case in FOLDERS])
def test_nothing_is_written_into_a_folder_that_is_read_nor_over_a_file_that_it_leads_to(
    words: Leaf, output: Output, given: Input, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("photos", "more").mkdir(parents=True)
    Path("link").symlink_to("photos")
    Path("elsewhere").mkdir()
    Path("photos", "further").symlink_to(Path("elsewhere").resolve())
    for folder in ("photos", "photos/more", "link", "elsewhere"):
        path, file = place(words, output, f"{folder}/new")
        line = refused(capsys, [*command(words, output, path, **{given.dest: "photos"}), "--force"])
        assert f"{file} lies in the folder given as {given.option} and would be taken for a part of it" in line
    path, file = place(words, output)
    file.parent.mkdir(exist_ok=True)
    file.write_text("precious")
    Path("photos", "more", "a.png").symlink_to(file.resolve())
    line = refused(capsys, [*command(words, output, path, **{given.dest: "photos"}), "--force"])
    assert f"{file} is in the folder given as {given.option}, which would lose it; give another name" in line


@pytest.mark.parametrize("option", ["--csv", "--json"])
def test_marks_are_never_written_over_a_submission_or_an_exercise(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("class/anna", "mine"):
        Path(folder).mkdir(parents=True)
        Path(folder, "dense.py").write_text("precious")
    Path("link").symlink_to("class/anna/dense.py")
    arguments = ["grade", "class", "--exercise", "./mine", "--force", option]
    os.link("class/anna/dense.py", "hard")
    for name in ("class/anna/dense.py", "link", "hard"):
        assert f"{name} is in the folder given as DIR, which would lose it" in refused(capsys, [*arguments, name])
    sentence = "class/anna/new.csv lies in the folder given as DIR and would be taken for a part of it; choose a place"
    assert sentence in refused(capsys, [*arguments, "class/anna/new.csv"])
    sentence = "mine/dense.py is in the folder given as --exercise, which would lose it; give another name"
    assert sentence in refused(capsys, [*arguments, "mine/dense.py"])


@every_output
def test_what_cannot_be_written_is_refused_before_the_work(
    words: Leaf, output: Output, capsys: pytest.CaptureFixture[str]
) -> None:
    suffix = next(iter(output.suffixes), "")
    Path(f"round{suffix}").symlink_to(f"round{suffix}")
    Path(f"nowhere{suffix}").symlink_to(f"missing{suffix}")
    cases = {
        "n" * 300 + suffix: "cannot be written (File name too long); choose another",
        f"round{suffix}": "cannot be written (Too many levels of symbolic links); choose another",
        f"nowhere{suffix}": "does not exist; ",
    }
    if sys.platform == "linux":
        Path("elsewhere").symlink_to("/proc")
        cases[f"elsewhere/x{suffix}"] = "cannot be written (No such file or directory); choose another"
    if output.is_folder:
        Path("file").write_text("precious")
        cases["file"] = "file is a file; give a folder"
        cases["file/folder"] = "file is a file; give a folder"
    else:
        Path(f"folder{suffix}").mkdir()
        cases[f"folder{suffix}"] = "is a folder; give the name of a file"
        cases[f"none/x{suffix}"] = "none does not exist; make it, or choose another path"
        if not suffix:
            cases["/dev/null"] = "is a device or a pipe, no file; give the name of a file"
    for name, sentence in cases.items():
        assert sentence in refused(capsys, [*command(words, output, Path(name)), "--force"])


def test_two_outputs_are_two_files(capsys: pytest.CaptureFixture[str]) -> None:
    for other in ("marks.csv", "./MARKS.csv", "marks.csv.journal"):
        line = refused(capsys, ["grade", "class", "--csv", "marks.csv", "--json", other])
        assert "--csv and --json both name" in line
        assert "give each a file of its own" in line


#: Commands that run here with a small model; without their outputs, which have names by default or are given.
RUNS = {
    **{f"train {kind}": "--data x.npy --epochs 1 --batch-size 20 --no-verbose --code-size 2" for kind in ESTIMATORS},
    "encode": "model.safetensors --data x.npy",
    "decode": "model.safetensors codes.npy",
    "reconstruct": "model.safetensors --data x.npy",
    "sample": "model.safetensors -n 4",
    "interpolate": "model.safetensors --data x.npy",
    "generate": "model.safetensors --data x.npy",
    "attribute": "model.safetensors --data x.npy --plus x.npy --minus other.npy",
    "reduce": "model.safetensors --train x.npy --test x.npy",
    "index": "model.safetensors --data x.npy",
    "search": "model.safetensors index x.npy",
    "compress": "model.safetensors --data x.npy",
    "decompress": "model.safetensors packed",
    "classify": "model.safetensors --train x.npy --train-labels y.csv --data x.npy",
    "texts": "mails.tsv --data mails.tsv --code-size 2",
    "cluster": "model.safetensors --data x.npy --clusters 2 --method dec",
    "detect": "model.safetensors --train x.npy --data x.npy",
    "export": "model.safetensors --to python",
    "explore": "model.safetensors --data x.npy",
    "grade": "class --exercise relu --points scheme.toml",
}
TOO_LONG_TO_RUN = ["demo", "bench", "crop"]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, and what the verbs make of it."""
    folder = tmp_path_factory.mktemp("inputs")
    x = samples(30, 8, 8)
    np.save(folder / "x.npy", x)
    np.save(folder / "other.npy", x[:10])
    model = npae.DeepAutoencoder(hidden=(6,), code_size=2, epochs=1, batch_size=10, random_state=0).fit(x)
    model.save(folder / "model.safetensors")
    np.save(folder / "codes.npy", model.transform(x))
    (folder / "scheme.toml").write_text("[relu]\npoints = 2\n")
    (folder / "y.csv").write_text("cat\ndog\n" * 15)
    (folder / "mails.tsv").write_text("label\ttext\n" + "spam\tbuy pills cheap\nham\tcheap lunch today\n" * 15)
    (folder / "class" / "anna").mkdir(parents=True)
    (folder / "class" / "anna" / "relu.py").write_text("# npae-exercise: relu v1\n")
    arguments = [str(folder / "model.safetensors"), "--data", str(folder / "x.npy"), "--out"]
    assert main(["index", *arguments, str(folder / "index")]) == 0
    assert main(["compress", *arguments, str(folder / "packed")]) == 0
    return folder


@pytest.mark.parametrize("line", RUNS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_only_force_replaces_a_file_and_keeps_its_mode(
    line: str, inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if line in ("reduce", "classify", "texts", "cluster"):
        pytest.importorskip("sklearn")
    words = tuple(line.split())
    options = [str(inputs / word) if (inputs / word).exists() else word for word in RUNS[line].split()]
    for leaf, output in OUTPUTS:
        if leaf != words:
            continue
        path, file = place(words, output, f"out{output.dest}")
        arguments = [*words, *options, output.option, str(path)]
        assert main(arguments) == 0, capsys.readouterr().err
        capsys.readouterr()
        refused(capsys, arguments)
        file.write_text("precious")
        file.chmod(0o600)
        refused(capsys, arguments)
        assert main([*arguments, "--force"]) == 0, capsys.readouterr().err
        assert file.read_bytes() != b"precious"
        if os.name == "posix":
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
        for written in filter(Path.is_file, Path().iterdir()):  # also under names by default, for the next output
            written.unlink()
    assert not list(Path().rglob(f".*{UNFINISHED}"))
    assert not list(Path().rglob(".lock"))


def test_outputs_beside_the_model_are_looked_at_too(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("m.safetensors").write_bytes((inputs / "model.safetensors").read_bytes())
    for name, *arguments in (
        ("m.py", "export", "m.safetensors", "--to", "python"),
        ("m.encoder.safetensors", "export", "m.safetensors", "--to", "encoder"),
        ("m.index.safetensors", "index", "m.safetensors", "--data", str(inputs / "x.npy")),
        ("samples.png", "sample", "m.safetensors"),
        ("images.npaez", "compress", "m.safetensors", "--data", "none.npy"),
    ):
        Path(name).write_text("precious")
        assert f"--out {name} exists already; give another name, or --force" in refused(capsys, arguments)


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (words, option)
        for words, parser in LEAVES.items()
        for option in ("--data", "--train")
        if option in parser._option_string_actions and words[0] not in ("train", "search", "texts")
        if option == "--train" or "--train" not in parser._option_string_actions  # --data is then the other choice
    ],
)
def test_data_is_never_guessed(words: Leaf, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    positional = [f"no-{action.dest}" for action in LEAVES[words]._actions if not action.option_strings]
    line = refused(capsys, [*words, *positional])
    assert f"{option} is missing; give a .npy, .npz, .csv or idx file, a folder of images or of such folders, " in line


def test_digits_are_given_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    x = load_digits().train_images[:40]
    npae.VanillaAutoencoder(code_size=2, epochs=1, batch_size=40).fit(x).save("model.safetensors")
    Path("digits").mkdir()  # a folder of that name is another thing
    assert main(["encode", "model.safetensors", "--data", "digits", "--out", "digits/codes.npy"]) == 0
    assert "5,000 codes" in capsys.readouterr().out


def test_a_verb_that_works_keeps_others_from_its_file_and_both_say_what_is_so(
    inputs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["compress", str(inputs / "model.safetensors"), "--data", str(inputs / "x.npy"), "--out", "x.npaez"]
    read_sources = compress.read_sources

    def second(args: argparse.Namespace, *sources: str, **options: object) -> list[np.ndarray]:
        monkeypatch.setattr(compress, "read_sources", read_sources)
        for more in ([], ["--force"], ["--bits", "1"]):
            line = refused(capsys, [*arguments, *more])
            assert f"is in use: process {os.getpid()} writes it; wait for its end, or choose another name" in line
        return read_sources(args, *sources, **options)

    monkeypatch.setattr(compress, "read_sources", second)
    assert main(arguments) == 0
    assert f"in {Path('x.npaez').stat().st_size:,} bytes: x.npaez" in capsys.readouterr().out
    assert os.listdir() == ["x.npaez"]


def test_a_file_that_appears_before_the_lock_is_seen(
    inputs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(path: Path) -> object:
        path.write_text("precious")  # another process was faster, and is done
        return file_locked(path)

    monkeypatch.setattr("npae.cli.paths.file_locked", slow)
    assert main(["sample", str(inputs / "model.safetensors"), "--out", "s.npy"]) == 2
    assert "--out s.npy exists already" in capsys.readouterr().err
    assert Path("s.npy").read_text() == "precious"


def test_a_folder_that_nothing_was_written_into_does_not_stay(inputs: Path) -> None:
    assert main(["generate", str(inputs / "model.safetensors"), "--data", "none.npy", "--out", "a/b"]) == 2
    Path("kept").mkdir()
    assert main(["generate", str(inputs / "model.safetensors"), "--data", "none.npy", "--out", "kept"]) == 2
    assert os.listdir() == ["kept"]


# Verbs that go on in their own files


def grade(inputs: Path, *options: str) -> list[str]:
    return ["grade", str(inputs / "class"), "--exercise", "relu", *options]


def test_grading_goes_on_in_its_own_files_and_in_no_others(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = grade(inputs, "--csv", "m.csv", "--json", "m.json")
    assert main(arguments) == 0
    capsys.readouterr()
    sentence = "--csv m.csv exists already; give another name, --resume to go on with that run, or --force to replace"
    assert sentence in refused(capsys, arguments)
    assert main([*arguments, "--resume"]) == 0
    capsys.readouterr()
    for name, foreign in (("m.csv", "name,mark\nAnna,1"), ("m.json", "{}"), ("m.csv.journal", "my diary\n")):
        own = Path(name).read_bytes()
        Path(name).write_text(foreign)
        assert f"{name} exists already; give another name, or --force" in refused(capsys, [*arguments, "--resume"])
        Path(name).write_bytes(own)
    Path("m.csv").unlink()
    Path("m.json").unlink()  # a run that was killed leaves its journal
    assert "m.csv.journal exists already; give another name, --resume to go on" in refused(capsys, arguments)
    assert main([*arguments, "--resume"]) == 0


def test_the_demonstration_replaces_its_own_page_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from npae.cli.demo import comparison, page

    def work(*_: object, **__: object) -> None:
        raise ValueError("the work has begun")

    monkeypatch.setattr(comparison, "demonstrate", work)
    Path("report.html").write_text("<!doctype html><title>my report</title>")
    assert "--out report.html exists already; give another name, or --force" in refused(capsys, ["demo"])
    Path("report.html").write_text(page.PAGE.format(version="0", title=page.TITLE, sections=""))
    assert "the work has begun" in refused(capsys, ["demo"])
    Path("p.png").write_text("precious")
    assert "--picture p.png exists already" in refused(capsys, ["demo", "--picture", "p.png"])


def train(inputs: Path, *options: str, data: str = "x.npy") -> list[str]:
    quick = ["--epochs", "2", "--batch-size", "20", "--no-verbose", "--code-size", "2", "--out", "run"]
    return ["train", "vanilla", "--data", str(inputs / data), *quick, *options]


def files_in(folder: str) -> set[str]:
    return {str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file()}


def test_training_anew_replaces_all_of_the_run_that_was_there(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(train(inputs, "--checkpoint-every", "1", "--epochs", "3")) == 0
    Path("run", "diagnosis.json").write_text("{}")
    Path("run", "notes.txt").write_text("mine")
    capsys.readouterr()
    sentence = "--out run holds model.safetensors already; give another folder, --resume to go on with that run, or"
    assert sentence in refused(capsys, train(inputs))
    np.save("table.npy", np.load(inputs / "x.npy").reshape(30, 64))
    assert main(train(Path(), "--force", data="table.npy")) == 0
    assert files_in("run") == {"model.safetensors", "history.csv", "losses.svg", "notes.txt"}
    assert npae.load("run/model.safetensors").n_iter_ == 2
    assert len(Path("run", "history.csv").read_text().splitlines()) == 3
    assert main(train(inputs, "--force", "--checkpoint-every", "1")) == 0
    assert main(train(inputs, "--force", "--checkpoint-every", "2", "--seed", "4")) == 0
    assert [name for name in files_in("run") if "checkpoint" in name] == [
        os.path.join("checkpoints", "checkpoint-000000000004.safetensors")
    ]


def test_training_that_cannot_begin_replaces_nothing(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(train(inputs, "--checkpoint-every", "1")) == 0
    capsys.readouterr()
    for wrong in (["--activation", "swish"], ["--batch-size", "0"], ["--data", "none.npy"]):
        refused(capsys, train(inputs, "--force", *wrong))
        refused(capsys, train(inputs, "--force", "--checkpoint-every", "1", *wrong))
    assert "--resume goes on with the run that --force would replace; give one" in refused(
        capsys, train(inputs, "--force", "--resume")
    )


def test_resuming_goes_on_with_a_run_and_replaces_no_other(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(train(inputs)) == 0
    capsys.readouterr()
    sentence = (
        "holds model.safetensors already; there is no checkpoint to go on from, so give another folder, or --force"
    )
    assert sentence in refused(capsys, train(inputs, "--resume"))
    assert main(train(inputs, "--force", "--checkpoint-every", "1")) == 0
    assert main(train(inputs, "--resume", "--epochs", "3")) == 0
    for path in Path("run", "checkpoints").iterdir():
        path.unlink()
    capsys.readouterr()
    assert sentence in refused(capsys, train(inputs, "--resume"))
    Path("run", "model.safetensors").unlink()  # as a run leaves it that was killed before its first checkpoint
    assert main(train(inputs, "--resume")) == 0


@pytest.mark.parametrize("name", ["", " "])
def test_an_empty_name_is_refused(name: str, inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(inputs / "x.npy")]
    for words in (["train", "vanilla", *data], ["encode", str(inputs / "model.safetensors"), *data]):
        assert "--out is empty; give a name" in refused(capsys, [*words, "--out", name])
    assert os.listdir() == []
