import io

import pytest
from progress_script import Script

from sweeper.report.live import LiveObserver
from sweeper.report.plain import PlainObserver, QuietObserver, observer
from sweeper.report.progress_words import compact, rate_text, score_text, time_left_text
from sweeper.trial import Stage, Status
from sweeper.verdict import Objective


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


class Log:
    def __init__(self, script, **rest):
        self.stream = io.StringIO()
        script.to = self.observer = PlainObserver(script.progress, self.stream, title="digits", **rest)

    def lines(self):
        return self.stream.getvalue().splitlines()


def test_stages_combinations_and_the_end_are_said():
    script = Script(2, expected={Stage.EXPLORE: (4, 4), Stage.CONFIRM: (4, 8)})
    log = Log(script)
    with log.observer:
        log.observer.announce("http://127.0.0.1:5000")
        specs = script.plan(2)
        script.wait(10.0)
        for index in (0, 1):
            script.score(specs[index][0], 0.9 + index / 100)
            script.diverge(specs[index][1])
        script.plan(2, stage=Stage.CONFIRM)
        script.wait(60.0)
    assert log.lines() == [
        "[0:00:00] digits: 2 combinations",
        "[0:00:00] runs: http://127.0.0.1:5000",
        "[0:00:00] exploring 2 combinations, 0 of 4 trials done",
        "[0:00:10] relu + sgd: best 0.900 of 2 trials, 1 diverged",
        "[0:00:10] relu + adam: best 0.910 of 2 trials, 1 diverged",
        "[0:00:10] confirming 2 finalists, 0 of 4 to 8 trials done: relu + sgd, relu + adam",
        "[0:01:10] trained: 4 trials in 1 min 10 s, 15 s a trial, 2 diverged",
    ]


def test_thousands_of_trials_take_few_lines():
    script = Script(60, expected={Stage.EXPLORE: (6000, 6000)})
    log = Log(script, every_s=30.0)
    with log.observer:
        for trials in script.plan(100).values():
            for spec in trials:
                script.wait(0.05)
                script.score(spec, 0.9)
    assert 11 <= len(log.lines()) <= 13  # one line in thirty seconds for five minutes, and the beginning and the end


def test_now_and_then_a_line_says_how_far_things_are():
    script = Script(2, expected={Stage.EXPLORE: (200, 200)})
    log = Log(script, every_s=30.0)
    with log.observer:
        for spec in script.plan(100)[0][:41]:
            script.score(spec, 0.9)
            script.wait(1.0)
        assert "exploring 31 of 200, 1.0 trials/s, 3 min left; best so far 0.900 relu + sgd" in log.lines()[2]
        count = len(log.lines())
        script.to.tick()
        assert len(log.lines()) == count
        script.wait(30.0)
        script.to.tick()
        assert len(log.lines()) == count + 1


def test_failures_are_warned_of_a_few_times():
    script = Script(30)
    log = Log(script)
    with log.observer:
        for index, trials in script.plan(1).items():
            script.fail(trials[0], f"OSError: {index}\nTraceback", Status.CRASHED)
    warned = [line for line in log.lines() if "warning" in line]
    assert len(warned) == 5
    assert "warning: trial 0 (relu + sgd) crashed: OSError: 0 Traceback" in warned[0]
    assert "only counted" in warned[-1]
    assert "30 failed" in log.lines()[-1]


def test_a_combination_of_which_nothing_trained_is_a_warning():
    script = Script(1)
    log = Log(script)
    for spec in script.plan(2)[0]:
        script.diverge(spec)
    assert "warning: relu + sgd: none of 2 trials trained to the end, 2 diverged" in log.lines()[-1]


def test_a_finalist_that_diverges_is_a_warning():
    script = Script(1)
    log = Log(script)
    script.diverge(script.plan(2, stage=Stage.CONFIRM)[0][0])
    assert "warning: trial 0 (relu + sgd) diverged in epoch 3" in log.lines()[-1]


