"""The answer in words. Says no more than the verdict carries, and names the doubt where there is one."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence

from sweeper.report.material import ranked
from sweeper.report.tables import finalist_table
from sweeper.report.units import Units, clean, count, number, percent
from sweeper.trial import Combination
from sweeper.verdict import Finalist, Outcome, Verdict

MOST_SEEDS = 400
"""More fresh seeds a finalist than this are not suggested: ten times the default, for a difference that is small."""


def headline(verdict: Verdict) -> str:
    """The answer in one or two sentences."""
    tell: Mapping[Outcome, Callable[[Verdict], str]] = {
        Outcome.WINNER: _winner,
        Outcome.TIE: _tie,
        Outcome.NOT_SEPARATED: _not_separated,
    }
    if verdict.outcome not in tell or verdict.pick is None or _finalist(verdict, verdict.pick.combination) is None:
        return _no_verdict(verdict)
    return tell[verdict.outcome](verdict)


def paragraph(verdict: Verdict) -> str:
    """How the answer came about, how sure it is, and what it does not cover."""
    sentences = [_what_was_done(verdict), _what_decided(verdict), _how_sure(verdict)]
    sentences += [_how_lucky(verdict), _how_chosen(verdict)]
    if not verdict.complete:
        sentences.append("The plan was not trained to its end, so this is the answer of what was trained.")
    return " ".join(sentence for sentence in sentences if sentence)


def summary(verdict: Verdict) -> str:
    """The answer for a terminal: plain text, at most about 100 columns wide."""
    blocks = [headline(verdict), paragraph(verdict)]
    if verdict.finalists:
        blocks.append(_aligned(finalist_table(verdict)))
    if verdict.notes:
        blocks.append("\n".join(["Mind:", *(f"  * {clean(note)}" for note in verdict.notes)]))
    blocks.append("\n".join(["Next:", *(f"  * {step}" for step in next_steps(verdict))]))
    return "\n\n".join(_wrapped(block) for block in blocks)


def next_steps(verdict: Verdict) -> tuple[str, ...]:
    """What to do tomorrow, the most useful thing first."""
    if verdict.pick is None:
        return (
            "Read the reasons in trials.csv; the usual cures are lower learning rates and a look at the data.",
            "Once the cause is gone, start again with `--fresh`.",
        )
    steps = [f"Use {_name(verdict.pick.combination)}{_settings(verdict)}."]
    if not verdict.complete:
        steps.append("Run the same command again: it continues where it stopped.")
    elif verdict.outcome is Outcome.NOT_SEPARATED and (verdict.seeds_needed or 0) > MOST_SEEDS:
        steps.append(
            "Take those that may be best for equals: telling them apart would take more seeds than it is worth."
        )
    elif verdict.outcome is Outcome.NOT_SEPARATED and verdict.seeds_needed:
        steps.append(
            f"To separate them, set `confirm: {{seeds: {verdict.seeds_needed}}}` (and add it to `looks` if the study "
            "file has them) and run it with `--extend`; the result is then a second look beyond the plan: say so."
        )
    elif verdict.outcome is Outcome.TIE:
        steps.append("More seeds would not change what to do: the difference that may remain does not matter.")
    elif verdict.outcome is Outcome.NO_VERDICT:
        steps.append("Before claiming that it is the best, let the study confirm it: `confirm:` in the study file.")
    return tuple(steps)


def pick_params(verdict: Verdict) -> dict[str, str]:
    """The tuned settings of the pick besides what is compared, written short."""
    if verdict.pick is None:
        return {}
    return {
        clean(name): clean(number(value), 40)
        for name, value in verdict.pick.params.items()
        if name not in verdict.pick.combination
    }


def _winner(verdict: Verdict) -> str:
    units, gaps = Units.of(verdict), Units.deciding(verdict)
    leader = _leader(verdict)
    claim = f"{_name(leader.combination)} wins: " + _scored(verdict, leader, units, "{} ({})")
    others = [f for f in ranked(verdict) if f.combination != leader.combination]
    if not others or verdict.lead is None:
        return f"{claim}. It was the only finalist."
    return f"{claim}, {gaps.gap(verdict.lead)} ahead of the next best, {_name(others[0].combination)}."


def _tie(verdict: Verdict) -> str:
    units, gaps = Units.of(verdict), Units.deciding(verdict)
    pick, n = _leader(verdict), len(verdict.may_be_best)
    use = f"use {_name(pick.combination)} ({_scored(verdict, pick, units)})"
    if n > 1:
        of = len(verdict.finalists)
        who = f"{n} of {of} finalists" if n < of else f"all {n} finalists" if n > 2 else "both finalists"
        return f"Tie: {who} are equally good to within {gaps.gap(verdict.epsilon)}; {use}."
    ahead = "" if verdict.lead is None else f" of {gaps.gap(verdict.lead)}"
    return f"Tie: the lead{ahead} is smaller than the {gaps.gap(verdict.epsilon)} that matter; {use}."


def _not_separated(verdict: Verdict) -> str:
    gaps = Units.deciding(verdict)
    pick, n, of = _leader(verdict), len(verdict.may_be_best), len(verdict.finalists)
    who = f"{n} of {count(of, 'finalist')}" if n < of else f"any of the {of} finalists"
    said = f"Not separated: {who} may be best; the pick, {_name(pick.combination)},"
    if verdict.regret is None:
        return f"{said} is the best guess."
    bound = f"{gaps.gap(verdict.regret, bound=True)} {gaps.worse} the best"
    said = f"{said} is at most {bound} ({percent(1 - verdict.alpha)})."
    trained = max(finalist.seeds for finalist in verdict.finalists)
    if (verdict.seeds_needed or 0) <= trained:
        return said
    return f"{said} About {verdict.seeds_needed} seeds a finalist would tell; it had {trained}."


def _no_verdict(verdict: Verdict) -> str:
    if verdict.pick is None:
        tried = sum(explored.trials for explored in verdict.explored)
        if not tried:
            return "No verdict: nothing was trained."
        diverged = sum(explored.diverged for explored in verdict.explored)
        how = " (every one diverged)" if diverged == tried else f" ({diverged} diverged)" if diverged else ""
        return f"No verdict: none of {count(tried, 'trial')} ended with a score{how}."
    name = _name(verdict.pick.combination)
    if verdict.finalists:
        return f"No verdict: the confirmation is too small to say anything; {name} leads so far."
    best = next((e.best for e in verdict.explored if e.combination == verdict.pick.combination), None)
    run = "" if best is None else f" (its best run: validation {verdict.metric} {Units.of(verdict).score(best)})"
    return f"No verdict: nothing was confirmed on fresh seeds; {name} is expected to be best from exploration{run}."


def _scored(verdict: Verdict, finalist: Finalist, units: Units, pattern: str = "{}, {}") -> str:
    interval = units.interval(finalist.interval.low, finalist.interval.high)
    score = f"{verdict.metric} {units.score(finalist.score)}"
    return pattern.format(score, f"{percent(1 - verdict.alpha)} interval {interval}")


def _what_was_done(verdict: Verdict) -> str:
    explored = verdict.explored
    if not explored:
        return ""
    trials = _span([e.trials for e in explored])
    first = f"{count(len(explored), 'combination')} {'was' if len(explored) == 1 else 'were'} explored"
    first += f" with {trials} training{'' if trials == '1' else 's'} each"
    if not verdict.finalists:
        return f"{first}, scored on validation rows."
    n = len(verdict.finalists)
    best = "it was" if n == len(explored) == 1 else "the best was" if n == 1 else f"the best {n} were"
    seeds = _span([finalist.seeds for finalist in verdict.finalists])
    shared = "" if n == 1 else ", the same seeds for each"
    return f"{first}; {best} then trained again with {seeds} fresh seeds{shared}, and scored on sealed test rows."


def _what_decided(verdict: Verdict) -> str:
    """Why the differences are those of another metric, where they are."""
    if not verdict.finalists or verdict.decided_by in (None, verdict.metric):
        return ""
    metric, deciding = clean(verdict.metric), clean(verdict.decided_by)
    best = ranked(verdict)[0]
    pick = None if verdict.pick is None else _finalist(verdict, verdict.pick.combination)
    if pick is None or pick.score == best.score:
        return f"They are too much alike in {metric} to be told apart, so {deciding} decides, as declared beforehand."
    return (
        f"{metric[:1].upper()}{metric[1:]} is at its ceiling or too often exactly equal, so {deciding} decides, as "
        f"declared beforehand; in {metric} the mean of {_name(pick.combination)} is "
        f"{Units.of(verdict).gap(abs(best.score - pick.score))} worse than that of {_name(best.combination)}."
    )


def _how_sure(verdict: Verdict) -> str:
    gaps, sure = Units.deciding(verdict), percent(1 - verdict.alpha)
    if verdict.outcome is Outcome.NO_VERDICT or not verdict.finalists:
        return "The best of many single runs is lucky as well as good: expect it to score less next time."
    matters = f"{gaps.gap(verdict.epsilon)}, the smallest difference that matters here"
    hint = " (1 point = 0.01)" if gaps.share else ""
    if verdict.outcome is Outcome.WINNER:
        if len(verdict.finalists) == 1:
            return "Nothing else was confirmed, so nothing was compared with it."
        return f"With {sure} confidence no other finalist is better, and its mean is ahead by at least {matters}{hint}."
    if verdict.outcome is Outcome.TIE and len(verdict.may_be_best) == 1:
        return f"It is ahead with {sure} confidence, but by less than {matters}{hint}."
    bound = "" if verdict.regret is None else gaps.gap(verdict.regret, bound=True)
    alike = bound == gaps.gap(verdict.epsilon)
    if verdict.outcome is Outcome.TIE:
        close = f": it is at most {bound} {gaps.worse} the best" if bound else ""
        how = _does_not_matter(bound, gaps) if alike else f"loses less than {matters}{close}"
        return f"With {sure} confidence the pick {how}{hint}."
    if verdict.regret is not None and verdict.regret <= verdict.epsilon:
        how = (
            _does_not_matter(bound, gaps) if alike else f"is at most {bound} {gaps.worse} the best, less than {matters}"
        )
        return (
            f"With {sure} confidence the pick {how}{hint}: it is safe to use, though others that may be best have not "
            "been ruled out."
        )
    loses = f"up to {bound} may lie between the pick and the best" if bound else "the pick may not be the best"
    return f"With {sure} confidence {loses}, more than {matters}{hint}."


def _does_not_matter(bound: str, gaps: Units) -> str:
    """For a bound that reads like the smallest difference that matters: "0.3, less than 0.3" is no sentence."""
    return f"is at most {bound} {gaps.worse} the best, which does not matter here"


def _how_lucky(verdict: Verdict) -> str:
    """What the mean of the pick owes to having been chosen for it, where that can be seen in the numbers told."""
    pick = None if verdict.pick is None else _finalist(verdict, verdict.pick.combination)
    if pick is None or verdict.pick is None or verdict.pick.expected is None:
        return ""
    units = Units.of(verdict)
    mean, expected = units.score(pick.score), units.score(verdict.pick.expected)
    if mean == expected:
        return ""
    added = units.gap(abs(pick.score - verdict.pick.expected))
    return (
        f"Its mean is {mean}, but the best of several means is lucky as well as good, here by about {added}: expect "
        f"{expected}."
    )


def _how_chosen(verdict: Verdict) -> str:
    if verdict.strategy != "balanced" and len({each.trials for each in verdict.explored}) > 1:
        return (
            f"Settings were sought with {clean(verdict.strategy)}, which gives combinations unequal budgets: the pick "
            "is a good setting, and a combination that got few trials may have lost for that reason."
        )
    if len(verdict.explored) > len(verdict.finalists) > 0:
        return "The choice of the finalists rests on exploration and is not covered by that confidence."
    return ""


def _name(combination: Combination) -> str:
    return clean(combination, 90)


def _settings(verdict: Verdict) -> str:
    params = pick_params(verdict)
    return " with " + ", ".join(f"{name} {value}" for name, value in params.items()) if params else ""


def _leader(verdict: Verdict) -> Finalist:
    """The finalist that the headline is about: the winner, or else the pick."""
    assert verdict.pick is not None  # `headline` answers otherwise
    found = _finalist(verdict, verdict.winner or verdict.pick.combination)
    return found or ranked(verdict)[0]


def _finalist(verdict: Verdict, combination: Combination) -> Finalist | None:
    return next((finalist for finalist in verdict.finalists if finalist.combination == combination), None)


def _span(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"


def _aligned(rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _wrapped(block: str) -> str:
    """The block with its prose broken at 100 columns; tables and lists (several lines) keep their lines."""
    if "\n" in block and not block.startswith(("Mind:", "Next:")):
        return block
    return "\n".join(
        textwrap.fill(line, 100, subsequent_indent="    " if line.startswith("  ") else "", break_long_words=False)
        for line in block.split("\n")
    )
