import threading

import pytest

from sweeper.commands.tracking import Tracking, Waking
from sweeper.testing import MemoryTracker
from sweeper.trial import Combination, Seeds, Stage, TrialEnded, TrialRecord, TrialSpec


@pytest.fixture
def wanted():
    return threading.Event()


def record():
    spec = TrialSpec(0, Stage.EXPLORE, Combination({"activation": "relu"}), {}, Seeds(0, 0, 0), epochs=1)
    return TrialRecord(spec, TrialEnded.completed(spec, {"val_accuracy": 0.5}), {}, 0.0)


def test_the_store_is_wanted_as_soon_as_there_is_a_trial_to_write(wanted):
    memory = MemoryTracker()
    waking = Waking(memory, wanted)
    waking.start({"name": "x"})
    assert not wanted.is_set()
    waking.trial(record())
    assert wanted.is_set()
    assert [each.spec.number for each in memory.records] == [0]
    assert memory.study == {"name": "x"}


def test_the_store_is_wanted_at_the_end_of_a_study_without_trials(wanted):
    memory = MemoryTracker()
    Waking(memory, wanted).finish("KILLED", [], {})
    assert wanted.is_set()
    assert memory.status == "KILLED"


def test_whoever_asks_for_the_ids_or_gives_up_waits_for_no_trial(wanted):
    Tracking(MemoryTracker(), ledger=None, wanted=wanted).ids()
    assert wanted.is_set()
    wanted.clear()
    Tracking(MemoryTracker(), ledger=None, wanted=wanted).abandon()
    assert wanted.is_set()
