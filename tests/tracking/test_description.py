import pytest
from tracked import STUDY

from sweeper.tracking.description import closing, opening, title

PAIR = {"activation": "relu", "optimizer": "adam"}
OTHER = {"activation": "tanh", "optimizer": "sgd"}


def finalist(combination, score, in_set):
    return {
        "combination": combination,
        "score": score,
        "interval": [score - 0.01, score + 0.01],
        "seeds": 40,
        "in_set": in_set,
    }


VERDICT = {
    "outcome": "WINNER",
    "pick": {"combination": PAIR, "params": {**PAIR, "learning_rate": 0.0031}},
    "set": [PAIR],
    "finalists": [finalist(OTHER, 0.8, False), finalist(PAIR, 0.9, True)],
    "metric": "accuracy",
    "goal": "maximize",
    "alpha": 0.05,
    "regret": 0.00123,
    "notes": ["The optimum lies on a border."],
}


@pytest.mark.parametrize(
    ("verdict", "name"),
    [
        (VERDICT, "relu + adam wins"),
        ({**VERDICT, "outcome": "TIE", "set": [PAIR, OTHER]}, "relu + adam in a tie of 2"),
        ({**VERDICT, "outcome": "NOT_SEPARATED", "set": [PAIR, OTHER, {}]}, "relu + adam, not separated from 2"),
        ({**VERDICT, "outcome": "NO_VERDICT"}, "relu + adam, no verdict"),
        ({"outcome": "NO_VERDICT", "pick": None}, "no verdict"),
    ],
)
def test_a_list_of_studies_reads_as_a_list_of_answers(verdict, name):
    assert title(verdict) == name


def test_the_verdict_comes_first_and_the_best_finalist_first():
    lines = closing("relu + adam wins by 10 points.", VERDICT, "Which?", ["[all trials](#/x)"]).splitlines()
    assert lines[0] == "### relu + adam wins by 10 points."
    assert "> Which?" in lines
    rows = [line.replace("\u00a0", "") for line in lines if line.startswith("|")]
    assert rows == [
        "|combination|test accuracy|95 % interval|seeds|may be best|",
        "|---|---|---|---|---|",
        "|relu + adam|0.9|0.89 to 0.91|40|yes|",
        "|tanh + sgd|0.8|0.79 to 0.81|40|no|",
    ]
    assert "Use **relu + adam** with learning\\_rate 0.0031. With 95 % confidence it is at most 0.00123" in "\n".join(
        lines
    )
    assert "- The optimum lies on a border." in lines
    assert lines[-1] == "[all trials](#/x)"


def test_less_is_better_for_a_loss():
    rows = [line for line in closing("", {**VERDICT, "goal": "minimize"}, "", []).splitlines() if line[:1] == "|"]
    assert [row.split("|")[1].strip() for row in rows[2:]] == ["tanh + sgd", "relu + adam"]


def test_words_of_a_study_are_no_markup():
    study = {**STUDY, "name": "<img src=x>", "description": "a | b\n# c [d](javascript:e)"}
    text = opening(study, "#/trials")
    assert "<img" not in text.replace("\\<", "")
    assert "a \\| b \\# c \\[d\\](javascript:e)" in text


def test_a_study_without_a_verdict_has_a_description_all_the_same():
    assert closing("Stopped early.", {}, "", ["More."]) == "### Stopped early.\n\nMore."


def test_many_finalists_stay_below_what_mlflow_takes():
    many = {**VERDICT, "finalists": [finalist({"activation": "x" * 90}, 0.5, True)] * 50, "notes": ["n" * 500] * 30}
    text = closing("s", many, "q", ["the last link"])
    assert len(text) <= 8000
    assert text.endswith("the last link")
