"""A finished study with a frozen baseline, in a folder, for the tests of the gate; its pick can be made worse."""

import io
import os
import textwrap
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from sweeper import study_file
from sweeper.commands import check as command
from sweeper.commands.baseline import set_baseline
from sweeper.commands.baseline_file import read, write
from sweeper.commands.run import Options, run

LOOP = """
import os
from sweeper.trial import TrialEnded

def train(cohort, data, report):
    results = []
    for spec in cohort.trials:
        noise = (spec.seeds.init * 7919 + spec.seeds.split) % 1000 / 1e5
        value = 0.95 + noise - (0.1 if spec.params["activation"] == "tanh" else 0.0)
        ended = TrialEnded.completed(spec, {"val_accuracy": value, "test_accuracy": value})
        if spec.repetition < int(os.environ.get("FAILING", "0")):
            ended = TrialEnded.failed(spec, "no such layer")
        if os.environ.get("DIVERGING"):
            ended = TrialEnded.diverged(spec, epoch=1)
        elif ended.metrics:
            worse = value - float(os.environ.get("DROP", "0"))
            ended = TrialEnded.completed(spec, {"val_accuracy": worse, "test_accuracy": worse})
        with open(os.environ.get("SEEN", os.devnull), "a") as file:
            file.write(f"{spec.seeds.init}\\n")
        report(ended)
        results.append(ended)
    return results
"""

DATA = """
import os
from sweeper.testing import small_dataset

def load(classes=2):
    return small_dataset(400, classes=classes, seed=int(os.environ.get("DATA", "0")))
"""

STUDY = """\
name: gated
data: {name: "gate_data:load"}
trainer: "gate_loop:train"
training: {epochs: 1}
search: {points: 6}
confirm: {seeds: 20, looks: [20]}
parameters:
  activation: {values: [relu, tanh]}
  optimizer: {value: adam}
  learning_rate: {min: 0.001, max: 0.1}
"""


@dataclass
class GateDesk:
    """A folder with a study, its code, its baseline and a place for everything else."""

    folder: Path
    stream: io.StringIO = field(default_factory=io.StringIO)

    @property
    def baseline(self):
        return self.folder / "baseline.json"

    def write(self, text=STUDY):
        (self.folder / "gate_loop.py").write_text(LOOP)
        (self.folder / "gate_data.py").write_text(DATA)
        (self.folder / "study.yaml").write_text(textwrap.dedent(text))
        return self

    def freeze(self, **options):
        """Run the study and freeze its verdict."""
        done = run(self.file(), Options(**{"engine": "inline", "storage": self.folder / "mlruns", **options}))
        assert done.exit_code == 0, done
        return set_baseline(self.file(), self.folder / "mlruns", self.baseline)

    def file(self, **overrides):
        return study_file.load(
            self.folder / "study.yaml", {name.replace("__", "."): v for name, v in overrides.items()}
        )

    def check(self, night=1, *, overrides=None, storage="mlruns", **options):
        chosen = {"baseline": str(self.baseline), "engine": "inline", **options}
        day = None if night is None else date(2026, 1, night)
        place = {"night": day, "storage": self.folder / storage, "stream": self.stream}
        return command.check(self.file(**(overrides or {})), command.Options(**{**place, **chosen}))

    def rebase(self, **changes):
        """Change something in the frozen baseline."""
        write(replace(read(self.baseline), **changes), self.baseline)


@contextmanager
def environment(**values):
    before = {name: os.environ.get(name) for name in values}
    os.environ.update({name: str(value) for name, value in values.items()})
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
