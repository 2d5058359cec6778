"""sweeper against what people write instead, once training has begun: one Markdown table.

    pip install -c constraints.txt -e '.[cpu,bench]'
    python tests/benchmarks/peers.py
    python tests/benchmarks/peers.py --work lstm --rivals fit --trials-per-rival 72

Everybody trains the same trials: relu, sigmoid and tanh x sgd, adam and rmsprop x 8 learning rates, 20 epochs in
batches of 32 of the same 1081 rows of the 8x8 digits, validated every epoch on the same 357 rows, in models made by the
same function, in the same number of processes, with one thread of TensorFlow each (`--rival-threads 0` leaves the
rivals' to TensorFlow). The script fails unless exactly these trials were trained, and the table says so where some
ended before their last epoch.

What is inside the clock
    A rival: from the moment at which all its processes are ready (imports, tables of its databases and a warm-up trial
    are behind each of them) to the end of the last one's last trial, with whatever it writes in the meantime.
    sweeper: from the first worker's word that it is ready to the moment at which the ledger on disk has the end of the
    last trial and MLflow's SQLite store the end of every trial's run; see `rivals/sweeper_study.py`. A smaller study
    before it pays for imports and the schema of the store. Outside are, for all: start-up, reports, and for sweeper
    the choice of a way to train, which a worker makes before it says that it is ready.

What favours the rivals
    Each is held against sweeper with tracking, those that track nothing too. Their processes have trained a trial
    before the clock runs; sweeper's workers are new and compile inside it. The trials are given to them, so no sampler
    draws. Those timed on a part of the trials are timed on a multiple of the processes, so that none idles; sweeper's
    cohorts are not (9 of them on 2 workers). MLflow's telemetry is off.

What favours sweeper
    Small models: what it saves is a price per trial and per batch, and the more arithmetic a batch is, the nearer is
    every ratio to 1. Eight trials a combination: what it compiles once a combination is divided by eight, with fewer by
    less. `autolog()` stores more by default: a model and TensorBoard's logs a trial, a checkpoint an epoch; KerasTuner
    stores the weights of the best epoch. sweeper stores parameters, metrics and curves of each trial, and here no model
    (by default the winner's, once). The rivals' `compile` and `fit` have Keras' defaults: numpy arrays, one step an
    execution, validation in batches of 32; sweeper's own loop validates in batches of 256.

The machine should have nothing else to do: the load average before the first process, which stands below the table,
says whether it had. stderr has, for each tool, the mean accuracy of its models and of sweeper's in the same trials.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from rivals import heats
from rivals.heats import RivalFailed, Timed
from rivals.work import Job, Rows, Work

from sweeper import environment
from sweeper.errors import SweeperError, UsageError

HEADING = ("work", "tool", "trials timed", "seconds", "seconds a trial", "sweeper is x times faster")

MODELS = {"mlp": "digits MLP 64-32", "cnn": "digits CNN 8x8", "lstm": "digits LSTM"}

PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "optuna", "mlflow", "keras-tuner", "numpy")


@dataclass(frozen=True)
class Tool:
    """A line of the table.

    Attributes:
        entry: its `main(job, heat)` as `module:function`.
        needs: modules of the extra `bench` without which it cannot run.
    """

    label: str
    entry: str
    needs: tuple[str, ...] = ()


TRACKED = Tool("sweeper, tracked by MLflow in SQLite", "rivals.sweeper_study:tracked")
UNTRACKED = Tool("sweeper, untracked", "rivals.sweeper_study:untracked")

RIVALS = {
    "autolog": Tool("Optuna + `fit` + `mlflow.tensorflow.autolog()`", "rivals.optuna_script:autolog", ("tensorboard",)),
    "no-models": Tool("the same, `log_models=False`", "rivals.optuna_script:autolog_without_models", ("tensorboard",)),
    "optuna": Tool("Optuna + `fit`, untracked", "rivals.optuna_script:untracked"),
    "keras-tuner": Tool("KerasTuner, untracked", "rivals.keras_tuner_search:main", ("keras_tuner",)),
    "fit": Tool("`fit` in a loop", "rivals.fit_loop:main"),
}


@dataclass(frozen=True)
class Contest:
    """Everybody on one kind of work.

    Attributes:
        processes: of each tool; sweeper's are its workers.
        trials_per_rival: at least; it is brought to a multiple of the processes.
        threads: of TensorFlow in a rival's process; None leaves it to TensorFlow, which takes one a core.
    """

    work: Work
    rivals: tuple[str, ...]
    processes: int
    trials_per_rival: int
    threads: int | None = 1

    def lines(self) -> Iterable[str]:
        """The rows of the table, each as soon as it is known."""
        ours = self._timed(TRACKED)
        yield self._line(TRACKED, ours, ours)
        for tool in (UNTRACKED, *(RIVALS[name] for name in self.rivals)):
            timed = self._timed(tool)
            say(f"  {compared(timed, ours)}")
            yield self._line(tool, timed, ours)

    def _timed(self, tool: Tool) -> Timed:
        say(f"{MODELS[self.work.model]}: {tool.label}")
        with tempfile.TemporaryDirectory(prefix="peers-") as place:
            timed = heats.run(tool.entry, self.jobs(tool, Path(place)), lambda words: say(f"  {words}"))
        say(f"  {len(timed.trained)} trials in {timed.seconds:.2f} s")
        return timed

    def jobs(self, tool: Tool, place: Path) -> list[Job]:
        """One a process of a rival; sweeper has one process, which starts its workers."""
        settings, rows = self.work.settings(), Rows.of(self.work)
        if tool in (TRACKED, UNTRACKED):
            return [Job(self.work, tuple(settings), rows, place, processes=self.processes)]
        count = -(-self.trials_per_rival // self.processes) * self.processes
        shares = [tuple(settings[:count][start :: self.processes]) for start in range(self.processes)]
        return [
            Job(self.work, share, rows, place, process, self.processes, self.threads)
            for process, share in enumerate(shares)
            if share
        ]

    def _line(self, tool: Tool, timed: Timed, ours: Timed) -> str:
        short = sum(trained.epochs < self.work.epochs for trained in timed.trained)
        trials = str(len(timed.trained))
        ratio = timed.seconds_a_trial / ours.seconds_a_trial
        cells = (
            MODELS[self.work.model],
            tool.label,
            f"{trials}, {short} of them cut short" if short else trials,
            f"{timed.seconds:.2f}",
            f"{timed.seconds_a_trial:.3f}",
            f"{ratio:.0f}" if ratio >= 20 else f"{ratio:.1f}",
        )
        return row(cells)


def compared(timed: Timed, ours: Timed) -> str:
    """What a tool's models have learned, and sweeper's in the same trials: about the same, if the work is."""
    scores = {trained.setting: trained.val_accuracy for trained in ours.trained}
    theirs = [trained.val_accuracy for trained in timed.trained]
    same = [scores[trained.setting] for trained in timed.trained]
    return f"mean val_accuracy {sum(theirs) / len(theirs):.3f}, of sweeper in these trials {sum(same) / len(same):.3f}"


def row(cells: Sequence[str]) -> str:
    """Of a Markdown table."""
    return "| " + " | ".join(cells) + " |"


def heading() -> str:
    """The first two lines of the table."""
    return row(HEADING) + "\n" + "|---" * 2 + "|--:" * (len(HEADING) - 2) + "|"


def say(words: str) -> None:
    """On stderr: stdout has the table."""
    print(f"{time.strftime('%H:%M:%S')} {words}", file=sys.stderr, flush=True)


def provenance(processes: int, load: float) -> str:
    """Where and with what the table was made."""
    versions = []
    for name in PACKAGES:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return (
        f"{cpu()}, {environment.cores()} cores, {processes} processes each; Python {platform.python_version()}, "
        f"{', '.join(versions)}; {date.today().isoformat()}; load average {load:.1f} before it began"
    )


def cpu() -> str:
    """The model of the processor, as the system calls it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def check_installed(rivals: Iterable[str], find: Callable[[str], object | None] = find_spec) -> None:
    """See to it before anything runs that all can.

    Args:
        rivals: keys of `RIVALS`.
        find: a module by its name; None where it is not installed.

    Raises:
        UsageError: a package is missing.
    """
    for name in rivals:
        for module in RIVALS[name].needs:
            if find(module) is None:
                cure = f"pip install -c constraints.txt -e '.[cpu,bench]', or leave {name} out of --rivals"
                raise UsageError.at(f"--rivals {name}", f"the package {module}", "not installed", cure)


