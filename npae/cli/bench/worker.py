"""The process of one contender: it reads requests and writes answers, one JSON object for each line.

::

    python -m npae.cli.bench.worker NAME THREADS

A request has the name of a method of ``BenchWorker`` under "do", and its arguments; the answer is ``{"value": …}`` or
``{"error": sentence}``. What libraries print to standard output is redirected to standard error.
"""

import json
import os
import sys
import time
from typing import IO, Any, cast

from npae.cli.bench.libraries import EncodingContender, new_contender
from npae.cli.bench.models import images_for


class BenchWorker:
    """The requests to a contender, one method each."""

    def __init__(self, name: str, threads: int) -> None:
        self.contender = new_contender(name, threads)

    def versions(self) -> dict[str, str]:
        """Versions of the libraries used, by name."""
        return self.contender.versions()

    def prepare(self, model: str, images: int, side: int = 28, inverted: bool = False, **changes: Any) -> None:
        """Make a model, with ``changes`` of its arguments, and its training images."""
        self.model, self.inverted = model, inverted
        self.contender.prepare(model, images_for(model, images, side, inverted=inverted), **changes)

    def epoch(self) -> float:
        """Train for one epoch; returns its seconds."""
        return self.contender.run_epoch()

    def transform(self, images: int, repeats: int = 1) -> list[float]:
        """Seconds of each of ``repeats`` encodings of ``images`` images."""
        x = images_for(self.model, images, inverted=self.inverted)
        contender = cast(EncodingContender, self.contender)  # the parent sends this request only to those
        seconds = []
        for _ in range(repeats):
            start = time.perf_counter()
            contender.encode(x)
            seconds.append(time.perf_counter() - start)
        return seconds

    def peak_memory(self) -> int:
        """Largest resident size of this process so far, in bytes."""
        import resource  # not on Windows

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def serve(name: str, threads: int, requests: IO[str], answers: IO[str]) -> None:
    """Process requests until the input ends; the library is imported at the first one."""
    worker: BenchWorker | None = None
    for line in requests:
        request = json.loads(line)
        try:
            worker = worker or BenchWorker(name, threads)
            answer = {"value": getattr(worker, request.pop("do"))(**request)}
        except Exception as error:  # any exception of a library is sent to the parent as one sentence
            answer = {"error": _sentence(error)}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _sentence(error: Exception) -> str:
    first = str(error).strip().partition("\n")[0]
    return first if isinstance(error, (ImportError, ValueError)) and first else f"{type(error).__name__}: {first}"


def use_processors(count: int) -> None:
    """Restrict this process to the first ``count`` processors, independent of the number of threads."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def main(name: str, threads: int) -> None:
    """Reserve standard output for the answers, then serve."""
    use_processors(threads)
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        serve(name, threads, sys.stdin, answers)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
