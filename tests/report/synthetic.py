"""Made-up finished studies with known answers, the same on every run."""

import functools
from dataclasses import dataclass, replace

import numpy as np

from sweeper import vocabulary
from sweeper.data import Task
from sweeper.gate import GateOutcome, Night
from sweeper.reads import Reads
from sweeper.report.figures import pictures
from sweeper.report.material import Material, Predictions
from sweeper.space import Branch, Choice, Parameter, Range, Space
from sweeper.stats.secondary import secondary
from sweeper.trial import Combination, Seeds, Stage, TrialEnded, TrialRecord, TrialSpec
from sweeper.verdict import Explored, Finalist, Interval, Objective, Outcome, Pick, Verdict

RANGES = {"sgd": (1e-3, 1e1), "adam": (1e-5, 1e-1), "rmsprop": (1e-5, 1e-1), "adamw": (1e-5, 1e-1)}
STUDY = "name: digits\ndata: {name: digits}\nmodel: {name: mlp}\n"
EPOCHS = 30


@dataclass(frozen=True)
class World:
    """What is true: `best` score, `scale` of the differences, noise of a run, and what is compared."""

    activations: tuple = ("relu", "sigmoid", "tanh")
    optimizers: tuple = ("sgd", "adam", "rmsprop")
    metric: str = "accuracy"
    maximize: bool = True
    best: float = 0.975
    scale: float = 0.01
    noise: float = 0.006
    points: int = 8
    seeds: int = 20
    finalists: int = 4
    outcome: Outcome = Outcome.WINNER
    seed: int = 0


def space(world):
    def rate():
        return Parameter(
            "learning_rate",
            tuple(Branch(Range(*RANGES.get(o, (1e-5, 1e-1)), log=True), {"optimizer": (o,)}) for o in world.optimizers),
        )

    return Space(
        (
            Parameter("activation", (Branch(Choice(world.activations), {}),)),
            Parameter("optimizer", (Branch(Choice(world.optimizers), {}),)),
            rate(),
        ),
        ("activation", "optimizer"),
    )


def material(world=World(), **changes):
    """A finished study: 8 trials a combination, then `finalists` on `seeds` fresh seeds; `changes` are World's."""
    world = replace(world, **changes)
    rng = np.random.default_rng(world.seed)
    sign = 1 if world.maximize else -1
    objective = Objective(world.metric, world.maximize, 0.003 if world.maximize else 0.4)
    combos = space(world).combinations()
    offsets = {c: sign * -world.scale * 0.6 * rank for rank, c in enumerate(_shuffled(combos, rng))}
    records, explored = [], []
    for combination in combos:
        own = [
            _explored(world, combination, offsets[combination], len(records) + i, i, rng) for i in range(world.points)
        ]
        records += own
        explored.append(_summary(objective, combination, own))
    finalists = []
    if world.outcome is not Outcome.NO_VERDICT:
        chosen = sorted(explored, key=lambda e: -sign * (e.best if e.best is not None else -sign * np.inf))
        shared = rng.normal(0, world.noise * 0.5, world.seeds)
        for rank, e in enumerate(chosen[: world.finalists]):
            gap = {Outcome.WINNER: 0.9 * rank, Outcome.TIE: 0.02 * rank, Outcome.NOT_SEPARATED: 0.25 * rank}[
                world.outcome
            ]
            truth = world.best - sign * world.scale * gap
            scores = truth + shared + rng.normal(0, world.noise * 0.7, world.seeds)
            if world.metric == "accuracy":
                scores = np.round(np.clip(scores, 0, 1) * 360) / 360
            params = {**e.best_params, "learning_rate": float(e.best_params["learning_rate"])}
            records += [
                _confirmed(world, objective, e.combination, params, len(records) + i, i, s, rng)
                for i, s in enumerate(scores)
            ]
            finalists.append(_finalist(e.combination, params, scores))
    verdict = _verdict(world, objective, tuple(finalists), tuple(explored), sign)
    made = Material(verdict, tuple(records), objective, space(world), provenance(), predictions(world, rng))
    return replace(made, reads=reads(made), nights=nights(world) if world == World() else ())


