import json
import sqlite3
import sys
from contextlib import closing

import pytest

from sweeper.commands import doctor_machine as machine
from sweeper.commands import doctor_storage as storage
from sweeper.commands.doctor import FAILED, checks, doctor, words
from sweeper.commands.finding import Level, failure, fine, warning

ANSWER = """
import json
print("noise")
print(json.dumps({"tensorflow": "2.21.0", "keras": "3.15.0", "backend": "tensorflow", "gpus": GPUS,
    "trouble": TROUBLE, "cuda": False, "seconds": 1.0}))
"""


def levels(findings):
    return {finding.topic: finding.level for finding in findings}


def only(findings):
    (finding,) = findings
    assert finding.level is Level.FINE or finding.cure
    return finding


# --- what it says ----------------------------------------------------------------------------------------------


def test_findings_are_told_as_they_are_found_and_failures_decide_the_exit_code():
    told = []
    listed = [
        ("a", lambda: iter([fine("a", "well")])),
        ("b", lambda: iter([warning("b", "odd", "mend it")])),
    ]
    assert doctor(listed, told.append, lambda topic: told.append(topic)) == 0
    assert [str(getattr(each, "topic", each)) for each in told] == ["a", "a", "b", "b"]
    assert doctor([*listed, ("c", lambda: iter([failure("c", "no", "yes")]))], told.append, str) == FAILED
    assert words(told[-1]) == f"x {'c':<17} no\n{'':<20}try  yes"


def test_a_check_that_falls_ill_is_a_line():
    def ill():
        raise RuntimeError("measles")

    told = []
    assert doctor([("x", ill)], told.append, str) == FAILED
    assert "measles" in told[0].text


# --- TensorFlow --------------------------------------------------------------------------------------------------


def probe(gpus="[]", trouble="''"):
    return ANSWER.replace("GPUS", gpus).replace("TROUBLE", trouble)


def test_tensorflow_as_it_should_be(monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    found = list(machine.tensorflow(probe()))
    assert levels(found)["tensorflow"] is Level.FINE
    assert "3.15.0 on tensorflow" in found[1].text


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("raise ImportError('libcudart.so: no such file')", "libcudart.so"),
        ("import os; os._exit(132)", "status 132"),
        ("print('not JSON')", "status 0"),
    ],
)
def test_a_broken_tensorflow_is_one_line(code, told):
    finding = only(machine.tensorflow(code))
    assert finding.level is Level.FAILURE
    assert told in finding.text
    assert "\n" not in finding.text


def test_a_tensorflow_that_hangs_is_given_up():
    finding = only(machine.tensorflow("import time; time.sleep(60)", limit_s=0.5))
    assert finding.level is Level.FAILURE
    assert "after 0.5 s" in finding.text


def test_gpus_usable_and_not():
    assert levels(machine.tensorflow(probe("['/gpu:0']")))["gpu"] is Level.FINE
    assert levels(machine.tensorflow(probe("['/gpu:0']", "'no kernel image'")))["gpu"] is Level.FAILURE


def test_another_backend_is_told_of(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    found = next(iter(machine.tensorflow(probe())))
    assert (found.level, found.cure) == (Level.WARNING, "unset KERAS_BACKEND")


# --- the machine -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "check", ["python", "packages", "wheels", "extras", "cores", "memory", "shared_memory", "clock", "terminal"]
)
def test_every_look_at_this_machine_gives_lines(check):
    for finding in getattr(machine, check)():
        assert finding.text
        assert "\n" not in finding.text


def test_versions_outside_the_bounds():
    needed = ["numpy>=999", "no-such-thing>=1", "numpy>=1", "a; extra == 'b'"]
    found = {finding.text: finding for finding in machine._unmet(needed)}
    assert len(found) == 2
    assert all(finding.level is Level.FAILURE for finding in found.values())
    assert any(finding.cure == "pip install 'numpy>=999'" for finding in found.values())


def test_a_clock_that_stands_before_the_installation():
    assert only(machine.clock(now_s=0.0)).level is Level.WARNING


def test_shared_memory_that_is_not_there(tmp_path):
    if sys.platform == "linux":
        assert only(machine.shared_memory(tmp_path / "shm")).level is Level.FAILURE


# --- storage -----------------------------------------------------------------------------------------------------


def test_storage_that_is_there_or_will_be(tmp_path):
    assert levels(storage.storage(tmp_path))["storage"] is Level.FINE
    found = only(storage.storage(tmp_path / "not" / "yet"))
    assert "not there yet" in found.text
    assert not (tmp_path / "not").exists()
    assert list(tmp_path.iterdir()) == []


def test_storage_below_a_file_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    assert only(storage.storage(tmp_path / "file")).level is Level.FAILURE


@pytest.mark.parametrize(
    ("kind", "level"),
    [("ext4", Level.FINE), ("overlay", Level.FINE), ("nfs4", Level.WARNING), ("fuse.sshfs", Level.WARNING)],
)
def test_network_file_systems_are_told_of(tmp_path, kind, level):
    mounts = f"/dev/root / ext4 rw 0 0\nserver:/x {tmp_path} {kind} rw 0 0\nproc /proc proc rw 0 0\n"
    assert only(storage.file_system(tmp_path / "mlruns", mounts)).level is level


