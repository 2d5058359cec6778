import functools
import os
import socket
import subprocess
import sys
import textwrap
import urllib.request

import pytest
from tracked import STUDY, record

from sweeper.errors import TrackingError
from sweeper.tracking import quiet
from sweeper.tracking.background import BackgroundTracker
from sweeper.tracking.links import study_links
from sweeper.tracking.local_server import HOST, free_port, local_server
from sweeper.tracking.reachable import check_reachable


def test_a_port_that_is_taken_is_passed_over():
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port < free_port(port) < port + 50


def test_a_free_port_is_taken_as_wanted():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    assert free_port(port) == port


@pytest.mark.slow
def test_a_server_that_cannot_start_tells_the_end_of_its_log(tmp_path):
    (tmp_path / "mlflow.db").write_text("this is no database, whatever its name says" * 100)
    told = []
    with (
        pytest.raises(TrackingError, match="it ended") as caught,
        local_server(f"sqlite:///{tmp_path / 'mlflow.db'}", free_port(15000), told.append),
    ):
        pytest.fail("it must not answer")
    assert "not a database" in str(caught.value)


@pytest.mark.slow
def test_a_study_tracked_by_a_server(tmp_path, store):
    """One server for everything that needs one: it takes long to start."""
    with local_server(store.uri, free_port(15100), lambda elapsed_s: None) as server:
        check_reachable(server.url)
        assert study_links(server.url, "digits") is None
        open_remote = functools.partial(quiet.open_tracker, server.url, "digits", artifact_root=None)
        _tracks_in_the_background(open_remote, server.url, tmp_path)
        _completes_what_is_missing(open_remote, store)
        _leads_to_the_study(server.url, store)
        _registers_the_pick(open_remote, store, tmp_path)
        process = server.process
    assert process.poll() is not None
    with pytest.raises(TrackingError, match="refused"):
        check_reachable(server.url)


def _tracks_in_the_background(open_remote, url, tmp_path):
    (tmp_path / "report.html").write_text("<h1>report</h1>")
    tracker = BackgroundTracker(open_remote)
    tracker.start(STUDY)
    for number in range(3):
        tracker.trial(record(number))
    assert tracker.ids()["uri"] == url
    tracker.finish("FINISHED", [str(tmp_path / "report.html")], {"sweeper.verdict": "relu + adam wins."})
    assert tracker.problem is None


def _completes_what_is_missing(open_remote, store):
    store.client.update_run(store.children()[1].info.run_id, status="RUNNING")
    tracker = open_remote()
    run_id = tracker.start(STUDY)["run_id"]
    for number in range(4):
        tracker.trial(record(number))
    tracker.finish("FINISHED", [], {})
    assert sorted(store.children()) == [0, 1, 2, 3]
    assert len(store.history(store.children()[1].info.run_id, "val_loss")) == 3
    assert store.client.get_run(run_id).data.tags["sweeper.verdict"] == "relu + adam wins."


def _leads_to_the_study(url, store):
    run_id = next(run.info.run_id for run in store.runs() if run.data.tags["sweeper.stage"] == "study")
    links = study_links(url, "digits", "uid1")
    assert f"/runs/{run_id}?" in links.verdict
    assert links == study_links(url, "digits")
    assert study_links(url, "digits", "another") is None
    with urllib.request.urlopen(f"{url}/get-artifact?path=report.html&run_uuid={run_id}") as answer:
        assert answer.read() == b"<h1>report</h1>"


def _registers_the_pick(open_remote, store, tmp_path):
    (tmp_path / "model.keras").write_bytes(b"a network")
    (tmp_path / "data.json").write_text('{"task": "regression", "input_shape": [2]}')
    for _ in range(2):
        tracker = open_remote()
        tracker.start({**STUDY, "configuration": {"tracking": {"register_as": "digits-net"}}})
        tracker.log_model(tmp_path, ["keras"])
        tracker.finish("FINISHED", [], {"sweeper.outcome": "WINNER"})
    (version,) = store.client.search_model_versions("name = 'digits-net'")
    named = store.client.get_model_version_by_alias("digits-net", "winner")
    assert int(named.version) == int(version.version)


@pytest.mark.slow
def test_an_outage_does_not_end_the_study(tmp_path):
    """Nobody listens there: MLflow's own retries are bounded, and the study hears of it only at the end."""
    url = f"http://{HOST}:{free_port(15200)}"
    code = textwrap.dedent(
        f"""
        import sys
        sys.path.insert(0, {os.path.dirname(__file__)!r})
        from tracked import STUDY, record
        from sweeper.tracking import quiet
        from sweeper.tracking.background import BackgroundTracker, Patience
        tracker = BackgroundTracker(
            lambda: quiet.open_tracker({url!r}, "x", artifact_root=None),
            where={url!r},
            patience=Patience(again_s=0.5, end_s=3),
        )
        tracker.start(STUDY)
        tracker.trial(record(0))
        tracker.finish("FINISHED", [], {{}})
        print(tracker.problem.received)
        """
    )
    environment = {**os.environ, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.startswith("1 trial could not be written")
    assert done.stderr == ""
