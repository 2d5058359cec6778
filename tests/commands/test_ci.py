"""What a run tells the CI that it finds itself in."""

import contextlib
import io
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from xml.etree import ElementTree

import pytest
from scripted_desk import STUDY

import sweeper
from sweeper.commands.ci import Told, folded, tell_ci, tell_ci_refusal
from sweeper.errors import Incomplete, Interrupted, Problem, StudyError
from sweeper.gate import GateOutcome, GateResult


def result(outcome=GateOutcome.FAILED, **changes):
    return GateResult("digits", outcome, "It fell.", "accuracy", True, 0.003, None, 0.9, None, 0.1, None, **changes)


def told(outcome=GateOutcome.FAILED, junit=None, **changes):
    answer = result(outcome, **changes)
    return Told(answer, answer.exit_code, Path("studies/digits.yaml"), junit=junit)


def github(folder):
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "GITHUB_OUTPUT": str(folder / "output"),
    }


def test_nothing_is_written_or_said_outside_a_ci(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = []
    assert tell_ci(told(), {}, said.append) == ()
    assert said == []
    assert list(tmp_path.iterdir()) == []


def test_github_gets_summary_outputs_and_an_annotation(tmp_path):
    (tmp_path / "summary.md").write_text("an earlier step\n")
    said = []
    assert tell_ci(told(), github(tmp_path), said.append) == ()
    assert (tmp_path / "summary.md").read_text().startswith("an earlier step\n## ❌ Failed: digits\n")
    assert re.search(r"^exit-code<<(\S+)\n3\n\1$", (tmp_path / "output").read_text(), re.M)
    assert said == ["::error file=studies/digits.yaml,title=Failed%3A digits::It fell."]


def test_what_cannot_be_written_is_a_warning_and_the_rest_is_written(tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("")
    environ = {**github(tmp_path), "GITHUB_STEP_SUMMARY": str(taken / "x"), "SWEEPER_DOTENV": str(tmp_path)}
    warnings = tell_ci(told(junit=taken / "inside" / "junit.xml"), environ, lambda line: None)
    assert len(warnings) == 3
    assert all("could not be written" in warning for warning in warnings)
    assert (tmp_path / "output").stat().st_size > 0


def test_a_summary_file_that_is_full_takes_no_more(tmp_path):
    (tmp_path / "summary.md").write_bytes(b"x" * (1024 * 1024 - 10))
    assert tell_ci(told(), github(tmp_path), lambda line: None) == ()
    assert (tmp_path / "summary.md").stat().st_size <= 1024 * 1024


def test_many_at_once_leave_whole_blocks(tmp_path):
    threads = [threading.Thread(target=tell_ci, args=(told(), github(tmp_path), lambda line: None)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    blocks = (tmp_path / "summary.md").read_text().split("## ❌ Failed: digits\n")
    assert len(blocks) == 13
    assert len(set(blocks[1:])) == 1
    assert len(re.findall(r"^exit-code<<(\S+)\n3\n\1$", (tmp_path / "output").read_text(), re.M)) == 12


def test_an_annotation_names_the_file_as_the_repository_does(tmp_path, monkeypatch):
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")
    said = []
    tell_ci(told(), {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(tmp_path)}, said.append)
    assert said[0].startswith("::error file=inside/studies/digits.yaml,")


@pytest.fixture
def server():
    """An MLflow server that knows one experiment."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"experiment": {"experiment_id": "7"}}).encode()
            self.send_response(200 if "experiment_name=digits" in self.path else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


def test_the_summary_links_to_the_run_on_a_server_without_its_password(tmp_path, server):
    uri = server.replace("http://", "http://me:secret@")
    for experiment, linked in (("digits", True), ("other", False)):
        folder = tmp_path / experiment
        folder.mkdir()
        tracking = {"uri": uri, "experiment": experiment, "run_id": "8f2ac0"}
        tell_ci(told(tracking=tracking), github(folder), lambda line: None)
        page = (folder / "summary.md").read_text()
        assert (f"[Run in MLflow]({server}/#/experiments/7/runs/8f2ac0" in page) is linked
        assert "secret" not in page + (folder / "output").read_text()
        assert "8f2ac0" in page


def test_each_problem_of_a_refused_study_stands_at_its_line(tmp_path):
    said = []
    problems = (
        Problem("study.yaml:6  parameters.activation.values.1", "an activation", "'tahn'", "tanh"),
        Problem("a folder", "to be there"),
    )
    tell_ci_refusal(StudyError(*problems), github(tmp_path), said.append)
    assert said[0].startswith("::error file=study.yaml,line=6,title=sweeper%3A parameters.activation.values.1::")
    assert said[1].startswith("::error title=sweeper%3A a folder::")
    assert re.search(r"^exit-code<<(\S+)\n2\n\1$", (tmp_path / "output").read_text(), re.M)


def test_what_the_next_night_continues_is_no_error(tmp_path):
    error = Interrupted(Problem("SIGTERM", "the study to end"))
    error.exit_code = 143
    said = []
    tell_ci_refusal(error, github(tmp_path), said.append)
    assert said[0].startswith("::warning title=sweeper%3A SIGTERM::")
    assert (tmp_path / "summary.md").read_text().startswith("## ⏸️ Not finished: SIGTERM\n")


def test_a_refusal_outside_a_ci_leaves_nothing_but_the_file_that_was_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error, said = Incomplete(Problem("budget.failures", "fewer")), []
    assert tell_ci_refusal(error, {}, said.append) == ()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "junit.xml").write_text("the green one of last night")
    assert tell_ci_refusal(error, {}, said.append, Path("junit.xml")) == ()
    assert 'errors="1"' in (tmp_path / "junit.xml").read_text()
    assert said == []


@pytest.mark.parametrize(
    ("environ", "form"),
    [
        ({"GITHUB_ACTIONS": "true"}, r"::group::Training\ninside\n::endgroup::\n"),
        (
            {"GITLAB_CI": "true"},
            r"\x1b\[0Ksection_start:\d+:training\[collapsed=true\]\r\x1b\[0KTraining\ninside\n"
            r"\x1b\[0Ksection_end:\d+:training\r\x1b\[0K\n",
        ),
        ({}, r"inside\n"),
    ],
)
def test_a_section_is_closed_however_it_ends(environ, form):
    stream = io.StringIO()
    with contextlib.suppress(ValueError), folded("Training", environ, stream):
        stream.write("inside\n")
        raise ValueError
    assert re.fullmatch(form, stream.getvalue())


def test_a_run_tells_its_ci_and_keeps_stdout_for_json(desk):
    done = desk.run("--json", "--junit", "out/junit.xml", **github(desk.folder))
    assert done.code == 0, done.err
    assert json.loads(done.out)["outcome"] in ("WINNER", "TIE", "NOT_SEPARATED")
    assert "## ✅ Done: scripted" in (desk.folder / "summary.md").read_text()
    assert "::notice file=study.yaml,title=Done%3A scripted::" in done.err
    assert done.err.index("::group::Training") < done.err.index("::endgroup::")
    suite = ElementTree.parse(desk.folder / "out/junit.xml").getroot()[0]
    assert (suite.get("failures"), suite.get("errors")) == ("0", "0")


def test_a_run_that_is_cut_short_or_refused_tells_too(desk):
    desk.write(STUDY.replace("loop:train", "loop:fail"))
    done = desk.run("--junit", "junit.xml", **github(desk.folder))
    assert done.code == 5
    assert "## ⏸️ Not finished: scripted" in (desk.folder / "summary.md").read_text()
    assert int(ElementTree.parse(desk.folder / "junit.xml").getroot()[0].get("errors")) >= 1
    desk.write(STUDY.replace("epochs: 2", "epochs: two"))
    refused = desk.run("--junit", "junit.xml", **github(desk.folder))
    assert refused.code == 2
    assert re.search(r"^::error file=study\.yaml,line=4,title=sweeper%3A training\.epochs::", refused.err, re.M)
    assert "## ❌ Refused: study.yaml:4\n" in (desk.folder / "summary.md").read_text()
    assert ElementTree.parse(desk.folder / "junit.xml").getroot()[0][1].get("name") == "study.yaml:4 training.epochs"


def test_a_fault_of_sweeper_leaves_no_green_file_behind(desk):
    (desk.folder / "junit.xml").write_text("the green one of last night")
    fault = "import json\ndef loads(*_, **__): raise ZeroDivisionError\njson.loads = loads\n"
    (desk.folder / "sitecustomize.py").write_text(fault)
    done = desk.run("--junit", "junit.xml", PYTHONPATH=f"{desk.folder}:{Path(sweeper.__file__).parents[1]}")
    assert done.code == 1
    assert "unexpected ZeroDivisionError" in done.err
    assert 'errors="1"' in (desk.folder / "junit.xml").read_text()


def test_a_junit_file_that_cannot_be_written_is_found_before_anything_trains(desk):
    (desk.folder / "taken").write_text("")
    done = desk.sweeper("run", "study.yaml", "--no-tracking", "--no-progress", "--junit", "taken/j.xml")
    assert done.code == 2
    assert "--junit taken/j.xml expected a file that can be written" in " ".join(done.err.split())
    assert not (desk.folder / "mlruns").exists()
