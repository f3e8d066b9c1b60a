"""Which vector registers does the machine code of npae's kernels use? Counts instructions, from a disassembly.

::

    python benchmarks/registers.py --models vanilla convolutional
    python benchmarks/registers.py --avx2          # as npae bench --avx2 compiles: no register of 64 bytes may appear

One batch of each model is trained in a new process, with nothing compiled before, and every object file that it keeps
is disassembled by ``objdump``. With ``--avx2`` the exit code is 1 where a register of 64 bytes (zmm) is found, or one
that only AVX-512 has.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from npae.cli.bench.cold_start import kept_in, seconds_to_first_step
from npae.cli.bench.models import MODELS
from npae.cli.bench.process import held_back_to_avx2, require_avx2

ELF = b"\x7fELF"


def objects(kept: bytes) -> list[bytes]:
    """The object files within a file of the cache, each up to the next one or the end."""
    starts = [found.start() for found in re.finditer(re.escape(ELF), kept)]
    return [kept[a:b] for a, b in zip(starts, [*starts[1:], len(kept)], strict=True)]


def registers(folder: Path) -> Counter[str]:
    """Instructions that use a register of each kind, in all machine code that is kept in a folder."""
    found: Counter[str] = Counter()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        for part in objects(file.read_bytes()):
            object_file = folder / "part.o"
            object_file.write_bytes(part)
            written = subprocess.run(
                ["objdump", "-d", "--no-show-raw-insn", str(object_file)], capture_output=True, text=True, check=True
            ).stdout
            for line in written.splitlines():
                found["instructions"] += "\t" in line
                for kind in {register[:3] for register in re.findall(r"%([xyz]mm\d+)", line)}:
                    found[kind] += 1
                found["AVX-512 only"] += bool(re.search(r"%([xyz]mm(1[6-9]|2\d|3[01])|k[1-7])\b", line))
            object_file.unlink()
        found["files"] += 1
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=["vanilla", "convolutional"])
    parser.add_argument("--avx2", action="store_true", help="compile as npae bench --avx2 does")
    args = parser.parse_args()
    if args.avx2:
        require_avx2()
    is_held_back = True
    for model in args.models:
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, **(held_back_to_avx2() if args.avx2 else {}), **kept_in(folder)}
            seconds_to_first_step("npae", model, 2, environment)
            found = registers(Path(folder))
        print(model, ", ".join(f"{kind} {n:,}" for kind, n in sorted(found.items())), flush=True)
        is_held_back &= found["ymm"] > 0 and not found["zmm"] and not found["AVX-512 only"]
    return 0 if is_held_back or not args.avx2 else 1


if __name__ == "__main__":
    sys.exit(main())
