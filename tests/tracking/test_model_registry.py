import json

import pytest
from tracked import STUDY

REGISTERED = {**STUDY, "configuration": {"tracking": {"register_as": "digits-net"}}}


@pytest.fixture
def keep(tmp_path):
    folder = tmp_path / "keep"
    folder.mkdir()
    (folder / "model.keras").write_bytes(b"a network")
    (folder / "data.json").write_text(json.dumps({"task": "regression", "input_shape": [2]}))
    (folder / "preprocessing.json").write_text("null")
    return folder


def run(store, keep, outcome="WINNER", study=REGISTERED, status="FINISHED"):
    tracker = store.tracker()
    run_id = tracker.start(study)["run_id"]
    tracker.log_model(keep, ["keras"])
    tracker.finish(status, [], {"sweeper.outcome": outcome, "sweeper.verdict": f"It is {outcome}."})
    return run_id


def versions(store):
    return sorted(store.client.search_model_versions("name = 'digits-net'"), key=lambda version: int(version.version))


def test_the_pick_is_registered_with_its_verdict(store, keep):
    run_id = run(store, keep)
    (version,) = versions(store)
    assert version.run_id == run_id
    assert version.tags["sweeper.outcome"] == "WINNER"
    assert version.tags["sweeper.study_hash"] == "a" * 16
    assert version.description == "It is WINNER."
    assert store.client.get_model_version_by_alias("digits-net", "winner").version == version.version
    note = store.client.get_run(run_id).data.tags["mlflow.note.content"]
    assert "`models:/digits-net/1`" in note


def test_a_resume_registers_once_and_another_network_anew(store, keep):
    run(store, keep)
    run(store, keep)
    assert len(versions(store)) == 1
    (keep / "model.keras").write_bytes(b"another network")
    run(store, keep, outcome="TIE")
    assert len(versions(store)) == 2
    assert int(store.client.get_model_version_by_alias("digits-net", "tie").version) == 2
    assert int(store.client.get_model_version_by_alias("digits-net", "winner").version) == 1


@pytest.mark.parametrize(("study", "status"), [(STUDY, "FINISHED"), (REGISTERED, "KILLED")])
def test_nothing_is_registered_unless_asked_for_and_finished(store, keep, study, status):
    run(store, keep, study=study, status=status)
    assert versions(store) == []
