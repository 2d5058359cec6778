import numpy as np
import pytest
from stat_records import ACCURACY, LOSS, RATES, combination, explored, parameter, peaked, record, space

from sweeper.space import Choice, Range, Space
from sweeper.stats.screening import Screened, confirmations, finalists, screen
from sweeper.trial import Stage, Status


def screened(records, *optimizers, objective=ACCURACY, no_information=0.1, over=None):
    over = over or space(*optimizers)
    return screen(records, space=over, objective=objective, no_information=no_information, seed=0)


def test_orders_by_what_a_combination_can_reach():
    records = peaked("sgd", 0.90, at=0.1) + peaked("adam", 0.95, at=0.003) + peaked("lion", 0.80)
    found = screened(records, "sgd", "adam", "lion")
    assert [str(each.combination) for each in found] == ["adam", "sgd", "lion"]
    assert [each.estimate for each in found] == pytest.approx([0.95, 0.90, 0.80], abs=0.005)
    assert [each.params["learning_rate"] for each in found[:2]] == pytest.approx([0.003, 0.1], rel=0.25)
    assert found[0].best == max(r.ended.metrics["val_accuracy"] for r in records)
    assert found[0].best_params["learning_rate"] == pytest.approx(RATES.at(3.5 / 8) / 10**0.5)


def test_lower_is_better_where_the_study_says_so():
    def losses(optimizer, least):
        return [
            record(
                Stage.EXPLORE,
                optimizer,
                {"val_loss": 1 + least - each.ended.metrics["val_accuracy"]},
                rate=each.spec.params["learning_rate"],
            )
            for each in peaked(optimizer, 1.0)
        ]

    found = screened(losses("sgd", 0.5) + losses("adam", 0.3), "sgd", "adam", objective=LOSS, no_information=2.3)
    assert str(found[0].combination) == "adam"
    assert found[0].estimate == pytest.approx(0.3, abs=0.01)
    assert found[0].best < found[1].best


def test_confirms_at_a_safe_distance_below_divergence():
    scores = {1e-4: 0.5, 1e-3: 0.7, 1e-2: 0.8, 5e-2: 0.9}
    (found,) = screened(explored("sgd", scores, diverged=[6e-2, 1e-1, 1.0]), "sgd")
    assert found.params["learning_rate"] <= 6e-2 * 10**-0.3 * (1 + 1e-9)
    assert found.params["learning_rate"] > 1e-3
    assert (found.trials, found.diverged, found.unsafe) == (7, 3, False)


def test_the_distance_is_kept_on_listed_learning_rates_too():
    listed = Space(
        (parameter("optimizer", Choice(("sgd",))), parameter("learning_rate", Choice((0.001, 0.01, 0.06, 0.1)))),
        ("optimizer",),
    )
    records = explored("sgd", {0.001: 0.5, 0.01: 0.7, 0.06: 0.9}, diverged=[0.1])
    (found,) = screened(records, over=listed)
    assert found.params["learning_rate"] == 0.01


def test_divergence_below_everything_that_works_does_not_forbid_it():
    (found,) = screened(explored("sgd", {1e-2: 0.8, 1e-1: 0.9, 1.0: 0.7}, diverged=[1e-3]), "sgd")
    assert found.unsafe
    assert found.params["learning_rate"] == pytest.approx(0.1, rel=0.5)


@pytest.mark.parametrize(("at", "border"), [(1e-4, True), (1e-2, False), (1.0, True)])
def test_names_an_optimum_on_the_border(at, border):
    (found,) = screened(peaked("sgd", 0.9, at=at), "sgd")
    assert found.on_border == border
    assert found.border == (("learning_rate",) if border else ())


def test_below_divergence_the_upper_border_is_no_threat():
    rising = {0.02: 0.5, 0.05: 0.6, 0.1: 0.7, 0.2: 0.8, 0.3: 0.85, 0.4: 0.9, 0.45: 0.91}
    (found,) = screened(explored("sgd", rising, diverged=[0.99]), "sgd")
    assert found.params["learning_rate"] > 0.32
    assert not found.on_border


