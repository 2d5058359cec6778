import io

import pytest
from progress_script import Script
from rich.console import Console
from rich.text import Text

from sweeper.report.live import LiveObserver
from sweeper.report.progress_cells import ASCII, UNICODE, growth, level
from sweeper.report.progress_table import Frame, picture
from sweeper.trial import Stage
from sweeper.verdict import Objective

TIMES = UNICODE.diverged


def lines(script, *, width=80, height=24, **rest):
    frame = Frame(rest.pop("title", "digits"), rest.pop("address", None), width, height, **rest)
    return ["".join(text for text, _ in line) for line in picture(script.progress, frame)]


def row(script, name, **size):
    return next(line for line in lines(script, **size) if line.startswith(name))


def explored(n=3, points=4, **rest):
    script = Script(n, **rest)
    specs = script.plan(points)
    for index, trials in specs.items():
        for place, spec in enumerate(trials):
            script.wait(0.5)
            script.score(spec, 0.95 - 0.01 * index - 0.05 * place)
    return script


def test_a_row_reads_as_a_curve_over_the_learning_rate():
    script = Script(1)
    best, middle, wild, low = script.plan(4, rates=[1e-2, 1e-3, 1.0, 1e-4])[0]
    script.score(best, 0.95)
    script.score(middle, 0.93)
    script.diverge(wild)
    script.score(low, 0.10)
    assert row(script, "relu + sgd", width=40).split("  ")[1] == f"▂ ▆ █ {TIMES}"


def test_wide_terminals_show_the_scores():
    script = explored(1)
    assert "█.950" in row(script, "relu + sgd", width=120)
    assert ".950" not in row(script, "relu + sgd", width=40).replace("0.950", "")


def test_a_running_trial_shows_its_share_of_epochs():
    script = Script(1)
    spec = script.plan(4, rates=[0.1])[0][0]
    script.epoch(spec, 0)
    assert "○10%" in row(script, "relu + sgd")
    script.epoch(spec, 8)
    assert "◕90%" in row(script, "relu + sgd")
    assert "◕ · · ·" in row(script, "relu + sgd", width=44)


def test_height_falls_with_the_distance_from_the_best():
    objective = Objective("accuracy", True, 0.003)
    heights = [level(score, 0.95, objective, 2) for score in (0.95, 0.948, 0.945, 0.94, 0.93, 0.5, 0.1)]
    assert heights == [7, 7, 6, 5, 4, 0, 0]
    assert level(0.2, 0.1, Objective("loss", False, 0.01, relative=True), 4) < 7


def test_the_scale_reaches_to_the_worst_score():
    for worst, expected in ((0.90, 2), (0.1, 3)):
        script = Script(1)
        specs = script.plan(2)[0]
        script.score(specs[0], 0.95)
        script.score(specs[1], worst)
        assert growth(script.progress) == expected
    empty = Script(1)
    assert growth(empty.progress) == 2


@pytest.mark.parametrize("width", [30, 40, 60, 80, 120, 200])
@pytest.mark.parametrize(("n", "points", "height"), [(12, 8, 24), (60, 8, 23), (3, 300, 10), (12, 8, 5), (2, 8, 1)])
def test_the_picture_fits(width, n, points, height):
    script = explored(n, points)
    seeds = script.plan(10, stage=Stage.CONFIRM, of=[0, 1])
    script.fail(seeds[0][0], "ValueError: a long reason " * 20)
    stream = io.StringIO()
    console = Console(file=stream, width=width, height=height + 1, force_terminal=True, color_system=None)
    with LiveObserver(script.progress, console, title="a study with a long name") as live:
        live.announce("http://127.0.0.1:5000/#/experiments/1")
    drawn = Text.from_ansi(stream.getvalue().rsplit("\x1b[2K", 1)[-1]).plain.splitlines()
    assert len(drawn) <= height + 1
    assert max(len(line) for line in drawn) <= width


def test_twelve_combinations_of_eight_points_stand_in_eighty_columns_in_the_order_of_the_study():
    script = explored(12, 8)
    drawn = lines(script, width=80, height=29)
    places = [next(i for i, line in enumerate(drawn) if line.startswith(f"{c} ")) for c in script.combinations]
    assert places == list(range(places[0], places[0] + 12))


