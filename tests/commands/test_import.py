import math
from pathlib import Path

import pytest
from click.testing import CliRunner

from sweeper import resolve, study_file
from sweeper.cli import cli
from sweeper.commands import planning
from sweeper.commands.prepare import prepare
from sweeper.commands.validate import describe
from sweeper.commands.wandb_parameters import DISTRIBUTIONS, canonical
from sweeper.commands.wandb_sweep import Options, import_sweep
from sweeper.errors import StudyError, UsageError

SWEEP = """
program: train.py
method: bayes
name: my sweep
project: pets
entity: me
description: 'All: of it'
metric: {name: val_accuracy, goal: maximize, target: 0.99}
run_cap: 50
early_terminate: {type: hyperband, min_iter: 3, eta: 2}
command: ["${env}", python, "${program}"]
parameters:
  lr: {distribution: log_uniform_values, min: 1e-4, max: 0.1}
  optimizer: {values: [Adam, SGD, RMSProp, radam]}
  act: {values: [ReLU, Swish, LeakyReLU]}
  epochs: {value: 12}
  bs: {values: [16, 32]}
  momentum: {min: 0.5, max: 0.95}
  dropout: {values: [0.0, 0.2]}
  augment: {values: [true, false]}
"""


def imported(folder, text, name="sweep.yaml", **options):
    source = folder / name
    source.write_text(text, encoding="utf-8")
    return import_sweep(source, folder / "study.yaml", Options(**options), force=True)


def converted(folder, spec, name="weight_decay", **more):
    text = f"method: random\nparameters:\n  optimizer: {{values: [sgd, adam]}}\n  {name}: {spec}\n"
    done = imported(folder, text, **more)
    return study_file.load(done.path).config.parameters.get(name), done.notes


def told(folder, text):
    with pytest.raises(StudyError) as caught:
        imported(folder, text)
    assert not (folder / "study.yaml").exists()
    return str(caught.value)


def test_a_whole_sweep(tmp_path):
    done = imported(tmp_path, SWEEP)
    study = study_file.load(done.path).config
    assert (study.name, study.description, study.tracking.experiment) == ("my sweep", "All: of it", "pets")
    assert (study.metric.name, study.compare) == ("accuracy", ["activation", "optimizer"])
    assert (study.search.strategy, study.search.trials, study.search.pruner) == ("tpe", 50, "hyperband")
    assert study.training.epochs == 12
    values = {name: spec.values for name, spec in study.parameters.items()}
    assert values["activation"] == ["relu", "swish", "leaky_relu"]
    assert values["optimizer"] == ["adam", "sgd", "rmsprop"]
    assert (values["batch_size"], values["dropout"]) == ([16, 32], [0.0, 0.2])
    rate = study.parameters["learning_rate"]
    assert (rate.min, rate.max, rate.scale) == (1e-4, 0.1, "log")
    assert study.parameters["momentum"].when == {"optimizer": ["sgd", "rmsprop"]}


def test_everything_that_is_left_out_is_told_with_its_line_and_stands_in_the_file(tmp_path):
    done = imported(tmp_path, SWEEP)
    lines = SWEEP.splitlines()
    places = {
        note.split("  ")[1].split(": ")[0]: int(note.split(":")[1].split()[0]) for note in done.notes if "  " in note
    }
    told_keys = "program entity metric.target early_terminate.min_iter early_terminate.eta command".split()
    assert {*told_keys, "parameters.augment", "parameters.optimizer.values.3"} <= set(places)
    for key, line in places.items():
        assert key.split(".")[0 if key.startswith("early") or key in lines else -1].rstrip("3") in lines[line - 1] or (
            key.split(".")[1] in lines[line - 1]
        )
    head = done.path.read_text()
    for note in done.notes:
        assert f"#   {note}" in head


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("{min: 0.0, max: 0.1}", (0.0, 0.1, None)),
        ("{distribution: uniform, min: 0.0, max: 0.1}", (0.0, 0.1, None)),
        ("{distribution: log_uniform, min: -9.21034, max: -2.302585}", (1e-4, 0.1, "log")),
        ("{distribution: inv_log_uniform, min: 2.302585, max: 9.21034}", (1e-4, 0.1, "log")),
        ("{distribution: log_uniform_values, min: 1e-4, max: 0.1}", (1e-4, 0.1, "log")),
        ("{distribution: inv_log_uniform_values, min: 1e-4, max: 0.1}", (1e-4, 0.1, "log")),
        ("{distribution: normal, mu: 0.5, sigma: 0.2}", (0.1, 0.9, None)),
        ("{distribution: log_normal, mu: -4, sigma: 1}", (math.exp(-6), math.exp(-2), "log")),
        ("{distribution: q_log_uniform_values, q: 0.01, min: 1e-4, max: 0.1}", (1e-4, 0.1, "log")),
    ],
)
def test_distributions_become_ranges(tmp_path, spec, expected):
    found, _ = converted(tmp_path, spec)
    assert (found.min, found.max) == pytest.approx(expected[:2], rel=1e-5)
    assert found.scale == expected[2]


