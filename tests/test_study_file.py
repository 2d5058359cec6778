import contextlib
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from sweeper import resolve, study_file
from sweeper.cli import cli
from sweeper.errors import StudyError

MINIMAL = "name: digits\ndata: {name: digits}\nmodel: {name: mlp}\n"


LEAST = ("name: x\n", "data: {name: digits}\n")


def problems(tmp_path, text):
    path = tmp_path / "study.yaml"
    path.write_text(text)
    with pytest.raises(StudyError) as caught:
        study_file.load(path)
    return caught.value.problems


def load(tmp_path, text):
    path = tmp_path / "study.yaml"
    path.write_text(text)
    return study_file.load(path).config


def test_three_lines_are_a_study(tmp_path):
    config = load(tmp_path, MINIMAL)
    space = resolve.space(config)
    assert len(space.combinations()) == 9
    assert space.tuned_names() == ("learning_rate",)
    assert resolve.points(config, space) == 8
    assert resolve.looks(config) == (8, 16, 24, 32, 40)


def test_learning_rates_have_a_range_of_their_own_for_each_optimizer(tmp_path):
    space = resolve.space(load(tmp_path, MINIMAL))
    rates = {c["optimizer"]: space.tuned(c)["learning_rate"] for c in space.combinations()}
    assert (rates["sgd"].low, rates["sgd"].high) == (1e-3, 10)
    assert (rates["adam"].low, rates["adam"].high) == (1e-5, 1e-1)


def test_momentum_lowers_the_default_rates_of_sgd(tmp_path):
    text = MINIMAL + "parameters: {momentum: {when: {optimizer: [sgd]}, value: 0.9}}\n"
    space = resolve.space(load(tmp_path, text))
    rates = {c["optimizer"]: space.tuned(c)["learning_rate"] for c in space.combinations()}
    assert (rates["sgd"].low, rates["sgd"].high) == (1e-4, 1)


def test_the_first_branch_that_holds_counts_and_the_default_comes_last(tmp_path):
    text = MINIMAL + "parameters: {learning_rate: [{when: {optimizer: SGD}, min: 0.01, max: 1}]}\n"
    space = resolve.space(load(tmp_path, text))
    rates = {c["optimizer"]: space.tuned(c)["learning_rate"] for c in space.combinations()}
    assert (rates["sgd"].low, rates["sgd"].high) == (0.01, 1)
    assert rates["rmsprop"].low == 1e-5


def test_optimizers_are_taken_in_any_case(tmp_path):
    config = load(tmp_path, MINIMAL + "parameters: {optimizer: {values: [SGD, Adam]}}\n")
    assert {c["optimizer"] for c in resolve.space(config).combinations()} == {"sgd", "adam"}


