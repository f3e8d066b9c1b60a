"""The sandbox: results and errors of a learner's file in a separate process, limits, and cleanup."""

import io
import os
import time
from pathlib import Path

import numpy as np
import pytest

from npae.learn.sandbox import protocol, worker
from npae.learn.sandbox.call_result import CallResult
from npae.learn.sandbox.cleanup import remove_tree
from npae.learn.sandbox.in_process import InProcess, NoNumbersError, as_arrays
from npae.learn.sandbox.learner_files import LARGEST_SOURCE
from npae.learn.sandbox.process import Limits, Worker, clean

RIGHT = """
import numpy as np

def backward(g, x, W):
    return g @ W.T, x.T @ g, g.sum(0)
"""


def asked(folder: Path, source: str | bytes, *arguments, function: str = "f", seconds: float = 30.0) -> CallResult:
    """The answer of a function of a file with this source."""
    path = folder / "exercise.py"
    path.write_bytes(source if isinstance(source, bytes) else source.encode())
    with Worker(path, Limits(seconds=seconds, memory_mb=512)) as one:
        return one.call(function, arguments)


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_arrays_go_and_come_back_bit_for_bit(tmp_path):
    rng = np.random.default_rng(0)
    g, x, W = rng.normal(size=(5, 3)), rng.normal(size=(5, 4)), rng.normal(size=(4, 3))
    (tmp_path / "dense.py").write_text(RIGHT)
    with Worker(tmp_path / "dense.py") as one:
        for _ in range(2):
            answer = one.call("backward", [g, x, W])
            assert answer.trouble is None
            assert answer.changed == ()
            for ours, theirs in zip((g @ W.T, x.T @ g, g.sum(0)), answer.values, strict=True):
                np.testing.assert_array_equal(ours, theirs, strict=True)


def test_options_arrive_as_what_they_are(tmp_path):
    source = """
def f(*given):
    assert given == ((2, 1), ((0, 1), (0, 0)), None, True, 3, 0.1, "same", [1, 2]), given
    assert type(given[4]) is int
    return 1.0
"""
    given = ((2, 1), ((0, 1), (0, 0)), None, True, np.int64(3), np.float64(0.1), "same", [1, 2])
    answer = asked(tmp_path, source, *given)
    assert answer.trouble is None
    assert answer.values[0].shape == ()


def test_dtypes_are_kept_for_the_judge(tmp_path):
    source = "import numpy as np\ndef f(*names): return tuple(np.zeros((2, 0, 3), n) for n in names)"
    names = ["float16", "float32", "int64", "bool", "complex128"]
    assert [v.dtype.name for v in asked(tmp_path, source, *names).values] == names


def test_what_is_written_into_an_argument_is_told(tmp_path):
    source = "def f(a, b, c):\n    b[0][0] = 7\n    return a"
    answer = asked(tmp_path, source, np.zeros(2), (np.zeros(2), 1.0), np.zeros(2))
    assert answer.changed == (1,)


def test_what_is_printed_is_told_without_what_controls_a_terminal(tmp_path):
    answer = asked(tmp_path, "def f():\n    print('dense \\x1b[32mpass\\x07')\n    return 1.0")
    assert answer.printed == "dense \N{REPLACEMENT CHARACTER}[32mpass\N{REPLACEMENT CHARACTER}\n"


def test_what_is_left_of_a_long_output_is_not_told_of_a_later_call(tmp_path):
    (tmp_path / "long.py").write_text("def f(n):\n    print('x' * n)\n    return 1.0")
    with Worker(tmp_path / "long.py") as one:
        printed = [one.call("f", [n]).printed for n in (20_000, 3)]
    assert printed == ["x" * 4000, "xxx\n"]


def test_the_files_beside_it_can_be_imported_and_what_is_installed_cannot(tmp_path):
    (tmp_path / "sigmoid.py").write_text("def right(): return 2.0")
    assert asked(tmp_path, "import sigmoid\ndef f(): return sigmoid.right()").values[0] == 2.0
    for name in ("npae", "pytest"):
        answer = asked(tmp_path, f"def f(): import {name}")
        assert answer.trouble.status == "error"
        assert f"No module named '{name}'" in answer.trouble.text
    assert not (tmp_path / "__pycache__").exists()