def test_a_peak_between_the_points_of_the_outer_eighth_is_not_on_the_border():
    points = [RATES.at(i / 16) for i in (1, 3, 5, 7, 9, 11, 13, 14, 15)]
    scores = {rate: 0.9 - 0.05 * np.log10(rate / RATES.at(0.9)) ** 2 for rate in points}
    (found,) = screened(explored("sgd", scores), "sgd")
    assert 1 - 1 / 8 < found.position[0] < 15 / 16
    assert not found.on_border


def test_the_lower_end_is_no_border_where_divergence_alone_leads_there():
    rising = {1.1e-4: 0.5, 1.3e-4: 0.6, 1.6e-4: 0.7, 1.9e-4: 0.8}
    (found,) = screened(explored("sgd", rising, diverged=[4e-4, 1e-2]), "sgd")
    assert found.position[0] < 1 / 8
    assert not found.on_border


def test_confirms_at_most_half_a_spacing_outside_of_what_was_tried():
    rising = {RATES.at(0.1 * i): 0.5 + 0.05 * i for i in range(1, 8)}
    (found,) = screened(explored("sgd", rising), "sgd")
    assert found.position[0] <= 0.7 + 0.5 / 7
    falling = {RATES.at(0.1 * i): 0.9 - 0.05 * i for i in range(3, 10)}
    (found,) = screened(explored("sgd", falling), "sgd")
    assert found.position[0] >= 0.3 - 0.5 / 7


def test_a_wide_plateau_is_wider_than_a_peak():
    flat = explored("adam", {RATES.at((i + 0.5) / 8): 0.9 + 0.0001 * i for i in range(8)})
    sharp = explored("sgd", {RATES.at((i + 0.5) / 8): 0.9 - 0.05 * abs(i - 4) for i in range(8)})
    wide, narrow = sorted(screened(flat + sharp, "sgd", "adam"), key=lambda each: -each.plateau_decades)
    assert str(wide.combination) == "adam"
    assert wide.plateau_decades == pytest.approx(4.0, abs=0.1)
    assert narrow.plateau_decades < 1.0


def test_failures_carry_no_score():
    broken = [record(Stage.EXPLORE, "sgd", {"val_accuracy": 1.0}, status=s) for s in Status if s.is_failure]
    found = screened(peaked("adam", 0.8) + broken, "sgd", "adam")
    assert (found[1].failed, found[1].estimate, found[1].params, found[1].best) == (3, None, None, None)


def test_stages_that_are_no_exploration_are_passed_over():
    others = [record(stage, "sgd", {"val_accuracy": 1.0}) for stage in (Stage.CONFIRM, Stage.KEEP)]
    assert screened(peaked("sgd", 0.8) + others, "sgd") == screened(peaked("sgd", 0.8), "sgd")


def test_race_and_search_are_evidence_like_exploration_but_a_race_adds_no_trials_to_it():
    for stage, counted in ((Stage.RACE, 0), (Stage.SEARCH, 2)):
        (found,) = screened(explored("sgd", {0.01: 0.8, 0.1: 0.7}, stage=stage), "sgd")
        assert found.trials == counted
        assert found.best == 0.8


def test_a_score_that_is_no_number_is_divergence():
    (found,) = screened([*peaked("sgd", 0.8), record(Stage.EXPLORE, "sgd", {"val_accuracy": float("nan")})], "sgd")
    assert found.diverged == 1


def test_what_never_completed_comes_last():
    found = screened(explored("sgd", {}, diverged=[0.1, 0.2]) + peaked("adam", 0.3), "sgd", "lion", "adam")
    assert [str(each.combination) for each in found] == ["adam", "sgd", "lion"]
    assert [each.trials for each in found] == [8, 2, 0]
    assert all(each.estimate is None for each in screened(explored("sgd", {}, diverged=[0.1]), "sgd"))


def test_equal_scores_are_confirmed_in_the_middle_of_the_range():
    (found,) = screened(explored("sgd", dict.fromkeys([1e-4, 1e-3, 1e-1, 1.0], 0.7)), "sgd")
    assert found.params["learning_rate"] == pytest.approx(0.01)
    assert (found.estimate, found.sd) == (pytest.approx(0.7), 0.0)


