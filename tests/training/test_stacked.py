"""`StackedTrainer` against `FitTrainer`, and a trial in a stack against the same trial in another."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import ttest_1samp
from trainers import shared

from sweeper.catalog.models import resolve_model
from sweeper.data import DataInfo, Dataset
from sweeper.setup import TrainerSetup
from sweeper.training import stack
from sweeper.training.fit import FitTrainer
from sweeper.training.stack import SizedLoop
from sweeper.training.stacked import StackedTrainer, refusal
from sweeper.trial import Cohort, EpochEnded, Seeds, Signal, Stage, Status, TrialEnded
from sweeper.vocabulary import OPTIMIZERS

pytestmark = pytest.mark.slow

mlp = resolve_model("mlp")
WHOLE = TrainerSetup(model_options={"units": (8,)})
ODD = TrainerSetup(model_options={"units": (7, 5), "dropout": 0.2, "batch_norm": True})


@pytest.fixture(scope="module")
def words():
    rng = np.random.default_rng(0)
    return Dataset(rng.integers(0, 20, (120, 6)), rng.integers(0, 2, 120), DataInfo.of((6,), classes=2, vocabulary=20))


def assert_agreement(curves, setup, build, data, *specs):
    """Every metric of every epoch, to float32's last digits but two."""
    both = (curves(shared(kind, setup, build), data, *specs) for kind in (FitTrainer, StackedTrainer))
    for by_fit, stacked in zip(*both, strict=True):
        for one, other in zip(by_fit, stacked, strict=True):
            assert other == pytest.approx(one, rel=2e-5, abs=1e-6)


def nearly(curves):
    """The same curves, to be compared up to float32's last digits."""
    return [[pytest.approx(epoch, rel=2e-5, abs=1e-6) for epoch in curve] for curve in curves]


class TestTheSameAnswer:
    @pytest.mark.parametrize("optimizer", OPTIMIZERS)
    def test_every_optimizer(self, optimizer, digits, spec, curves):
        setup = TrainerSetup(model_options={"units": (8,), "dropout": 0.2, "batch_norm": True})
        rate = OPTIMIZERS[optimizer].default
        specs = [spec(n, optimizer=optimizer, learning_rate=rate * (n + 1), epochs=2) for n in range(3)]
        assert_agreement(curves, setup, mlp, digits, *specs)

    @pytest.mark.parametrize(
        ("name", "data", "options"),
        [
            ("cnn", "pictures", {"filters": (4,), "units": (6,), "dropout": 0.2, "batch_norm": True}),
            ("lstm", "pictures", {"units": (4, 4), "dropout": 0.2, "recurrent_dropout": 0.2}),
            ("lstm", "words", {"units": 4, "embedding": 3, "dropout": 0.2}),
            ("mlp", "odd_or_even", {"units": (8,), "dropout": 0.2, "l2": 0.01}),
            ("mlp", "diabetes", {"units": (8,), "dropout": 0.2, "batch_norm": True}),
        ],
    )
    def test_every_model_and_task(self, name, data, options, spec, curves, request):
        dataset = request.getfixturevalue(data)
        metrics = ("mae", "r2") if dataset.info.classes is None else ("accuracy",)
        metrics += ("auc", "f1") if dataset.info.classes == 2 else ()
        setup = TrainerSetup(model=name, model_options=options, metrics=metrics)
        assert_agreement(curves, setup, resolve_model(name), dataset, spec(0, epochs=2), spec(1, epochs=2))

    @pytest.mark.parametrize(
        "arguments",
        [
            {"clipnorm": 0.1},
            {"global_clipnorm": 0.1},
            {"clipvalue": 0.01},
            {"weight_decay": 0.1},
            {"use_ema": True, "ema_momentum": 0.9},
            {"loss_scale_factor": 8.0},
            {"gradient_accumulation_steps": 2},
            {"use_ema": True, "ema_overwrite_frequency": 3},
        ],
    )
    def test_arguments_that_all_optimizers_take(self, arguments, digits, spec, curves):
        specs = [spec(n, epochs=2, learning_rate=0.01 * (n + 1), batch_size=50, **arguments) for n in range(2)]
        assert_agreement(curves, WHOLE, mlp, digits, *specs)

    @pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
    def test_schedules(self, schedule, digits, spec, curves):
        setup = replace(WHOLE, schedule=schedule)
        assert_agreement(curves, setup, mlp, digits, spec(0), spec(1, learning_rate=0.1))

    def test_in_mixed_precision(self, digits, spec, curves):
        setup = replace(WHOLE, mixed_precision=True)
        by_fit, stacked = (curves(kind(setup, mlp), digits, spec(0, epochs=2)) for kind in (FitTrainer, StackedTrainer))
        assert stacked[0][-1]["loss"] == pytest.approx(by_fit[0][-1]["loss"], rel=0.02)
        curves(shared(FitTrainer, WHOLE, mlp), digits, spec(0, epochs=1))  # back to float32 for whoever comes next

    @pytest.mark.parametrize("build", ["functional", "subclassed", "constrained"])
    def test_models_of_ones_own(self, build, digits, spec, curves):
        assert_agreement(curves, TrainerSetup(), MODELS[build], digits, spec(0, epochs=2), spec(1, epochs=2))

    def test_whole_trainings_end_alike_on_average(self, digits, spec, recorder):
        """A paired comparison over seeds: the interval of the mean difference covers zero."""
        specs = [spec(n, learning_rate=0.1, epochs=12) for n in range(16)]
        scores = []
        for kind in (FitTrainer, StackedTrainer):
            ends = shared(kind, ODD, mlp)(Cohort(tuple(specs)), digits, recorder())
            scores.append(np.array([end.metrics["val_loss"] for end in ends]))
        difference = scores[1] - scores[0]
        assert scores[0].std() > 0.01
        if difference.any():
            low, high = ttest_1samp(difference, 0.0).confidence_interval(0.99)
            assert low <= 0 <= high
            assert np.abs(difference).max() < 3 * scores[0].std()


