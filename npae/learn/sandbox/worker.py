"""The sandbox process that runs a learner's file: it reads requests and writes results.

It is started by ``npae.learn.sandbox.process`` with the standard library, numpy and a few files of this folder. It
never receives the true results and does not decide the verdict; it only sends arrays and error messages. So a file that
takes control of this process, which is possible, can only send wrong arrays.
"""

import bdb
import faulthandler
import linecache
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from npae.learn.sandbox import protocol
from npae.learn.sandbox.call_result import CallResult
from npae.learn.sandbox.error_text import call_error_of
from npae.learn.sandbox.in_process import InProcess

LARGEST_FILE = 1 << 24  # bytes; limit of a file that the learner's code writes
MOST_FILES = 64  # limit of open files
MEGABYTE = 1 << 20
SPARE_SECONDS = 0.1  # before the parent's limit, to write down where the code is


def limit_resources(seconds: float, memory_mb: int) -> None:
    """Set the operating system's resource limits of this process; limits that the system lacks are skipped."""
    try:
        import resource
    except ImportError:  # Windows
        return
    wanted = {
        "RLIMIT_AS": memory_mb * MEGABYTE,
        "RLIMIT_CPU": int(seconds) + 2,  # in case the parent, which enforces wall-clock time, has ended
        "RLIMIT_FSIZE": LARGEST_FILE,
        "RLIMIT_NOFILE": MOST_FILES,
        "RLIMIT_NPROC": 0,  # no fork, no thread; does not apply to root
        "RLIMIT_CORE": 0,
    }
    for name, value in wanted.items():
        try:
            number = getattr(resource, name)
            hard = resource.getrlimit(number)[1]
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(number, (value, value))
        except (AttributeError, ValueError, OSError):
            continue


def load(source: bytes, path: str) -> ModuleType:
    """Run source code as the module in the file ``path``; exceptions of the code are raised."""
    if b"\0" in source:
        raise ValueError("the file has a zero byte in it, as UTF-16 has, so it is no UTF-8 text; save it as UTF-8")
    try:
        code = compile(source, path, "exec", dont_inherit=True)
    except SyntaxError:
        try:
            source.decode()
        except UnicodeDecodeError as error:
            raise ValueError(
                f"the file is no UTF-8 text (byte {source[error.start]:#04x} at {error.start}); save it as UTF-8"
            ) from None
        raise
    module = ModuleType(Path(path).stem)
    module.__file__ = path
    lines = source.decode(errors="replace").splitlines(keepends=True)
    linecache.cache[path] = (len(source), None, lines, path)  # tracebacks show the source that was run
    sys.modules[module.__name__] = module
    exec(code, module.__dict__)
    return module


def note_line_after(seconds: float) -> None:
    """Have the present line written to standard error shortly before ``seconds`` are over; 0 for never.

    The system's timer does it, since a thread may not be started.
    """
    if hasattr(signal, "setitimer") and (seconds == 0 or seconds > SPARE_SECONDS):
        signal.setitimer(signal.ITIMER_REAL, max(0.0, seconds - SPARE_SECONDS) if seconds else 0.0)


def serve(receive: Callable[[int], bytes], send: Callable[[bytes], Any]) -> None:
    """Process requests until the input ends; the first one loads a file, the others are calls."""
    caller: InProcess | None = None
    while True:
        try:
            message, arrays = protocol.read(receive)
        except EOFError:
            return
        note_line_after(message.get("seconds", 0.0))
        if message["do"] == "load":
            path, source = message["path"], arrays[0].tobytes()
            folder = str(Path(path).parent)
            sys.path.append(folder)
            try:
                answer = CallResult(())
                caller = InProcess(vars(load(source, path)), folder)
            except BaseException as error:  # the learner's code may raise SystemExit or KeyboardInterrupt too
                answer = CallResult(None, call_error_of(error, folder=folder))
        else:
            assert caller is not None
            answer = caller.call(message["function"], [protocol.decode(a, arrays) for a in message["arguments"]])
        note_line_after(0)
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except Exception:  # the learner's code may have closed or replaced the stream
                continue
        send(_packed(message["id"], answer))


def _packed(number: int, answer: CallResult) -> bytes:
    message: protocol.Message = {"id": number, "changed": list(answer.changed)}
    if answer.trouble is not None:
        message["trouble"] = [answer.trouble.status, answer.trouble.text]
    return protocol.pack(message, answer.values or ())


def _no_debugger(*arguments: Any, **options: Any) -> None:
    """What ``breakpoint()`` does here, where a debugger would find an empty standard input."""
    raise bdb.BdbQuit


def main() -> None:
    """Reserve the two pipes for requests and results, then serve.

    The learner's code gets an empty standard input, and its output goes to standard error.
    """
    requests, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)

    def send(frame: bytes) -> None:
        left = memoryview(frame)
        while left:
            left = left[os.write(answers, left) :]

    message, _ = protocol.read(lambda n: os.read(requests, n))
    limit_resources(message["seconds"], message["memory_mb"])
    if hasattr(faulthandler, "register"):  # not on Windows
        faulthandler.register(signal.SIGALRM, file=os.dup(2), all_threads=False)
    send(protocol.pack({"id": message["id"], "changed": []}))
    sys.breakpointhook = _no_debugger
    serve(lambda n: os.read(requests, n), send)