def test_sixty_combinations_show_the_best_and_a_count_of_the_rest():
    script = Script(60)
    specs = script.plan(2)
    for index in (40, 7):
        script.score(specs[index][0], 0.9 + index / 1000)
        script.score(specs[index][1], 0.5)
    script.score(specs[20][0], 0.8)
    drawn = lines(script, height=23)
    heading = next(i for i, line in enumerate(drawn) if line.endswith("best"))
    names = [str(script.combinations[index]) for index in (40, 7, 20)]
    for line, name in zip(drawn[heading + 1 :], names, strict=False):
        assert line.startswith(name[:12])
    rest = next(line for line in drawn if line.startswith("and "))
    shown = drawn.index(rest) - heading - 1
    assert rest == f"and {60 - shown} more: {60 - shown} to come"


def test_the_header_says_stage_best_rate_and_time_left():
    script = Script(3, expected={Stage.EXPLORE: (12, 12)})
    specs = script.plan(4)
    script.epoch(specs[0][0], 0)
    for spec in specs[0]:
        script.wait(1.0)
        script.score(spec, 0.9)
    script.diverge(specs[1][0])
    first, second, third = lines(script)[:3]
    assert first.startswith("digits  exploring ━")
    assert first.endswith("5 of 12 trials")
    assert second == "1.2 trials/s · 6 s left · 1 diverged"
    assert third.startswith("best so far 0.900 relu + sgd, learning_rate 0.1")
    assert "dropout" not in third


def test_starting_up_is_said_before_anything_ends():
    script = Script(1)
    script.plan(4)
    script.wait(12.0)
    assert lines(script)[1] == "starting up, 12 s"


def test_confirmation_shows_seeds_and_no_test_score():
    script = explored(3)
    specs = script.plan(10, stage=Stage.CONFIRM, of=[0, 2])
    for spec in specs[2][:3]:
        script.score(spec, 0.91, test_accuracy=0.777)
    script.diverge(specs[2][3])
    drawn = lines(script, height=30)
    finalists = drawn[drawn.index(next(line for line in drawn if line.startswith("fresh seeds"))) + 1 :][:2]
    assert finalists[0].startswith(str(script.combinations[0]))
    assert finalists[0].rstrip().endswith("··········  0 of 10")
    assert finalists[1].rstrip().endswith(f"●●●{TIMES}······  4 of 10      0.910")
    assert "test scores stay sealed until the verdict" in drawn
    assert not any("777" in line for line in drawn)


def test_no_finalist_stands_out_by_its_score():
    script = explored(2)
    specs = script.plan(5, stage=Stage.CONFIRM)
    for index, score in ((0, 0.80), (1, 0.99)):
        for spec in specs[index]:
            script.score(spec, score)
    drawn = picture(script.progress, Frame("digits", None, 80, 30))
    start = next(i for i, line in enumerate(drawn) if line and line[0][0].startswith("fresh seeds"))
    worse, better = drawn[start + 1], drawn[start + 2]
    assert worse[0][0].startswith("relu + sgd")  # the order of the study
    assert [style for _, style in worse] == [style for _, style in better]


def test_a_failure_is_told_on_one_line_without_control_characters():
    script = Script(1)
    script.fail(script.plan(2)[0][0], "ValueError: bad\n\x1b[2Jshape")
    assert "trial 0 (relu + sgd) failed: ValueError: bad [2Jshape" in lines(script)


def test_ascii_terminals_get_ascii():
    script = explored(2)
    script.diverge(script.plan(1)[0][0])
    script.epoch(script.plan(1, stage=Stage.CONFIRM, of=[0])[0][0], 3)
    assert all(line.isascii() for line in lines(script, width=120, height=40, glyphs=ASCII))
    assert {len(glyph) for glyph in (UNICODE.levels, ASCII.levels)} == {8}


