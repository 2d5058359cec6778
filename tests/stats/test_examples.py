import numpy as np
import pytest
from scipy import stats
from stat_records import ACCURACY, combination

from sweeper.stats.best_set import best_set
from sweeper.stats.confirmation import replay
from sweeper.stats.examples import difference_variance, row_variance
from sweeper.stats.rules import JudgeRules
from sweeper.stats.unresolved import Unresolved
from sweeper.trial import Flags

A, B = combination("a"), combination("b")


def crossed(seeds, rows, *, row_sd, rest_sd, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(0, row_sd, rows) + rng.normal(0, 1, (seeds, 1)) + rng.normal(0, rest_sd, (seeds, rows))


def nets(seeds, rows, rng, candidates=3):
    """Equally good networks, each with a taste of its own for the rows: (seeds, rows) of each."""
    ease = rng.normal(1.5, 1.0, rows)
    taste = rng.normal(0.0, 1.0, (candidates, rows))
    logit = ease + taste[:, None, :] + rng.normal(0.0, 0.5, (candidates, seeds, rows))
    return list(rng.random((candidates, seeds, rows)) < 1 / (1 + np.exp(-logit)))


def test_the_variance_of_the_rows_is_found():
    """The mean of 50 rows with sd 2 varies by 4 / 50, however many seeds there are and whatever they share."""
    for seeds in (5, 20):
        found = np.mean([row_variance(crossed(seeds, 50, row_sd=2.0, rest_sd=3.0, seed=s)) for s in range(200)])
        assert found == pytest.approx(4 / 50, rel=0.1)


def test_rows_that_are_all_alike_add_nothing():
    assert row_variance(np.repeat([[0.0], [1.0], [1.0]], 40, axis=1)) == 0.0


def test_one_seed_or_one_row_tells_nothing():
    assert row_variance(np.ones((1, 9))) == row_variance(np.ones((9, 1))) == 0.0


def test_a_difference_with_itself_does_not_vary():
    one, other, _ = nets(10, 100, np.random.default_rng(0))
    found = difference_variance([one, other, one])
    assert found[0, 1] == found[1, 0] == found[1, 2] > 0
    assert found[0, 2] == found[0, 0] == 0.0


@pytest.mark.slow
def test_with_the_rows_in_the_error_the_best_of_equals_stays_in_the_set():
    """Equally good on rows without end. Seeds alone lose one of three in many a study; both bounds hold in 9,999."""
    studies, alpha = 150, 0.05
    with_rows = without = 0
    for study in range(studies):
        rng = np.random.default_rng(study)
        correct = nets(40, 150, rng)
        scores = np.stack([each.mean(axis=1) for each in correct], axis=1)
        error = difference_variance(correct)
        with_rows += best_set(scores, alpha, rng=rng, example_variance=error, draws=400).in_set[0]
        without += best_set(scores, alpha, rng=rng, draws=400).in_set[0]
    assert with_rows >= stats.binom.ppf(1e-4, studies, 1 - alpha)
    assert without < stats.binom.ppf(1e-4, studies, 1 - alpha)


def test_flags_go_to_text_and_back():
    for rows in (0, 1, 8, 9, 361):
        values = np.random.default_rng(rows).random(rows) < 0.7
        flags = Flags.of(values)
        assert Flags.from_text(flags.to_text()) == flags
        np.testing.assert_array_equal(flags.values(), values)


@pytest.mark.parametrize("values", [[0, 1, 1], [[True, False]], [0.5]])
def test_flags_are_one_boolean_a_row(values):
    with pytest.raises(ValueError, match="booleans"):
        Flags.of(values)


def judged(correct, *, told=lambda each, repetition: True):
    scores = {each: list(table.mean(axis=1)) for each, table in correct.items()}
    flags = {
        each: [Flags.of(row) if told(each, r) else None for r, row in enumerate(table)]
        for each, table in correct.items()
    }
    rules = JudgeRules(looks=(20,))
    with_rows = replay(scores, objective=ACCURACY, rules=rules, unresolved=Unresolved(correct=flags))
    return with_rows, replay(scores, objective=ACCURACY, rules=rules)


def test_a_confirmation_counts_the_luck_of_the_rows_where_it_is_told():
    one, other, _ = nets(20, 150, np.random.default_rng(1))
    with_rows, without = judged({A: one, B: other})
    by_name = {each.combination: each for each in without.standings}
    for standing in with_rows.standings:
        plain = by_name[standing.combination]
        assert standing.luck > 0
        assert standing.interval.high - standing.interval.low > plain.interval.high - plain.interval.low
    assert max(each.regret for each in with_rows.standings) > max(each.regret for each in without.standings)


def test_runs_without_flags_are_left_out_of_the_luck_only():
    one, other, _ = nets(20, 150, np.random.default_rng(1))
    some, without = judged({A: one, B: other}, told=lambda each, repetition: each == A or repetition % 2 == 0)
    assert some.standings[0].luck > 0
    assert some.standings[0].seeds == without.standings[0].seeds == 20
    none, without = judged({A: one, B: other}, told=lambda each, _: each == A)
    assert none == without


def test_flags_of_different_lengths_are_not_compared():
    one, other, _ = nets(20, 150, np.random.default_rng(1))
    scores = {A: list(one.mean(axis=1)), B: list(other.mean(axis=1))}
    flags = {A: [Flags.of(row) for row in one], B: [Flags.of(row[:9]) for row in other]}
    rules = JudgeRules(looks=(20,))
    found = replay(scores, objective=ACCURACY, rules=rules, unresolved=Unresolved(correct=flags))
    assert found == replay(scores, objective=ACCURACY, rules=rules)
