import json

import pytest

from sweeper.commands.ways import REMEMBERED, Ways
from sweeper.setup import TrainerSetup
from sweeper.trial import TrainerReady

TRIED = TrainerReady("stacked: 8 at a time take less", "stacked", key="abc")


class Notes:
    """What `Ways` needs of a ledger."""

    def __init__(self):
        self.notes = {}

    def note(self, key, value):
        self.notes[key] = value


@pytest.fixture
def ways(tmp_path):
    return lambda ledger, fuse="auto": Ways(ledger, fuse, tmp_path)


def test_the_first_choice_is_kept(ways):
    ledger = Notes()
    mine = ways(ledger)
    assert mine.is_open
    assert mine.known(TrainerSetup()).fuse == "auto"
    mine.ready(TRIED)
    mine.ready(TrainerReady("graph: another worker thinks otherwise", "graph"))
    resumed = ways(ledger)
    assert not resumed.is_open
    assert resumed.known(TrainerSetup()).fuse == "stacked"
    assert ledger.notes["way"] == TRIED.way


def test_a_way_that_the_study_names_is_never_open(ways):
    mine = ways(Notes(), "graph")
    assert not mine.is_open
    assert mine.known(TrainerSetup(fuse="graph")).fuse == "graph"


def test_what_was_tried_is_remembered_for_the_next_study(ways):
    ways(Notes()).ready(TRIED)
    ways(Notes()).ready(TrainerReady("graph: by rule", "graph"))
    known = ways(Notes()).known(TrainerSetup())
    assert known.remembered == {"abc": ("stacked", "8 at a time take less")}


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"abc": 3}', "null"])
def test_a_damaged_memory_is_no_memory(ways, tmp_path, text):
    (tmp_path / REMEMBERED).write_text(text)
    assert ways(Notes()).known(TrainerSetup()).remembered == {}
    ways(Notes()).ready(TRIED)
    assert json.loads((tmp_path / REMEMBERED).read_text()) == {"abc": ["stacked", "8 at a time take less"]}
