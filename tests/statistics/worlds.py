"""Studies with a known truth: what a training scores is known in expectation, and its noise is that of real networks.

3 activations x 4 optimizers, each with a best learning rate of its own, a peak 0.4 to 1.1 decades wide within a point
and a cliff above it, beyond which trainings diverge. The noise of a run is that of a pilot on real networks (an MLP on
the 8x8 digits): luck of the weights, of the rows it is evaluated on, of the split, and a mishap now and then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sweeper.protocols import Report
from sweeper.space import Branch, Choice, Parameter, Range, Space
from sweeper.trial import Cohort, Combination, Stage, TrialEnded, TrialSpec

SCENARIOS = ("clear", "moderate", "close", "tie of 3", "all tied")
LEADS = {"clear": 0.03, "moderate": 0.01, "close": 0.005}
ACTIVATIONS = ("relu", "sigmoid", "tanh")
OPTIMIZERS = ("sgd", "adam", "rmsprop", "adagrad")
RATES = Range(1e-5, 1.0, log=True)
SPACE = Space(
    (
        Parameter("activation", (Branch(Choice(ACTIVATIONS), {}),)),
        Parameter("optimizer", (Branch(Choice(OPTIMIZERS), {}),)),
        Parameter("learning_rate", (Branch(RATES, {}),)),
    ),
    ("activation", "optimizer"),
)
MISHAPS, MISHAP = 0.03, 0.03
"""Share of the trainings that go wrong without diverging, and what they lose on average."""
NO_INFORMATION = 0.1
EVALUATION = {"val": 0.007, "test": 0.005}
"""Sd from the rows that a score is measured on."""


@dataclass
class World:
    """The truth; scores between 0 and 1.

    Attributes:
        best: combination -> expected score at its best learning rate, mishaps apart.
        peak, width, cliff: log10 of that rate, decades within a point of it, decades from it to divergence.
        sd: of a training, without the noise of evaluation.
        offset: luck of the combination with the one validation split and with the test rows.
        noise: 1 as a small MLP on digits, 0.25 as a CNN on CIFAR.
        seed: of everything that is drawn.
    """

    best: Mapping[Combination, float]
    peak: Mapping[Combination, float]
    width: Mapping[Combination, float]
    cliff: Mapping[Combination, float]
    sd: Mapping[Combination, float]
    offset: Mapping[Combination, Mapping[str, float]]
    noise: float
    seed: tuple[int, int]

    @classmethod
    def make(cls, scenario: str, seed: int, noise: float = 1.0) -> World:
        """A world of a scenario."""
        place = (SCENARIOS.index(scenario), seed)
        rng = np.random.default_rng(place)
        combinations = SPACE.combinations()
        count = len(combinations)
        behind = np.zeros(count)
        if scenario in LEADS:
            behind[1:] = LEADS[scenario] + np.concatenate([[0.0], rng.uniform(0.0, 0.04, count - 2)])
        elif scenario == "tie of 3":
            behind[3:] = 0.01 + rng.uniform(0.0, 0.04, count - 3)
        by_optimizer, by_activation = rng.normal(0.0, 0.6, 4), rng.normal(0.0, 0.35, 3)
        peaks = np.clip(-2.0 + (by_activation[:, None] + by_optimizer).ravel(), -4.3, -0.7)
        luck = noise * rng.normal(0.0, (0.002, 0.001), (count, 2))

        def named(values: Any) -> dict[Combination, Any]:
            return dict(zip(combinations, values, strict=True))

        return cls(
            best=named(rng.permutation(0.965 - behind)),
            peak=named(peaks),
            width=named(rng.uniform(0.4, 1.1, count)),
            cliff=named(rng.uniform(0.35, 0.9, count)),
            sd=named(0.007 * noise * np.exp(rng.normal(0.0, 0.35, count))),
            offset=named([{"val": val, "test": test} for val, test in luck.tolist()]),
            noise=noise,
            seed=place,
        )

    def reached(self, params: Mapping[str, Any]) -> float:
        """Expected score of a training with these parameters, on rows without end."""
        combination, rate = combination_of(params), params["learning_rate"]
        if self.diverges(combination, rate):
            return NO_INFORMATION
        return self._usual(combination, rate) - MISHAPS * MISHAP * self.noise

    def diverges(self, combination: Combination, rate: float) -> bool:
        """Whether the learning rate is above the cliff."""
        return bool(np.log10(rate) > self.peak[combination] + self.cliff[combination])

    def score(self, spec: TrialSpec, part: str) -> float:
        """What a training scores on a part of the data; NaN if it diverges. Equal specs score alike."""
        combination, rate = spec.combination, float(spec.params["learning_rate"])
        if self.diverges(combination, rate):
            return float("nan")
        own = [SPACE.combinations().index(combination), spec.seeds.init % 2**32, round(1e6 * np.log10(1 / rate))]
        training = np.random.default_rng([*self.seed, *own])
        luck = training.normal(0.0, self.sd[combination])
        mishap = training.exponential(MISHAP * self.noise) if training.random() < MISHAPS else 0.0
        on_val, on_test = training.normal(0.0, self.noise, 2)
        evaluated = {"val": on_val, "test": on_test}[part] * EVALUATION[part]
        usual = self._usual(combination, rate) + self.offset[combination][part]
        return float(usual + luck - mishap + evaluated + self._shift(spec, part))

    def winners(self) -> list[Combination]:
        """Every combination that is best at its best learning rate."""
        return [each for each, best in self.best.items() if best == max(self.best.values())]

    def _usual(self, combination: Combination, rate: float) -> float:
        steps = (np.log10(rate) - self.peak[combination]) / (self.width[combination] / 2)
        return float(self.best[combination] - 0.6 * (1 - np.exp(-0.01 * steps**2 / 0.6)))

    def _shift(self, spec: TrialSpec, part: str) -> float:
        """What a fresh split does to every combination alike; exploration has one split."""
        if spec.stage is not Stage.CONFIRM:
            return 0.0
        split = np.random.default_rng([*self.seed, spec.seeds.split % 2**32])
        return float(dict(zip(("val", "test"), split.normal(0.0, (0.009, 0.004)), strict=True))[part]) * self.noise


def combination_of(params: Mapping[str, Any]) -> Combination:
    """The combination that parameters belong to."""
    return Combination({name: params[name] for name in SPACE.compare})


def trainer(world: World):
    """A `protocols.Trainer` that scores as the world says."""

    def train(cohort: Cohort, data: object, report: Report) -> list[TrialEnded]:
        return [_trained(world, spec) for spec in cohort.trials]

    return train


def _trained(world: World, spec: TrialSpec) -> TrialEnded:
    scores = {f"{part}_accuracy": world.score(spec, part) for part in ("val", "test")}
    if any(np.isnan(score) for score in scores.values()):
        return TrialEnded.diverged(spec, 0)
    return TrialEnded.completed(spec, scores)