def functional(info, activation):
    inputs = keras.Input(info.input_shape)
    wide = keras.layers.Dense(8, activation=activation)(inputs)
    deep = keras.layers.LayerNormalization()(keras.layers.Dense(8, activation=activation)(wide))
    both = keras.layers.Concatenate()([keras.layers.GaussianNoise(0.1)(wide), deep])
    return keras.Model(inputs, keras.layers.Dense(info.output_units, activation=info.output_activation)(both))


class Subclassed(keras.Model):
    def __init__(self, info, activation):
        super().__init__()
        self.hidden = keras.layers.Dense(8, activation=activation, activity_regularizer="l2")
        self.drop = keras.layers.SpatialDropout1D(0.2)
        self.head = keras.layers.Dense(info.output_units, activation=info.output_activation)

    def call(self, x):
        return self.head(self.drop(self.hidden(x)[:, None])[:, 0])


def constrained(info, activation):
    limit = keras.constraints.MaxNorm(0.5)
    inputs = keras.Input(info.input_shape)
    x = keras.layers.Dense(8, activation=activation, kernel_constraint=limit)(inputs)
    frozen = keras.layers.Dense(8, trainable=False)(x)
    return keras.Model(inputs, keras.layers.Dense(info.output_units, activation=info.output_activation)(frozen))


MODELS = {"functional": functional, "subclassed": Subclassed, "constrained": constrained}


