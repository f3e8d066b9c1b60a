"""Fuzz one reader with atheris, guided by the lines and branches that an input reaches, and report what was seen.

    cd tests && python -m fuzzing.atheris_run READER --minutes 10 --json result.json

The fuzzer runs in a process of its own, so that a crash of the interpreter is a figure and not the end of the report.
Minutes and the limit for one input are those of the processor: a machine that is busy with other things makes neither a
short run nor a hang. Inputs that gave a finding are kept in ``--keep``.
"""

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from random import Random
from typing import Any

HANG = 5.0  # seconds of the processor for one input
LONGEST = 65536  # bytes of an input
ADDRESS_SPACE = 2**32  # bytes; of an allocation beyond it comes a MemoryError, and so a finding
STUCK = 600  # seconds after which libFuzzer ends an input that Python cannot interrupt
INSTRUMENTED = ("npae", "PIL", "zipfile", "gzip", "csv", "json", "numpy.lib", "mido")


class Hang(BaseException):
    """An input took longer than ``HANG``."""


def main() -> int:
    """Start the fuzzer, wait, report; 1 where anything was found."""
    from fuzzing import targets  # not instrumented: here only the names are needed

    parser = argparse.ArgumentParser(description="Fuzz one reader with atheris.")
    parser.add_argument("reader", choices=[*targets.TARGETS, *targets.CONTAINERS])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--keep", type=Path, default=Path("findings"), help="folder for inputs that gave a finding")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        figures = Path(folder) / "figures.json"
        settings = [args.reader, args.minutes, folder, figures, args.keep.resolve(), args.seed]
        command = [sys.executable, "-m", "fuzzing.atheris_run", "--child", json.dumps([*map(str, settings)])]
        done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True)
        result: dict[str, Any] = json.loads(figures.read_text()) if figures.exists() else {"reader": args.reader}
    result["exit"] = done.returncode
    if done.returncode:
        result["crashes"] = result.get("crashes", 0) + 1
        result["last words"] = done.stderr[-2000:]
    print(json.dumps(result, indent=2, ensure_ascii=False))
    if args.json:
        args.json.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    return int(bool(result["exit"] or result.get("crashes") or result.get("hangs") or result.get("over the limit")))


def fuzz(reader: str, minutes: float, folder: Path, figures: Path, keep: Path, seed: int) -> None:
    """Never returns: libFuzzer ends the process."""
    import atheris

    with atheris.instrument_imports(include=list(INSTRUMENTED)):
        import npae.network.base
        from npae.kernels import reference_kernels

        npae.network.base.default_kernels = reference_kernels  # in NumPy a wrong shape is an error, not a crash
        from fuzzing.targets import CONTAINERS, TARGETS

    tried = folder / "tried"  # a folder of images may hold nothing else
    tried.mkdir()
    campaign = Campaign((TARGETS | CONTAINERS)[reader], minutes, tried, figures, keep)
    corpus = folder / "corpus"
    corpus.mkdir()
    seeds = campaign.target.seeds()
    for i, content in enumerate(seeds):
        assert campaign.target.try_on(content, tried), f"seed {i} of {reader} is refused"
        (corpus / str(i)).write_bytes(content)

    def mutate(content: bytes, most: int, number: int) -> bytes:
        chance = Random(number)
        kind = chance.random()
        if kind < 0.25:  # not far from a valid file
            return campaign.target.edited(chance.choice(seeds), chance)[:most]
        if kind < 0.6:
            return campaign.target.mutated(content, chance)[:most]
        return bytes(atheris.Mutate(content, most))

    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    options = [f"-max_len={LONGEST}", f"-seed={seed}", "-rss_limit_mb=0", f"-timeout={STUCK}", "-print_final_stats=0"]
    options += [f"-artifact_prefix={keep}/{reader}-", "-handle_xfsz=0", "-len_control=0"]
    keep.mkdir(parents=True, exist_ok=True)
    atheris.Setup([sys.argv[0], *options, str(corpus)], campaign.try_one, custom_mutator=mutate)
    campaign.begin()
    atheris.Fuzz()


class Campaign:
    """The inputs that a target is given, and what they did."""

    def __init__(self, target: Any, minutes: float, folder: Path, figures: Path, keep: Path) -> None:
        self.target, self.seconds, self.folder, self.figures, self.keep = target, 60 * minutes, folder, figures, keep
        self.inputs = self.results = self.hangs = self.over = 0
        self.longest = 0.0
        self.largest = 0  # bytes by which one input made the process larger than it had ever been
        self.kinds: dict[str, int] = {}  # findings, by the place they come from

    def begin(self) -> None:
        """Start the clock, after all that is imported and built once."""
        signal.signal(signal.SIGVTALRM, self._ring)
        self.began, self.reported, self.walked = time.process_time(), 0.0, time.monotonic()
        self.base = self.peak = _peak()

    def _ring(self, *_: Any) -> None:
        raise Hang

    def try_one(self, content: bytes) -> None:
        """Called by libFuzzer; only what ends the process ends the campaign."""
        self.inputs += 1
        start, before = time.process_time(), _peak()
        signal.setitimer(signal.ITIMER_VIRTUAL, HANG)
        try:
            self.results += self.target.try_on(content, self.folder)
        except Hang as error:
            self.hangs += 1
            self._keep(content, error)
        except AssertionError as error:
            self._keep(content, error)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        now = time.process_time()
        self.longest = max(self.longest, now - start)
        self.peak = _peak()
        if grown := self.peak - before:
            self.largest = max(self.largest, grown)
            if grown > self.target.memory:
                self.over += 1
                self._keep(content, MemoryError(f"{grown:,} bytes more"))
        if now - self.reported > 10:
            self.reported = now
            self.report(now)
        if now - self.began > self.seconds:
            self.report(now)
            os._exit(0)

    def _keep(self, content: bytes, error: BaseException) -> None:
        frames = traceback.extract_tb((error.__cause__ or error).__traceback__)
        where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "-"
        kind = f"{type(error.__cause__ or error).__name__} at {where}: {str(error)[:200]}"
        if where not in {known.split(" at ")[1].split(": ")[0] for known in self.kinds}:
            (self.keep / f"{self.target.name}-{len(self.kinds)}").write_bytes(content)
            self.kinds[kind] = 0
        for known in self.kinds:
            if f" at {where}: " in known:
                self.kinds[known] += 1

    def report(self, now: float) -> None:
        """Write the figures so far."""
        figures = {
            "reader": self.target.name,
            "inputs": self.inputs,
            "results": self.results,
            "refusals": self.inputs - self.results - sum(self.kinds.values()),
            "crashes": sum(self.kinds.values()) - self.hangs - self.over,
            "hangs": self.hangs,
            "over the limit": self.over,
            "limit, bytes": self.target.memory,
            "largest growth by one input, bytes": self.largest,
            "growth in all, bytes": self.peak - self.base,
            "longest input, seconds": round(self.longest, 3),
            "processor minutes": round((now - self.began) / 60, 2),
            "wall minutes": round((time.monotonic() - self.walked) / 60, 2),
            "findings": self.kinds,
        }
        self.figures.write_text(json.dumps(figures, ensure_ascii=False))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        reader, minutes, folder, figures, keep, seed = json.loads(sys.argv[2])
        fuzz(reader, float(minutes), Path(folder), Path(figures), Path(keep), int(seed))
    sys.exit(main())
