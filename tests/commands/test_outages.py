"""A tracking server that goes away costs nothing: what it misses comes when it is back, in order and once."""

import contextlib
import signal
import socket
import sqlite3
import time

import pytest
from mlflow_server import Server, faulty_server, runs_of
from scripted_desk import HELD, LOOP

pytestmark = pytest.mark.slow

STUDY = """name: scripted
data: {name: iris}
trainer: "loop:held"
training: {epochs: 2}
confirm: {seeds: 10}
parameters: {activation: {values: [relu, tanh]}, optimizer: {values: [sgd, adam]}}
"""
TO_EXPLORE = 32


@pytest.fixture
def held(desk):
    (desk.folder / "loop.py").write_text(LOOP + HELD)
    return desk.write(STUDY)


@pytest.fixture
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("server"))
    try:
        yield running
    finally:
        if running.process is not None and running.process.poll() is None:
            running.kill()


def start(desk, uri, **environment):
    settings = {"TRIAL_S": "0.02", "MLFLOW_HTTP_REQUEST_TIMEOUT": "2", **environment}
    return desk.start("run", "study.yaml", "--no-progress", "--tracking", uri, **settings)


def wait_for(condition, process, seconds=120):
    until = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "nothing happened"
        time.sleep(0.05)


def explored(desk):
    return sum(line.startswith("explore") for line in desk.trained())


def ledger(desk):
    """Trial number -> state, as the ledger has them."""
    with contextlib.closing(sqlite3.connect(desk.folder / "mlruns/studies/scripted/study.db")) as connection:
        return dict(connection.execute("select number, state from trials"))


def assert_complete(desk, parents, children):
    """One parent that has ended with a verdict; every trial of the ledger once, whole, in the order of its end."""
    (parent,) = parents
    assert parent.info.status == "FINISHED"
    assert parent.data.tags["sweeper.verdict"]
    assert sorted(children) == sorted(ledger(desk))
    assert {run.info.status for run in children.values()} == {"FINISHED"}
    assert all("best_val_accuracy" in run.data.metrics for run in children.values())


def test_a_server_that_hangs_and_is_killed_and_started_again_gets_everything_once(held, server):
    server.start()
    process = start(held, server.url)
    wait_for(lambda: explored(held) >= 10, process)
    server.signal(signal.SIGSTOP)
    wait_for(lambda: explored(held) >= 24, process)  # training goes on without it
    time.sleep(3)  # longer than a request may take: what waits for the server is asked for again
    server.signal(signal.SIGCONT)
    written = len(server.runs("scripted")[1])
    wait_for(lambda: len(server.runs("scripted")[1]) > written, process)
    server.kill()
    wait_for(lambda: explored(held) == TO_EXPLORE, process)
    server.start()
    (held.folder / "released").touch()
    _out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    parents, children = server.runs("scripted")
    assert_complete(held, parents, children)
    assert parents[0].data.params["plan.sha256"]  # and the plan came before the first trial
    assert all(run.info.start_time >= parents[0].info.start_time for run in children.values())


def test_a_server_that_never_returns_costs_the_verdict_nothing_and_sync_delivers(held, server):
    server.start()
    (held.folder / "released").touch()
    process = start(held, server.url)
    wait_for(lambda: explored(held) >= 20, process)
    server.kill()
    out, err = process.communicate(timeout=200)
    assert process.returncode == 5, err
    assert "relu" in out
    command = f"sweeper sync study.yaml --tracking {server.url}"
    assert command in err
    still_away = held.sweeper(*command.split()[1:])
    assert still_away.code == 5
    assert "no answer" in still_away.err
    server.start()
    for _ in range(2):  # the second time nothing is missing
        done = held.sweeper(*command.split()[1:])
        assert done.code == 0, done.err
        assert f"{server.url}/#/experiments/" in done.out
        assert_complete(held, *server.runs("scripted"))


def test_a_server_with_faults_from_the_beginning_ends_no_study(held):
    (held.folder / "released").touch()
    with faulty_server() as (uri, asked):
        process = start(held, uri)
        out, err = process.communicate(timeout=200)
    assert process.returncode == 5, err
    assert "relu" in out
    assert f"{uri}: HTTP 500; training goes on" in err
    assert f"sweeper sync study.yaml --tracking {uri}" in err
    assert len(asked) < len(held.trained()) / 2  # not once a trial


def test_where_nobody_listens_training_goes_on_and_another_store_gets_it_all(held):
    (held.folder / "released").touch()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{unused.getsockname()[1]}"
    process = start(held, uri)
    _out, err = process.communicate(timeout=200)
    assert process.returncode == 5, err
    store = f"sqlite:///{held.folder}/elsewhere.db"
    assert held.sweeper("sync", "study.yaml", "--tracking", store).code == 0
    assert_complete(held, *runs_of(store, "scripted"))


def test_an_address_that_time_will_not_mend_ends_the_study_before_it_trains(held):
    with faulty_server(404) as (uri, _):
        process = start(held, uri)
        process.communicate(timeout=100)
    assert process.returncode == 2
    assert not held.trained()


def test_after_a_kill_the_ledger_alone_is_enough(held):
    process = held.start("run", "study.yaml", "--no-progress", "--no-tracking", TRIAL_S="0.02")
    wait_for(lambda: explored(held) >= 20, process)
    busy = held.sweeper("sync", "study.yaml")
    assert busy.code == 2
    assert str(process.pid) in busy.err
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (held.folder / "loop.py").unlink()  # neither trainer nor data are needed
    done = held.sweeper("sync", "study.yaml")
    assert done.code == 0, done.err
    parents, children = runs_of(f"sqlite:///{held.folder}/mlruns/mlflow.db", "scripted")
    assert [run.info.status for run in parents] == ["KILLED"]
    assert "the same command continues" in parents[0].data.tags["mlflow.note.content"]
    assert sorted(children) == [number for number, state in sorted(ledger(held).items()) if state == "COMPLETE"]


def test_a_study_without_tracking_can_be_tracked_afterwards(held):
    (held.folder / "released").touch()
    assert held.run().code == 0
    store = f"sqlite:///{held.folder}/later.db"
    for _ in range(2):
        done = held.sweeper("sync", "study.yaml", "--tracking", store)
        assert done.code == 0, done.err
        assert_complete(held, *runs_of(store, "scripted"))


def test_there_is_nothing_to_send_of_a_study_that_never_ran(held):
    done = held.sweeper("sync", "study.yaml")
    assert done.code == 2
    assert "sweeper run" in done.err