@pytest.mark.parametrize(
    ("source", "status", "said"),
    [
        ("def f(): raise NotImplementedError", "missing", "f is not written yet"),
        ("def g(): return 1.0", "missing", "no function f;"),
        ("", "missing", "no function f;"),
        ("f = 3", "missing", "no function f;"),
        ("def f(): pass", "shape", "f returns None; is a return missing"),
        ("def f(): return 1.0, None", "shape", "of type NoneType"),
        ("def f(): return 'pass'", "shape", "returns a value of type str"),
        ("def f(): return [[1.0], [2.0, [3.0]]]", "shape", "expected an array of numbers"),
        ("import numpy as np\ndef f(): return np.array([None, 1])", "shape", "of dtype object"),
        ("import numpy as np\ndef f(): return np.broadcast_to(0.0, (10**9,))", "shape", "8,000,000,000 bytes"),
        ("def f(): return tuple(range(1000))", "shape", "1,000 values"),
        ("import numpy as np\ndef f(): return (np.broadcast_to(0.0, (10**6,)),) * 50", "shape", "400,000,000 bytes"),
        ("import numpy as np\ndef f(): return np.zeros(10**9)", "memory", "more memory than is allowed"),
        ("def f(): return bytearray(10**11)", "memory", "more memory than is allowed"),
        ("def f():\n  x = 1\n  return g()\n", "error", "exercise.py:3, in f: return g()\nNameError"),
        ("def f(): return f()", "error", "RecursionError"),
        ("def f(: return 1", "error", "exercise.py:1: def f(: return 1\nSyntaxError"),
        (b"def f(): return '\xff'", "error", "save it as UTF-8"),
        (b"def f():\0 return 1", "error", "zero byte"),
        ("x = " + "(" * 500, "error", "exercise.py"),
        ("import sys\ndef f(): sys.exit(0)", "error", "SystemExit: 0"),
        ("import sys\nsys.exit()", "error", "exercise.py:2"),
        ("def f(): raise KeyboardInterrupt", "error", "KeyboardInterrupt"),
        ("def f(): return float(input())", "error", "input() is not available here"),
        ("class E(BaseException):\n  def __str__(self): raise self\ndef f(): raise E", "error", "cannot be shown"),
        ("class E(Exception):\n  def __str__(self): return 'x' * 10**8\ndef f(): raise E", "error", "E: xxx"),
        ("class E(Exception):\n  def __str__(self): return 'x' * 10**9\ndef f(): raise E", "error", "cannot be shown"),
        ("def f():\n  while True: print('x' * 10**6)", "error", "\nMore was printed, or written to a file, than is"),
        ("import os\ndef f(): os._exit(0)", "crash", "ended itself with status 0"),
        ("import os\nos._exit(3)", "crash", "status 3"),
        ("import os, signal\ndef f(): os.kill(os.getpid(), signal.SIGSEGV)", "crash", "segmentation fault"),
        ("import os, signal\ndef f(): os.kill(os.getpid(), signal.SIGABRT)", "crash", "ended by signal 6 ("),
        ("import os\ndef f(): os.closerange(0, 64)\n", "crash", "connection"),
        ("import os, signal\ndef f(): os.kill(os.getpid(), signal.SIGXCPU)", "timeout", "longer than is allowed"),
    ],
)
def test_each_trouble_has_its_status_and_its_words(tmp_path, source, status, said):
    answer = asked(tmp_path, source)
    assert answer.values is None
    assert (answer.trouble.status, said in answer.trouble.text) == (status, True), answer.trouble
    assert len(answer.trouble.text) <= 1000


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n  while True: pass",
        "while True: pass",
        "import time\ndef f(): time.sleep(600)",
        "import signal, time\nfor s in (1, 2, 3, 15): signal.signal(s, signal.SIG_IGN)\ndef f(): time.sleep(600)",
        "import time\nclass D:\n  def __del__(self): time.sleep(600)\ndef f():\n  D()\n  return 1.0",
        "import os\ndef f(): os.kill(os.getpid(), 19)",
    ],
    ids=["loop", "loop at import", "sleep", "signals ignored", "sleep in __del__", "stops itself"],
)
def test_what_does_not_end_is_ended(tmp_path, source):
    start = time.monotonic()
    answer = asked(tmp_path, source, seconds=0.5)
    assert answer.trouble.status == "timeout"
    assert "0.5 seconds" in answer.trouble.text
    assert time.monotonic() - start < 60


