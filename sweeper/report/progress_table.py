"""The picture of a running study as styled words, fitted to a width and a height. Knows no terminal library.

Height of a block tells how near a trial comes to the best so far, colour only repeats it: the picture reads in grey.

In confirmation it shows how many seeds are done and, to see that training is sound, the mean *validation* score in
the order of the study. It never reads a test score, ranks no finalist and colours none: the verdict allows for its
planned looks and for no others, and a leader on the screen invites one to stop while the favourite is ahead.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sweeper.report.progress import Progress
from sweeper.report.progress_cells import UNICODE, Glyphs, Span, glyph, growth
from sweeper.report.progress_words import (
    DOING,
    best_text,
    compact,
    counted,
    failure_text,
    mishaps,
    rate_text,
    score_text,
    time_left_text,
    trials,
)
from sweeper.report.rows import Cell, CellState, Row
from sweeper.report.units import clean, duration
from sweeper.trial import Stage
from sweeper.verdict import Objective

Line = list[Span]


@dataclass(frozen=True)
class Frame:
    """What surrounds the numbers.

    Attributes:
        title: name of the study.
        address: where the runs can be browsed, if anywhere.
        width, height: of the picture, in characters and lines.
        final: whether this is the last picture, which stays on the screen.
    """

    title: str
    address: str | None
    width: int
    height: int
    final: bool = False
    glyphs: Glyphs = UNICODE


def picture(progress: Progress, frame: Frame) -> list[Line]:
    """Lines from top to bottom, no more than `frame.height` of them."""
    roomy = frame.height >= 20
    head, foot = _header(progress, frame), _footer(progress, frame, roomy)
    gap: list[Line] = [[]] if roomy else []
    room = frame.height - len(head) - len(foot) - len(gap) - (len(gap) if foot else 0)
    body = _confirmation(progress, frame, room) if progress.finalists else []
    if body and roomy:
        body.append([])
    body += _exploration(progress, frame, room - len(body))
    while body and not body[-1]:
        body.pop()
    return [*head, *gap, *body, *(gap if foot and body else []), *foot][: frame.height]


def _header(progress: Progress, frame: Frame) -> list[Line]:
    lines, facts = [_stage_line(progress, frame)], _facts(progress, frame)
    if facts:
        lines.append([(facts, "plain")])
    if progress.best is not None:
        told, doubt = best_text(progress), "  one validation run, not confirmed"
        fits = len("best so far " + told + doubt) <= frame.width
        lines.append([("best so far ", "dim"), (told, "best"), (doubt if fits else "", "dim")])
    return lines


def _facts(progress: Progress, frame: Frame) -> str:
    facts = [rate_text(progress)]
    if not frame.final:
        facts += [time_left_text(progress), f"{progress.running:,} training" if progress.running else ""]
    facts += mishaps(progress)
    facts.append(f"{progress.restored:,} from before" if progress.restored else "")
    told = frame.glyphs.separator.join(fact for fact in facts if fact)
    return told if told or frame.final else f"starting up, {duration(progress.elapsed_s)}"


def _stage_line(progress: Progress, frame: Frame) -> Line:
    title = clean(frame.title, max(frame.width // 3, 8))
    stage = progress.stage
    if frame.final:
        return [(title, "title"), (f"  {trials(progress.done)} in {duration(progress.elapsed_s)}", "plain")]
    if stage is None or stage is Stage.KEEP:
        return [(title, "title"), ("  " + (DOING[stage] if stage else "planning"), "plain")]
    before, after = f"  {DOING[stage]} ", f" {counted(progress, stage)} trials"
    length = min(frame.width - len(title) - len(before) - len(after) - 1, 40)
    bar: Line = []
    if length >= 6:
        filled = round(length * progress.done_in(stage) / max(progress.total(stage)[1], 1))
        bar = [(frame.glyphs.bar * filled, "bar"), (frame.glyphs.bar_left * (length - filled), "faint")]
    return [(title, "title"), (before, "plain"), *bar, (after, "plain")]


def _footer(progress: Progress, frame: Frame, roomy: bool) -> list[Line]:
    lines = []
    if roomy and progress.best is not None:
        lines.append(_legend(progress, frame))
    if progress.last_failure is not None:
        lines.append([(failure_text(progress.last_failure), "failed")])
    if frame.address and (roomy or frame.final):
        lines.append([("runs  ", "dim"), (clean(frame.address), "plain")])
    return lines


def _legend(progress: Progress, frame: Frame) -> Line:
    glyphs = frame.glyphs
    epsilon, relative = progress.objective.epsilon, progress.objective.relative
    distance = f"{epsilon * 100:g} %" if relative else f"{epsilon:g}"
    factor = {2: "twice", 3: "three times", 4: "four times"}[growth(progress)]
    pieces = [f"{glyphs.levels[7]} within {distance} of the best, each step lower {factor} as far"]
    named = {status.value for status in progress.statuses}
    pieces += [f"{glyphs.running[2]} training"] if progress.running else []
    pieces += [f"{glyphs.diverged} diverged"] if "DIVERGED" in named else []
    pieces += [f"{glyphs.pruned} pruned"] if "PRUNED" in named else []
    pieces += [f"{glyphs.failed} failed"] if progress.last_failure else []
    text = pieces[0]
    for piece in pieces[1:]:
        if len(text) + 3 + len(piece) <= frame.width:
            text += "   " + piece
    return [(text, "dim")]


def _confirmation(progress: Progress, frame: Frame, room: int) -> list[Line]:
    rows = progress.finalists
    names = _name_width((row.combination for row in rows), frame.width)
    longest = max(len(row.confirmed) for row in rows)
    space = frame.width - names - 2 - len(" 40 of 40") - 11
    head = [("fresh seeds".ljust(names), "dim"), (" " * (2 + min(longest, max(space, 0)) + 9), "plain")]
    lines: list[Line] = [[*head, ("validation".rjust(11), "dim")]]
    for row in rows[: max(room - 2, 1)]:
        done = f"{row.seeds_ended} of {len(row.confirmed)}".rjust(9)
        mean = score_text(row.seed_mean, progress.objective).rjust(11)
        cells = [glyph(cell, progress, frame.glyphs, seed=True) for cell in row.seeds] if longest <= space else []
        padding = " " * (min(longest, max(space, 0)) - len(cells))
        name = _name(row, names, frame.glyphs)
        lines.append([(name + "  ", "plain"), *cells, (padding + done, "plain"), (mean, "dim")])
    return [*lines, [("test scores stay sealed until the verdict", "dim")]][: max(room, 0)]


def _exploration(progress: Progress, frame: Frame, room: int) -> list[Line]:
    rows = list(progress.rows.values())
    if room < 2 or not rows:
        return []
    shown = rows
    if len(rows) > room - 1:
        shown = sorted(rows, key=lambda row: _standing(row, progress.objective))[: max(room - 2, 1)]
    names = _name_width((row.combination for row in shown), frame.width)
    longest = max((len(row.explored) for row in shown), default=0)
    cell_width = _cell_width(longest, frame.width - names - 2 - 9)
    visible = max(min(longest, (frame.width - names - 2 - 9) // cell_width), 1)
    lines = [_heading(shown, names, visible, cell_width)]
    for row in shown:
        cells = _chosen(row, visible)
        drawn = [span for cell in cells for span in _cell(cell, cell_width, progress, frame.glyphs)]
        padding = " " * ((visible - len(cells)) * cell_width)
        lead = progress.best is not None and row.best is progress.best
        best = score_text(row.best.score if row.best else None, progress.objective).rjust(9)
        name = _name(row, names, frame.glyphs)
        lines.append([(name, "lead" if lead else "plain"), ("  ", "plain"), *drawn, (padding, "plain")])
        lines[-1].append((best, "lead" if lead else "plain"))
    if len(shown) < len(rows):
        lines.append(_rest(rows, shown))
    return lines


def _heading(rows: Sequence[Row], names: int, visible: int, cell_width: int) -> Line:
    width = visible * cell_width
    if any(len(row.explored) > visible for row in rows):
        told: tuple[str, ...] = ("latest trials", "latest")
    elif any(len({cell.learning_rate for cell in row.explored.values()}) > 1 for row in rows):
        told = ("learning rate, low to high", "low to high rate", "low to high")
    else:
        told = ("settings",)
    fitting = next((text for text in told if len(text) <= width), "")
    return [(" " * (names + 2) + fitting.ljust(width) + "best".rjust(9), "dim")]


def _rest(rows: Sequence[Row], shown: Sequence[Row]) -> Line:
    names = {row.combination for row in shown}
    rest = [row for row in rows if row.combination not in names]
    done = sum(row.explored_to_the_end for row in rest)
    begun = sum(any(cell.state is not CellState.PENDING for cell in row.explored.values()) for row in rest) - done
    parts = [f"{n} {word}" for n, word in ((done, "explored"), (begun, "begun"), (len(rest) - done - begun, "to come"))]
    told = ", ".join(part for part in parts if not part.startswith("0 "))
    return [(f"and {len(rest)} more: {told}", "dim")]


def _standing(row: Row, objective: Objective) -> float:
    return -objective.sign * row.best.score if row.best else math.inf


def _chosen(row: Row, visible: int) -> list[Cell]:
    """All trials from low to high learning rate, so that a row reads as a curve; the latest if there is no room."""
    cells = row.points
    if len(cells) <= visible:
        return sorted(cells, key=lambda cell: (cell.learning_rate is None, cell.learning_rate or 0.0))
    begun = [cell for cell in cells if cell.state is not CellState.PENDING]
    pending = [cell for cell in cells if cell.state is CellState.PENDING]
    return [*begun[-visible:], *pending][:visible]


def _cell_width(count: int, space: int) -> int:
    """Seven columns hold a block and a number, two hold a block and a gap, one a block."""
    return next((width for width in (7, 2) if count * width <= space), 1)


def _cell(cell: Cell, width: int, progress: Progress, glyphs: Glyphs) -> Iterable[Span]:
    mark, style = glyph(cell, progress, glyphs)
    if width < 7:
        return [(mark.ljust(width), style)]
    text = ""
    if cell.score is not None:
        text = compact(cell.score)
    elif cell.state is CellState.RUNNING:
        text = f"{cell.share:.0%}"
    return [(f"{mark}{text:<4}  ", style)]


def _name_width(names: Iterable[object], width: int) -> int:
    return min(max(len(clean(name)) for name in names), max(width * 2 // 5, 8))


def _name(row: Row, width: int, glyphs: Glyphs) -> str:
    """The combination in `width` columns; where it is too long every part gives up its end."""
    parts = [clean(value) for value in row.combination.values()]
    text = " + ".join(parts)
    if len(text) > width:
        each = max((width - 3 * (len(parts) - 1)) // len(parts), 2)
        spare = sum(max(each - len(part), 0) for part in parts)
        long = max(sum(len(part) > each for part in parts), 1)
        limit = each + spare // long
        text = " + ".join(part if len(part) <= limit else part[: limit - 1] + glyphs.cut for part in parts)
    return text[:width].ljust(width)