class TestCompany:
    def test_a_trial_is_the_same_in_any_order_and_number(self, digits, spec, curves):
        specs = [spec(n, learning_rate=0.003 * 2**n) for n in range(5)]
        trainer = shared(StackedTrainer, WHOLE, mlp)
        together = nearly(curves(trainer, digits, *specs))
        assert curves(trainer, digits, *reversed(specs)) == together[::-1]
        assert [curves(trainer, digits, one)[0] for one in specs] == together
        many = [*specs, *(spec(n) for n in range(10, 20))]
        assert curves(trainer, digits, *many)[:5] == together

    def test_in_the_same_place_it_is_the_same_to_the_last_bit(self, digits, spec, curves):
        first, *others = (spec(n, learning_rate=0.003 * 2**n) for n in range(5))
        trainer = shared(StackedTrainer, ODD, mlp)
        alone = curves(trainer, digits, first)
        assert curves(trainer, digits, first, *others)[:1] == alone
        assert curves(trainer, digits, first, *others[::-1])[:1] == alone

    def test_one_that_diverges_touches_no_other(self, digits, spec, recorder, curves):
        wild = spec(1, optimizer="sgd", learning_rate=1e30)
        calm = [spec(n, optimizer="sgd") for n in (0, 2)]
        trainer, record = shared(StackedTrainer, WHOLE, mlp), recorder()
        ends = trainer(Cohort((calm[0], wild, calm[1])), digits, record)
        assert [end.status for end in ends] == [Status.COMPLETED, Status.DIVERGED, Status.COMPLETED]
        assert [record.curve(n) for n in (0, 2)] == nearly(curves(trainer, digits, *calm))

    def test_a_stack_narrows_when_many_have_gone(self, digits, spec, recorder, curves):
        wild = [spec(n, optimizer="sgd", learning_rate=1e30, epochs=4) for n in range(10)]
        calm = [spec(n, optimizer="sgd", epochs=4) for n in range(10, 16)]
        trainer, record = shared(StackedTrainer, WHOLE, mlp), recorder()
        ends = trainer(Cohort((*wild, *calm)), digits, record)
        assert [end.status for end in ends] == [Status.DIVERGED] * 10 + [Status.COMPLETED] * 6
        assert [record.curve(n) for n in range(10, 16)] == nearly(curves(trainer, digits, *calm))

    def test_one_that_is_stopped_leaves_the_others_alone(self, digits, spec, curves):
        class Stops:
            def __init__(self):
                self.events = []

            def __call__(self, event):
                self.events.append(event)
                stop = isinstance(event, EpochEnded) and event.number == 1
                return Signal.STOP if stop else Signal.CONTINUE

        trainer, record = shared(StackedTrainer, WHOLE, mlp), Stops()
        ends = trainer(Cohort((spec(0), spec(1), spec(2))), digits, record)
        assert [(end.status, end.epochs) for end in ends] == [
            (Status.COMPLETED, 3), (Status.PRUNED, 1), (Status.COMPLETED, 3),
        ]  # fmt: skip
        told = [dict(e.metrics) for e in record.events if isinstance(e, EpochEnded) and e.number == 2]
        assert told == nearly(curves(trainer, digits, spec(2)))[0]

    @pytest.mark.parametrize("ended", [{0}, {1, 3}, {0, 1, 2, 4}])
    def test_a_cohort_cut_short_goes_on_in_its_old_company(self, digits, spec, recorder, ended):
        whole = Cohort(tuple(spec(n, learning_rate=0.05, epochs=6) for n in range(5)))
        full, rest = recorder(), recorder()
        shared(StackedTrainer, ODD, mlp)(whole, digits, full)
        ends = StackedTrainer(ODD, mlp)(whole.without(frozenset(ended)), digits, rest)
        assert {event.number for event in rest.events} == {end.number for end in ends} == set(range(5)) - ended
        assert all(rest.curve(end.number) == full.curve(end.number) for end in ends)


class TestMemory:
    def test_a_stack_that_does_not_fit_goes_on_in_halves(self, digits, spec, recorder, curves, monkeypatch):
        tight, tried, epoch = StackedTrainer(WHOLE, mlp), [], SizedLoop.epoch

        def short_of_memory(loop, *arguments):
            tried.append(loop.size)
            if loop.size > 2 and tried.count(8) > 2:
                raise tf.errors.ResourceExhaustedError(None, None, "out of memory")
            return epoch(loop, *arguments)

        specs = [spec(n, epochs=4) for n in range(5)]
        expected = curves(shared(StackedTrainer, WHOLE, mlp), digits, *specs)
        monkeypatch.setattr(SizedLoop, "epoch", short_of_memory)
        record = recorder()
        ends = tight(Cohort(tuple(specs)), digits, record)
        assert [end.status for end in ends] == [Status.COMPLETED] * 5
        assert tried[:5] == [8, 8, 8, 4, 2]
        for number, curve in enumerate(expected):
            assert len(record.curve(number)) == 4, "no epoch is trained twice"
            for one, other in zip(record.curve(number), curve, strict=True):
                assert one == pytest.approx(other, rel=1e-4)
        tight(Cohort(tuple(specs[:1])), digits, recorder())
        assert tried[-1] <= 2, "it is remembered"

    def test_a_cramped_cohort_is_not_padded(self, digits, spec, recorder, monkeypatch):
        sizes, epoch = set(), SizedLoop.epoch
        monkeypatch.setattr(SizedLoop, "epoch", lambda loop, *rest: (sizes.add(loop.size), epoch(loop, *rest))[1])
        StackedTrainer(WHOLE, mlp)(Cohort((spec(0), spec(1), spec(2)), cramped=True), digits, recorder())
        assert sizes == {2, 1}