def test_whole_and_quantized_ranges(tmp_path):
    found, _ = converted(tmp_path, "{min: 8, max: 64}", "units")
    assert (found.min, found.max, type(found.min)) == (8, 64, int)
    found, _ = converted(tmp_path, "{distribution: q_uniform, min: 7.6, max: 64, q: 1}", "units")
    assert (found.min, found.max) == (8, 64)
    found, _ = converted(tmp_path, "{distribution: q_log_uniform_values, min: 8, max: 64}", "units")
    assert (found.min, found.max, found.scale) == (8, 64, "log")
    found, _ = converted(tmp_path, "{distribution: q_uniform, min: 0.1, max: 0.3, q: 0.1}", "dropout")
    assert found.values == [0.1, 0.2, 0.3]
    found, notes = converted(tmp_path, "{distribution: q_uniform, min: 0, max: 0.9, q: 0.01}", "dropout")
    assert (found.min, found.max) == (0.0, 0.9)
    assert any("91 steps" in note for note in notes)


def test_constants_lists_and_chances(tmp_path):
    assert converted(tmp_path, "{distribution: constant, value: 0.1}")[0].value == 0.1
    found, notes = converted(tmp_path, "{values: [0.1, 0.2], probabilities: [0.9, 0.1]}", "dropout")
    assert found.values == [0.1, 0.2]
    assert any("probabilities" in note for note in notes)


def test_the_range_of_a_learning_rate_stays_linear_and_above_zero(tmp_path):
    found, notes = converted(tmp_path, "{min: 0.0, max: 0.1}", "learning_rate")
    assert (found.min, found.max, found.scale) == (1e-5, 0.1, "linear")
    assert any("trains nothing" in note for note in notes)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (("lr",), "learning_rate"),
        (("optimizer", "name"), "optimizer"),
        (("optim", "lr"), "learning_rate"),
        (("Batch-Size",), "batch_size"),
        (("my-thing",), "my_thing"),
        (("beta1",), "beta_1"),
    ],
)
def test_names(path, name):
    assert canonical(path) == name


def test_nested_parameters(tmp_path):
    text = """method: grid
parameters:
  optimizer:
    parameters:
      name: {values: [adam, sgd]}
      lr: {values: [0.1, 0.01]}
  model: {parameters: {activation: {value: relu}}}
"""
    study = study_file.load(imported(tmp_path, text).path).config
    assert study.search.strategy == "grid"
    assert study.compare == ["optimizer"]
    assert study.parameters["learning_rate"].values == [0.1, 0.01]


def test_a_sweep_that_names_neither_activation_nor_optimizer(tmp_path):
    study = study_file.load(
        imported(tmp_path, "method: random\nparameters: {lr: {min: 0.001, max: 0.1}}\n").path
    ).config
    assert study.compare == ["activation"]
    assert resolve.optimizers(study) == ("adam",)
    study = study_file.load(imported(tmp_path, "method: random\nparameters: {bs: {values: [8, 16]}}\n").path).config
    assert study.compare == ["batch_size"]


def test_data_and_model_of_ones_own_keep_unknown_parameters(tmp_path):
    (tmp_path / "t.csv").write_text("a,b;c,price\n" + "1,2,3\n" * 20)
    done = imported(tmp_path, SWEEP, data=str(tmp_path / "t.csv"), target="price", model="nets:build")
    study = study_file.load(done.path).config
    assert study.data.options == {"path": "t.csv", "target": "price"}
    assert study.model.name == "nets:build"
    assert study.parameters["augment"].values == [True, False]


@pytest.mark.parametrize(
    ("metric", "data", "name"),
    [
        ("{name: val/loss}", "digits", "loss"),
        ("{name: mean_absolute_error}", "diabetes", "mae"),
        ("{name: test-auc, goal: maximize}", "breast_cancer", "auc"),
        ("{name: reward}", "digits", None),
    ],
)
def test_the_metric_and_the_data_that_stand_in(tmp_path, metric, data, name):
    text = f"method: random\nmetric: {metric}\nparameters: {{optimizer: {{values: [sgd, adam]}}}}\n"
    study = study_file.load(imported(tmp_path, text).path).config
    assert (study.data.name, study.metric.name) == (data, name)


def test_a_metric_that_does_not_fit_the_data_is_left_out(tmp_path):
    text = "method: random\nmetric: {name: mae}\nparameters: {optimizer: {values: [sgd, adam]}}\n"
    done = imported(tmp_path, text, data="digits")
    assert study_file.load(done.path).config.metric.name is None
    assert any("does not fit" in note for note in done.notes)


