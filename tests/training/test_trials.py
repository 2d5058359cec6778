"""The contract of a Keras trainer, held against every way of training."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from trainers import shared

from sweeper.catalog.models import resolve_model
from sweeper.data import Dataset, Split
from sweeper.errors import ModelError
from sweeper.setup import TrainerSetup
from sweeper.training.feed import Feeds, orders
from sweeper.training.fit import FitTrainer
from sweeper.training.graph import GraphTrainer
from sweeper.training.stacked import StackedTrainer
from sweeper.trial import Cohort, EpochEnded, Seeds, Stage, Status, TrialEnded

pytestmark = pytest.mark.slow

SETUP = TrainerSetup(model_options={"units": (8,)}, schedule="constant")
RICH = {"dropout": 0.2, "batch_norm": True, "units": (8, 6)}
mlp = resolve_model("mlp")


@pytest.fixture(params=[FitTrainer, GraphTrainer, StackedTrainer], ids=lambda kind: kind.__name__)
def kind(request):
    return request.param


@pytest.fixture
def trainer(kind):
    return shared(kind, SETUP, mlp)


def _nearly(curves):
    """The same curves, to be compared up to float32's last digits."""
    return [[pytest.approx(epoch, rel=1e-4, abs=1e-6) for epoch in curve] for curve in curves]


class TestEvents:
    def test_every_epoch_and_the_end_are_reported(self, trainer, digits, spec, recorder):
        record = recorder()
        ends = trainer(Cohort((spec(0), spec(1))), digits, record)
        assert ends[0].reason is None
        for number in (0, 1):
            own = [type(event) for event in record.events if event.number == number]
            assert own == [EpochEnded, EpochEnded, EpochEnded, TrialEnded]
        assert ends == [e for e in record.events if isinstance(e, TrialEnded)]
        assert all(end.status is Status.COMPLETED and end.epochs == 3 and end.duration_s > 0 for end in ends)
        assert dict(ends[0].metrics) == record.curve(0)[-1]
        assert set(ends[0].metrics) == {"loss", "accuracy", "val_loss", "val_accuracy"}

    def test_stop_ends_the_trial_and_no_other(self, trainer, digits, spec, recorder):
        record = recorder(stop_from=1)
        pruned, also = trainer(Cohort((spec(0, epochs=5), spec(1, epochs=5))), digits, record)
        assert (pruned.status, pruned.epochs, also.status) == (Status.PRUNED, 2, Status.PRUNED)
        assert dict(pruned.metrics) == record.curve(0)[1]

    def test_what_the_coordinator_raises_is_raised(self, trainer, digits, spec):
        for error in (KeyboardInterrupt(), RuntimeError("the ledger is gone")):

            def report(event, error=error):
                raise error

            with pytest.raises(type(error)):
                trainer(Cohort((spec(0),)), digits, report)