def test_more_trials_than_columns_show_the_latest():
    script = Script(1, expected={})
    specs = script.plan(200, stage=Stage.SEARCH)[0]
    for spec in specs[:150]:
        script.diverge(spec)
    for spec in specs[150:160]:
        script.score(spec, 0.9)
    text = row(script, "relu + sgd", width=60)
    assert text.count("█") == 10
    assert "·" not in text
    assert "latest trials" in "\n".join(lines(script, width=60))


class Screen:
    """A live observer on a terminal of its own, with a clock for what drawing costs."""

    def __init__(self, script, *, width=80, height=30, **console):
        self.stream = io.StringIO()
        self.console = Console(
            file=self.stream, width=width, height=height, force_terminal=True, _environ={"TERM": "xterm"}, **console
        )
        self.time = 0.0
        self.observer = LiveObserver(script.progress, self.console, title="digits", now=lambda: self.time)
        script.to = self.observer

    def written(self):
        text = self.stream.getvalue().replace("\x1b[?2026h", "").replace("\x1b[?2026l", "")
        self.stream.seek(0)
        self.stream.truncate()
        return text


def test_the_picture_is_drawn_eight_times_a_second_at_most():
    script = Script(3)
    screen = Screen(script)
    drawn = 0
    with screen.observer:
        specs = script.plan(4)
        screen.written()
        for spec in [spec for trials in specs.values() for spec in trials]:
            for epoch in range(10):
                screen.time += 0.01
                script.epoch(spec, epoch)
                drawn += bool(screen.written())
    assert 8 <= drawn <= 10  # in 1.2 seconds


def test_events_reach_the_model_even_when_nothing_is_drawn():
    script = Script(1)
    screen = Screen(script)
    with screen.observer:
        for spec in script.plan(4)[0]:
            script.score(spec, 0.9)
    assert script.progress.done == 4


def test_the_last_picture_stays_and_the_cursor_comes_back():
    script = Script(1)
    screen = Screen(script, color_system=None)
    with screen.observer:
        script.wait(2.0)
        for spec in script.plan(4)[0]:
            script.score(spec, 0.9)
        screen.observer.announce("http://127.0.0.1:5000")
        screen.written()
    last = screen.written()
    assert "digits  4 trials in 2 s" in last
    assert "left" not in last
    assert "runs  http://127.0.0.1:5000" in last
    assert last.removesuffix("\x1b[?25h").endswith("\n")  # what is printed next begins on a line of its own


def test_a_kill_leaves_a_cursor_on_an_empty_line():
    script = Script(1)
    screen = Screen(script, color_system=None)
    with screen.observer:
        script.plan(4)
        written = screen.written()
        assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l")
        assert written.endswith("\n")


def test_the_table_is_left_clean_when_the_study_is_interrupted():
    script = Script(1)
    screen = Screen(script)
    script.plan(4)
    with pytest.raises(KeyboardInterrupt), screen.observer:
        raise KeyboardInterrupt
    assert screen.written().endswith("\x1b[?25h")


def test_lines_wrapped_by_a_narrower_terminal_are_erased():
    script = explored(3)
    screen = Screen(script, width=120)
    with screen.observer:
        widest = max(len(line) for line in lines(script, width=120, height=29))
        screen.written()
        screen.console.width = widest - 1
        screen.time += 1.0
        screen.observer.tick()
        narrower = screen.written().count("\x1b[1A")
        screen.time += 1.0
        screen.observer.tick()
        assert screen.written().count("\x1b[1A") < narrower


def test_no_color_keeps_the_table_and_drops_the_colours():
    script = explored(2)
    coloured, plain = Screen(script), Screen(script, no_color=True)
    for screen in (coloured, plain):
        with screen.observer:
            pass
    assert "\x1b[1;32m" in coloured.stream.getvalue()
    assert "[32m" not in plain.stream.getvalue()
    assert "█" in plain.stream.getvalue()


def test_names_with_markup_are_shown_as_they_are():
    script = explored(2)
    screen = Screen(script, color_system=None)
    screen.observer._title = "[red]digits[/red]"
    with screen.observer:
        pass
    assert "[red]digits[/red]" in screen.stream.getvalue()