def nights(world, count=24, drop=0.02):
    """Nights of a gate: calm, one that could not be decided, a package that changes, and a drop at the end."""
    rng = np.random.default_rng(world.seed)
    made = []
    for i in range(count):
        bad, when = i >= count - 2, f"2026-03-{i + 1:02d}T03:00:00.000+00:00"
        score = float(world.best - drop * bad + rng.normal(0, world.noise / 3))
        outcome = GateOutcome.FAILED if bad else GateOutcome.PASSED
        changed = {6: ("data",), count - 2: ("numpy 2.1.0 -> 2.2.0", "keras 3.14.0 -> 3.15.0")}.get(i, ())
        span = Interval(score - 0.006, score + 0.006)
        night = Night(when, outcome, score, span, 3, changed, None, world.best, Interval(0.972, 0.978))
        made.append(replace(night, outcome=GateOutcome.UNDECIDED, score=None, interval=None) if i == 10 else night)
    return tuple(made)


def reads(made):
    """What the records of a study show besides its verdict."""
    about = {"space": made.space, "objective": made.objective, "no_information": None, "seed": 0}
    return secondary(made.records, made.verdict, **about)


def _shuffled(combos, rng):
    return [combos[i] for i in rng.permutation(len(combos))]


def _learn(final, rng, start, epochs=EPOCHS, jitter=0.0):
    t = np.arange(epochs)
    return final + (start - final) * np.exp(-t / (epochs / 7)) + rng.normal(0, jitter, epochs)


def _explored(world, combination, offset, number, point, rng):
    low, high = RANGES.get(combination["optimizer"], (1e-5, 1e-1))
    position = (point + 0.5) / world.points
    rate = float(np.exp(np.log(low) + position * np.log(high / low)))
    params = {**combination, "learning_rate": rate, "dropout": 0.2}
    spec = TrialSpec(number, Stage.EXPLORE, combination, params, Seeds(0, point, point), EPOCHS, point)
    if position > 0.9 and combination["optimizer"] == "sgd":
        return TrialRecord(spec, TrialEnded.diverged(spec, 2, duration_s=0.1))
    sign = 1 if world.maximize else -1
    score = world.best + offset - sign * world.scale * 60 * (position - 0.66) ** 2 + rng.normal(0, world.noise)
    return _record(world, spec, float(score), rng)


def _record(world, spec, score, rng, test=None):
    start = world.best * (0.2 if world.maximize else 3)
    curve = {f"val_{world.metric}": tuple(float(v) for v in _learn(score, rng, start, jitter=world.noise * 0.3))}
    metrics = {f"val_{world.metric}": score, "loss": 0.1}
    if test is not None:
        metrics[f"test_{world.metric}"] = test
    return TrialRecord(spec, TrialEnded.completed(spec, metrics, duration_s=0.27), curve, 1000.0 + spec.number)


def _confirmed(world, objective, combination, params, number, i, score, rng):
    spec = TrialSpec(number, Stage.CONFIRM, combination, params, Seeds(1000 + i, i, i), EPOCHS, i)
    return _record(world, spec, float(score + rng.normal(0, world.noise * 0.5)), rng, test=float(score))


def _summary(objective, combination, own):
    sign = objective.sign
    scored = [r for r in own if r.value(objective.validation) is not None]
    best = max(scored, key=lambda r: sign * r.value(objective.validation))
    value = best.value(objective.validation)
    return Explored(combination, len(own), value, len(own) - len(scored), 0, best.spec.params, value, 0.004)


def _finalist(combination, params, scores):
    half = 2.8 * float(scores.std(ddof=1)) / len(scores) ** 0.5
    mean = float(scores.mean())
    interval = Interval(mean - half, mean + half)
    return Finalist(combination, params, mean, interval, tuple(float(s) for s in scores), 0.0, False, 0, 0.27)