def test_a_long_epoch_is_several_calls(digits, spec, curves, monkeypatch):
    whole = curves(shared(StackedTrainer, ODD, mlp), digits, spec(0), spec(1))
    monkeypatch.setattr(stack, "LONGEST_CALL", 2)
    assert curves(StackedTrainer(ODD, mlp), digits, spec(0), spec(1)) == whole


class TestStages:
    def test_test_scores_are_those_of_each_split(self, digits, spec, recorder):
        specs = tuple(spec(n, stage=Stage.CONFIRM, seeds=Seeds(n, n, n), epochs=2) for n in range(3))
        trainers = [shared(kind, WHOLE, mlp) for kind in (FitTrainer, StackedTrainer)]
        ends = [trainer(Cohort(specs), digits, recorder()) for trainer in trainers]
        for one, other in zip(*ends, strict=True):
            assert dict(other.metrics) == pytest.approx(dict(one.metrics), rel=1e-5)
            assert "test_accuracy" in one.metrics

    def test_the_kept_model_is_the_one_that_was_scored(self, digits, spec, recorder, tmp_path):
        trainer = shared(StackedTrainer, WHOLE, mlp)
        (end,) = trainer(Cohort((spec(3, stage=Stage.KEEP),), str(tmp_path)), digits, recorder())
        predictions = np.load(tmp_path / "predictions.npz")
        accuracy = np.mean(predictions["y_pred"].argmax(axis=1) == predictions["y_true"])
        assert accuracy == pytest.approx(end.metrics["test_accuracy"], abs=1e-6)
        assert json.loads((tmp_path / "data.json").read_text())["task"] == "multiclass"

    def test_stages_of_single_trials_go_alone(self, digits, spec, recorder, monkeypatch):
        monkeypatch.setattr(SizedLoop, "epoch", lambda *_: pytest.fail("stacked"))
        setup = replace(WHOLE, alone=(Stage.EXPLORE,))
        (end,) = StackedTrainer(setup, mlp)(Cohort((spec(0),)), digits, recorder())
        assert end.status is Status.COMPLETED

    def test_a_mixed_cohort_is_sorted_out(self, digits, spec, curves):
        specs = [spec(0), spec(1, units=(4,)), spec(2, epochs=1), spec(3, gradient_accumulation_steps=2)]
        each = [curves(shared(FitTrainer, WHOLE, mlp), digits, one)[0] for one in specs]
        for one, other in zip(curves(shared(StackedTrainer, WHOLE, mlp), digits, *specs), each, strict=True):
            assert one == [pytest.approx(epoch, rel=1e-5) for epoch in other]


def test_what_is_refused_is_told_why(spec):
    assert refusal(spec(0).params, TrainerSetup()) is None
    assert "gradient_accumulation_steps" in refusal(spec(0, gradient_accumulation_steps=2).params, TrainerSetup())
    assert "in-place" in refusal(spec(0, optimizer="schedulefreeadamw").params, TrainerSetup())


def test_a_fault_of_the_model_is_each_trials_own(digits, spec, recorder):
    def broken(info, activation):
        raise ValueError("no such layer")

    ends = StackedTrainer(TrainerSetup(), broken)(Cohort((spec(0), spec(1))), digits, recorder())
    assert all(isinstance(end, TrialEnded) and "no such layer" in end.reason for end in ends)
