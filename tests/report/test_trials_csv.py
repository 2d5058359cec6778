import csv
import io
import json
from dataclasses import replace

from synthetic import AWKWARD, World, material, poisoned, renamed, unused

from sweeper.report.trials_csv import best_epoch, trials_csv
from sweeper.trial import Stage
from sweeper.verdict import Objective


def rows(made):
    return list(csv.DictReader(io.StringIO(trials_csv(made))))


def test_every_trial_comes_back():
    made = material()
    found = rows(made)
    assert len(found) == len(made.records)
    for row, record in zip(found, made.records, strict=True):
        assert int(row["number"]) == record.spec.number
        assert (row["stage"], row["status"]) == (str(record.spec.stage), str(record.ended.status))
        assert {name: row[name] for name in ("activation", "optimizer")} == dict(record.spec.combination)
        assert float(row["learning_rate"]) == record.spec.params["learning_rate"]
        assert int(row["seed_split"]) == record.spec.seeds.split
        assert float(row["duration_s"]) == record.ended.duration_s
        for name, value in record.ended.metrics.items():
            assert float(row[name]) == value


def test_best_score_and_its_epoch():
    made = material()
    record, row = made.records[0], rows(made)[0]
    values = record.curve["val_accuracy"]
    assert float(row["best_val_accuracy"]) == max(values)
    assert int(row["best_epoch"]) == values.index(max(values))
    assert best_epoch({"val_mae": (3.0, 1.0, 1.0)}, Objective("mae", False, 0.1)) == (1.0, 1)


def test_sealed_test_scores_stand_at_confirmed_trials_only():
    for row in rows(material()):
        assert bool(row["test_accuracy"]) == (row["stage"] == Stage.CONFIRM.value)


def test_awkward_text_survives():
    made = renamed(material(World(seeds=2)), {name: text.replace("\x00", "") for name, text in AWKWARD.items()})
    spec = replace(made.records[0].spec, params={**made.records[0].spec.params, "units": [64, 32]})
    first = replace(made.records[0], spec=spec, ended=replace(made.records[0].ended, reason='said "no",\nthen died'))
    found = rows(replace(made, records=(first, *made.records[1:])))
    assert found[0]["reason"] == 'said "no",\nthen died'
    assert json.loads(found[0]["units"]) == [64, 32]
    assert {row["activation"] for row in found} == {str(r.spec.combination["activation"]) for r in made.records}


def test_name_of_a_column_is_not_taken_twice():
    made = material(World(seeds=2))
    spec = replace(made.records[0].spec, params={**made.records[0].spec.params, "epochs": 7})
    found = rows(replace(made, records=(replace(made.records[0], spec=spec),)))
    assert (found[0]["param.epochs"], found[0]["epochs"]) == ("7", "30")


def test_missing_numbers_are_empty():
    assert "nan" not in trials_csv(poisoned(material()))
    assert trials_csv(unused()).count("\n") == 1