class TestNumbers:
    def test_they_are_those_of_a_plain_keras_training(self, kind, digits, spec, curves):
        setup = replace(SETUP, model_options=RICH)
        (curve,) = curves(kind(setup, mlp), digits, spec(5, epochs=3))
        feed = Feeds().of(digits, 5)
        keras.utils.set_random_seed(5)
        model = mlp(digits.info, "relu", **RICH)
        model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
        order = orders(len(feed.train), 5)
        for epoch in curve:
            rows = next(order)
            x, y = feed.train.x[rows], feed.train.y[rows]
            history = model.fit(x, y, batch_size=32, shuffle=False, validation_data=_rows(feed.validation), verbose=0)
            for name, (value,) in history.history.items():
                assert epoch[name] == pytest.approx(value, rel=1e-5), name

    @pytest.mark.parametrize("optimizer", ["adam", "nadam", "schedulefreeadamw"])
    def test_a_refilled_program_gives_what_a_new_one_gives(self, kind, digits, spec, curves, optimizer):
        setup = replace(SETUP, model_options=RICH, schedule="cosine")
        specs = [spec(n, optimizer=optimizer, learning_rate=rate) for n, rate in ((0, 0.1), (1, 0.01))]
        others = [
            spec(7, optimizer="sgd", activation="tanh", epochs=1),
            spec(8, optimizer=optimizer, learning_rate=1e4),
        ]
        trainers = [kind(setup, mlp) for _ in specs]
        alone = [curves(trainer, digits, one)[0] for trainer, one in zip(trainers, specs, strict=True)]
        trainer = trainers[0]
        together = curves(trainer, digits, *specs)
        curves(trainer, digits, *others)
        backwards = curves(trainer, digits, *reversed(specs))
        if kind is StackedTrainer:  # six units fill no vector: a trial's place in the stack shows in the last bits
            together, backwards = _nearly(together), _nearly(backwards)
        assert alone == together
        assert alone == backwards[::-1]
        assert alone[0] != alone[1]

    def test_seeds_do_what_they_are_for(self, kind, digits, spec, curves):
        trainer = kind(SETUP, mlp)
        changed = [Seeds(0, 0, 0), Seeds(1, 0, 0), Seeds(0, 1, 0), Seeds(0, 0, 1)]
        first, *others = curves(trainer, digits, *(spec(n, seeds=s, epochs=1) for n, s in enumerate(changed)))
        assert all(other != first for other in others)

    def test_the_last_batch_may_be_small(self, trainer, digits, spec, curves):
        curve, whole = curves(trainer, digits, spec(0, batch_size=7), spec(1, batch_size=180, seeds=Seeds(0, 0, 0)))
        assert curve[-1]["loss"] < whole[-1]["loss"] < 2.4

    def test_parameters_reach_the_optimizer_and_the_model(self, trainer, digits, spec, curves):
        seeds = Seeds(0, 0, 0)
        variants = [{}, {"momentum": 0.9}, {"weight_decay": 0.1}, {"dropout": 0.5}, {"units": [5]}, {"clipnorm": 0.01}]
        specs = [spec(n, optimizer="sgd", seeds=seeds, epochs=1, **v) for n, v in enumerate(variants)]
        losses = [curve[0]["loss"] for curve in curves(trainer, digits, *specs)]
        assert len(set(losses)) == len(variants)

    def test_the_size_of_the_training_part_may_change(self, kind, digits, spec, curves):
        groups = np.repeat(np.arange(12), 25)
        grouped = replace(digits, groups=groups, validation_fraction=0.3)
        specs = [spec(n, batch_size=8, epochs=2) for n in range(4)]
        trainers = [kind(SETUP, mlp) for _ in specs]
        alone = [curves(trainer, grouped, one)[0] for trainer, one in zip(trainers, specs, strict=True)]
        assert _nearly(curves(trainers[0], grouped, *specs)) == alone

    @pytest.mark.parametrize("state", ["random op", "variable", "numpy"])
    def test_hidden_state_of_a_layer_does_not_leak_into_the_next_trial(self, kind, digits, spec, curves, state):
        build = {"random op": _noisy, "variable": _counting, "numpy": _drawn_outside}[state]
        trainer = kind(replace(SETUP, model_options={}), build)
        specs = [spec(0, epochs=2), spec(1, epochs=2)]
        together = curves(trainer, digits, *specs)
        assert together == [curves(kind(replace(SETUP, model_options={}), build), digits, one)[0] for one in specs]

    def test_averaged_weights_are_validated_again(self, trainer, digits, spec, recorder):
        record = recorder()
        (end,) = trainer(Cohort((spec(0, use_ema=True, ema_momentum=0.9),)), digits, record)
        assert end.metrics["val_loss"] != record.curve(0)[-1]["val_loss"]
        assert end.metrics["loss"] == record.curve(0)[-1]["loss"]


