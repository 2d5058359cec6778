"""Studies with a known truth, and the protocol as a loop without any training.

The world of METHODOLOGY section 4: 3 activations x 4 optimizers, each with a best learning rate of its own, a peak 0.4
to 1.1 decades wide within a point and a cliff above it; the noise of a run is that of a pilot on real networks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.stats import qmc

from sweeper.space import Branch, Choice, Parameter, Range, Space
from sweeper.stats.judging import JudgeRules, judge, study
from sweeper.stats.racing import race
from sweeper.trial import Combination, Seeds, Stage, TrialEnded, TrialRecord, TrialSpec
from sweeper.verdict import Objective, Outcome, Verdict

SCENARIOS = ("clear", "moderate", "close", "tie of 3", "all tied")
LEADS = {"clear": 0.03, "moderate": 0.01, "close": 0.005}
OBJECTIVE = Objective("accuracy", True, 0.003, tie_break="loss")
_ACTIVATIONS = Choice(("relu", "sigmoid", "tanh"))
_OPTIMIZERS = Choice(("sgd", "adam", "rmsprop", "adagrad"))
_RATES = Range(1e-5, 1.0, log=True)
SPACE = Space(
    (
        Parameter("activation", (Branch(_ACTIVATIONS, {}),)),
        Parameter("optimizer", (Branch(_OPTIMIZERS, {}),)),
        Parameter("learning_rate", (Branch(_RATES, {}),)),
    ),
    ("activation", "optimizer"),
)


@dataclass
class World:
    """The truth; scores between 0 and 1.

    Attributes:
        best: combination -> expected score at its best learning rate.
        peak, width, cliff: log10 of that rate, decades within a point of it, decades from it to divergence.
        sd: of a training, without the noise of evaluation.
        offset: luck of the combination with the one validation split and with the test rows.
    """

    best: Mapping[Combination, float]
    peak: Mapping[Combination, float]
    width: Mapping[Combination, float]
    cliff: Mapping[Combination, float]
    sd: Mapping[Combination, float]
    offset: Mapping[Combination, tuple[float, float]]
    noise: float

    @classmethod
    def make(cls, scenario: str, rng: np.random.Generator, noise: float = 1.0) -> World:
        combinations = SPACE.combinations()
        count = len(combinations)
        behind = np.zeros(count)
        if scenario in LEADS:
            behind[1:] = LEADS[scenario] + np.concatenate([[0.0], rng.uniform(0.0, 0.04, count - 2)])
        elif scenario == "tie of 3":
            behind[3:] = 0.01 + rng.uniform(0.0, 0.04, count - 3)
        by_optimizer, by_activation = rng.normal(0.0, 0.6, 4), rng.normal(0.0, 0.35, 3)
        peaks = np.clip(-2.0 + (by_activation[:, None] + by_optimizer).ravel(), -4.3, -0.7)

        def named(values: Any) -> dict[Combination, Any]:
            return dict(zip(combinations, values, strict=True))

        return cls(
            best=named(rng.permutation(0.965 - behind)),
            peak=named(peaks),
            width=named(rng.uniform(0.4, 1.1, count)),
            cliff=named(rng.uniform(0.35, 0.9, count)),
            sd=named(0.007 * noise * np.exp(rng.normal(0.0, 0.35, count))),
            offset=named(zip(rng.normal(0, 0.002 * noise, count), rng.normal(0, 0.001 * noise, count), strict=True)),
            noise=noise,
        )

    def expected(self, combination: Combination, rate: float) -> float:
        """Expected score of a training; 3 % of them lose 3 noise units of a point on average."""
        steps = (np.log10(rate) - self.peak[combination]) / (self.width[combination] / 2)
        fallen = 0.6 * (1 - np.exp(-0.01 * steps**2 / 0.6))
        return float(self.best[combination] - fallen - 0.03 * 0.03 * self.noise)

    def diverges(self, combination: Combination, rate: float) -> bool:
        return bool(np.log10(rate) > self.peak[combination] + self.cliff[combination])

    def score(self, combination: Combination, rate: float, part: str, shift: float, rng: np.random.Generator) -> float:
        evaluation, offset = {"val": (0.007, 0), "test": (0.005, 1)}[part]
        mishap = rng.exponential(0.03 * self.noise) if rng.random() < 0.03 else 0.0
        usual = self.expected(combination, rate) + 0.03 * 0.03 * self.noise
        noise = rng.normal(0.0, self.sd[combination]) + rng.normal(0.0, evaluation * self.noise)
        return usual + noise - mishap + shift + self.offset[combination][offset]

    def winners(self) -> list[Combination]:
        return [each for each, best in self.best.items() if best == max(self.best.values())]


@dataclass
class Played:
    """A study that was played through in a world."""

    world: World
    rules: JudgeRules
    rng: np.random.Generator
    records: list[TrialRecord] = field(default_factory=list)

    def run(self, points: int, *, racing: bool) -> Verdict:
        self.explore(points)
        if racing:
            self.race(points)
        self.confirm()
        return judge("world", self.records, space=SPACE, objective=OBJECTIVE, rules=self.rules)

    def explore(self, points: int) -> None:
        """The same points for everybody."""
        power = (points - 1).bit_length()
        sequence = qmc.Sobol(1, scramble=True, rng=self.rng).random_base2(power)[:points, 0]
        for combination in SPACE.combinations():
            for repetition, position in enumerate(sequence):
                self._train(Stage.EXPLORE, combination, _RATES.at(float(position)), repetition, 0.0)

    def race(self, points: int) -> None:
        """Four more points around the best of the better half."""
        racers = race(self.records, space=SPACE, objective=OBJECTIVE, rules=self.rules, points=points)
        for racer in racers:
            for repetition, params in enumerate(racer.settings):
                self._train(Stage.RACE, racer.combination, params["learning_rate"], repetition, 0.0)

    def confirm(self) -> None:
        """As the planner does: ask who is to have how many seeds, until nobody is."""
        done = 0
        shifts: list[float] = []
        while True:
            found = study(self.records, space=SPACE, objective=OBJECTIVE, rules=self.rules)
            state = found.evidence.confirmation
            if state.next_look is None:
                return
            params = {each.combination: each.params for each in found.finalists.chosen}
            for repetition in range(done, state.next_look):
                shifts.append(float(self.rng.normal(0.0, 0.004 * self.world.noise)))
                for combination in state.alive:
                    rate = params[combination]["learning_rate"]
                    self._train(Stage.CONFIRM, combination, rate, repetition, shifts[repetition])
            done = state.next_look

    def _train(self, stage: Stage, combination: Combination, rate: float, repetition: int, shift: float) -> None:
        params = {**combination, "learning_rate": rate}
        spec = TrialSpec(len(self.records), stage, combination, params, Seeds(0, 0, 0), 10, repetition)
        if self.world.diverges(combination, rate):
            ended = TrialEnded.diverged(spec, 0)
        else:
            part = "test" if stage is Stage.CONFIRM else "val"
            score = self.world.score(combination, rate, part, shift, self.rng)
            ended = TrialEnded.completed(spec, {f"{part}_accuracy": score})
        self.records.append(TrialRecord(spec, ended))


@dataclass(frozen=True)
class Measured:
    """What a verdict was worth, given the truth.

    Attributes:
        right: the pick is a combination that is best at its best learning rate.
        false_winner: a winner was named although it is not best there, or not the only one.
        beaten: a winner was named although another finalist is better at the settings that were confirmed.
        truth_in_set: the best one is in the set; of several that are equally good, two are.
        bias: score of the pick minus what it is expected to reach; `covered`: the interval holds that.
        covered_here: it holds what the pick is expected to reach on these test rows, which is all that seeds can tell.
    """

    outcome: Outcome
    right: bool
    false_winner: bool
    truth_in_set: bool
    bias: float
    covered: bool
    covered_here: bool
    beaten: bool
    bound_holds: bool
    bound: float
    finalist_best: bool
    runs: int


def measure(verdict: Verdict, world: World, runs: int) -> Measured:
    """Compare a verdict with the truth; the pick is measured at the learning rate that it was confirmed with."""
    truth = world.winners()
    reached = {f.combination: _reached(world, f.combination, f.params) for f in verdict.finalists}
    pick = next(f for f in verdict.finalists if f.combination == verdict.pick.combination)
    members = [each for each in truth if each in verdict.may_be_best]
    luck = world.offset[pick.combination][1]
    return Measured(
        outcome=verdict.outcome,
        right=pick.combination in truth,
        false_winner=verdict.winner is not None and (verdict.winner not in truth or len(truth) > 1),
        truth_in_set=len(members) >= min(2, len(truth)),
        bias=pick.score - reached[pick.combination],
        covered=pick.interval.low <= reached[pick.combination] <= pick.interval.high,
        covered_here=pick.interval.low <= reached[pick.combination] + luck <= pick.interval.high,
        beaten=verdict.winner is not None and max(reached.values()) > reached[verdict.winner],
        bound_holds=max(reached.values()) - reached[pick.combination] <= verdict.regret,
        bound=verdict.regret,
        finalist_best=any(each in reached for each in truth),
        runs=runs,
    )


def play(scenario: str, seed: int, *, noise: float = 1.0, points: int = 8, racing: bool = True) -> Measured:
    """One world from its seed to the measured verdict."""
    rng = np.random.default_rng([SCENARIOS.index(scenario), seed])
    world = World.make(scenario, rng, noise)
    rules = JudgeRules(seed=seed, no_information={"accuracy": 0.1})
    played = Played(world, rules, rng)
    verdict = played.run(points, racing=racing)
    return measure(verdict, world, len(played.records))


def _reached(world: World, combination: Combination, params: Mapping[str, Any]) -> float:
    rate = params["learning_rate"]
    return 0.1 if world.diverges(combination, rate) else world.expected(combination, rate)
