"""The script that compares speeds runs; what it measures is no business of a test."""

import re

import peers
import pytest
from rivals import heats
from rivals.work import Job, Rows, Work

from sweeper.errors import UsageError

CELLS = len(peers.HEADING)


def test_the_first_trials_of_the_order_are_spread_and_all_of_them_are_the_study():
    settings = Work("mlp").settings()
    assert len(set(settings)) == 72
    first = settings[:9]
    assert len({(setting.activation, setting.optimizer) for setting in first}) == 9
    assert len({setting.learning_rate for setting in first}) == 8


def test_shares_are_equal_and_hold_each_trial_once():
    contest = peers.Contest(Work("mlp"), ("fit",), processes=2, trials_per_rival=9)
    first, second = contest.jobs(peers.RIVALS["fit"], "somewhere")
    assert len(first.settings) == len(second.settings) == 5
    assert not set(first.settings) & set(second.settings)


def test_a_rival_that_raises_ends_the_comparison_with_its_traceback(tmp_path):
    work = Work("mlp")
    job = Job(work, tuple(work.settings()[:1]), Rows.of(work), tmp_path)
    with pytest.raises(heats.RivalFailed, match="No module named 'no_such_rival'"):
        heats.run("no_such_rival:main", [job], lambda words: None)


def test_a_missing_package_is_said_with_its_cure():
    with pytest.raises(UsageError, match=r"keras_tuner(.|\n)*pip install .*bench"):
        peers.check_installed(["fit", "keras-tuner"], find=lambda module: None)


def test_unknown_words_are_refused(capsys):
    with pytest.raises(SystemExit):
        peers.parse(["--rivals", "fit,magic"])
    assert "magic: not among" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(600)  # four starts of TensorFlow
def test_the_rows_of_sweeper_have_the_shape_of_the_table(capsys):
    small = "--work mlp --rivals none --activations relu,tanh --optimizers sgd --points 6 --epochs 1 --processes 1"
    assert peers.main(small.split()) == 0
    heading, rule, tracked, untracked, blank, provenance = capsys.readouterr().out.splitlines()
    assert [cell.strip() for cell in heading.strip("|").split("|")] == list(peers.HEADING)
    assert rule.count("|") == CELLS + 1
    for line, name in ((tracked, "tracked by MLflow"), (untracked, "untracked")):
        work, tool, trials, *numbers = [cell.strip() for cell in line.strip("|").split("|")]
        assert "MLP" in work
        assert name in tool
        assert trials == "12"
        assert len(numbers) == CELLS - 3
        assert all(re.fullmatch(r"[\d.]+", number) for number in numbers)
    assert not blank
    assert "keras " in provenance