class TestTestRows:
    @pytest.mark.parametrize("data", ["digits", "odd_or_even", "diabetes"])
    def test_which_rows_were_right_is_told_in_confirmation(self, kind, data, spec, recorder, request):
        dataset = request.getfixturevalue(data)
        classes = dataset.info.classes is not None
        setup = replace(SETUP, metrics=("accuracy",) if classes else ("mae",))
        specs = [spec(n, stage=stage, seeds=Seeds(n, n, n)) for n, stage in enumerate((Stage.CONFIRM, Stage.CONFIRM))]
        trainer = kind(setup, mlp)
        ends = trainer(Cohort(tuple(specs)), dataset, recorder())
        if not classes:
            assert [end.correct for end in ends] == [None, None]
            return
        for end in ends:
            assert end.correct.values().mean() == pytest.approx(end.metrics["test_accuracy"], abs=1e-6)
            assert end.correct.rows == dataset.sizes()["test"]
        (explored,) = trainer(Cohort((spec(0),)), dataset, recorder())
        assert explored.correct is None

    def test_they_stay_sealed_in_exploration(self, trainer, digits, spec, recorder):
        sealed = _Sealed(**{name: getattr(digits, name) for name in digits.__dataclass_fields__})
        explored, confirmed = trainer(Cohort((spec(0), spec(1, stage=Stage.CONFIRM))), sealed, recorder())
        assert explored.status is Status.COMPLETED
        assert not any(name.startswith("test_") for name in explored.metrics)
        assert "the seal is broken" in confirmed.reason

    def test_they_are_scored_in_confirmation(self, trainer, digits, spec, recorder):
        (end,) = trainer(Cohort((spec(0, stage=Stage.CONFIRM, epochs=8),)), digits, recorder())
        assert set(end.metrics) == {f"{part}{m}" for part in ("", "val_", "test_") for m in ("loss", "accuracy")}
        assert end.metrics["test_accuracy"] > 0.5


class TestTasks:
    def test_errors_of_a_regression_are_in_its_unit(self, kind, diabetes, spec, recorder, tmp_path):
        setup = replace(SETUP, metrics=("mae", "mse", "rmse", "r2"))
        cohort = Cohort((spec(0, stage=Stage.KEEP, epochs=5),), str(tmp_path))
        (end,) = kind(setup, mlp)(cohort, diabetes, recorder())
        saved = np.load(tmp_path / "predictions.npz")
        error = saved["y_pred"][:, 0] - saved["y_true"][:, 0]
        assert saved["y_true"].max() > 200
        assert end.metrics["test_mae"] == pytest.approx(np.abs(error).mean(), rel=1e-4)
        assert end.metrics["test_mse"] == pytest.approx((error**2).mean(), rel=1e-4)
        assert end.metrics["test_rmse"] == pytest.approx((error**2).mean() ** 0.5, rel=1e-4)
        r2 = 1 - (error**2).sum() / ((saved["y_true"] - saved["y_true"].mean()) ** 2).sum()
        assert end.metrics["test_r2"] == pytest.approx(r2, abs=1e-4)
        assert end.metrics["test_loss"] < 2

    def test_two_classes_have_their_own_metrics(self, kind, odd_or_even, spec, recorder, tmp_path):
        setup = replace(SETUP, metrics=("accuracy", "auc", "f1", "precision", "recall"))
        cohort = Cohort((spec(0, stage=Stage.KEEP, epochs=5),), str(tmp_path))
        (end,) = kind(setup, mlp)(cohort, odd_or_even, recorder())
        saved = np.load(tmp_path / "predictions.npz")
        said, true = saved["y_pred"][:, 0] > 0.5, saved["y_true"][:, 0] > 0.5
        precision, recall = (said & true).sum() / said.sum(), (said & true).sum() / true.sum()
        assert end.metrics["test_accuracy"] == pytest.approx((said == true).mean())
        assert end.metrics["test_precision"] == pytest.approx(precision)
        assert end.metrics["test_recall"] == pytest.approx(recall)
        assert end.metrics["test_f1"] == pytest.approx(2 * precision * recall / (precision + recall))

    def test_a_metric_of_another_task_fails_the_trial(self, kind, diabetes, spec, recorder):
        (end,) = kind(replace(SETUP, metrics=("accuracy",)), mlp)(Cohort((spec(0),)), diabetes, recorder())
        assert end.status is Status.FAILED
        assert "a metric for a regression task" in end.reason


class TestDivergence:
    def test_an_infinite_loss_ends_the_trial_and_no_other(self, kind, digits, spec, curves, recorder):
        record = recorder()
        trainer = kind(replace(SETUP, loss="auto"), _unbounded)
        wild, tame = spec(0, optimizer="sgd", learning_rate=1e30), spec(1, optimizer="sgd")
        diverged, completed = trainer(Cohort((wild, tame)), digits, record)
        assert (diverged.status, diverged.epochs, diverged.reason) == (Status.DIVERGED, 1, "diverged in epoch 0")
        assert completed.status is Status.COMPLETED
        assert record.curve(0) == []
        assert record.curve(1) == curves(kind(SETUP, _unbounded), digits, tame)[0]

    def test_nan_weights_behind_a_finite_loss_count(self, trainer, digits, spec, recorder):
        x = digits.x.copy()
        x[:, 10] = np.nan
        (end,) = trainer(Cohort((spec(0),)), replace(digits, x=x), recorder())
        assert end.status is Status.DIVERGED