def test_nothing_to_tune():
    records = [record(Stage.EXPLORE, o, {"val_accuracy": s}) for o, s in (("sgd", 0.6), ("sgd", 0.7), ("adam", 0.9))]
    found = screened(records, over=space("sgd", "adam", tuned=False))
    assert [str(each.combination) for each in found] == ["adam", "sgd"]
    assert found[0].params == {"optimizer": "adam", "learning_rate": 0.01}


def test_confirms_with_values_that_exist():
    wide = Space(
        (
            parameter("optimizer", Choice(("sgd",))),
            parameter("learning_rate", RATES),
            parameter("units", Choice((16, 64, 256))),
            parameter("layers", Range(1, 4, integer=True)),
        ),
        ("optimizer",),
    )
    rng = np.random.default_rng(0)
    records = []
    for position in rng.random((24, 3)):
        params = wide.at(combination("sgd"), position)
        score = 0.9 - 0.02 * (np.log10(params["learning_rate"]) + 2) ** 2 - 0.05 * (params["units"] != 64)
        score -= 0.03 * abs(params["layers"] - 3)
        rate, units, layers = params["learning_rate"], params["units"], params["layers"]
        records.append(record(Stage.EXPLORE, "sgd", {"val_accuracy": score}, rate=rate, units=units, layers=layers))
    (found,) = screened(records, over=wide)
    assert (found.params["units"], found.params["layers"]) == (64, 3)
    assert found.params["learning_rate"] == pytest.approx(0.01, rel=1.0)
    assert found.tuned == 3


def test_is_deterministic():
    records = peaked("sgd", 0.9) + peaked("adam", 0.8)
    assert screened(records, "sgd", "adam") == screened(records, "sgd", "adam")


def field(*estimates, sd=0.01):
    """Combinations with these estimates, best first."""
    return [Screened(combination(f"o{i}"), 8, 0, 0, estimate=score, sd=sd) for i, score in enumerate(estimates)]


@pytest.mark.parametrize(("combinations", "expected"), [(1, 1), (2, 2), (3, 3), (4, 3), (9, 5), (12, 6), (60, 6)])
def test_half_are_confirmed_but_three_to_six(combinations, expected):
    chosen = finalists(field(*[0.9] * combinations), "auto", ACCURACY).chosen
    assert len(chosen) == expected


def test_who_is_three_sds_behind_is_not_confirmed():
    far = 0.9 - 3.01 * 0.01 * 2**0.5
    near = 0.9 - 2.99 * 0.01 * 2**0.5
    chosen = finalists(field(0.9, 0.9, near, far), "auto", ACCURACY).chosen
    assert [each.estimate for each in chosen] == [0.9, 0.9, near]


def test_two_are_confirmed_however_far_behind():
    assert len(finalists(field(0.9, 0.5, 0.4), "auto", ACCURACY).chosen) == 2


def test_says_whom_the_limit_cut_off():
    found = finalists(field(*[0.9] * 6, 0.885, 0.875, *[0.5] * 4), "auto", ACCURACY)
    assert [each.estimate for each in found.chosen] == [0.9] * 6
    assert [each.estimate for each in found.cut_off] == [0.885]


def test_losses_are_compared_the_other_way_round():
    found = finalists(field(0.1, 0.11, 0.5, 0.12), "auto", LOSS)
    assert [each.estimate for each in found.chosen] == [0.1, 0.11]
    assert [each.estimate for each in found.cut_off] == [0.12]


@pytest.mark.parametrize(
    ("combinations", "count", "trials"),
    [(1, "auto", 40), (4, "auto", 120), (12, "auto", 160), (60, "auto", 240), (60, 8, 320)],
)
def test_a_wider_field_has_the_trials_of_a_third(combinations, count, trials):
    assert confirmations(combinations, count, 40) == trials


def test_a_number_of_finalists_is_taken_as_it_is():
    assert len(finalists(field(0.9, 0.5, 0.4, 0.3, 0.2), 4, ACCURACY).chosen) == 4


def test_who_never_completed_is_never_confirmed():
    found = screened(peaked("sgd", 0.8) + explored("adam", {}, diverged=[0.1]), "sgd", "adam")
    assert [str(each.combination) for each in finalists(found, "auto", ACCURACY).chosen] == ["sgd"]
    assert finalists(screened([], "sgd", "adam"), "auto", ACCURACY).chosen == ()
