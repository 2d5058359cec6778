import numpy as np
import pytest

from sweeper.stats.selection import chosen, gain_of_choice, resistant_means


def test_resistant_means_are_the_means_where_nothing_is_far_away():
    scores = np.random.default_rng(0).uniform(-1.0, 1.0, (20, 3))
    assert resistant_means(scores) == pytest.approx(scores.mean(axis=0))


def test_a_mishap_counts_as_three_usual_deviations():
    scores = np.random.default_rng(1).standard_normal((20, 3))
    struck = scores.copy()
    struck[4, 1] -= 100.0
    lost = resistant_means(scores)[1] - resistant_means(struck)[1]
    assert 0.0 < lost < 6.0 / 20


def test_mishaps_that_are_the_rule_count_in_full():
    """Where a fifth of the trainings goes wrong, that is no accident."""
    rng = np.random.default_rng(2)
    scores = rng.standard_normal((40, 2))
    scores[::5, 0] -= 3.0
    plain, resistant = scores.mean(axis=0), resistant_means(scores)
    assert resistant[1] - resistant[0] > 0.6 * (plain[1] - plain[0]) > 0.0
    assert chosen(scores) == 1


def test_scores_that_hardly_vary_are_taken_as_they_are():
    scores = np.full((10, 2), 0.9)
    scores[3, 0] = 0.1
    assert resistant_means(scores) == pytest.approx(scores.mean(axis=0))


def gain(scores):
    return gain_of_choice(scores, np.random.default_rng(0))


def test_among_equals_most_of_what_the_choice_adds_is_found():
    """The largest of six normal means is 1.27 standard errors too high."""
    rng = np.random.default_rng(3)
    too_high, found = [], []
    for _ in range(150):
        scores = rng.standard_normal((20, 6))
        too_high.append(scores.mean(axis=0)[chosen(scores)])
        found.append(gain(scores))
    left = np.mean(too_high) - np.mean(found)
    assert np.mean(too_high) == pytest.approx(1.27 / np.sqrt(20), rel=0.15)
    assert abs(left) < 0.5 * np.mean(too_high)


def test_what_all_share_adds_nothing_to_the_choice():
    """A split that is kind to everybody does not make anybody the first."""
    rng = np.random.default_rng(4)
    scores = rng.standard_normal((20, 4))
    assert gain(scores + rng.standard_normal((20, 1))) == pytest.approx(gain(scores), abs=0.04)


def test_a_clear_leader_gains_nothing_by_being_chosen():
    scores = np.random.default_rng(5).standard_normal((20, 3)) + np.array([9.0, 0.0, 0.0])
    assert gain(scores) == pytest.approx(0.0, abs=0.02)


def test_with_one_candidate_or_one_seed_there_is_no_choice():
    assert gain(np.zeros((20, 1))) == 0.0
    assert gain(np.ones((1, 5))) == 0.0


def test_the_answer_is_that_of_its_generator():
    scores = np.random.default_rng(6).standard_normal((10, 4))
    assert gain(scores) == gain(scores) > 0.0