class TestFailure:
    @pytest.mark.parametrize(
        ("build", "words"),
        [
            ("_raises", "ValueError: no such layer"),
            ("_exits", "SystemExit: 3"),
            ("_fails_in_training", "no such weight"),
        ],
    )
    def test_the_reason_names_error_and_place(self, kind, digits, spec, recorder, build, words):
        trainer = kind(replace(SETUP, model_options={}), globals()[build])
        failed, _ = trainer(Cohort((spec(0), spec(1))), digits, recorder())
        assert failed.status is Status.FAILED
        assert words in failed.reason
        assert "test_trials.py:" in failed.reason

    def test_an_unknown_optimizer_is_answered_with_the_nearest_one(self, trainer, digits, spec, recorder):
        (end,) = trainer(Cohort((spec(0, optimizer="adamm"),)), digits, recorder())
        assert "did you mean 'adam'" in end.reason


@pytest.mark.parametrize("kind", [FitTrainer, GraphTrainer])
class TestCheck:
    @pytest.mark.parametrize(
        ("build", "words"),
        [
            (lambda info, activation: None, ["None", "return the model"]),
            (lambda info, activation: "model", ["str", "keras.Model"]),
            (lambda info, activation: _compiled(info), ["compiled", "leave out model.compile"]),
            (lambda info, activation: _dense(info.input_shape, 3), ["(None, 10)", "(None, 3)", "info.output_units"]),
            (lambda info, activation: _dense((5,), 10), ["(None, 64)", "(None, 5)", "info.input_shape"]),
            (lambda info, activation: Wrong(), ["(None, 64)", "input_shape"]),
            (lambda info: None, ["TypeError", "keywords activation"]),
        ],
    )
    def test_a_broken_contract_is_told_with_a_cure(self, kind, digits, spec, build, words):
        with pytest.raises(ModelError) as caught:
            kind(replace(SETUP, model_options={}), build).check(digits, spec(0))
        for word in words:
            assert word in str(caught.value)

    def test_the_last_line_of_the_function_is_named(self, kind, digits, spec):
        with pytest.raises(ModelError, match=r"ValueError: no such layer \(test_trials.py:\d+, in _raises\)"):
            kind(replace(SETUP, model_options={}), _raises).check(digits, spec(0))

    def test_every_form_of_a_sound_model_passes(self, kind, digits, spec, curves):
        for build in (mlp, _sequential, Subclassed):
            trainer = kind(replace(SETUP, model_options={}), build)
            trainer.check(digits, spec(0))
            assert len(curves(trainer, digits, spec(0, epochs=1))[0]) == 1


class TestKeep:
    def test_the_model_loads_and_predicts_what_was_scored(self, trainer, digits, spec, recorder, tmp_path):
        cohort = Cohort((spec(0, stage=Stage.KEEP, epochs=6),), str(tmp_path / "kept"))
        (end,) = trainer(cohort, digits, recorder())
        model = keras.models.load_model(tmp_path / "kept" / "model.keras")
        saved = np.load(tmp_path / "kept" / "predictions.npz")
        test = digits.split(0).open_test()
        assert np.array_equal(saved["y_true"], test.y)
        assert np.allclose(model.predict(test.x, verbose=0), saved["y_pred"], atol=1e-6)
        assert end.metrics["test_accuracy"] == pytest.approx(np.mean(saved["y_pred"].argmax(axis=1) == test.y))

    def test_data_and_preprocessing_are_described(self, kind, diabetes, spec, recorder, tmp_path):
        data = replace(diabetes, preprocessing=_Halving())
        kind(replace(SETUP, metrics=("mae",)), mlp)(
            Cohort((spec(0, stage=Stage.KEEP),), str(tmp_path)), data, recorder()
        )
        described = json.loads((tmp_path / "data.json").read_text())
        assert described["task"] == "regression"
        assert described["target_sd"] == diabetes.split(0).target_sd
        assert json.loads((tmp_path / "preprocessing.json").read_text()) == {"kind": "halving"}
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            "data.json",
            "model.keras",
            "predictions.npz",
            "preprocessing.json",
        ]