def _verdict(world, objective, finalists, explored, sign):
    ranked = sorted(finalists, key=lambda f: -sign * f.score)
    members = {Outcome.WINNER: 1, Outcome.TIE: 3, Outcome.NOT_SEPARATED: 3, Outcome.NO_VERDICT: 0}[world.outcome]
    inside = {f.combination for f in ranked[:members]}
    top = ranked[0].score if ranked else 0.0
    room = {Outcome.TIE: 0.2, Outcome.NOT_SEPARATED: 2.0}.get(world.outcome, 0.5) * objective.epsilon
    regrets = {f.combination: sign * (top - f.score) + room for f in ranked}
    finalists = tuple(replace(f, in_set=f.combination in inside, regret=regrets[f.combination]) for f in finalists)
    best = max(explored, key=lambda e: sign * e.best)
    picked = Pick(best.combination, best.best_params)
    if ranked:
        picked = Pick(ranked[0].combination, ranked[0].params)
    won = ranked[0].combination if world.outcome is Outcome.WINNER else None
    confirmed = sum(f.seeds for f in finalists)
    return Verdict(
        study="digits",
        outcome=world.outcome,
        winner=won,
        pick=picked,
        regret=0.0 if won else regrets[picked.combination] if ranked else None,
        may_be_best=tuple(f.combination for f in ranked if f.combination in inside),
        finalists=finalists,
        explored=explored,
        metric=world.metric,
        goal="maximize" if world.maximize else "minimize",
        alpha=0.05,
        epsilon=objective.epsilon,
        lead=sign * (ranked[0].score - ranked[1].score) if len(ranked) > 1 else None,
        seeds_needed=60 if world.outcome is Outcome.NOT_SEPARATED else None,
        notes=(
            "The best learning rate of tanh + sgd lies at the border of its range: a wider one may change the answer.",
        ),
        trials={"explore": {"COMPLETED": 69, "DIVERGED": 3}, "confirm": {"COMPLETED": confirmed}},
        duration_s=83.2,
        tracking={"uri": "sqlite:///mlruns/mlflow.db", "experiment": "digits", "run_id": "4f1c"},
    )


def provenance():
    return {
        "study": STUDY,
        "description": "Which activation/optimizer pair wins on a small MLP?",
        "data": {
            "name": "digits",
            "rows": 1797,
            "features": 64,
            "task": "multiclass",
            "sizes": {"train": 1077, "validation": 360, "test": 360},
            "fingerprint": "3b0f3c1d" * 8,
        },
        "model": "mlp",
        "training": {"epochs": EPOCHS, "batch_size": 32, "schedule": "cosine", "loss": "auto"},
        "versions": {"python": "3.11.9", "tensorflow": "2.21.0", "keras": "3.15.0", "optuna": "5.0.0"},
        "git": "5b958ef (clean)",
        "command": "sweeper run studies/digits.yaml",
        "started": "2026-11-23 09:12 UTC",
        "duration_s": 83.2,
    }


def predictions(world, rng, classes=10, rows=360):
    if world.metric != "accuracy":
        true = rng.normal(150, 60, 90)
        return Predictions.of(true, true * 0.6 + 60 + rng.normal(0, 40, 90), (), Task.REGRESSION)
    true = rng.integers(0, classes, rows)
    wrong = rng.random(rows) < 0.04
    guess = np.where(wrong, rng.integers(0, classes, rows), true)
    return Predictions.of(true, guess, tuple(str(i) for i in range(classes)), Task.MULTICLASS)


def renamed(made, names):
    """The material with compared values replaced, e.g. `{"relu": "<script>"}`."""

    def new(mapping):
        return {key: names.get(value, value) if isinstance(value, str) else value for key, value in mapping.items()}

    def combo(combination):
        return Combination(new(combination))

    def record(r):
        return replace(r, spec=replace(r.spec, combination=combo(r.spec.combination), params=new(r.spec.params)))

    v = made.verdict
    verdict = replace(
        v,
        winner=None if v.winner is None else combo(v.winner),
        pick=Pick(combo(v.pick.combination), new(v.pick.params)),
        may_be_best=tuple(combo(c) for c in v.may_be_best),
        finalists=tuple(replace(f, combination=combo(f.combination), params=new(f.params)) for f in v.finalists),
        explored=tuple(
            replace(e, combination=combo(e.combination), best_params=new(e.best_params)) for e in v.explored
        ),
    )
    parameters = tuple(
        replace(
            p, branches=tuple(Branch(Choice(tuple(names.get(x, x) for x in b.domain.values)), {}) for b in p.branches)
        )
        if isinstance(p.branches[0].domain, Choice)
        else replace(
            p,
            branches=tuple(
                Branch(b.domain, {k: tuple(names.get(x, x) for x in vs) for k, vs in b.when.items()})
                for b in p.branches
            ),
        )
        for p in made.space.parameters
    )
    changed = replace(
        made, verdict=verdict, records=tuple(map(record, made.records)), space=Space(parameters, made.space.compare)
    )
    return replace(changed, reads=reads(changed))