def test_the_operating_system_limits_the_process_even_where_its_parent_has_ended(tmp_path):
    """The limit of processor time is a little above the wall-clock time, at whose end the parent kills the process."""
    resource = pytest.importorskip("resource")
    wanted = {"RLIMIT_CPU": 32, "RLIMIT_FSIZE": 16 << 20, "RLIMIT_NOFILE": 64, "RLIMIT_NPROC": 0, "RLIMIT_CORE": 0}
    source = f"import resource\ndef f(): return [resource.getrlimit(getattr(resource, n)) for n in {list(wanted)}]"
    expected = []
    for name, most in wanted.items():
        hard = resource.getrlimit(getattr(resource, name))[1]
        expected.append([most if hard == resource.RLIM_INFINITY else min(most, hard)] * 2)
    assert asked(tmp_path, source, seconds=30.0).values[0].tolist() == expected


def test_the_seconds_are_those_of_all_calls_together(tmp_path):
    (tmp_path / "slow.py").write_text("import time\ndef f():\n  time.sleep(1.2)\n  return 1.0")
    with Worker(tmp_path / "slow.py", Limits(seconds=3.0)) as one:
        statuses = [one.call("f", []).trouble for _ in range(5)]
    assert statuses[0] is None
    assert [s.status for s in statuses[-2:]] == ["timeout"] * 2


def test_after_its_end_every_call_has_the_same_trouble(tmp_path):
    (tmp_path / "gone.py").write_text("import os\ndef f(): os._exit(0)\ndef g(): return 1.0")
    with Worker(tmp_path / "gone.py") as one:
        assert one.call("g", []).trouble is None
        assert one.call("f", []).trouble == one.call("g", []).trouble
    assert one.call("g", []).trouble.status == "crash"


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
@pytest.mark.parametrize("leave", ["", "os.setsid()", "os.setsid(); os.fork() and os._exit(0)"])
@pytest.mark.parametrize("end", ["return 1.0", "os._exit(0)"])
def test_a_child_does_not_outlive_it(tmp_path, leave, end):
    source = f"""
import os, time
def f(told):
    if os.fork() == 0:
        {leave or "pass"}
        open(told, "a").write(f"{{os.getpid()}} ")
        time.sleep(600)
    while not os.path.exists(told):
        time.sleep(0.01)
    {end}
"""
    told = tmp_path / "told"
    answer = asked(tmp_path, source, str(told))
    if answer.trouble and answer.trouble.status == "error":
        pytest.skip("this user's processes cannot fork: nothing can outlive")
    children = [int(word) for word in told.read_text().split()]
    assert children
    deadline = time.monotonic() + 60
    while any(map(alive, children)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(alive, children))


def test_its_working_directory_is_its_own_and_goes_with_it(tmp_path):
    source = """
import os
def f():
    open("left", "w").write("x")
    os.makedirs("/".join("d" * 300))
    return [float(c) for c in os.getcwd().encode()]
"""
    where = Path(bytes(asked(tmp_path, source).values[0].astype(np.uint8)).decode())
    assert where.name == "work"
    assert not where.parent.exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["exercise.py"]


def test_the_environment_is_not_the_teachers(tmp_path, monkeypatch):
    monkeypatch.setenv("PASSWORD", "secret")
    source = "import os\ndef f():\n  assert 'PASSWORD' not in os.environ\n  return 1.0"
    assert asked(tmp_path, source).trouble is None


FORGED = """
import os, struct, json
def frame(number):
    header = json.dumps({"id": number, "changed": [], "arrays": [["<f8", []]], "verdict": "pass"}).encode()
    return struct.pack(">IQ", len(header), 8) + header + struct.pack("<d", 42.0)
def everywhere(content):
    for descriptor in range(3, 64):
        try: os.write(descriptor, content)
        except OSError: pass
"""


def test_a_forged_frame_is_detected_at_the_next_answer(tmp_path):
    (tmp_path / "f.py").write_text(FORGED + "def f():\n  everywhere(frame(3))\n  return 1.0\n")
    with Worker(tmp_path / "f.py") as one:
        first, second = one.call("f", []), one.call("f", [])
    assert first.values[0] == 42.0  # arrays, which have to be right
    assert second.trouble.status == "crash"
    assert "connection" in second.trouble.text