def test_a_stage_planned_in_many_rounds_is_announced_once():
    script = Script(2, expected={Stage.SEARCH: (20, 20)})
    log = Log(script)
    for _ in range(20):
        script.score(script.plan(1, stage=Stage.SEARCH)[0][0], 0.9)
    assert len(log.lines()) == 1
    assert "searching 2 combinations, 0 of 20 trials done" in log.lines()[0]


def test_an_interrupted_study_says_stopped():
    script = Script(1)
    log = Log(script)
    with pytest.raises(KeyboardInterrupt), log.observer:
        raise KeyboardInterrupt
    assert "stopped: 0 trials" in log.lines()[-1]


def test_plain_lines_have_no_control_characters():
    script = Script(1)
    log = Log(script)
    script.fail(script.plan(1)[0][0], "\x1b[2Jboo\r\nfoo")
    assert log.stream.getvalue().replace("\n", "").isprintable()


def test_quiet_says_nothing_and_needs_no_model():
    stream = io.StringIO()
    script = Script(1)
    with observer("quiet", script.progress, stream) as display:
        script.to = display
        display.announce("somewhere")
        spec = script.plan(1)[0][0]
        script.epoch(spec, 0)
        script.score(spec, 0.9)
        display.tick()
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("kind", "stream", "environ", "expected"),
    [
        ("auto", Terminal(), {"TERM": "xterm"}, LiveObserver),
        ("auto", Terminal(), {"TERM": "xterm", "NO_COLOR": "1"}, LiveObserver),
        ("auto", Terminal(), {}, LiveObserver),
        ("auto", Terminal(), {"TERM": "dumb"}, PlainObserver),
        ("auto", Terminal(), {"TERM": "xterm", "CI": "true"}, PlainObserver),
        ("auto", io.StringIO(), {"TERM": "xterm"}, PlainObserver),
        ("live", Terminal(), {"TERM": "xterm", "CI": "true"}, LiveObserver),
        ("live", io.StringIO(), {"TERM": "xterm"}, PlainObserver),
        ("live", Terminal(), {"TERM": "dumb"}, PlainObserver),
        ("plain", Terminal(), {"TERM": "xterm"}, PlainObserver),
        ("quiet", Terminal(), {"TERM": "xterm"}, QuietObserver),
    ],
)
def test_a_live_table_is_shown_on_real_terminals_only(kind, stream, environ, expected):
    assert type(observer(kind, Script(1).progress, stream, environ=environ)) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.974, ".974"),
        (0.9996, "1.00"),
        (1.234, "1.23"),
        (12.34, "12.3"),
        (999.7, "1000"),
        (1234.0, "1.2k"),
        (3e-4, "3e-4"),
        (0.0, ".000"),
        (-0.123, "-.12"),
        (-12.3, "-12"),
        (1e6, "1e6"),
    ],
)
def test_scores_fit_into_four_characters(value, expected):
    assert compact(value) == expected


def test_scores_have_the_digits_of_their_metric():
    assert score_text(0.97, Objective("accuracy", True, 0.003)) == "0.970"
    loss = Objective("loss", False, 0.01, relative=True)
    assert [score_text(v, loss) for v in (0.0299, 2.3, 43.21, 1234.5, 3e-5, None)] == [
        "0.0299",
        "2.30",
        "43.2",
        "1234",
        "3.00e-5",
        "",
    ]


def test_time_left_is_as_coarse_as_an_estimate_deserves():
    told = []
    for low, high in ((4, 4), (20, 47), (30, 600), (7300, 7300)):
        script = Script(1, expected={Stage.EXPLORE: (5 + low, 5 + high)})
        first, *rest = script.plan(5)[0]
        script.epoch(first, 9)
        script.score(first, 0.9)
        for spec in rest:
            script.wait(1.0)
            script.score(spec, 0.9)
        told.append(time_left_text(script.progress))
    assert told == ["4 s left", "20 to 45 s left", "30 s to 10 min left", "2.0 h left"]


def test_slow_trials_are_told_in_seconds_a_trial():
    script = Script(1)
    for spec in script.plan(5)[0]:
        script.score(spec, 0.9)
        script.wait(20.0)
    assert rate_text(script.progress) == "20 s a trial"