MAE = World(metric="mae", maximize=False, best=43.2, scale=1.4, noise=1.2)
TWELVE = World(activations=("relu", "gelu", "silu", "tanh"), outcome=Outcome.NOT_SEPARATED, seed=3)
TIE = World(outcome=Outcome.TIE, noise=0.002, seed=5)
NO_VERDICT = World(outcome=Outcome.NO_VERDICT, seed=2)

ACTIVATIONS = tuple("relu gelu silu tanh sigmoid elu selu mish softplus softsign leaky_relu hard_sigmoid".split())
AWKWARD = {
    "relu": "my_activations_module:a_very_long_activation_function_name_<script>alert(1)</script>",
    "adam": 'my.module:Adam $x^2$ & "quotes" \x1b\x00漢字 | `tick` and_a_name_that_does_not_end',
}


def bare(made, **changes):
    """The material without anything that is optional; `changes` are the verdict's."""
    nothing = {"finalists": (), "may_be_best": (), "winner": None, "lead": None, "regret": None, "tracking": None}
    verdict = replace(made.verdict, outcome=Outcome.NO_VERDICT, **{**nothing, **changes})
    return replace(made, verdict=verdict, provenance={}, predictions=None, reads=Reads(), nights=())


def nothing_completed(world=World()):
    """Every trial diverged."""
    made = bare(material(world))
    explored = tuple(Explored(e.combination, e.trials, None, e.trials) for e in made.verdict.explored)
    records = tuple(
        TrialRecord(r.spec, TrialEnded.diverged(r.spec, 0)) for r in made.records if r.spec.stage is Stage.EXPLORE
    )
    return replace(made, verdict=replace(made.verdict, explored=explored, pick=None), records=records)


def unused():
    """A study that ended before its first trial."""
    return replace(bare(material(), explored=(), pick=None, trials={}), records=())


def poisoned(made):
    """NaN and infinity wherever a number of a trial can be one, and one diverged seed far off."""
    records = tuple(
        replace(
            r,
            ended=replace(r.ended, metrics={k: float("nan") for k in r.ended.metrics}),
            curve={k: (*v[:-2], float("inf"), float("nan")) for k, v in r.curve.items()},
        )
        if r.spec.number % 5 == 0
        else r
        for r in made.records
    )
    first, *others = made.verdict.finalists
    broken = replace(first, scores=(0.1, *first.scores[1:]), diverged=1)
    changed = replace(made, records=records, verdict=replace(made.verdict, finalists=(broken, *others)))
    return replace(changed, reads=reads(changed))


def classes(n):
    """Nothing but predictions of n classes."""
    return replace(unused(), predictions=predictions(World(), np.random.default_rng(0), n))


@functools.cache
def every_kind():
    """Name -> material of every kind that a report must stand."""
    winner = material()
    return {
        "winner": winner,
        "twelve": material(TWELVE),
        "tie": material(TIE),
        "no verdict": material(NO_VERDICT),
        "mae": material(MAE),
        "one": material(World(activations=("relu",), optimizers=("adam",), finalists=1)),
        "one optimizer": material(World(activations=ACTIVATIONS, optimizers=("adam",), outcome=Outcome.NOT_SEPARATED)),
        "sixty": material(
            World(
                ACTIVATIONS, ("sgd", "adam", "rmsprop", "adamw", "nadam"), points=6, finalists=6, seeds=40, scale=0.002
            )
        ),
        "awkward names": renamed(material(TIE), AWKWARD),
        "nothing completed": nothing_completed(),
        "unused": unused(),
        "poisoned": poisoned(winner),
        "hundred classes": classes(100),
        "sixteen classes": classes(16),
    }


@functools.cache
def everything():
    """Every activation with every optimizer that Keras knows by name: 434 combinations."""
    return material(
        World(
            vocabulary.ACTIVATIONS,
            tuple(vocabulary.OPTIMIZERS),
            points=6,
            seeds=10,
            finalists=6,
            scale=0.0004,
            outcome=Outcome.NOT_SEPARATED,
        )
    )


@functools.cache
def drawn(kind):
    """The pictures of a kind; drawing is what tests of the report spend their time on."""
    return pictures(every_kind()[kind])
