"""How long a command takes to be useful: `python tests/benchmarks/startup.py [repetitions]`.

Every row is measured once a round, one command after the other, so that a busy moment of the machine falls on all of
them alike. Seconds are the median of the rounds; the last column is the median of the ratios to the `import tensorflow`
of the same round. A round before them, which fills the caches of the disk, is not counted.

The first epoch is that of the first trial to end in a study of one epoch a trial, by the time in the ledger: building
and compiling the model, validation, and the way to the disk are included. MLflow tracks, as it does by default.
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sweeper import environment
from sweeper.folder import StudyFolder
from sweeper.planning.optuna_ledger import stored

FIRST_EPOCH = """\
name: first-epoch
data: {name: digits}
parameters: {activation: {values: [relu, tanh]}, optimizer: {values: [sgd, adam]}}
training: {epochs: 1}
search: {points: 6}
confirm: {seeds: 0}
keep: {models: none}
"""
"""Four cohorts, so that four workers have something to do."""

SMALLEST = """\
name: smallest
data: {name: iris}
parameters: {activation: {values: [relu, tanh]}, optimizer: {value: adam}}
training: {epochs: 5}
search: {points: 6}
confirm: {seeds: 10}
"""
"""Two activations, the fewest settings that are accepted, one look: a study that can end in a verdict."""

WORKERS = (1, 2, 4)
IMPORT = "bare `import tensorflow`"


def main(repetitions: int) -> None:
    """Print the table and the machine."""
    rounds = [one_round() for _ in range(repetitions + 1)][1:]
    print(f"| command | seconds, median of {repetitions} | to `import tensorflow` |\n|---|---|---|")
    for row in rounds[0]:
        seconds = statistics.median(each[row] for each in rounds)
        ratio = statistics.median(each[row] / each[IMPORT] for each in rounds)
        print(f"| {row} | {seconds:.2f} | {ratio:.2f} |")
    print(f"\n{machine()}")


def one_round() -> dict[str, float]:
    """Seconds of every row."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        study = place / "smallest.yaml"
        study.write_text(SMALLEST)
        return {
            IMPORT: command("-c", "import tensorflow"),
            "`sweeper --help`": sweeper("--help"),
            "`sweeper validate`": sweeper("validate", str(study)),
            **{f"`sweeper run -j {n}`, first trained epoch": first_epoch(place, n) for n in WORKERS},
            "`sweeper run` of the smallest study, verdict and report": sweeper(
                "run", str(study), "--no-progress", "--storage", str(place / "smallest")
            ),
        }


def first_epoch(place: Path, workers: int) -> float:
    """From the command to the end of the first trial of one epoch."""
    study, root = place / "first.yaml", place / f"first-{workers}"
    study.write_text(FIRST_EPOCH)
    began = time.time()
    sweeper("run", str(study), "-j", str(workers), "--no-progress", "--storage", str(root))
    records = stored(StudyFolder(root, "first-epoch").ledger, "first-epoch").records
    return min(record.ended_at for record in records) - began


def sweeper(*words: str) -> float:
    """Seconds of a `sweeper` command."""
    return command("-m", "sweeper.cli", *words)


def command(*words: str) -> float:
    """Seconds of a fresh Python; what it prints is shown where it fails."""
    began = time.monotonic()
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False, env=surroundings())
    if done.returncode not in (0, 4):  # 4: no verdict, which is all that a study without confirmation can say
        sys.exit(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return time.monotonic() - began


def surroundings() -> dict[str, str]:
    """The environment without what would change the studies."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("SWEEPER_", "MLFLOW_"))}


def machine() -> str:
    """Where this was measured."""
    here = environment.describe(Path.cwd())
    versions = [f"{name} {version}" for name, version in here.packages.items() if name.startswith(("tensor", "keras"))]
    return f"{processor()}, {here.cores} cores, Python {here.python}, {', '.join(versions)}."


def processor() -> str:
    """What the processor calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []  # not Linux
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
