"""A desk with a scripted study on it, for the tests of commands."""

import json
import os
import textwrap
from dataclasses import dataclass
from pathlib import Path

import forks

LOOP = '''
import math, os, time
from sweeper.trial import EpochEnded, Signal, TrialEnded

def score(spec):
    """Best near 1e-2; relu ahead; a little noise from the seed, the same for every optimizer."""
    base = {"relu": 0.95, "sigmoid": 0.90, "tanh": 0.94}.get(spec.params["activation"], 0.9)
    noise = (spec.seeds.init * 7919 + len(spec.params["optimizer"])) % 1000 / 2e5
    return base - 0.02 * abs(math.log10(spec.params["learning_rate"]) + 2) + noise

def train(cohort, data, report):
    results = []
    for spec in cohort.trials:
        time.sleep(float(os.environ.get("TRIAL_S", "0")))
        value = score(spec)
        for epoch in range(spec.epochs):
            if report(EpochEnded(spec.number, epoch, {"val_accuracy": value})) is Signal.STOP:
                ended = TrialEnded.pruned(spec, {"val_accuracy": value}, epochs=epoch + 1)
                break
        else:
            ended = TrialEnded.completed(spec, {"val_accuracy": value, "test_accuracy": value})
        with open("trained.txt", "a") as file:
            file.write(f"{spec.stage.value} {spec.number}\\n")
        report(ended)
        results.append(ended)
    return results

def diverge(cohort, data, report):
    return [TrialEnded.diverged(spec, epoch=1) for spec in cohort.trials]

def fail(cohort, data, report):
    if os.path.exists("mended"):
        return train(cohort, data, report)
    raise ValueError("no such layer")

def noisy(cohort, data, report):
    print("this is not JSON")
    return train(cohort, data, report)
'''

HELD = '''
def held(cohort, data, report):
    """Trains as ever; whoever confirms waits for a file."""
    while cohort.trials[0].stage.value == "confirm" and not os.path.exists("released"):
        time.sleep(0.05)
    return train(cohort, data, report)
'''

STUDY = """name: scripted
data: {name: iris}
trainer: "loop:train"
training: {epochs: 2}
confirm: {seeds: 20}
"""


@dataclass
class Desk:
    """A folder with a study in it, and a command line."""

    folder: Path

    def write(self, text=STUDY, name="study.yaml"):
        (self.folder / name).write_text(textwrap.dedent(text))
        return self

    def start(self, *words, **environment):
        return forks.start("sweeper.cli", words, folder=self.folder, environ={**os.environ, **environment})

    def sweeper(self, *words, **environment):
        process = self.start(*words, **environment)
        out, err = process.communicate(timeout=240)
        return Done(process.returncode, out, err)

    def run(self, *words, **environment):
        return self.sweeper("run", "study.yaml", "--no-tracking", "--no-progress", *words, **environment)

    def verdict(self, study="scripted"):
        document = json.loads((self.folder / "mlruns" / "studies" / study / "verdict.json").read_text())
        return without_clock(document)

    def trained(self):
        path = self.folder / "trained.txt"
        return path.read_text().splitlines() if path.exists() else []


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Finished:
    """A desk with a study that is done, and what its run said; many tests read it, none may change it."""

    desk: Desk
    done: Done


def without_clock(document):
    """A verdict document without what differs from run to run by nature."""
    document = {**document, "duration_s": None, "tracking": None}
    document["finalists"] = [{**finalist, "duration_s": None} for finalist in document["finalists"]]
    return document
