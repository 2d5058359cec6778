"""Three nights of a scheduled check with real networks and a real tracking server, as a CI would play them.

The first passes, the second has worse data and fails, in the third the server is away and nothing is lost.
"""

import json
import re
from xml.etree import ElementTree

import pytest
from mlflow_server import Server, client_of
from scripted_desk import Desk
from sklearn.datasets import load_breast_cancer

pytestmark = pytest.mark.slow

STUDY = """name: nightly
data: {name: csv, path: table.csv, target: malignant}
model: {name: mlp, units: [16]}
metric: {name: accuracy}
training: {epochs: 8}
search: {points: 6}
confirm: {seeds: 20, looks: [20]}
parameters:
  activation: {values: [relu, tanh]}
  optimizer: {value: adam}
  learning_rate: {min: 0.001, max: 0.03}
gate: {baseline: baseline.json, margin: 0.01}
"""


class Nights:
    """A folder, its tracking server, and a machine that starts with an empty store every night, as CI machines do."""

    def __init__(self, folder, server):
        self.desk, self.server = Desk(folder).write(STUDY), server

    def table(self, every=None):
        """Write the data set; `every` so many rows has the label of the other class."""
        data = load_breast_cancer(as_frame=True).frame.rename(columns={"target": "malignant"})
        if every:
            data.loc[::every, "malignant"] = 1 - data.loc[::every, "malignant"]
        data.to_csv(self.desk.folder / "table.csv", index=False)

    def sweeper(self, *words, night=1):
        return self.desk.sweeper(*words, *self.places(night), SWEEPER_STORAGE=f"machine-{night}", **self.runner(night))

    def places(self, night):
        return ("--tracking", self.server.url) if night else ()

    def runner(self, night):
        self.summary = self.desk.folder / f"summary-{night}.md"
        self.outputs = self.desk.folder / f"outputs-{night}.txt"
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_OUTPUT": str(self.outputs),
            "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
        }

    def check(self, night):
        junit = f"junit-{night}.xml"
        done = self.sweeper("check", "study.yaml", "--night", f"2026-03-0{night}", "--junit", junit, night=night)
        suite = ElementTree.parse(self.desk.folder / junit).getroot()
        red = [case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None]
        return done, red

    def tracked(self):
        """Outcomes of the checks on the server in the order of their nights, and how many trainings each has."""
        client = client_of(f"sqlite:///{self.server.folder / 'server.db'}")
        experiment = client.get_experiment_by_name("nightly")
        runs = list(client.search_runs([experiment.experiment_id], max_results=5000))
        checks = [run for run in runs if run.data.tags.get("sweeper.stage") == "gate"]
        checks.sort(key=lambda run: run.data.tags["sweeper.night_of"])
        children = [run.data.tags.get("mlflow.parentRunId") for run in runs]
        return [(run.data.tags["sweeper.outcome"], children.count(run.info.run_id)) for run in checks]


@pytest.fixture
def nights(tmp_path, tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server")).start()
    try:
        yield Nights(tmp_path, server)
    finally:
        if server.process.poll() is None:
            server.kill()


def test_a_drop_fails_one_night_and_an_outage_loses_none(nights):
    nights.table()
    assert nights.sweeper("run", "study.yaml", "--no-progress").code == 0
    frozen = nights.desk.sweeper("baseline", "set", "study.yaml", SWEEPER_STORAGE="machine-1")
    assert frozen.code == 0, frozen.err

    done, red = nights.check(1)
    assert (done.code, red) == (0, []), done.err
    assert "PASSED" in nights.summary.read_text().upper()

    nights.table(every=4)
    done, red = nights.check(2)
    assert done.code == 3, done.err
    assert "drop" in red
    summary = nights.summary.read_text()
    assert "FAILED" in summary[:200].upper()
    assert "data" in summary
    assert "::error" in done.out + done.err
    assert re.search(r"^exit-code<<(end-\w+)\n3\n\1$", nights.outputs.read_text(), re.M)

    nights.table()
    nights.server.kill()
    done, red = nights.check(3)
    assert (done.code, red) == (0, []), done.err
    assert "sweeper sync" in done.err
    nights.server.start()
    assert [outcome for outcome, _ in nights.tracked()] == ["PASSED", "FAILED"]
    sent = nights.sweeper("sync", "study.yaml", night=3)
    assert sent.code == 0, sent.err
    again = nights.sweeper("sync", "study.yaml", night=3)
    assert "had missed" not in again.out

    found = nights.tracked()
    assert [outcome for outcome, _ in found] == ["PASSED", "FAILED", "PASSED"]
    assert all(trainings >= 3 for _, trainings in found)
    known = json.loads(nights.sweeper("history", "study.yaml", "--json", night=4).out)
    assert [night["outcome"] for night in known["nights"]] == ["PASSED", "FAILED", "PASSED"]
