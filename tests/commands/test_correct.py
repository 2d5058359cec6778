"""Which test rows were classified correctly, from a trainer through the ledger to the verdict."""

import numpy as np
import pytest

import sweeper
from sweeper.engines.inline import InlineEngine
from sweeper.planning.optuna_ledger import stored
from sweeper.testing import ScriptedTrainer, small_dataset
from sweeper.trial import Flags, Stage, TrialEnded

ROWS = 30
STUDY = {
    "name": "rows",
    "data": {"name": "iris"},
    "trainer": "loop:train",
    "training": {"epochs": 1},
    "parameters": {"activation": {"values": ["relu", "tanh"]}, "optimizer": {"values": ["sgd"]}},
    "confirm": {"seeds": 10, "looks": [10]},
}


def right(spec):
    """Each activation has rows of its own that it never gets right, and luck."""
    mine = np.arange(ROWS) % 7 == (0 if spec.params["activation"] == "relu" else 3)
    lucky = np.random.default_rng([spec.seeds.init % 2**32, len(spec.params["activation"])]).random(ROWS) < 0.9
    return lucky & ~mine


def score(spec):
    return float(right(spec).mean()) if spec.stage is Stage.CONFIRM else 0.8


def run(trainer, storage="memory"):
    return sweeper.run(STUDY, engine=InlineEngine(lambda: (trainer, small_dataset())), storage=storage)


def test_the_luck_of_the_rows_widens_bounds_and_intervals():
    plain, told = (run(ScriptedTrainer(score, correct=correct)) for correct in (None, right))
    assert (told.pick.combination, told.pick.params) == (plain.pick.combination, plain.pick.params)
    assert told.regret > plain.regret
    for wide, narrow in zip(told.finalists, plain.finalists, strict=True):
        assert wide.score == narrow.score
        assert wide.interval.high - wide.interval.low > narrow.interval.high - narrow.interval.low


def test_the_ledger_keeps_the_rows_of_the_confirmation_and_of_nothing_else(tmp_path):
    def generous(cohort, data, report):
        ends = []
        for spec in cohort.trials:
            metrics = {"val_accuracy": score(spec), "test_accuracy": score(spec)}
            ends.append(TrialEnded.completed(spec, metrics, correct=Flags.of(right(spec))))
        return ends

    verdict = run(generous, tmp_path)
    records = stored(tmp_path / "studies" / "rows" / "study.db", "rows").records
    told = {record.spec.stage for record in records if record.ended.correct is not None}
    assert told == {Stage.CONFIRM}
    confirmed = [record for record in records if record.spec.stage is Stage.CONFIRM]
    assert len(confirmed) == 20
    for record in confirmed:
        np.testing.assert_array_equal(record.ended.correct.values(), right(record.spec))
        assert record.ended.correct.values().mean() == pytest.approx(record.value("test_accuracy"))
    assert verdict.regret == run(generous).regret