def positive(text: str) -> int:
    """A type of arguments: a whole number from 1."""
    if int(text) < 1:
        raise ValueError
    return int(text)


def words(known: Iterable[str]) -> Callable[[str], tuple[str, ...]]:
    """A type of arguments: some of these, separated by commas; `none` is none of them."""

    def parsed(text: str) -> tuple[str, ...]:
        chosen = () if text == "none" else tuple(text.split(","))
        unknown = [word for word in chosen if word not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not among {', '.join(known)}")
        return chosen

    return parsed


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="sweeper against what people write instead: one Markdown table")
    parser.add_argument("--work", type=words(MODELS), default=tuple(MODELS), help=f"default: {','.join(MODELS)}")
    parser.add_argument("--rivals", type=words(RIVALS), default=tuple(RIVALS), help=f"default: {','.join(RIVALS)}")
    parser.add_argument("--processes", type=positive, default=2, help="of every tool (default: 2)")
    parser.add_argument("--trials-per-rival", type=positive, default=18, help="spread over the 72; default: 18")
    parser.add_argument(
        "--rival-threads", type=int, default=1, help="of TensorFlow a process; 0: TensorFlow's choice; default: 1"
    )
    parser.add_argument("--epochs", type=positive, default=Work.epochs, help=f"default: {Work.epochs}")
    parser.add_argument("--points", type=positive, default=Work.points, help=f"learning rates; default: {Work.points}")
    for name, default in (("activations", Work.activations), ("optimizers", Work.optimizers)):
        parser.add_argument(f"--{name}", type=words(default), default=default, help=f"default: {','.join(default)}")
    return parser.parse_args(arguments)


def contest(work: Work, options: argparse.Namespace) -> Contest:
    """As the command line wants it."""
    return Contest(work, options.rivals, options.processes, options.trials_per_rival, options.rival_threads or None)


def main(arguments: Sequence[str]) -> int:
    """Print the table; the exit code."""
    options = parse(arguments)
    load = os.getloadavg()[0]
    try:
        check_installed(options.rivals)
        print(heading(), flush=True)
        for model in options.work:
            work = Work(model, options.activations, options.optimizers, options.points, options.epochs)
            for line in contest(work, options).lines():
                print(line, flush=True)
    except SweeperError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except RivalFailed as error:
        print(error, file=sys.stderr)
        return 1
    print(f"\n{provenance(options.processes, load)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