@pytest.mark.parametrize(
    "forgery",
    [
        "b'verdict: pass' * 100",
        "frame(99)",
        "struct.pack('>IQ', 2**32 - 1, 2**63)",
        "struct.pack('>IQ', 60000, 0) + b'[' * 60000",
        """struct.pack('>IQ', 27, 0) + b'{"id": 3, "arrays": [[0,0]]}'""",
        """frame(3).replace(b'"changed": []', b'"changed": 77')""",
        """frame(3).replace(b'"changed": []', b'"changed":[7]')""",
        """frame(3).replace(b'"changed": []', b'"changed":{} ')""",
        """frame(3).replace(b'"changed": []', b'"changed":["')""",
        """frame(3).replace(b'"verdict": "pass"', b'"trouble": "pass"')""",
        """frame(3).replace(b'"<f8"', b'"|O8"')""",
        """frame(3).replace(b'"<f8"', b'"<f9"')""",
        """frame(3).replace(b'"<f8"', b'"<f4"')""",
        """frame(3).replace(b'[]]]', b'-1]]')""",
    ],
)
def test_forged_frames_that_are_none_end_the_process(tmp_path, forgery):
    answer = asked(tmp_path, FORGED + f"def f():\n  everywhere({forgery})\n  return 1.0\n")
    assert answer.values is None
    assert (answer.trouble.status, "connection" in answer.trouble.text) == ("crash", True)


def test_code_that_takes_over_the_process_can_send_arrays_only(tmp_path):
    source = """
import sys, os, gc
import numpy as np
np.allclose = np.array_equal = lambda *a, **k: True
for function in [o for o in gc.get_objects() if getattr(o, "__name__", "") in ("_packed", "serve", "call")]:
    assert "npae" not in sys.modules
def f(x):
    import json
    json.dumps = lambda *a, **k: '{"id": 3, "changed": [], "arrays": [], "status": "pass", "values": "right"}'
    return x
"""
    answer = asked(tmp_path, source, np.ones(2))
    assert answer.values is None
    assert answer.trouble.status == "crash"


def test_views_that_change_later_were_copied_before(tmp_path):
    (tmp_path / "late.py").write_text("""
import numpy as np
kept = np.zeros(3)
def f():
    kept[:] += 1
    return kept
""")
    with Worker(tmp_path / "late.py") as one:
        first, second = one.call("f", []).values[0], one.call("f", []).values[0]
    assert first.tolist() == [1, 1, 1]
    assert second.tolist() == [2, 2, 2]


def test_an_object_that_changes_at_every_look_is_looked_at_once(tmp_path):
    source = """
import numpy as np
class Liar:
    looks = 0
    def __array__(self, *a, **k):
        Liar.looks += 1
        return np.full(2, float(Liar.looks))
def f(): return Liar()
"""
    answer = asked(tmp_path, source)
    assert answer.values[0].tolist() == [1, 1]


def test_files_that_cannot_be_a_learners_are_told_without_a_process(tmp_path):
    for name, status, said in (
        ("none", "missing", "no file"),
        ("folder", "missing", "no file"),
        ("huge", "error", "by"),
    ):
        path = tmp_path / f"{name}.py"
        if name == "folder":
            path.mkdir()
        if name == "huge":
            path.write_bytes(b"#" * (2 << 20))
        with Worker(path) as one:
            trouble = one.call("f", []).trouble
            assert one._process is None
        assert (trouble.status, said in trouble.text) == (status, True)


@pytest.mark.parametrize(("n", "status"), [(LARGEST_SOURCE, None), (LARGEST_SOURCE + 1, "error")])
def test_a_file_of_exactly_the_largest_size_is_run(tmp_path, n, status):
    source = b"def f(): return 1.0\n"
    answer = asked(tmp_path, source + b"#" * (n - len(source)))
    assert (answer.trouble and answer.trouble.status) == status


def test_a_body_of_more_than_a_frame_holds_is_refused_before_it_is_sent():
    with pytest.raises(protocol.FrameError, match="at most"):
        protocol.pack({}, [np.broadcast_to(0.0, (10**7,))])


def test_only_what_json_and_arrays_can_say_is_sent():
    with pytest.raises(TypeError, match="dict"):
        protocol.encode({}, [])


