"""The process that runs a learner's file: it reads requests and writes results.

It is started by ``npae.learn.sandbox.process`` with the standard library, numpy and a few files of this folder. No
right answer ever comes here, and no verdict leaves: only arrays and the story of what went wrong. So a file that takes
this process over, and it can, wins nothing but the right to send wrong arrays.
"""

import linecache
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from npae.learn.sandbox import protocol
from npae.learn.sandbox.call_result import CallResult
from npae.learn.sandbox.error_text import call_error_of
from npae.learn.sandbox.in_process import InProcess

LARGEST_FILE = 1 << 24  # bytes that the learner's code may write into one file
MOST_FILES = 64  # open at once
MEGABYTE = 1 << 20


def limit_resources(seconds: float, memory_mb: int) -> None:
    """Set the system's limits for this process, for good; what a system does not know, it does not limit."""
    try:
        import resource
    except ImportError:  # Windows
        return
    wanted = {
        "RLIMIT_AS": memory_mb * MEGABYTE,
        "RLIMIT_CPU": int(seconds) + 2,  # the parent's clock ends what waits; this ends what outlives the parent
        "RLIMIT_FSIZE": LARGEST_FILE,
        "RLIMIT_NOFILE": MOST_FILES,
        "RLIMIT_NPROC": 0,  # no fork, no thread; the administrator is exempt
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
    """The module of these lines, run as the file ``path``; raises whatever they raise."""
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
    linecache.cache[path] = (len(source), None, lines, path)  # what is run is what was read, and so what is shown
    sys.modules[module.__name__] = module
    exec(code, module.__dict__)
    return module


def serve(receive: Callable[[int], bytes], send: Callable[[bytes], Any]) -> None:
    """Answer until there are no more requests; the first is to load a file, the others are calls."""
    caller: InProcess | None = None
    while True:
        try:
            message, arrays = protocol.read(receive)
        except EOFError:
            return
        if message["do"] == "load":
            path, source = message["path"], arrays[0].tobytes()
            folder = str(Path(path).parent)
            sys.path.append(folder)
            try:
                answer = CallResult(())
                caller = InProcess(vars(load(source, path)), folder)
            except BaseException as error:  # SystemExit and KeyboardInterrupt are the learner's doing too
                answer = CallResult(None, call_error_of(error, folder=folder))
        else:
            assert caller is not None
            answer = caller.call(message["function"], [protocol.decode(a, arrays) for a in message["arguments"]])
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except Exception:  # closed or replaced by the learner
                continue
        send(_packed(message["id"], answer))


def _packed(number: int, answer: CallResult) -> bytes:
    message: protocol.Message = {"id": number, "changed": list(answer.changed)}
    if answer.trouble is not None:
        message["trouble"] = [answer.trouble.status, answer.trouble.text]
    return protocol.pack(message, answer.values or ())


def main() -> None:
    """Keep the two pipes for requests and answers alone, then serve.

    The learner's code gets an empty standard input; what it prints goes where standard error went.
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
    send(protocol.pack({"id": message["id"], "changed": []}))
    serve(lambda n: os.read(requests, n), send)
