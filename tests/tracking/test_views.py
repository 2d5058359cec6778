import json

from tracked import STUDY

from sweeper.tracking.views import TAG, curves_address, trials_address, view_tags


def test_the_views_show_what_is_compared_and_the_metric_it_is_compared_by():
    tags = view_tags("run1", {**STUDY, "configuration": {"compare": ["optimizer"], "parameters": {"momentum": {}}}})
    table = json.loads(tags[f"{TAG}run1-trials"])
    assert table["selectedColumns"][:3] == ["params.`optimizer`", "params.`learning_rate`", "params.`momentum`"]
    assert "metrics.`test_accuracy`" in table["selectedColumns"]
    assert (table["orderByKey"], table["orderByAsc"]) == ("metrics.`best_val_accuracy`", False)
    assert "run1" in table["searchFilter"]


def test_a_loss_is_sorted_upwards():
    tags = view_tags("run1", {**STUDY, "objective": {"metric": "loss", "goal": "minimize"}})
    assert json.loads(tags[f"{TAG}run1-trials"])["orderByAsc"] is True


def test_the_addresses_refer_to_the_views():
    tags = view_tags("run1", STUDY)
    for address in (trials_address("", "7", "run1"), curves_address("http://host/", "7", "run1")):
        assert "#/experiments/7/runs?" in address
        assert TAG + address.rpartition("viewStateShareKey=")[2] in tags