def test_a_frame_that_breaks_off_is_the_end():
    content = io.BytesIO(protocol.pack({"id": 1}, [np.ones(3)])[:-1])
    with pytest.raises(EOFError):
        protocol.read(content.read)


def test_the_worker_answers_request_by_request(tmp_path, monkeypatch):
    """The loop of the process, here: pipes are lists of bytes."""
    monkeypatch.setattr("sys.path", list(__import__("sys").path))
    source = np.frombuffer(RIGHT.encode(), np.uint8)
    x = np.ones((2, 2))
    call = {"do": "call", "id": 2, "function": "backward", "arguments": [{"array": 0}] * 3}
    requests = io.BytesIO(
        protocol.pack({"do": "load", "id": 1, "path": str(tmp_path / "worker_loop.py")}, [source])
        + protocol.pack(call, [x])
        + protocol.pack({"do": "load", "id": 3, "path": str(tmp_path / "worker_loop.py")}, [source[:30]])
    )
    sent: list[bytes] = []
    worker.serve(requests.read, sent.append)
    (loaded, none), (called, arrays), (failed, _) = [protocol.read(io.BytesIO(s).read) for s in sent]
    assert (loaded["id"], none, called["id"], called["changed"]) == (1, [], 2, [])
    assert [a.tolist() for a in arrays] == [[[2, 2], [2, 2]], [[2, 2], [2, 2]], [2, 2]]
    assert failed["trouble"][0] == "error"


def test_in_a_notebook_ctrl_c_is_raised_and_only_user_frames_shown():
    def interrupted():
        raise KeyboardInterrupt

    def broken():
        raise ValueError("oh")

    caller = InProcess({"interrupted": interrupted, "broken": broken})
    with pytest.raises(KeyboardInterrupt):
        caller.call("interrupted", [])
    text = caller.call("broken", []).trouble.text
    assert text.splitlines() == [text.splitlines()[0], "ValueError: oh"]
    assert "in broken: raise ValueError" in text


def test_one_value_is_a_tuple_of_one_and_a_list_of_arrays_is_several():
    assert len(as_arrays(np.ones(3))) == 1
    assert len(as_arrays([1.0, 2.0])) == 1
    assert len(as_arrays([np.ones(3), np.ones(2)])) == 2
    with pytest.raises(NoNumbersError, match="of type set"):
        as_arrays({1.0})


def test_a_process_that_cannot_start_is_no_mistake_of_the_learner(tmp_path, monkeypatch):
    monkeypatch.setattr("npae.learn.sandbox.process.BOOTSTRAP", "raise OSError('no numpy here')")
    (tmp_path / "f.py").write_text(RIGHT)
    with pytest.raises(RuntimeError, match=r"(?s)cannot be started.*no numpy here"), Worker(tmp_path / "f.py"):
        pass


def test_clean_leaves_what_people_write():
    assert clean("dW: ✗ ∂L/∂W\n\tok") == "dW: ✗ ∂L/∂W\n\tok"
    assert "\x1b" not in clean("\x1b[2J\r\u202e")


def test_no_descriptor_is_left_open(tmp_path):
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    for _ in range(3):
        asked(tmp_path, "import os\ndef f(): os._exit(0)")
        asked(tmp_path, "def f(): return 1.0")
    after = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    assert after == before


@pytest.mark.parametrize(
    ("returned", "status", "said"),
    [
        (None, "shape", "f returns None"),
        ("pass", "shape", "returns a value of type str"),
        ([[1.0], [2.0, [3.0]]], "shape", "returns a value of type list"),
        (np.array([None]), "shape", "ndarray of dtype object"),
        (tuple(range(200)), "shape", "200 values"),
        (np.broadcast_to(0.0, (10**9,)), "shape", "8,000,000,000 bytes"),
        (MemoryError(), "memory", "more memory than is allowed"),
        (NotImplementedError(), "missing", "not written yet"),
        (SystemExit(1), "error", "a function must return"),
        (SyntaxError("bad"), "error", "SyntaxError: bad"),
    ],
)
def test_a_call_here_says_the_same_as_one_in_a_process_of_its_own(returned, status, said, tmp_path):
    def f():
        if isinstance(returned, BaseException):
            raise returned
        return returned

    trouble = InProcess({"f": f}, str(tmp_path)).call("f", []).trouble
    assert (trouble.status, said in trouble.text) == (status, True), trouble