class TestMemory:
    def test_many_trials_need_hardly_more_than_a_few(self, trainer, digits, spec, recorder):
        trainer(Cohort(tuple(spec(n, epochs=1) for n in range(3))), digits, recorder())
        before = _resident_mb()
        trainer(Cohort(tuple(spec(n, epochs=1) for n in range(60))), digits, recorder())
        assert _resident_mb() - before < 60  # a compiled model of its own for each would leave some 400 MB behind


def _resident_mb():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class _Sealed(Dataset):
    def split(self, seed):
        parts = super().split(seed)
        return _SealedSplit(**{name: getattr(parts, name) for name in parts.__dataclass_fields__})


class _SealedSplit(Split):
    def open_test(self):
        raise AssertionError("the seal is broken")


class _Halving:
    def fit(self, x_train):
        return self

    def __call__(self, x):
        return x / 2

    def to_dict(self):
        return {"kind": "halving"}


def _rows(part):
    return part.x, part.y


def _dense(shape, units):
    inputs = keras.Input(shape)
    return keras.Model(inputs, keras.layers.Dense(units, activation="softmax")(inputs))


def _compiled(info):
    model = _dense(info.input_shape, info.output_units)
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def _unbounded(info, activation, **options):
    inputs = keras.Input(info.input_shape)
    x = keras.layers.Dense(8)(inputs)
    return keras.Model(inputs, keras.layers.Dense(info.output_units, kernel_regularizer="l2", activation="softmax")(x))


def _raises(info, activation):
    raise ValueError("no such layer")


def _exits(info, activation):
    sys.exit(3)


class _Broken(keras.layers.Layer):
    def call(self, x, training=False):
        if training:
            raise KeyError("no such weight")
        return x


def _fails_in_training(info, activation):
    inputs = keras.Input(info.input_shape)
    return keras.Model(inputs, keras.layers.Dense(info.output_units, activation="softmax")(_Broken()(inputs)))


def _sequential(info, activation):
    return keras.Sequential([keras.layers.Dense(8, activation), keras.layers.Dense(info.output_units, "softmax")])


class Subclassed(keras.Model):
    def __init__(self, info, activation):
        super().__init__()
        self.hidden = keras.layers.Dense(8, activation)
        self.drop = keras.layers.Dropout(0.3)
        self.head = keras.layers.Dense(info.output_units, "softmax")

    def call(self, x, training=False):
        return self.head(self.drop(self.hidden(x), training=training))


class Wrong(keras.Model):
    def __init__(self):
        super().__init__()
        self.kernel = self.add_weight(shape=(5, 10))

    def call(self, x):
        return keras.ops.matmul(x, self.kernel)


class _Noise(keras.layers.Layer):
    def call(self, x, training=False):
        return x + tf.random.normal(tf.shape(x)) if training else x


_elsewhere = tf.Variable(0.0, trainable=False)


class _Counting(keras.layers.Layer):
    def call(self, x, training=False):
        if training:
            _elsewhere.assign_add(0.01)
        return x * (1.0 + _elsewhere)


def _with(layer, info, activation):
    inputs = keras.Input(info.input_shape)
    x = layer(keras.layers.Dense(8, activation=activation)(inputs))
    return keras.Model(inputs, keras.layers.Dense(info.output_units, activation="softmax")(x))


def _noisy(info, activation):
    return _with(_Noise(), info, activation)


def _counting(info, activation):
    _elsewhere.assign(0.0)
    return _with(_Counting(), info, activation)


def _drawn_outside(info, activation):
    """Weights from TensorFlow's own generator, which only its own seed determines."""
    start = keras.initializers.Constant(tf.random.normal((64, 8), stddev=0.1).numpy())
    inputs = keras.Input(info.input_shape)
    x = keras.layers.Dense(8, activation=activation, kernel_initializer=start)(inputs)
    return keras.Model(inputs, keras.layers.Dense(info.output_units, activation="softmax")(x))
