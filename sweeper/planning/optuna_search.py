"""Optuna's own samplers over the whole space, for people who want a good setting rather than a claim.

The sampler is rebuilt before every draw with a seed hashed from study seed and trial number, so a resumed study draws
what an uninterrupted one would have drawn, and no sampler state has to be stored. Trials are drawn in batches of fixed
size: what a trial learns from depends on the plan, not on the number of workers.

Numbers with a range of their own in each combination are presented to Optuna as positions in [0, 1] of that range: the
space is then the same for every combination, which all of these samplers want.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.samplers import BaseSampler

from sweeper.planning.cohorts import alone
from sweeper.planning.design import exploration_seeds
from sweeper.planning.optuna_ledger import OptunaLedger
from sweeper.protocols import History
from sweeper.seeds import derive
from sweeper.space import Choice, Range, Space
from sweeper.trial import Cohort, Combination, EpochEnded, Signal, Stage, TrialSpec

BATCH = 4
"""Trials drawn without knowing each other's results: as many as a desktop has workers for, few enough to learn."""


@dataclass(frozen=True)
class SearchSettings:
    """What the study file says under `search`.

    Attributes:
        points: values that `grid` cuts a range into.
    """

    strategy: str
    trials: int
    points: int
    pruner: str
    seed: int
    epochs: int


class Search:
    """A planner that asks an Optuna sampler."""

    def __init__(self, ledger: OptunaLedger, space: Space, settings: SearchSettings, *, metric: str) -> None:
        self._ledger = ledger
        self._space = space
        self._settings = settings
        self._metric = metric
        self._open: dict[int, optuna.Trial] = {}
        ledger.study.pruner = _pruner(settings)

    def next_round(self, history: History) -> Sequence[Cohort]:
        """Trials that were drawn and not trained, else a fresh batch."""
        self._ledger.guarded(lambda: [self._draw() for _ in list(self._ledger.half_drawn)])
        drawn = [spec for spec in history.waiting.values() if spec.stage is Stage.SEARCH]
        done = sum(record.spec.stage is Stage.SEARCH for record in history.records())
        begun = done + len(drawn)
        wanted = BATCH if not drawn else -begun % BATCH  # a kill may have cut a batch short
        self._ledger.guarded(
            lambda: drawn.extend(self._draw() for _ in range(min(wanted, self._settings.trials - begun)))
        )
        return alone(sorted(drawn, key=lambda spec: spec.number))

    def judge_epoch(self, spec: TrialSpec, event: EpochEnded) -> Signal:
        """Feed the pruner and pass on its answer."""
        value = event.metrics.get(self._metric)
        if self._settings.pruner == "none" or spec.stage is not Stage.SEARCH or value is None:
            return Signal.CONTINUE
        trial = self._open.get(spec.number)
        if trial is None:
            trial = optuna.Trial(self._ledger.study, self._ledger.row(spec.number))
            self._open[spec.number] = trial
        trial.report(value, event.epoch)
        return Signal.STOP if trial.should_prune() else Signal.CONTINUE

    def _draw(self) -> TrialSpec:
        """Draw a trial; one that a kill left half drawn first, which gives it the same values again."""
        half_drawn, study = self._ledger.half_drawn, self._ledger.study
        number = half_drawn.pop(0) if half_drawn else self._ledger.next_number
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            warnings.simplefilter("ignore", UserWarning)
            study.sampler = _sampler(self._settings, number)
            begun = number < self._ledger.next_number
            trial = optuna.Trial(study, self._ledger.row(number)) if begun else study.ask()
            combination, params = self._suggest(trial)
        spec = TrialSpec(
            number=trial.number,
            stage=Stage.SEARCH,
            combination=combination,
            params=params,
            seeds=exploration_seeds(self._settings.seed, trial.number),
            epochs=self._settings.epochs,
            repetition=trial.number,
        )
        self._ledger.adopt(trial, spec)
        self._open[trial.number] = trial
        return spec

    def _suggest(self, trial: optuna.Trial) -> tuple[Combination, dict[str, Any]]:
        combinations = self._space.combinations()
        listed = {name: list(dict.fromkeys(c[name] for c in combinations)) for name in self._space.compare}
        combination = Combination({name: trial.suggest_categorical(name, values) for name, values in listed.items()})
        tuned = self._space.tuned(combination)
        positions = []
        for name in self._space.tuned_names():
            domain = tuned.get(name)
            if isinstance(domain, Choice):
                index = trial.suggest_categorical(f"{name} (of {len(domain.values)})", list(range(len(domain.values))))
                positions.append((index + 0.5) / len(domain.values))
            elif isinstance(domain, Range):
                positions.append(self._position(trial, name))
            else:
                positions.append(0.0)
        return combination, self._space.at(combination, positions)

    def _position(self, trial: optuna.Trial, name: str) -> float:
        label = f"{name} (position)"
        if self._settings.strategy != "grid":
            return trial.suggest_float(label, 0.0, 1.0)
        cells = self._settings.points
        return float(trial.suggest_categorical(label, [(cell + 0.5) / cells for cell in range(cells)]))


def _sampler(settings: SearchSettings, number: int) -> BaseSampler:
    seed = derive(settings.seed, settings.strategy, number)
    if settings.strategy == "tpe":
        return optuna.samplers.TPESampler(seed=seed)
    if settings.strategy == "gp":
        return optuna.samplers.GPSampler(seed=seed)
    if settings.strategy == "cmaes":
        return optuna.samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False)
    if settings.strategy == "qmc":
        # one sequence: its index is kept in the study, so its seed must not change
        fixed = derive(settings.seed, "qmc")
        return optuna.samplers.QMCSampler(seed=fixed, scramble=True, warn_independent_sampling=False)
    if settings.strategy == "grid":
        return optuna.samplers.BruteForceSampler(seed=seed)
    return optuna.samplers.RandomSampler(seed=seed)


def _pruner(settings: SearchSettings) -> optuna.pruners.BasePruner:
    if settings.pruner == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=settings.epochs // 4)
    if settings.pruner == "hyperband":
        return optuna.pruners.HyperbandPruner(min_resource=1, max_resource=settings.epochs)
    return optuna.pruners.NopPruner()
