"""A study of a world from its file to its verdict, and the same world given to plain Optuna.

The study goes through everything that a real one goes through: the study file, `prepare`, the planner and the judge as
`commands.planning` wires them, the loop, and an engine. Only the trainer is scripted, the ledger is in memory, and
nobody watches.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import optuna
from worlds import ACTIVATIONS, NO_INFORMATION, OPTIMIZERS, RATES, World, combination_of, trainer

from sweeper import study_file
from sweeper.commands import planning
from sweeper.commands.judge import Judge
from sweeper.commands.prepare import Prepared, prepare
from sweeper.engines.inline import InlineEngine
from sweeper.planning.memory_ledger import MemoryLedger
from sweeper.protocols import Trainer
from sweeper.stats.distributions import mean_interval
from sweeper.study import Drive
from sweeper.testing import SilentObserver, small_dataset
from sweeper.tracking.nowhere import NoTracker
from sweeper.trial import Combination, Seeds, Stage, TrialSpec
from sweeper.verdict import Outcome, Verdict

TRIALS = 240
"""What plain Optuna trains, and sweeper at most: 96 to explore, 24 in the race, 4 times SEEDS to confirm."""
SEEDS = 30
STUDY = {
    "name": "world",
    "data": {"name": "iris"},
    "trainer": "worlds:trainer",
    "training": {"epochs": 1},
    "parameters": {
        "activation": {"values": list(ACTIVATIONS)},
        "optimizer": {"values": list(OPTIMIZERS)},
        "learning_rate": {"min": RATES.low, "max": RATES.high, "scale": "log"},
    },
}


@dataclass(frozen=True)
class Measured:
    """What an answer was worth, given the truth.

    Attributes:
        right: the pick is a combination that is best at its best learning rate.
        named: one winner was named.
        tied: a tie was called.
        false_winner: a winner was named although it is not best there, or not the only one.
        beaten: a winner was named although another finalist is better at the settings that were confirmed.
        in_set: the best one is in the set of those that may be best; of several that are equally good, two are.
        bias: score that is told to be expected of the pick, minus what it really reaches; `of_mean`: likewise the mean
            over its seeds (TPE: over the best trials). `covered`: its interval holds what it reaches.
        bound_holds: no finalist, as confirmed, is better than the pick by more than the bound.
        confirmed: a best one was among the finalists.
        trials: trainings used.
    """

    right: bool
    named: bool
    tied: bool
    false_winner: bool
    beaten: bool
    in_set: bool
    bias: float
    of_mean: float
    covered: bool
    bound_holds: bool
    bound: float
    confirmed: bool
    trials: int


@cache
def prepared(**changes: object) -> Prepared:
    """The study of all worlds; `changes` are those of its confirmation."""
    confirm = {name: value for name, value in changes.items() if value is not None}
    study = prepare(study_file.load({**STUDY, "confirm": {"seeds": SEEDS, **confirm}}))
    return replace(study, data=small_dataset(classes=round(1 / NO_INFORMATION)))


def seeded(study: Prepared, seed: int) -> Prepared:
    """The same study with another seed."""
    search = study.config.search.model_copy(update={"seed": seed})
    return replace(study, file=replace(study.file, config=study.config.model_copy(update={"search": search})))


def play(scenario: str, seed: int, *, noise: float = 1.0, **confirm: object) -> Measured:
    """One world through the whole of sweeper, from its seed to the measured verdict."""
    world = World.make(scenario, seed, noise)
    verdict, ledger = studied(world, seeded(prepared(**confirm), seed))
    return measured(verdict, world, len(ledger.history))


def studied(world: World, study: Prepared, ledger: MemoryLedger | None = None) -> tuple[Verdict, MemoryLedger]:
    """The verdict of a study whose trainings score as the world says, and all that is in its ledger then."""
    return trained(study, trainer(world), ledger)


def trained(study: Prepared, train: Trainer, ledger: MemoryLedger | None = None) -> tuple[Verdict, MemoryLedger]:
    """The verdict of a study with this trainer, and all that is in its ledger then."""
    judge, ledger = Judge(study), ledger or MemoryLedger()
    planner, judge_epoch = planning.planner(study, judge, ledger, keep=None)  # type: ignore[arg-type]
    no_information = study.data.no_information()
    drive = Drive(
        planner,
        ledger,
        NoTracker(),
        SilentObserver(),
        study.objective,
        no_information=no_information,
        judge_epoch=judge_epoch,
    )
    drive.run(InlineEngine(lambda: (train, study.data)))
    return judge.verdict(tuple(ledger.history.records())), ledger


def measured(verdict: Verdict, world: World, trials: int) -> Measured:
    """Compare a verdict with the truth; the pick is measured at the learning rate that it was confirmed with."""
    truth = world.winners()
    reached = {each.combination: world.reached(each.params) for each in verdict.finalists}
    pick = next(each for each in verdict.finalists if each.combination == verdict.pick.combination)
    expected = reached[pick.combination]
    members = [each for each in truth if each in verdict.may_be_best]
    return Measured(
        right=pick.combination in truth,
        named=verdict.outcome is Outcome.WINNER,
        tied=verdict.outcome is Outcome.TIE,
        false_winner=_is_false(verdict.winner, truth),
        beaten=verdict.winner is not None and max(reached.values()) > reached[verdict.winner],
        in_set=len(members) >= min(2, len(truth)),
        bias=(verdict.pick.expected or 0.0) - expected,
        of_mean=pick.score - expected,
        covered=pick.interval.low <= expected <= pick.interval.high,
        bound_holds=max(reached.values()) - expected <= verdict.regret,
        bound=verdict.regret,
        confirmed=any(each in reached for each in truth),
        trials=trials,
    )


def play_tpe(scenario: str, seed: int, *, noise: float = 1.0, trials: int = TRIALS) -> Measured:
    """The same world searched by Optuna's default sampler over the whole space; the best trial names the winner.

    Its interval is what people make of it: Student's t over the validation scores of the three best trials of the
    combination that it names. Every trial is evaluated on the one validation split, as in an ordinary sweep.
    """
    world = World.make(scenario, seed, noise)
    study = _searched(world, trials, seed)
    combination, truth = combination_of(study.best_params), world.winners()
    own = [t.value for t in study.get_trials(deepcopy=False) if combination_of(t.params) == combination]
    top = np.sort(np.array([value for value in own if value is not None]))[-3:]
    expected, interval = world.reached(study.best_params), mean_interval(top, 0.05)
    false = _is_false(combination, truth)
    return Measured(
        right=combination in truth,
        named=True,
        tied=False,
        false_winner=false,
        beaten=false,
        in_set=not false,
        bias=study.best_value - expected,
        of_mean=float(top.mean()) - expected,
        covered=interval.low <= expected <= interval.high,
        bound_holds=combination in truth,
        bound=0.0,
        confirmed=combination in truth,
        trials=trials,
    )


def _searched(world: World, trials: int, seed: int) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def objective(trial: optuna.Trial) -> float:
        params = {
            "activation": trial.suggest_categorical("activation", ACTIVATIONS),
            "optimizer": trial.suggest_categorical("optimizer", OPTIMIZERS),
            "learning_rate": trial.suggest_float("learning_rate", RATES.low, RATES.high, log=True),
        }
        seeds = Seeds(0, trial.number, trial.number)
        spec = TrialSpec(trial.number, Stage.SEARCH, combination_of(params), params, seeds, 1)
        score = world.score(spec, "val")
        return NO_INFORMATION if np.isnan(score) else score

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
        study.optimize(objective, n_trials=trials)
    return study


def _is_false(winner: Combination | None, truth: list[Combination]) -> bool:
    return winner is not None and (winner not in truth or len(truth) > 1)