@pytest.mark.parametrize(
    ("lines", "where", "expected", "cure"),
    [
        ("trainig: {epochs: 3}", "trainig", "a known key", "did you mean 'training'?"),
        ("training: {epoch: 3}", "training.epoch", "a known key", "did you mean 'epochs'?"),
        ("training: {epochs: 0}", "training.epochs", "greater than or equal to 1", ""),
        ("training: {epochs: three}", "training.epochs", "a whole number", ""),
        ("training: {schedule: cosinus}", "training.schedule", "constant, cosine or linear", "did you mean 'cosine'?"),
        ("training: {loss: bce}", "training.loss", "a loss that sweeper knows", ""),
        ("training: {loss: mse}", "training.loss", "a loss for multiclass data", "loss: auto"),
        ("metric: {name: mae}", "metric.name", "a metric for multiclass data", "one of accuracy"),
        ("metric: {name: acuracy}", "metric.name", "a metric that sweeper knows", "did you mean 'accuracy'?"),
        ("metric: {name: loss, goal: maximize}", "metric.goal", "the better direction", ""),
        ("parameters: {activation: {values: [relu, rleu]}}", "parameters.activation.values.1", "of Keras", "'relu'"),
        ("parameters: {activation: {values: [relu, ReLU]}}", "parameters.activation.values.1", "of Keras", "'relu'"),
        ("parameters: {optimizer: {values: [sgd, adamm]}}", "parameters.optimizer.values.1", "of Keras", "'adam'"),
        ("parameters: {learning_rate: {min: 0, max: 1, scale: log}}", "learning_rate.min", "above 0", "1.0e-5"),
        ("parameters: {learning_rate: {min: 1, max: 0.1}}", "learning_rate.min", "below max", ""),
        ("parameters: {learning_rate: {min: 0.1}}", "learning_rate", "max beside min", ""),
        ("parameters: {learning_rate: {min: 0.1, max: 1, value: 3}}", "learning_rate", "one of: values", ""),
        ("parameters: {dropout: {}}", "parameters.dropout", "one of: values", ""),
        ("parameters: {dropout: {value: 1.0}}", "dropout.value", "from 0 to below 1", ""),
        ("parameters: {dropout: {values: [0.1, 0.1]}}", "dropout.values", "each value once", ""),
        ("parameters: {dropout: {value: 0.1, scale: log}}", "dropout.scale", "min and max only", ""),
        ("parameters: {momentum: {value: 0.9}}", "parameters.momentum", "an argument of adam", "{optimizer: [sgd, rms"),
        ("parameters: {momentum: {when: {optimizr: sgd}, value: 0.9}}", "when.optimizr", "compared or fixed", ""),
        ("parameters: {momentum: {when: {optimizer: lion}, value: 0.9}}", "when.optimizer", "takes here", ""),
        ("parameters: {droput: {value: 0.1}}", "parameters.droput", "a parameter of training", "'dropout'"),
        ("parameters: {batch_size: {values: [16, 0]}}", "batch_size.values.1", "a whole number from 1", ""),
        ("compare: [units]", "compare.0", "listed values", ""),
        ("compare: [activation]\nparameters: {activation: {value: relu}}", "compare", "two combinations", ""),
        ("search: {points: 5}", "search.points", "at least 6", "points: 8"),
        ("search: {trials: 50}", "search.trials", "points (a combination)", ""),
        ("search: {strategy: tpe, points: 8}", "search.points", "trials (in all)", ""),
        ("search: {strategy: tpe, trials: 5}", "search.trials", "each of 9 combinations", "trials: 72"),
        ("search: {pruner: median}", "search.pruner", "no pruner", ""),
        ("confirm: {seeds: 1}", "confirm.seeds", "at least 2 seeds", ""),
        ("confirm: {seeds: 20, looks: [10]}", "confirm.looks", "a last look at all 20", ""),
        ("confirm: {looks: [20, 10]}", "confirm.looks", "rising order", ""),
        ("confirm: {alpha: 0.6}", "confirm.alpha", "less than 0.5", ""),
        ("budget: {time: soon}", "budget.time", "a duration such as 90s", ""),
        ("budget: {failures: 120%}", "budget.failures", "less than or equal to 1", ""),
        ("engine: {kind: ray}", "engine.kind", "processes or inline", ""),
        ("engine: {workers: 0}", "engine.workers", "", ""),
        ("training: {epochs: 100001}", "training.epochs", "less than or equal to 100000", ""),
        ("training: {batch_size: 1000001}", "training.batch_size", "less than or equal to 1000000", ""),
        ("search: {points: 4097}", "search.points", "less than or equal to 4096", ""),
        ("search: {strategy: tpe, trials: 1000001}", "search.trials", "less than or equal to 1000000", ""),
        ("parameters: {optimizer: [sgd, adam]}", "parameters.optimizer", "values", "optimizer: {values: [sgd, adam]}"),
        ("parameters: {learning_rate: [0.1, 0.2]}", "learning_rate", "values", "learning_rate: {values: [0.1, 0.2]}"),
        ("parameters: {learning_rate: 0.1}", "learning_rate", "values", "learning_rate: {value: 0.1}"),
        ("parameters: {optimizer: adam}", "parameters.optimizer", "values", "optimizer: {value: adam}"),
        ("parameters: {dropout: 0.1}", "parameters.dropout", "values", "dropout: {value: 0.1}"),
        ("parameters: {units: [64, 32]}", "parameters.units", "values", "units: {value: [64, 32]}"),
        ("parameters: {dropout: }", "parameters.dropout", "values", "dropout: {value: ...}"),
        ("parameters: {dropout: [{value: 0.1}, 3]}", "parameters.dropout.1", "values", "{value: 3}"),
        ("parameters: {dropout: {valeu: 3, value: 0.1}}", "dropout.valeu", "a known key", "'value'"),
        ("parameters: {dropout: {when: {optimizer: {a: 1}}, value: 0.1}}", "dropout.when.optimizer", "", ""),
        ("parameters: 3", "parameters", "names of parameters", "values: [sgd, adam]"),
        ("parameters: {batch_norm: {values: [1, true]}}", "batch_norm.values", "each value once", ""),
        ("parameters: {optimizer: {values: [sgd, SGD]}}", "optimizer.values", "each value once", ""),
        ("parameters: {whatever: {value: 1}}", "parameters.whatever", "a parameter of", "one of units, dropout"),
        ("compare: activation", "compare", "a list of parameters", "compare: [activation]"),
        ("training: 5", "training", "keys and values", "training: {epochs: 5}"),
        ("search: tpe", "search", "keys and values", "search: {strategy: tpe}"),
        ("compare: [activation]", "compare", "fixed optimizer", "optimizer: {value: adam}"),
        ("trainer: nothing", "trainer", "module:function", ""),
    ],
)
def test_a_fault_is_told_with_place_expectation_and_cure(tmp_path, lines, where, expected, cure):
    (problem,) = problems(tmp_path, MINIMAL + lines + "\n")
    assert re.search(r"study\.yaml:[45] ", problem.where + " ")
    assert where in problem.where
    assert expected in problem.expected
    assert cure in problem.cure


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("{name: digit}", "a data set that sweeper knows"),
        ("{name: csv, path: a.csv}", "target for csv data"),
        ("{name: digits, path: x}", "an option of digits"),
        ("{name: digits, validation: 0.6, test: 0.5}", "validation + test below 1"),
        ("{name: digits, test: 0}", "a test split"),
        ("{name: digits, validation: 0}", "greater than 0"),
        ("digits", "keys and values"),
    ],
)
def test_faults_of_the_data_section(tmp_path, data, expected):
    found = problems(tmp_path, f"name: x\ndata: {data}\n")
    assert any(expected in problem.expected for problem in found)


