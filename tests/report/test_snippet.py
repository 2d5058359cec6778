import ast
from dataclasses import replace

from synthetic import AWKWARD, material, nothing_completed, renamed

from sweeper.report.snippet import keras_code
from sweeper.verdict import Pick


def picking(params, **provenance):
    made = material()
    pick = Pick(made.verdict.pick.combination, params)
    return replace(made, verdict=replace(made.verdict, pick=pick), provenance={**made.provenance, **provenance})


def call(code):
    """The optimizer's constructor call."""
    assigned = next(n for n in ast.parse(code).body if isinstance(n, ast.Assign) and n.targets[0].id == "optimizer")
    return assigned.value


def test_optimizer_with_its_arguments_and_schedule():
    code = keras_code(picking({"activation": "relu", "optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.9}))
    made = call(code)
    arguments = {k.arg: ast.unparse(k.value) for k in made.keywords}
    assert ast.unparse(made.func) == "keras.optimizers.SGD"
    # 1077 training rows in batches of 32 are 34 steps an epoch, 30 epochs
    assert arguments == {
        "learning_rate": "keras.optimizers.schedules.CosineDecay(0.1, decay_steps=1020)",
        "momentum": "0.9",
    }
    assert 'activation = "relu"' in code


def test_constant_schedule_is_a_plain_number():
    code = keras_code(picking({"optimizer": "adam", "learning_rate": 0.1}, training={"schedule": "constant"}))
    assert code.endswith("optimizer = keras.optimizers.Adam(learning_rate=0.1)")


def test_linear_schedule_ends_at_zero():
    training = {"schedule": "linear", "epochs": 2, "batch_size": 1000}
    code = keras_code(picking({"optimizer": "adam", "learning_rate": 0.1}, training=training))
    assert "PolynomialDecay(0.1, decay_steps=4, end_learning_rate=0.0, power=1.0)" in code


def test_other_parameters_are_handed_over():
    code = keras_code(picking({"optimizer": "adam", "learning_rate": 0.1, "units": [64, 32], "batch_size": 64}))
    values = {n.targets[0].id: n.value for n in ast.parse(code).body if isinstance(n, ast.Assign)}
    assert ast.literal_eval(values["parameters"]) == {"units": [64, 32]}
    assert ast.literal_eval(values["batch_size"]) == 64


def test_awkward_names_stay_strings():
    made = renamed(material(), AWKWARD)
    ast.parse(keras_code(made))


def test_unknown_optimizer_and_no_pick():
    assert 'optimizer = "mine"' in keras_code(picking({"optimizer": "mine"}))
    assert keras_code(nothing_completed()) is None