def test_a_call_in_process_reports_changed_arguments_and_no_function():
    def f(a, b, c):
        print("seen")
        b[1][0] = 7.0
        return a

    answer = InProcess({"f": f}).call("f", [np.zeros(2), (1.0, np.zeros(2)), [np.zeros(1)]])
    assert (answer.changed, answer.printed) == ((1,), "seen\n")
    assert InProcess({}).call("f", []).trouble.status == "missing"


def test_a_message_that_cannot_be_made_is_told_so(tmp_path):
    class EvilError(Exception):
        def __str__(self):
            raise self

    def f():
        raise EvilError

    assert "EvilError: (its message cannot be shown)" in InProcess({"f": f}, str(tmp_path)).call("f", []).trouble.text


def test_a_value_is_decoded_as_it_was_encoded():
    arrays: list[np.ndarray] = []
    value = (1, 2.5, None, "same", True, [3, (4,)], np.float64(0.5))
    assert protocol.decode(protocol.encode(value, arrays), arrays) == value
    code = protocol.encode((np.ones(2), [np.zeros(3)]), arrays)
    ones, (zeros,) = protocol.decode(code, arrays)
    assert (ones.tolist(), zeros.tolist()) == ([1, 1], [0, 0, 0])


@pytest.mark.parametrize("source", [b"x = '\xff'", b"x = ("])
def test_what_cannot_be_loaded_is_told_in_words(source, tmp_path):
    with pytest.raises((ValueError, SyntaxError), match=r"save it as UTF-8|never closed"):
        worker.load(source, str(tmp_path / "x.py"))


def test_where_no_process_can_be_started_nothing_stays(tmp_path, monkeypatch):
    (tmp_path / "f.py").write_text("")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr("sys.executable", str(tmp_path / "no python"))
    with pytest.raises(FileNotFoundError), Worker(tmp_path / "f.py"):
        raise AssertionError
    assert not list((tmp_path / "temporary").iterdir())


def test_a_folder_is_removed_whatever_is_in_it(tmp_path):
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    (folder / "closed" / "inner").mkdir(parents=True)
    outside.mkdir()
    (outside / "kept").touch()
    (folder / "closed" / "file").touch()
    (folder / "link").symlink_to(outside)
    (folder / "nothing").symlink_to("nowhere")
    here = os.open(folder, os.O_RDONLY)
    for _ in range(2000):  # deeper than a path is long
        os.mkdir("deep", dir_fd=here)
        inner = os.open("deep", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    (folder / "closed").chmod(0)
    folder.chmod(0)
    remove_tree(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["outside"]
    assert (outside / "kept").exists()


@pytest.mark.parametrize(
    "header",
    [
        {"arrays": [["<f8", [0, 10**30]]]},
        {"arrays": [["<f8", [10**30]]]},
        {"arrays": [], "trouble": ["error", ["x"]]},
        {"arrays": [], "trouble": [["error"], "x"]},
    ],
)
def test_what_is_almost_an_answer_is_a_crash(tmp_path, header):
    source = f"""
import json, struct, sys
def f():
    frame = sys._getframe()
    while "send" not in frame.f_locals: frame = frame.f_back
    header = json.dumps({{"id": 3, "changed": [], **{header!r}}}).encode()
    frame.f_locals["send"](struct.pack(">IQ", len(header), 0) + header)
"""
    assert asked(tmp_path, source).trouble.status == "crash"


def test_a_trouble_is_told_in_no_more_than_a_paragraph(tmp_path):
    source = """
import json, struct, sys
def f():
    frame = sys._getframe()
    while "send" not in frame.f_locals: frame = frame.f_back
    header = json.dumps({"id": 3, "changed": [], "arrays": [], "trouble": ["error", "x" * 60_000]}).encode()
    frame.f_locals["send"](struct.pack(">IQ", len(header), 0) + header)
"""
    assert len(asked(tmp_path, source).trouble.text) == 1000


def test_a_syntax_error_that_a_file_raises_itself_is_told(tmp_path):
    for details in ("('f', 'bad', 1, 5)", "(5, 1, 1, 't')", "None"):
        assert asked(tmp_path, f"raise SyntaxError('x', {details})").trouble.status == "error"