def test_epochs_that_differ_become_the_most(tmp_path):
    text = (
        "method: random\nparameters: {optimizer: {values: [sgd, adam]}, epochs: {values: [5, 10]}, seed: {value: 1}}\n"
    )
    done = imported(tmp_path, text)
    assert study_file.load(done.path).config.training.epochs == 10
    assert any("equally long" in note for note in done.notes)
    assert any("parameters.seed" in note for note in done.notes)


@pytest.mark.parametrize(
    ("text", "told_of"),
    [
        ("", "sweep.yaml:1"),
        ("method: random\n", "parameters"),
        ("method: rnadom\nparameters: {optimizer: {values: [a, sgd]}}\n", "did you mean 'random'?"),
        ("parameters: {optimizer: {values: [adam, sgd]}}\n", "method: random"),
        ("metod: grid\nmethod: grid\nparameters: {lr: {value: 1}}\n", "did you mean 'method'?"),
        ("method: grid\nparameters:\n  lr: 0.1\n", "sweep.yaml:3  parameters.lr"),
        ("method: grid\nparameters:\n  lr: {min: 0.1}\n", "a number for max"),
        ("method: grid\nparameters:\n  lr: {min: 1, max: 0.1}\n", "below max"),
        (
            "method: grid\nparameters:\n  lr: {distribution: log_unifrom, min: 1, max: 2}\n",
            "did you mean 'log_uniform'?",
        ),
        ("method: grid\nparameters:\n  lr: {distribution: log_uniform_values, min: 0, max: 2}\n", "above 0"),
        ("method: grid\nparameters:\n  lr: {distribution: log_uniform, min: 1, max: 2000}\n", "log_uniform_values"),
        ("method: grid\nparameters:\n  lr: {vaules: [1, 2]}\n", "did you mean 'values'?"),
        ("method: grid\nparameters:\n  lr: {values: 3}\n", "values: [3]"),
        ("method: grid\nrun_cap: none\nparameters: {lr: {value: 1}}\n", "a whole number from 1"),
        ("method: grid\nearly_terminate: {type: median}\nparameters: {lr: {value: 1}}\n", "hyperband"),
        ("method: grid\nmetric: accuracy\nparameters: {lr: {value: 1}}\n", "metric: {name: val_accuracy"),
        ("method: grid\nparameters:\n  lr: {distribution: q_uniform, q: 0, min: 1, max: 2}\n", "q: 1"),
        ("method: [a\n", "a YAML file"),
    ],
)
def test_nonsense_is_refused_with_its_line_and_a_cure(tmp_path, text, told_of):
    message = told(tmp_path, text)
    assert told_of in message
    assert "sweep.yaml:" in message


def test_every_problem_at_once(tmp_path):
    message = told(tmp_path, "method: x\nparameters:\n  lr: 1\n  bs: {values: 2}\n")
    assert message.count("sweep.yaml:") >= 2


def test_every_distribution_is_told_of_or_converted(tmp_path):
    for distribution in DISTRIBUTIONS:
        given = {"constant": "value: 0.1", "int_uniform": "min: 1, max: 2"}.get(
            distribution, "values: [0.1, 0.2]" if distribution.startswith("cat") else "min: 0.1, max: 0.2"
        )
        found, notes = converted(tmp_path, f"{{distribution: {distribution}, {given}}}")
        assert found is not None or any("beta" in note for note in notes)


def test_the_sweep_itself_is_never_overwritten(tmp_path):
    with pytest.raises(UsageError, match="another file than the sweep"):
        imported(tmp_path, SWEEP, name="study.yaml")
    assert (tmp_path / "study.yaml").read_text() == SWEEP


def test_what_a_sweep_does_not_say_is_noted(tmp_path):
    text = "method: random\nparameters:\n  dropout: {values: [0, 0.1]}\n  fc_layer_size: {values: [8, 16]}\n"
    done = imported(tmp_path, text)
    study = study_file.load(done.path).config
    assert (study.compare, study.search.trials) == (["dropout", "units"], 100)
    for told_of in (
        "sweep.yaml:1  method: without run_cap W&B runs until it is stopped: 100 trials here",
        "sweep.yaml:2  parameters: no epochs among the parameters: every trial trains 30",
        "sweep.yaml:2  parameters: neither activation nor optimizer is listed: dropout and units are compared",
        "sweep.yaml:4  parameters.fc_layer_size: it is called units here",
    ):
        assert f"{tmp_path}/{told_of}" in done.notes
    places = [int(note.split(":")[1].split()[0]) for note in done.notes]
    assert places == sorted(places)


def test_a_grid_ends_by_itself(tmp_path):
    done = imported(tmp_path, "method: grid\nparameters: {optimizer: {values: [adam, sgd]}}\n")
    assert study_file.load(done.path).config.search.trials is None
    assert not any("run_cap" in note for note in done.notes)


