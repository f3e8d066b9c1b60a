"""The parent's side of the sandbox: start a process, send calls, accept only arrays back, kill it with its children."""

import os
import queue
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Self

import numpy as np

from npae.learn.sandbox import guard, isolation, protocol
from npae.learn.sandbox.call_result import CallError, CallResult
from npae.learn.sandbox.cleanup import end_group, remove_tree
from npae.learn.sandbox.error_text import LARGEST_TEXT
from npae.learn.sandbox.in_process import MOST_PRINTED
from npae.learn.sandbox.learner_files import STACK, laid_out, last_line, read_source

#: The program of the child process. It imports files of npae.learn through empty packages and removes these from
#: sys.modules, so that the learner's code can import neither npae nor other packages installed beside numpy.
BOOTSTRAP = """
import sys, types
package, numpy_folder, parent = sys.argv[1:]
for name, folder in (("npae", package), ("npae.learn", package + "/learn")):
    bare = sys.modules[name] = types.ModuleType(name)
    bare.__path__ = [folder]
from npae.learn.sandbox.cleanup import end_with_parent
end_with_parent(int(parent))
sys.path.append(numpy_folder)
import numpy.linalg, numpy.random, npae.learn.sandbox.worker as worker
sys.path.remove(numpy_folder)
for name in [name for name in sys.modules if name.partition(".")[0] == "npae"]:
    del sys.modules[name]
worker.main()
"""

START_SECONDS = 120.0  # limit for the start of Python and numpy; generous, as it is not the learner's code that runs
SIGNALLED = 128  # shells and bubblewrap add a signal's number to it
GRACE_SECONDS = 0.5  # wait for a result that has arrived while the machine was suspended
LOOK_SECONDS = 0.2  # interval of the checks whether the process still runs
STATUSES = ("missing", "shape", "error", "memory")  # statuses that a worker may report
KEPT = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")  # environment variables that Python needs to start
HOMES = ("HOME", "TMPDIR", "USERPROFILE", "TEMP", "TMP")  # environment variables for a user's folders


@dataclass(frozen=True)
class Limits:
    """Limits of a learner's code.

    Attributes
    ----------
    seconds : float, default=10
        Wall-clock time for loading the file and all calls together.
    memory_mb : int, default=1024
        Address space in megabytes, of which Python and numpy take about 100.
    """

    seconds: float = 10.0
    memory_mb: int = 1024


