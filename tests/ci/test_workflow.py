"""The workflows run here, step by step, as a runner would run them."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from endings import all_endings
from runner import ROOT, Runner, outputs_of
from scripted_desk import LOOP

from sweeper.report.ending import values

SWEEP = ROOT / ".github/workflows/sweep.yml"
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
GITLAB = yaml.safe_load((ROOT / "ci/gitlab-ci.yml").read_text(encoding="utf-8"))["sweep"]

TINY = """name: tiny
data: {name: iris}
model: {name: mlp, units: [4]}
parameters:
  activation: {values: [relu, tanh]}
  optimizer: {values: [adam]}
training: {epochs: 2}
search: {points: 6}
confirm: {seeds: 4}
engine: {workers: 1}
"""
SLOW = """name: scripted
data: {name: iris}
trainer: "loop:train"
training: {epochs: 2}
confirm: {seeds: 8}
parameters: {activation: {values: [relu, tanh]}, optimizer: {values: [sgd, adam]}}
"""
ENDS_WITH = '#!/bin/sh\necho "$@" >> words.txt\nexit {}\n'


def scripts():
    """Every script that a runner is handed: name -> text."""
    for path in WORKFLOWS:
        for name, job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].items():
            for step in job["steps"]:
                if "run" in step:
                    yield f"{path.name}: {name}: {step['name']}", step["run"]
    for step in ACTION["runs"]["steps"]:
        if "run" in step:
            yield f"action.yml: {step['name']}", step["run"]
    yield "gitlab-ci.yml", "\n".join(GITLAB["before_script"] + GITLAB["script"])


SCRIPTS = dict(scripts())


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_script_is_built_from_what_a_stranger_may_write(name):
    assert "${{" not in SCRIPTS[name], "values go through env"


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_is_sound(name, tmp_path):
    script = tmp_path / "script.sh"
    script.write_text(SCRIPTS[name])
    shellcheck = Path(sys.executable).with_name("shellcheck")
    done = subprocess.run([shellcheck, "--shell=bash", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=[path.name for path in WORKFLOWS])
def test_workflows_may_read_only_and_end(path):
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert document["permissions"] == {"contents": "read"}
    assert "concurrency" in document
    assert all(job["timeout-minutes"] <= 360 for job in document["jobs"].values())


def test_every_reference_of_the_action_leads_somewhere():
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"\binputs\.([\w-]+)", text)) == set(ACTION["inputs"])
    told = set(re.findall(r"steps\.sweep\.outputs\.([\w-]+)", text)) - {"status"}
    assert told <= set(values(next(iter(all_endings().values()))))


def test_the_budget_leaves_the_job_time_to_install_and_to_write():
    workflow = yaml.safe_load(SWEEP.read_text(encoding="utf-8"))
    assert (
        int(ACTION["inputs"]["time-budget"]["default"].removesuffix("h")) * 60 + 15
        <= (workflow["jobs"]["sweep"]["timeout-minutes"])
    )


def test_a_schedule_has_no_inputs_and_takes_the_defaults(tmp_path):
    runner = Runner(tmp_path, ENDS_WITH.format(0))
    assert runner.workflow(SWEEP).failed == []
    told = (runner.workspace / "words.txt").read_text()
    assert told == "run studies/digits.yaml --storage mlruns --junit sweep-junit.xml\n"


@pytest.mark.parametrize(
    ("code", "strict", "fails"),
    [(0, "false", False), (143, "false", False), (143, "true", True)]
    + [(code, "false", True) for code in (1, 2, 3, 4, 5, 130, 137)],
)
def test_the_job_fails_unless_it_passed_or_its_time_was_over(code, strict, fails, tmp_path):
    job = Runner(tmp_path, ENDS_WITH.format(code)).action({"study": "s.yaml", "fail-on-incomplete": strict})
    assert job.failed == (["Pass or fail", "Sweep"] if fails else [])
    assert job.outputs["exit-code"] == str(code)
    assert ("Not finished" in job.log) is (code == 143 and not fails)


@pytest.mark.parametrize(
    ("baseline", "words"),
    [
        ("", "run s.yaml"),
        ("missing.json", "run s.yaml"),
        ("there is.json", "check s.yaml"),
        ("mlflow:latest", "check s.yaml"),
    ],
)
def test_auto_checks_once_there_is_a_baseline(baseline, words, tmp_path):
    runner = Runner(tmp_path, ENDS_WITH.format(0))
    (runner.workspace / "there is.json").write_text("{}")
    runner.action({"study": "s.yaml", "baseline": baseline, "junit": ""})
    ending = f" --baseline {baseline}" if words.startswith("check") else ""
    assert (runner.workspace / "words.txt").read_text() == f"{words} --storage mlruns{ending}\n"


def test_words_with_blanks_stay_together_and_a_server_gets_its_password(tmp_path):
    runner = Runner(
        tmp_path, '#!/bin/sh\nprintf "%s\\n" "$2" "$MLFLOW_TRACKING_URI" "$MLFLOW_TRACKING_PASSWORD" > words.txt\n'
    )
    secrets = {f"MLFLOW_TRACKING_{name}": f"my {name}" for name in ("URI", "USERNAME", "PASSWORD")}
    runner.workflow(SWEEP, {"study": "a $(b) 'c.yaml"}, secrets)
    assert (runner.workspace / "words.txt").read_text() == "a $(b) 'c.yaml\nmy URI\nmy PASSWORD\n"


def test_a_job_that_is_cancelled_waits_until_the_sweep_has_written_what_it_has(tmp_path):
    runner = Runner(
        tmp_path,
        "#!/bin/bash\ntrap 'sleep 0.5; touch written; exit 143' TERM\ntouch begun\nwhile true; do sleep 0.1; done\n",
    )
    (step,) = (step for step in ACTION["runs"]["steps"] if step.get("id") == "sweep")
    inputs = {name: about.get("default", "") for name, about in ACTION["inputs"].items()}
    process, place = runner.start(step, {**runner.about(), "inputs": {**inputs, "study": "s.yaml"}})
    while not (runner.workspace / "begun").exists():
        assert process.poll() is None
        time.sleep(0.02)
    for number in (signal.SIGINT, signal.SIGTERM):  # what a runner sends, seconds apart
        process.send_signal(number)
        time.sleep(0.1)
    process.communicate(timeout=60)
    assert (runner.workspace / "written").exists()
    assert outputs_of(place)["status"] == "143"


@pytest.mark.parametrize("there", [False, True])
def test_gitlabs_script_runs_the_same_command(there, tmp_path):
    runner = Runner(tmp_path, ENDS_WITH.format(4))
    variables = {name: str(value) for name, value in GITLAB["variables"].items()}
    baseline = runner.workspace / variables["SWEEP_BASELINE"]
    baseline.parent.mkdir()
    if there:
        baseline.write_text("{}")
    process, _ = runner.start({"run": "\n".join(GITLAB["script"]), "env": variables}, {})
    process.communicate(timeout=60)
    assert process.returncode == 4
    told = (runner.workspace / "words.txt").read_text()
    assert told == (
        "check studies/digits.yaml --baseline studies/digits.baseline.json\n" if there else "run studies/digits.yaml\n"
    )
    assert GITLAB["allow_failure"] == {"exit_codes": [143]}


@pytest.mark.slow
def test_the_sweep_workflow_ends_in_a_verdict_and_is_recalled_the_next_night(tmp_path):
    runner = Runner(tmp_path)
    (runner.workspace / "study.yaml").write_text(TINY)
    job = runner.workflow(SWEEP, {"study": "study.yaml"})
    assert job.failed == [], job.log
    assert job.ran[-1] == "Pass or fail"
    assert "## ✅ Done: tiny" in job.summary
    assert "::notice file=study.yaml,title=Done%3A tiny::" in job.log
    assert (
        "[Report](https://github.test/me/mine/actions/runs/1001#artifacts) `mlruns/studies/tiny/report" in job.summary
    )
    assert job.outputs["exit-code"] == "0"
    assert job.outputs["outcome"] in ("WINNER", "TIE", "NOT_SEPARATED")
    assert set(json.loads(job.outputs["params"])) >= {"activation", "optimizer", "learning_rate"}
    assert job.outputs["run-id"]
    uploaded = tmp_path / "artifacts/1/sweep"
    verdict = json.loads((uploaded / "mlruns/studies/tiny/verdict.json").read_text())
    assert verdict["outcome"] == job.outputs["outcome"]
    assert (uploaded / job.outputs["report"]).stat().st_size > 0
    assert ElementTree.parse(uploaded / "sweep-junit.xml").getroot()[0].get("errors") == "0"
    again = runner.workflow(SWEEP, {"study": "study.yaml"})
    assert again.failed == [], again.log
    recalled = json.loads((tmp_path / "artifacts/2/sweep/mlruns/studies/tiny/verdict.json").read_text())
    assert recalled == verdict


@pytest.mark.slow
def test_a_night_whose_time_is_over_reports_what_it_has_and_the_next_one_continues(tmp_path):
    runner = Runner(tmp_path)
    (runner.workspace / "study.yaml").write_text(SLOW)
    (runner.workspace / "loop.py").write_text(LOOP)
    runner.environ = {"TRIAL_S": "2"}
    night = runner.workflow(SWEEP, {"study": "study.yaml", "time-budget": "30s"})
    assert night.failed == [], night.log
    assert night.outputs["exit-code"] == "143"
    assert "## ⏸️ Not finished: scripted" in night.summary
    assert "::warning file=study.yaml,title=Not finished%3A scripted::" in night.log
    suite = ElementTree.parse(tmp_path / "artifacts/1/sweep/sweep-junit.xml").getroot()[0]
    assert int(suite.get("errors")) >= 1
    partial = json.loads((tmp_path / "artifacts/1/sweep/mlruns/studies/scripted/verdict.json").read_text())
    assert partial["complete"] is False
    done_before = partial["trials"]["explore"]["COMPLETED"]
    assert done_before > 0
    (runner.workspace / "trained.txt").unlink()
    runner.environ = {"TRIAL_S": "0"}
    next_night = runner.workflow(SWEEP, {"study": "study.yaml"})
    assert next_night.failed == [], next_night.log
    assert next_night.outputs["exit-code"] == "0"
    whole = json.loads((tmp_path / "artifacts/2/sweep/mlruns/studies/scripted/verdict.json").read_text())
    trained = len((runner.workspace / "trained.txt").read_text().splitlines())
    assert trained == sum(sum(counts.values()) for counts in whole["trials"].values()) - done_before


def test_the_document_names_every_input_and_output():
    text = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`([\w-]+)`", "".join(re.findall(r"^\| (`.*?) \|", text, re.M))))
    assert told >= set(ACTION["inputs"]) | set(ACTION["outputs"])


def test_the_workflow_of_the_document_uses_the_action_as_it_is():
    text = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```yaml\n(.*?)^```", text, re.M | re.S)
    (job,) = yaml.safe_load(block)["jobs"].values()
    (step,) = (step for step in job["steps"] if step.get("id") == "sweep")
    assert set(step["with"]) <= set(ACTION["inputs"])
    ours = yaml.safe_load(SWEEP.read_text(encoding="utf-8"))["jobs"]["sweep"]
    assert job["steps"][0]["uses"] == ours["steps"][0]["uses"]
    assert job["timeout-minutes"] == ours["timeout-minutes"]


@pytest.mark.slow
def test_a_night_that_got_worse_fails_the_job_and_one_that_did_not_passes(tmp_path):
    runner = Runner(tmp_path)
    (runner.workspace / "study.yaml").write_text(SLOW)
    (runner.workspace / "loop.py").write_text(LOOP)
    inputs = {"study": "study.yaml", "baseline": "baseline.json"}
    first = runner.workflow(SWEEP, inputs)
    assert first.failed == [], first.log
    words = ["sweeper", "baseline", "set", "study.yaml", "-o", "baseline.json"]
    process, _ = runner.start({"run": " ".join(words)}, {})
    told, _ = process.communicate(timeout=120)
    assert process.returncode == 0, told
    same = runner.workflow(SWEEP, inputs)
    assert same.failed == [], same.log
    assert same.outputs["outcome"] == "PASSED"
    assert "## ✅ Passed: scripted" in same.summary
    baseline = json.loads((runner.workspace / "baseline.json").read_text())
    baseline["scores"] = [score + 0.02 for score in baseline["scores"]]
    (runner.workspace / "baseline.json").write_text(json.dumps(baseline))
    worse = runner.workflow(SWEEP, inputs)
    assert worse.failed == ["Pass or fail", "Sweep"], worse.log
    assert worse.outputs["exit-code"] == "3"
    assert float(worse.outputs["drop"]) == pytest.approx(0.02, abs=0.01)
    assert "## ❌ Failed: scripted" in worse.summary
    assert "::error file=study.yaml,title=Failed%3A scripted::" in worse.log
    suite = ElementTree.parse(tmp_path / "artifacts/3/sweep/sweep-junit.xml").getroot()[0]
    assert suite.get("failures") == "1"
