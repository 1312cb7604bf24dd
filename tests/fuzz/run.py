"""Fuzz every target for some seconds, guided by coverage: ``python -m tests.fuzz.run SECONDS [TARGET …]``.

Each target has a process of its own; a failure ends with 1 and leaves the input that made it, named by libFuzzer.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path


def fuzz(name: str, seconds: int, corpus: Path) -> None:
    """Fuzz one target in this process; ends the process."""
    import atheris

    with atheris.instrument_imports(include=["reporter"]):
        from tests.fuzz.targets import SEEDS, TARGETS
    for number, seed in enumerate(SEEDS[name]):
        (corpus / str(number)).write_bytes(seed)
    target = TARGETS[name]
    given = ["fuzz", f"-max_total_time={seconds}", "-seed=1", "-max_len=32768", "-rss_limit_mb=2048",
             "-timeout=10", "-print_final_stats=1", str(corpus)]  # fmt: skip
    atheris.Setup(given, lambda data: target(bytes(data)))
    atheris.Fuzz()


def main() -> int:
    """Fuzz what was named, or everything, one after the other."""
    if sys.argv[1] == "--one":
        fuzz(sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
        return 0
    from tests.fuzz.targets import TARGETS

    worst = 0
    for name in sys.argv[2:] or TARGETS:
        with tempfile.TemporaryDirectory() as corpus:
            command = [sys.executable, "-m", "tests.fuzz.run", "--one", name, sys.argv[1], corpus]
            done = subprocess.run(command, check=False, capture_output=True, text=True)
        tried = next(
            (line.split()[-1] for line in done.stderr.splitlines() if "executed_units" in line), "no"
        )
        print(f"{name}: {tried} inputs, {'held' if done.returncode == 0 else 'FAILED'}", flush=True)
        if done.returncode:
            print(done.stdout[-4000:], done.stderr[-4000:], sep="\n", flush=True)
            worst = 1
    return worst


if __name__ == "__main__":
    sys.exit(main())