def test_ledgers_sound_damaged_and_missing(tmp_path):
    assert only(storage.ledgers(tmp_path, None)).level is Level.FINE
    for name in ("good", "bad"):
        (tmp_path / "studies" / name).mkdir(parents=True)
    with closing(sqlite3.connect(tmp_path / "studies" / "good" / "study.db")) as database:
        database.execute("create table t (x)")
    assert only(storage.ledgers(tmp_path, "good")).level is Level.FINE
    (tmp_path / "studies" / "bad" / "study.db").write_bytes(b"SQLite format 3\0" + b"rubbish" * 500)
    finding = only(storage.ledgers(tmp_path, "bad"))
    assert (finding.level, "--fresh" in finding.cure) == (Level.FAILURE, True)
    assert "not been run" in only(storage.ledgers(tmp_path, "other")).text


def test_a_study_that_is_being_run_is_no_fault(tmp_path):
    from sweeper.folder import StudyFolder

    folder = StudyFolder(tmp_path, "busy")
    with folder.locked():
        with closing(sqlite3.connect(folder.ledger)) as database:
            database.execute("create table t (x)")
        found = list(storage.ledgers(tmp_path, None))
    assert "busy" in found[-1].text
    assert all(finding.level is Level.FINE for finding in found)


def test_workers_without_a_coordinator(tmp_path):
    for number, parent in ((7, 1), (8, 7)):
        place = tmp_path / str(number)
        place.mkdir()
        (place / "cmdline").write_bytes(b"python\0-c\0from multiprocessing.forkserver import main; ['sweeper.preload']")
        (place / "stat").write_text(f"{number} (py) thon) S {parent} 1 1")
    finding = only(storage.left_over(tmp_path))
    assert finding.cure == "kill 7"


def store(path, version):
    with closing(sqlite3.connect(path)) as database:
        database.execute("create table alembic_version (version_num)")
        database.execute("insert into alembic_version values (?)", (version,))
        database.commit()
    return f"sqlite:///{path}"


def test_the_schema_of_the_mlflow_store(tmp_path):
    heads, known = storage._revisions()
    assert len(heads) == 1
    (head,) = heads
    older = next(iter(known - heads))
    assert only(storage.mlflow(store(tmp_path / "a.db", head))).level is Level.FINE
    finding = only(storage.mlflow(store(tmp_path / "b.db", older)))
    assert (finding.level, "mlflow db upgrade" in finding.cure) == (Level.WARNING, True)
    assert only(storage.mlflow(store(tmp_path / "c.db", "fffff"))).level is Level.FAILURE
    (tmp_path / "d.db").write_bytes(b"rubbish" * 999)
    assert only(storage.mlflow(f"sqlite:///{tmp_path}/d.db")).level is Level.FAILURE
    assert "not there yet" in only(storage.mlflow(f"sqlite:///{tmp_path}/none.db")).text


def test_a_server_that_does_not_answer():
    finding = only(storage.mlflow("http://user:secret@127.0.0.1:9"))
    assert finding.level is Level.FAILURE
    assert "secret" not in finding.text


# --- the command -------------------------------------------------------------------------------------------------


def test_a_study_that_makes_no_sense_is_a_line(tmp_path):
    (tmp_path / "study.yaml").write_text("name: x\ndata: {name: digit}\n")
    (topic, check), *_ = checks(tmp_path / "study.yaml", tmp_path)
    assert topic == "study"
    assert only(check()).cure.startswith("sweeper validate")


def test_data_that_are_not_there(tmp_path):
    (tmp_path / "study.yaml").write_text("name: x\ndata: {name: csv, path: no.csv, target: y}\n")
    _, missing = checks(tmp_path / "study.yaml", tmp_path)[0][1]()
    assert (missing.topic, missing.level) == ("data", Level.FAILURE)


@pytest.mark.slow
def test_the_command(desk):
    done = desk.sweeper("doctor", "study.yaml", "--json", MLFLOW_TRACKING_URI="", KERAS_BACKEND="tensorflow")
    assert done.err == ""
    found = {finding["topic"]: finding for finding in json.loads(done.out)}
    assert {"study", "python", "tensorflow", "keras", "gpu", "storage", "mlflow", "ledger"} <= set(found)
    failed = [finding for finding in found.values() if finding["level"] == "failure"]
    assert done.code == (FAILED if failed else 0)
    assert not (desk.folder / "mlruns").exists()
    assert all(finding["cure"] for finding in found.values() if finding["level"] != "fine")


def test_a_study_that_is_not_there_is_not_to_be_validated(tmp_path):
    assert "validate" not in only(checks(tmp_path / "nope.yaml", tmp_path)[0][1]()).cure


def test_the_command_with_a_broken_study(desk):
    desk.write("name: x\ndata: {name: digit}\n")
    process = desk.start("doctor", "study.yaml")
    assert process.stdout.readline().startswith("x study")
    process.kill()
    process.communicate()
