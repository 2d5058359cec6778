"""What a visitor of the MLflow UI sees of a study, in a real browser on a real server."""

import json
import os
from pathlib import Path
from urllib.parse import quote

import pytest
from chromium import FOUND, Chromium
from mlflow_server import client_of, runs_of

from sweeper.tracking.links import study_links
from sweeper.tracking.local_server import free_port, local_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(FOUND is None, reason="there is no Chromium on this machine"),
]

TRAINING = "workflowType=machine_learning"


def test_a_visitor_finds_experiment_verdict_trials_curves_comparison_and_report(desk, tmp_path):
    store = f"sqlite:///{desk.folder}/mlruns/mlflow.db"
    done = desk.sweeper("run", "study.yaml", "--no-progress", "--tracking", store)
    assert done.code == 0, done.err
    (parent,), children = runs_of(store, "scripted")
    experiment = client_of(store).get_experiment_by_name("scripted").experiment_id
    pictures = os.environ.get("SWEEPER_TEST_PICTURES")
    with (
        local_server(store, free_port(17000), lambda elapsed_s: None) as server,
        Chromium(tmp_path / "profile") as browser,
    ):

        def sees(name, address, *expected):
            text = browser.open(address, *expected)
            if pictures:
                browser.picture(Path(pictures, f"{name}.png"))
            return text

        links = study_links(server.url, "scripted")
        page = f"{server.url}/#/experiments/{experiment}/runs"
        runs = sees("experiment", f"{page}?{TRAINING}", "matching runs", parent.info.run_name[:12])
        assert "lr " not in runs  # children are folded below their parent
        sentence = parent.data.tags["sweeper.verdict"].split(":")[0]
        sees("parent", links.verdict, sentence, parent.info.run_name, "sweeper.plan_hash", "plan.sha256")
        child = children[0]
        place = f"{page}/{child.info.run_id}"
        sees("child", f"{place}?{TRAINING}", child.info.run_name, "learning_rate", "best_val_accuracy")
        sees("child_curves", f"{place}/model-metrics?{TRAINING}", "val_accuracy", "Step")
        sees("trials", links.trials, "learning_rate", "activation", "· seed ")
        sees("curves", links.curves, "Group: ", "val_accuracy")
        compared = quote(json.dumps([children[number].info.run_id for number in range(12)]))
        comparison = f"{server.url}/#/compare-runs?runs={compared}&experiments={quote(json.dumps([experiment]))}"
        sees("comparison", f"{comparison}&{TRAINING}", "Comparing 12 Runs", "Parallel Coordinates", "learning_rate")
        report = f"{page}/{parent.info.run_id}/artifacts/report.html?{TRAINING}"
        sees("report", report, "report.html", "trials.csv", "fresh seeds", sentence)