def test_all_problems_are_told_at_once_in_the_order_of_lines(tmp_path):
    text = """nam: x
data: {name: digits, validatoin: 0.1}
training: {epochs: 0, batch: 3}
parameters:
  activation: {values: [relu, tahn]}
search: {points: 2}
"""
    found = problems(tmp_path, text)
    lines = [int(re.search(r":(\d+)", problem.where)[1]) for problem in found]
    assert lines == sorted(lines)
    assert {1, 2, 3, 5, 6} <= set(lines)
    assert len(found) == 7


def test_a_cnn_is_refused_for_a_table(tmp_path):
    (problem,) = problems(tmp_path, "name: x\ndata: {name: iris}\nmodel: {name: cnn}\n")
    assert "rows of a table" in problem.expected


def test_with_a_trainer_of_ones_own_any_word_goes(tmp_path):
    text = "name: x\ndata: {name: digits}\ntrainer: loop:train\nparameters: {optimizer: {values: [mine, yours]}}\n"
    assert load(tmp_path, text).trainer == "loop:train"


def test_overrides_are_applied_before_anything_is_checked(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(MINIMAL)
    assert study_file.load(path, {"training.epochs": 3}).config.training.epochs == 3
    with pytest.raises(StudyError, match=r"training\.epochs"):
        study_file.load(path, {"training.epochs": -1})


def test_a_plain_value_in_place_of_keys_is_told_with_what_was_meant(tmp_path):
    (problem,) = problems(tmp_path, "name: x\ndata: digits\n")
    assert problem.cure == "data: {name: digits}"
    (problem,) = problems(tmp_path, "name: x\ndata:\n")
    assert (problem.received, problem.cure) == ("nothing", "data: {name: digits}")


def test_an_empty_name_is_told_in_plain_words(tmp_path):
    (problem,) = problems(tmp_path, 'name: ""\ndata: {name: digits}\n')
    assert problem.expected == "at least one character"


@pytest.mark.parametrize("word", ["tracking.foo", "tracking.register_as"])
def test_keys_are_told_as_they_stand_in_the_file(tmp_path, word):
    (found,) = problems(tmp_path, f"name: x\ndata: {{name: digits}}\ntracking: {{{word.partition('.')[2]}: a}}\n")
    assert "did you mean 'register'?" in found.cure or "register, uri" in found.cure
    assert "register_as" not in found.cure


def test_a_name_that_the_model_registry_refuses_is_told_in_plain_words(tmp_path):
    (found,) = problems(tmp_path, "name: x\ndata: {name: digits}\ntracking: {register: a/b:c}\n")
    assert (found.expected, found.received) == ("a name without / and :", "'a/b:c'")


def test_an_empty_section_is_as_good_as_none(tmp_path):
    assert load(tmp_path, MINIMAL + "training:\nparameters:\n") == load(tmp_path, MINIMAL)


def test_what_stands_beside_a_slip_is_still_checked(tmp_path):
    found = problems(tmp_path, MINIMAL + "parameters: {dropout: 0.1, optimizer: [sgd], activation: {value: rleu}}\n")
    assert len(found) == 3


@pytest.mark.parametrize("word", ["3", "text", "[1]", "{a: 1}", "[[1]]", "[{a: 1}, 2]", "", "{values: 3}", "true"])
def test_no_class_of_the_implementation_is_named(tmp_path, word):
    keys = ("data", "model", "training", "compare", "search", "parameters", "engine", "gate", "budget", "metric")
    for text in [
        *(f"{key}: {word}" for key in keys),
        f"parameters: {{dropout: {word}}}",
        f"training: {{epochs: {word}}}",
    ]:
        with contextlib.suppress(StudyError):
            load(tmp_path, text + "\n" + "".join(line for line in LEAST if not text.startswith(line[:4])))
            continue
        told = "\n".join(map(str, problems(tmp_path, (tmp_path / "study.yaml").read_text())))
        assert not re.search(r"Spec|Config|pydantic|instance|dictionary|\bNone\b|(one|several) spec", told), told


@pytest.mark.parametrize(
    "lines",
    [
        "parameters: {optimizer: {value: adam}}",
        "parameters: {optimizer: {values: [adam]}}",
        "parameters: {learning_rate: {min: 0.001, max: 0.1}}",
        "parameters: {learning_rate: {value: 0.001}, optimizer: {values: [sgd, adam]}}",
    ],
)
def test_activations_are_compared_where_the_range_of_learning_rates_is_known(tmp_path, lines):
    space = resolve.space(load(tmp_path, MINIMAL + "compare: [activation]\n" + lines + "\n"))
    middle = [0.5] * len(space.tuned_names())
    assert all("learning_rate" in space.at(combination, middle) for combination in space.combinations())


def test_a_tuned_optimizer_has_no_range_of_learning_rates_by_default(tmp_path):
    text = MINIMAL + "compare: [activation]\nparameters: {optimizer: {values: [sgd, adam]}}\n"
    (problem,) = problems(tmp_path, text)
    assert "parameters.optimizer" in problem.where
    assert "{value: adam}" in problem.cure


def test_optimizers_are_compared_with_tuned_activations(tmp_path):
    space = resolve.space(load(tmp_path, MINIMAL + "compare: [optimizer]\n"))
    assert space.tuned_names() == ("activation", "learning_rate")


def test_the_arguments_of_optimizers_not_in_use_are_not_offered(tmp_path):
    (problem,) = problems(tmp_path, MINIMAL + "parameters: {whatever: {value: 1}}\n")
    assert "argument of the optimizers in use" in problem.cure
    assert len(problem.cure) < 150


def test_a_faulty_override_is_named_instead_of_a_line(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(MINIMAL + "training:\n")
    with pytest.raises(StudyError) as caught:
        study_file.load(path, {"training.epochs": "abc"})
    assert caught.value.problems[0].where == "-S training.epochs"


def test_a_faulty_flag_is_named_as_it_was_typed(tmp_path):
    (tmp_path / "study.yaml").write_text("name: x\ndata: {name: digits}\n")
    done = CliRunner().invoke(cli, ["run", str(tmp_path / "study.yaml"), "--time", "5", "-S", "training.epochs=no"])
    assert {problem.where for problem in done.exception.problems} == {"--time", "-S training.epochs"}


def test_a_mapping_is_a_study_too():
    config = study_file.load({"name": "x", "data": {"name": "iris"}}).config
    assert config.data.name == "iris"


def test_validation_imports_no_framework(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(MINIMAL)
    code = f"""
import sys
from pathlib import Path
from sweeper.commands.validate import validate
print(validate(Path({str(path)!r}), {{}}))
heavy = {{"tensorflow", "keras", "optuna", "mlflow", "pandas", "sklearn", "scipy", "matplotlib", "rich"}}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "9 combinations" in done.stdout