@pytest.mark.parametrize(
    ("lines", "cure"),
    [
        ("metric: {name: acc, gaol: maximize}", "did you mean 'goal'?"),
        ("early_terminate: {type: hyperband, min_itr: 3}", "did you mean 'min_iter'?"),
    ],
)
def test_slips_in_the_keys_of_sections(tmp_path, lines, cure):
    assert cure in told(tmp_path, f"method: random\n{lines}\nparameters: {{optimizer: {{values: [adam, sgd]}}}}\n")


def test_a_strange_key_gets_no_reason_of_another(tmp_path):
    text = SWEEP.replace("eta: 2", "foo: 2").replace("target: 0.99", "bar: 1")
    notes = imported(tmp_path, text).notes
    assert f"{tmp_path}/sweep.yaml:10  early_terminate.foo: no counterpart" in notes
    assert f"{tmp_path}/sweep.yaml:8  metric.bar: no counterpart" in notes


def test_what_is_left_out_gets_one_note(tmp_path):
    spec = "{distribution: q_normal, mu: 8, sigma: 1}"
    quantized = "{distribution: q_log_uniform_values, q: 0.1, min: 0.1, max: 9}"
    specs = f"  conv_filters: {spec}\n  size: {quantized}\n  optimizer: {{values: [sgd, adam]}}\n"
    text = f"method: grid\nparameters:\n{specs}"
    notes = imported(tmp_path, text).notes
    for name in ("conv_filters", "size"):
        (note,) = [note for note in notes if f"parameters.{name}" in note]
        assert "neither mlp nor an optimizer" in note


def test_all_parts_of_a_sweep_are_told_of_at_once(tmp_path):
    message = told(
        tmp_path,
        "method: rnd\nrun_cap: x\nearly_terminate: {type: median}\nmetric: acc\nparameters:\n  lr: {vaules: [1, 2]}\n",
    )
    for line in (1, 2, 3, 4, 6):
        assert f"sweep.yaml:{line}" in message


@pytest.mark.parametrize("text", ["", "- a\n"])
def test_a_file_that_is_no_sweep_is_told_how_one_begins(tmp_path, text):
    message = told(tmp_path, text)
    assert "method: random" in message
    assert "my-study" not in message


def test_nothing_is_said_of_studies_where_a_sweep_is_missing(tmp_path):
    with pytest.raises(StudyError) as caught:
        import_sweep(tmp_path / "nowhere.yaml", tmp_path / "study.yaml", Options())
    assert "sweep file of W&B" in str(caught.value)
    assert "sweeper init" not in str(caught.value)
    assert "received  nothing" in told(tmp_path, "method: random\n")


def test_validate_counts_the_trials_of_a_grid_as_plan_does(tmp_path):
    lists = "activation: {values: [relu, tanh, elu]}, optimizer: {values: [sgd, adam, rmsprop]}, lr: {values: [0.1, 1]}"
    done = imported(tmp_path, f"method: grid\nrun_cap: 20\nparameters: {{{lists}}}\n")
    file = study_file.load(done.path)
    assert "explores      18 trials drawn by grid" in describe(file)
    assert planning.search_trials(prepare(file)) == 18


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "s.yaml").write_text(SWEEP)
    (tmp_path / "study.yaml").write_text("precious")
    with pytest.raises(UsageError, match="--force"):
        import_sweep(tmp_path / "s.yaml", tmp_path / "study.yaml", Options())
    assert (tmp_path / "study.yaml").read_text() == "precious"


def test_the_command_writes_a_study_that_validates_beside_its_schema(desk):
    (desk.folder / "sweep.yaml").write_text(SWEEP)
    done = desk.sweeper("import", "sweep.yaml", "--output", "new/mine.yaml")
    assert done.code == 0, done.err
    assert "next: sweeper validate new/mine.yaml" in done.out
    assert "note  sweep.yaml:2  program" in done.err
    assert (desk.folder / "new" / "study.schema.json").is_file()
    assert desk.sweeper("validate", "new/mine.yaml").code == 0


@pytest.mark.slow
def test_what_was_imported_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("sweep.yaml").write_text(SWEEP.replace("run_cap: 50", "run_cap: 9").replace("value: 12", "value: 2"))
    done = CliRunner().invoke(cli, ["import", "sweep.yaml", "--data", "iris", "--output", "mine.yaml"])
    assert done.exit_code == 0, done.output
    words = ("-S", "confirm.seeds=2", "-S", "model.units=[4]", "-S", "engine.kind=inline", "-S", "engine.fuse=graph")
    run = ["run", "mine.yaml", "--no-tracking", "--no-progress", *words]
    done = CliRunner().invoke(cli, run, standalone_mode=False)
    assert (done.return_value, done.exception) == (0, None), done.output
