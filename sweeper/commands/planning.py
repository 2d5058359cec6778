"""From a prepared study to its planner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from sweeper import environment, resolve
from sweeper.commands.judge import Judge, confirmation_trials
from sweeper.commands.prepare import Prepared
from sweeper.planning.design import BalancedDesign, exploration_seeds
from sweeper.planning.optuna_ledger import OptunaLedger
from sweeper.planning.optuna_search import Search, SearchSettings
from sweeper.planning.stages import Confirm, Explore, InOrder, Keep, Refine
from sweeper.protocols import Planner
from sweeper.setup import TrainerSetup
from sweeper.stats.racing import STEPS, racing
from sweeper.stats.screening import most_finalists
from sweeper.stats.widening import STEPS as WIDER
from sweeper.trial import EpochEnded, Signal, Stage, TrialSpec

COHORT = 8
"""Trials trained together at most: the points of one combination, and what fills the vectors of a CPU
(`training.running.LANES`).

Stacks of 16 and 32 take a quarter to a third less time a trial on small models (`tests/benchmarks/fusion.py`), but
leave workers waiting for the last cohort of a round, and would be compiled anew for each finalist.
"""

USABLE = 0.6
"""Of the memory of the machine, for the stacks of all workers; the framework, the data and the rest of the machine have
what is left."""

JudgeEpoch = Callable[[TrialSpec, EpochEnded], Signal]


def planner(study: Prepared, judge: Judge, ledger: OptunaLedger, *, keep: str | None) -> tuple[Planner, JudgeEpoch]:
    """The stages of the study, and who answers epochs."""
    config = study.config
    seed, epochs = config.search.seed, config.training.epochs
    stages: list[Planner] = []
    judge_epoch: JudgeEpoch = _go_on
    if config.search.strategy == "balanced":
        stages.append(Explore(design(study), COHORT))
        if study.looks:
            for stage, settings in ((Stage.WIDEN, judge.beyond), (Stage.RACE, judge.racers)):
                stages.append(Refine(stage, settings, seed=seed, epochs=epochs, cohort_size=COHORT))
    else:
        search = Search(ledger, study.space, _settings(study), metric=study.objective.validation)
        stages.append(search)
        judge_epoch = search.judge_epoch
    if study.looks:
        block = -(-study.looks[0] // -(-study.looks[0] // COHORT))  # the seeds of a look in cohorts of equal size
        stages.append(Confirm(judge.candidates, judge.next_look, seed=seed, epochs=epochs, cohort_size=block))
    if keep is not None:
        stages.append(Keep(judge.pick, keep, seed=seed, epochs=epochs))
    return InOrder(*stages), judge_epoch


def design(study: Prepared) -> BalancedDesign:
    """The balanced design of a study."""
    config = study.config
    return BalancedDesign(study.space, study.points, config.search.seed, epochs=config.training.epochs)


def setup(study: Prepared, *, workers: int) -> TrainerSetup:
    """What each of so many workers is told about training."""
    memory = environment.memory_bytes()
    alone = solitary(study)
    return replace(
        study.setup,
        cohort=COHORT if study.looks or not alone else 1,
        alone=alone,
        memory_bytes=None if memory is None else int(memory * USABLE / workers),
    )


def solitary(study: Prepared) -> tuple[Stage, ...]:
    """Stages whose cohorts are of one trial: each has values of its own of what is compiled in, or is drawn alone."""
    tuned = set(study.space.tuned_names())
    together = tuned <= {"learning_rate"} and study.config.search.strategy == "balanced"
    return () if together else (Stage.EXPLORE, Stage.WIDEN, Stage.RACE, Stage.SEARCH)


def first_trial(study: Prepared) -> TrialSpec:
    """A trial like those of the study, to try its model with before anything trains."""
    combination = study.space.combinations()[0]
    params = study.space.at(combination, [0.5] * len(study.space.tuned_names()))
    seeds = exploration_seeds(study.config.search.seed, 0)
    return TrialSpec(0, Stage.EXPLORE, combination, params, seeds, study.config.training.epochs)


def expected(study: Prepared) -> Mapping[Stage, tuple[int, int]]:
    """How many trials each stage will have, at least and at most."""
    config = study.config
    combinations = len(study.space.combinations())
    explore = combinations * study.points
    counts = {Stage.EXPLORE: (explore, explore)}
    if config.search.strategy != "balanced":
        counts = {Stage.SEARCH: (search_trials(study), search_trials(study))}
    elif study.looks and "learning_rate" in study.space.tuned_names():
        counts[Stage.WIDEN] = (0, len(WIDER) * combinations)
        racers = racing(combinations)
        counts[Stage.RACE] = (len(STEPS) * racers, len(STEPS) * racers)
    if study.looks:
        low, high = finalist_counts(study)
        least = low * study.looks[0]
        most = max(min(high * study.looks[-1], confirmation_trials(study)), high * study.looks[0])
        counts[Stage.CONFIRM] = (least, most)
    return counts


def search_trials(study: Prepared) -> int:
    """How many trials an Optuna sampler draws; a grid ends with its last point."""
    return resolve.search_trials(study.config, study.space)


def finalist_counts(study: Prepared) -> tuple[int, int]:
    """How many finalists there will be, at least and at most."""
    combinations = len(study.space.combinations())
    wanted = study.config.confirm.finalists
    if wanted == "auto":
        return min(2, combinations), most_finalists(combinations)
    return min(2, combinations), min(combinations, wanted)


def _settings(study: Prepared) -> SearchSettings:
    search = study.config.search
    return SearchSettings(
        strategy=search.strategy,
        trials=search_trials(study),
        points=study.points,
        pruner=search.pruner,
        seed=search.seed,
        epochs=study.config.training.epochs,
    )


def _go_on(_spec: TrialSpec, _event: EpochEnded) -> Signal:
    return Signal.CONTINUE
