import json

from tracked import STUDY

from sweeper.tracking.parent import hashes, identifying, placed, scores, verdict_among, without_passwords

PAIR = {"activation": "relu", "optimizer": "adam"}
VERDICT = {
    "metric": "accuracy",
    "pick": {"combination": PAIR, "params": PAIR},
    "regret": 0.001,
    "lead": None,
    "duration_s": 12,
    "finalists": [{"combination": {"activation": "tanh"}, "score": 0.8}, {"combination": PAIR, "score": 0.9}],
}


def test_scores_of_the_pick():
    assert scores(VERDICT) == {"regret": 0.001, "study_duration_s": 12.0, "test_accuracy": 0.9}


def test_a_verdict_without_a_pick_has_few_scores():
    assert scores({**VERDICT, "pick": None, "finalists": []}) == {"regret": 0.001, "study_duration_s": 12.0}
    assert scores({}) == {}


def test_what_may_change_between_runs_identifies_nothing():
    configuration = {"engine": {"workers": 2}, "tracking": {"uri": "http://a:b@c"}, "search": {"points": 8}}
    params = identifying({**STUDY, "configuration": configuration})
    assert params["search.points"] == "8"
    assert params["objective.metric"] == "accuracy"
    assert params["data.features"] == "[8, 8, 1]"
    assert not [name for name in params if name.startswith(("engine", "tracking"))]


def test_no_password_is_written():
    text = 'tracking: {uri: "https://anna:s3cret@host/x"}  # mail anna@host, see http://host/a@b'
    assert without_passwords(text) == 'tracking: {uri: "https://host/x"}  # mail anna@host, see http://host/a@b'


def test_hashes_are_short_enough_to_be_shown():
    assert hashes(STUDY) == {"sweeper.study_hash": "a" * 16, "sweeper.data_hash": "b" * 16}


def test_files_keep_their_places_below_the_folder_they_share(tmp_path):
    for name in ("report.html", "figures/a.svg", "figures/b.svg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    paths = [tmp_path / "report.html", tmp_path / "figures" / "a.svg", tmp_path / "not_there.csv"]
    assert list(placed(paths)) == [(paths[0], None), (paths[1], "figures")]
    assert list(placed([tmp_path / "figures"])) == [(tmp_path / "figures", None)]
    assert list(placed([])) == []


def test_the_verdict_is_found_among_the_artifacts(tmp_path):
    (tmp_path / "verdict.json").write_text(json.dumps(VERDICT))
    assert verdict_among([tmp_path / "report.html", tmp_path / "verdict.json"]) == VERDICT
    assert verdict_among([tmp_path / "report.html"]) == {}
