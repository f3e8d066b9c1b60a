"""The parent's side of a benchmark worker: start the process, send requests, report errors in one sentence."""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from typing import Any, Self

from npae.cli.bench.machine import cpu_name
from npae.utils.started import python_command

MODULE = "npae.cli.bench.worker"


class WorkerError(RuntimeError):
    """A contender failed or ended; the message is one sentence."""


#: Environment variables that hold every side back to AVX2, on a processor that has wider vectors. Numba adds the
#: machine's features to a processor that is named, unless the features are given, too.
AVX2 = {
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma,+bmi,+bmi2,+f16c,+popcnt,+lzcnt,+movbe",
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
}


def held_back_to_avx2(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """``AVX2``, with the flags of XLA in ``environment`` kept."""
    return {**AVX2, "XLA_FLAGS": f"{environment.get('XLA_FLAGS', '')} {AVX2['XLA_FLAGS']}".strip()}


def require_avx2() -> None:
    """Refuse to hold the sides back to AVX2 on a processor that lacks it.

    Raises
    ------
    ValueError
    """
    from llvmlite import binding

    llvm: Any = binding
    if not llvm.get_host_cpu_features().get("avx2"):
        raise ValueError(f"--avx2 needs a processor with AVX2, and this one, {cpu_name()}, has none; leave it out")


def pinned(threads: int, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Environment variables that set the number of threads of every library, and disable GPUs.

    XLA's flags in ``environment`` are kept.
    """
    n = str(threads)
    given = environment.get("XLA_FLAGS", "")
    return {
        "OMP_NUM_THREADS": n,
        "OPENBLAS_NUM_THREADS": n,
        "MKL_NUM_THREADS": n,
        "NUMBA_NUM_THREADS": n,
        "NPROC": n,  # size of XLA's thread pool
        "XLA_FLAGS": f"{given} --xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}".strip(),
        "JAX_PLATFORMS": "cpu",
        "CUDA_VISIBLE_DEVICES": "",
    }


class WorkerProcess:
    """A running worker.

    Parameters
    ----------
    name : str
        Name of the contender.
    threads : int
    environment : mapping of str to str, optional
        Further environment variables.
    """

    def __init__(self, name: str, threads: int, environment: Mapping[str, str] | None = None) -> None:
        self.name = name
        # closed with the process
        all_variables = {**os.environ, **(environment or {})}
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            python_command(f"import runpy; runpy.run_module({MODULE!r}, run_name='__main__')", name, str(threads)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            encoding="utf-8",
            errors="replace",
            env={**all_variables, **pinned(threads, all_variables)},
        )

    def ask(self, do: str, **arguments: Any) -> Any:
        """Send the request ``do`` with arguments, and return the value of the answer.

        Raises
        ------
        WorkerError
            Where the worker reports an error or has ended.
        """
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None
        assert answers is not None
        try:
            requests.write(json.dumps({"do": do, **arguments}) + "\n")
            requests.flush()
            line = answers.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise WorkerError(self._last_words())
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer["value"]

    def _last_words(self) -> str:
        status = self._process.wait()
        self._said.seek(0)
        lines = [line.strip() for line in self._said if line.strip()]
        return f"ended with status {status}" + (f": {lines[-1]}" if lines else "")

    def close(self) -> None:
        """Kill the process and close its pipes."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:  # it ended with a request unread
                    continue
        self._said.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