class Worker:
    """A sandbox process that has loaded a learner's file; a ``Caller``.

    Errors of the learner's code are returned as a ``CallError``, not raised; after one that ended the process, every
    further call returns the same one. Use it in a ``with`` block, whose end kills the process and its descendants.

    Parameters
    ----------
    path : Path
        The learner's file, read once; with ``files`` its path among them.
    limits : Limits, optional
    source : bytes, optional
        The content of the file, if it has been read already.
    files : dict of str to bytes, optional
        All files that it may import, by path. They are laid into the worker's own folder, and the learner's is not
        used.
    sandbox : {"none", "bwrap"}
        Whether the process runs in bubblewrap; see ``isolation``.

    Attributes
    ----------
    seconds : float
        Time that the learner's code has taken so far.
    """

    def __init__(
        self,
        path: PurePath,
        limits: Limits | None = None,
        source: bytes | None = None,
        files: Mapping[str, bytes] | None = None,
        sandbox: str = isolation.NONE,
    ) -> None:
        self.path = Path(path) if files is not None else Path(os.path.abspath(path))
        self.limits = limits or Limits()
        self.sandbox = sandbox
        self._source, self._files = source, files
        self._left = self.limits.seconds
        self.seconds = 0.0
        self._number = 0
        self._trouble: CallError | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self._is_killed = False

    def __enter__(self) -> Self:
        if self._source is None:
            self._source, self._trouble = read_source(self.path)
        if self._trouble is None:
            try:
                self._start()
            except BaseException:  # Ctrl-C too: leave no process or folder behind
                self.close()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(self, function: str, arguments: Sequence[Any]) -> CallResult:
        """Call the learner's ``function`` with copies of ``arguments``."""
        if self._trouble is not None:
            return CallResult(None, self._trouble)
        arrays: list[Any] = []
        codes = [protocol.encode(a, arrays) for a in arguments]
        if self._left <= 0:
            return self._ended(self._late())
        answer = self._ask({"do": "call", "function": function, "arguments": codes}, arrays)
        if any(i >= len(arguments) for i in answer.changed):
            return self._ended(CallError("crash", _INTRUSION))
        return answer

    def _start(self) -> None:
        assert self._source is not None
        folder = Path(tempfile.mkdtemp(prefix="npae-"))
        mark = f"NPAE_WORKER={secrets.token_hex(16)}"
        name, _, value = mark.partition("=")
        self._mark = mark
        guard.watch(folder, mark)  # from here on nothing stays behind, even where this process is killed
        working = folder / "work"
        working.mkdir()
        self._printing = open(folder / "printed", "wb")  # noqa: SIM115 (closed with the process)
        self._printed = open(folder / "printed", "rb")  # noqa: SIM115
        self._folder = folder
        path = self.path
        if self._files is not None:
            path, self._trouble = laid_out(folder / "files", self._files, self.path)
            if self._trouble is not None:
                return
        command, environment, path = self._command(folder, path)
        environment |= {name: value}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._printing,
            bufsize=0,
            cwd=working,
            env=environment,
            start_new_session=True,
        )
        guard.watch(folder, mark, self._process.pid)
        if self._is_killed:  # kill() was called before the process existed
            end_group(self._process.pid, mark)
        limits = {"do": "limit", "seconds": self.limits.seconds, "memory_mb": self.limits.memory_mb}
        begun = self._ask(limits, [], START_SECONDS)
        if begun.trouble is not None:
            raise RuntimeError(f"a process for the learner's file cannot be started: {begun.printed.strip()}")
        self._left = self.limits.seconds
        loaded = self._ask({"do": "load", "path": str(path)}, [np.frombuffer(self._source, np.uint8)])
        self._trouble = loaded.trouble

    def _command(self, folder: Path, path: Path) -> tuple[list[str], dict[str, str], Path]:
        """The worker's command and environment, and the path by which it knows the learner's file."""
        command, home = [sys.executable], str(folder / "work")
        # A process in a namespace of its own is a child of that namespace's first process.
        parent = 1 if self.sandbox == isolation.BWRAP else os.getpid()
        package, numpy_folder = Path(__file__).parents[2], Path(np.__file__).parent.parent
        if self.sandbox == isolation.BWRAP:
            root = folder / "files" if self._files is not None else path.parent
            command, home = isolation.isolated([isolation.python()], root), isolation.WORKING
            path = Path(isolation.FILES) / path.relative_to(root)
        # isolated, without site-packages, writing no byte code, reading UTF-8
        command += ["-I", "-S", "-B", "-X", "utf8", "-c", BOOTSTRAP, str(package), str(numpy_folder), str(parent)]
        environment = {key: os.environ[key] for key in KEPT if key in os.environ}
        environment |= dict.fromkeys(HOMES, home)
        environment |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        return command, environment, path

    def _ask(self, message: protocol.Message, arrays: Sequence[Any], seconds: float | None = None) -> CallResult:
        """Send a request and wait for its result, for at most ``seconds`` or what is left of the limit."""
        self._number += 1
        left = self._left if seconds is None else 0.0
        frame = protocol.pack({"seconds": left, **message, "id": self._number}, arrays)
        box: queue.SimpleQueue[Any] = queue.SimpleQueue()
        start = time.monotonic()
        self._talking = threading.Thread(target=self._talk, args=(frame, box), daemon=True)
        self._talking.start()
        try:
            got = self._wait(box, start + (self._left if seconds is None else seconds))
        except queue.Empty:
            self.seconds += time.monotonic() - start
            assert self._process is not None
            return self._ended(None if self._process.poll() is not None else self._late())
        taken = time.monotonic() - start
        self._left -= taken
        self.seconds += taken if seconds is None else 0.0
        if isinstance(got, protocol.FrameError):
            return self._ended(CallError("crash", _INTRUSION))
        if isinstance(got, Exception):
            return self._ended(None)
        message, values = got
        return self._believed(message, values, taken)

    def _wait(self, box: "queue.SimpleQueue[Any]", deadline: float) -> Any:
        """The next item of the queue; queue.Empty after the deadline, or where the process has ended without a result.

        The process is polled, because the pipe stays open while a descendant of the process holds it.
        """
        assert self._process is not None
        while time.monotonic() < deadline:
            ended = self._process.poll() is not None
            try:
                return box.get(timeout=min(LOOK_SECONDS, max(deadline - time.monotonic(), 0.0)))
            except queue.Empty:
                if ended:
                    raise
        return box.get(timeout=GRACE_SECONDS)

    def _believed(self, message: protocol.Message, arrays: list[Any], seconds: float) -> CallResult:
        """The validated result of a call; a message that is not valid ends the process."""
        changed, trouble = message.get("changed"), message.get("trouble")
        if message.get("id") != self._number or not isinstance(changed, list):
            return self._ended(CallError("crash", _INTRUSION))
        if not all(type(i) is int and i >= 0 for i in changed):
            return self._ended(CallError("crash", _INTRUSION))
        printed = clean(self._newly_printed())
        if trouble is None:
            return CallResult(tuple(arrays), None, printed, seconds, tuple(changed))
        told = isinstance(trouble, list) and len(trouble) == 2 and isinstance(trouble[1], str)
        if not told or trouble[0] not in STATUSES:
            return self._ended(CallError("crash", _INTRUSION))
        return CallResult(None, CallError(trouble[0], clean(trouble[1][:LARGEST_TEXT])), printed, seconds)

    def _talk(self, frame: bytes, box: "queue.SimpleQueue[Any]") -> None:
        """Write a request and read the reply into the queue; runs in a thread, since both may block forever."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            left = memoryview(frame)
            while left:
                left = left[os.write(self._process.stdin.fileno(), left) :]
            answers = self._process.stdout.fileno()
            box.put(protocol.read(lambda n: os.read(answers, n)))
        except (OSError, EOFError, protocol.FrameError) as error:
            box.put(error)

    def _ended(self, trouble: CallError | None) -> CallResult:
        """End the process; the result is ``trouble``, or an error made from the exit status."""
        assert self._process is not None
        end_group(self._process.pid, self._mark)
        status = self._process.wait()
        if self.sandbox == isolation.BWRAP and status > SIGNALLED:  # bubblewrap's word for its child's signal
            status = SIGNALLED - status
        self._trouble = trouble or _trouble_of_end(status)
        return CallResult(None, self._trouble, clean(self._newly_printed()))

    def _late(self) -> CallError:
        line = last_line(self._printed.fileno(), self.path.name)
        place = f"it was in line {line} of {self.path.name}; " if line else ""
        text = f"it was not done after {self.limits.seconds:g} seconds; {place}is there a loop that never ends?"
        return CallError("timeout", text)

    def _newly_printed(self) -> str:
        """The first ``MOST_PRINTED`` characters of the output since the last call of this method."""
        content = self._printed.read(MOST_PRINTED * 4).partition(STACK)[0]
        self._printed.seek(0, os.SEEK_END)
        return content.decode(errors="replace")[:MOST_PRINTED]

    def kill(self) -> None:
        """Kill the process, now or as soon as it has started; callable from any thread. A waiting call returns."""
        self._is_killed = True
        process = self._process
        if process is not None and process.returncode is None:
            end_group(process.pid, self._mark)

    def close(self) -> None:
        """Kill the process and its descendants, and remove its folder."""
        folder, self._folder = self._folder, None
        if folder is None:
            return
        process, self._process = self._process, None
        if process is not None:  # None where it could not be started
            self._close_process(process)
        self._trouble = self._trouble or CallError("crash", "the process has been closed")
        self._printing.close()
        self._printed.close()
        remove_tree(folder)
        guard.release(folder)

    def _close_process(self, process: "subprocess.Popen[bytes]") -> None:
        if process.returncode is None:
            end_group(process.pid, self._mark)
            process.wait()
        self._talking.join(1.0)
        if not self._talking.is_alive():  # else an escaped descendant holds the pipes, and closing them may hang
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                pipe.close()


_INTRUSION = "it wrote into the connection that is kept for answers, or closed it"


def _trouble_of_end(status: int) -> CallError:
    """The ``CallError`` for the exit status of a process."""
    if -status == getattr(signal, "SIGXCPU", None):
        return CallError("timeout", "it computed for longer than is allowed; is there a loop that never ends?")
    if -status == signal.SIGSEGV:
        return CallError("crash", "the process was ended by a segmentation fault; is there a recursion without an end?")
    # On Windows, which has no SIGKILL, a killed process has the number of SIGTERM as exit status.
    if status == (-signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM):
        return CallError("crash", "the process was killed, or closed its connection")
    if status < 0:
        return CallError("crash", f"the process was ended by signal {_signal_in_words(-status)}")
    return CallError("crash", f"the process ended itself with status {status} in the middle of a call")


def _signal_in_words(number: int) -> str:
    try:
        return f"{number} ({signal.strsignal(number) or 'which has no name'})"
    except ValueError:
        return str(number)


def clean(text: str) -> str:
    """``text`` with control characters, which a terminal would interpret, replaced by U+FFFD."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)
