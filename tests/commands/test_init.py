from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from sweeper import study_file
from sweeper.cli import cli
from sweeper.commands.columns import Columns
from sweeper.commands.init import Choices, init, scalar
from sweeper.commands.prepare import prepare
from sweeper.errors import StudyError, UsageError
from sweeper.vocabulary import DATA_TASKS
from sweeper.yaml_source import parse


def table(folder, text, name="rows.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def flowers(folder, *, rows=100, name="flowers.csv", delimiter=","):
    lines = ["id,height,species"] + [f"{i},{i % 7}.5,{'ab'[i % 2]}" for i in range(rows)]
    return table(folder, "\n".join(lines).replace(",", delimiter) + "\n", name)


def config(path):
    return study_file.load(path).config


def never(question, default):
    raise AssertionError(f"asked {question!r}")


def test_without_a_word_the_study_is_about_digits_and_validates(tmp_path):
    path = init(tmp_path / "study.yaml")
    study = config(path)
    assert (study.name, study.data.name, study.model.name) == ("digits", "digits", "mlp")
    assert path.read_text().startswith("# yaml-language-server: $schema=study.schema.json\n")


def test_what_stands_there_is_the_default(tmp_path):
    written = config(init(tmp_path / "study.yaml"))
    least = study_file.load({"name": "digits", "data": {"name": "digits"}}).config
    assert (written.data, written.search.points, written.confirm.seeds) == (least.data, 8, least.confirm.seeds)
    assert written.training == least.training


@pytest.mark.parametrize("data", DATA_TASKS)
def test_every_built_in_data_set_gets_a_study_that_validates(tmp_path, data):
    study = config(init(tmp_path / "study.yaml", Choices(data=data)))
    assert study.data.name == data
    assert ":" not in study.name


@pytest.mark.parametrize(
    ("data", "model"),
    [
        ("wine", "mlp"),
        ("digits", "mlp"),
        ("keras:mnist", "cnn"),
        ("keras:imdb", "lstm"),
        ("keras:boston_housing", "mlp"),
    ],
)
def test_the_model_follows_the_data(tmp_path, data, model):
    assert config(init(tmp_path / "study.yaml", Choices(data=data))).model.name == model


def test_a_folder_gets_a_study_yaml(tmp_path):
    assert init(tmp_path) == tmp_path / "study.yaml"


def test_missing_folders_are_made_and_nothing_else_is_left_behind(tmp_path):
    path = init(tmp_path / "new" / "folder" / "mine.yaml")
    assert list(path.parent.iterdir()) == [path]
    assert f"sweeper run {path}" in path.read_text()


def test_nothing_is_overwritten_without_force(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text("precious")
    with pytest.raises(UsageError, match="--force"):
        init(path, ask=never)
    assert path.read_text() == "precious"
    init(path, force=True)
    assert config(path).name == "digits"


def test_a_table_is_read_relative_to_the_study_with_its_last_column_as_target(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "studies").mkdir()
    source = flowers(tmp_path / "data")
    data = config(init(tmp_path / "studies" / "study.yaml", Choices(data=str(source)))).data
    assert data.name == "csv"
    assert data.options == {"path": "../data/flowers.csv", "target": "species", "drop": ["id"]}


def test_a_column_called_target_is_the_target(tmp_path):
    assert Columns.of(table(tmp_path, "Target,b,c\n1,2,3\n")).likely_target == "Target"


def test_a_key_is_a_column_called_like_one_that_numbers_the_rows(tmp_path):
    columns = Columns.of(table(tmp_path, "user_id,group_id,paid,y\n1,1,1,1\n2,1,2,0\n"))
    assert columns.keys == ("user_id",)


@pytest.mark.parametrize(
    ("name", "delimiter", "expected"),
    [("a.csv", ",", None), ("a.csv", ";", ";"), ("a.csv", "|", "|"), ("a.tsv", "\t", None), ("a.txt", "\t", "\t")],
)
def test_the_delimiter_is_found_and_said_where_it_is_unusual(tmp_path, name, delimiter, expected):
    source = flowers(tmp_path, name=name, delimiter=delimiter)
    data = config(init(tmp_path / "study.yaml", Choices(data=str(source)))).data
    assert data.options.get("delimiter") == expected
    assert data.options["target"] == "species"


def test_awkward_names_come_through_yaml_unchanged(tmp_path):
    source = table(tmp_path, '\ufeff"a: #b","on","süß, {x}"\n1,2,3\n4,5,6\n', "my table.csv")
    study = config(init(tmp_path / "study.yaml", Choices(data=str(source), name="off")))
    assert study.name == "off"
    assert study.data.options == {"path": "my table.csv", "target": "süß, {x}"}


@pytest.mark.parametrize(
    "text", ["plain", "yes", "NULL", "1e3", "a: b", "#x", "{", "keras:mnist", "", "é", "a\nb", "-"]
)
def test_strings_are_quoted_where_yaml_needs_it(text):
    assert parse(f"value: {{a: {scalar(text)}}}", "x").value == {"value": {"a": text}}


@pytest.mark.parametrize(("rows", "size"), [(100, 16), (1000, 32), (20, 4), (2, 1)])
def test_small_tables_get_small_batches(tmp_path, rows, size):
    source = flowers(tmp_path, rows=rows)
    assert config(init(tmp_path / "study.yaml", Choices(data=str(source)))).training.batch_size == size


def test_files_and_folders_of_other_kinds(tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "a.npz").touch()
    (tmp_path / "b.parquet").touch()
    for given, kind, model, options in (
        ("pictures", "images", "cnn", {"path": "pictures"}),
        ("a.npz", "npz", "mlp", {"path": "a.npz"}),
        ("b.parquet", "parquet", "mlp", {"path": "b.parquet", "target": "target"}),
    ):
        study = config(init(tmp_path / "study.yaml", Choices(data=str(tmp_path / given)), force=True))
        assert (study.data.name, study.model.name, study.data.options) == (kind, model, options)


def made(folder, text, name="rows.csv", **choices):
    """The data of the study that `init` writes for a table, and what it says of the table."""
    told = []
    source = table(folder, text, name) if isinstance(text, str) else text
    path = init(folder / "study.yaml", Choices(data=str(source), **choices), force=True, say=told.append)
    for note in told:
        assert f"#   * {note}" in path.read_text()
    return config(path).data.options, told


def lines(header, row, count=60):
    return header + "\n" + "\n".join(row(i) for i in range(count)) + "\n"


@pytest.mark.parametrize(
    ("header", "row", "dropped", "why"),
    [
        ("when,b,y", lambda i: f"2024-01-{i % 28 + 1:02d},{i % 5},{i % 2}", "when", "dates"),
        ("when,b,y", lambda i: f"{i % 28 + 1}/3/24 10:{i:02d},{i % 5},{i % 2}", "when", "dates"),
        ("text,b,y", lambda i: f'"text {i}, and more",{i % 5},{i % 2}', "text", "60 different words"),
        ("PassengerId,b,y", lambda i: f"{i},{i % 5},{i % 2}", "PassengerId", "numbers the rows"),
        ("a,empty,y", lambda i: f"{i % 5},NA,{i % 2}", "empty", "is empty"),
    ],
)
def test_columns_that_a_model_cannot_use_are_left_out_with_the_reason(tmp_path, header, row, dropped, why):
    options, told = made(tmp_path, lines(header, row))
    assert options["drop"] == [dropped]
    assert any(note.startswith(f"{dropped} is left out") and why in note for note in told)


@pytest.mark.parametrize(
    ("row", "told_of"),
    [
        (lambda i: f"{i},{i % 5},{'pq'[i % 2]}", "y is predicted: binary; 'p' in 50 %"),
        (lambda i: f"{i},{i % 5},{'p' if i < 4 else 'q'}", "class 'p' has 4 of 60 rows: metric: {name: auc}"),
        (lambda i: f"{i},{i % 5},{'r' if i < 1 else 'pq'[i % 2]}", "class 'r' has 1 rows; a run needs 3"),
        (lambda i: f"{i},{i % 5},{i * 1.37}", "y is predicted: regression"),
        (lambda i: f"{i},{i % 5},{i % 3}", "y is predicted: 3 classes"),
        (lambda i: f"{i},{i % 5},p", "a single class"),
        (lambda i: f"{i},{i % 5},{'' if i % 10 else 1}", "rows have no target"),
        (lambda i: f"{i},{i % 5},${i}.50", "neither classes nor numbers"),
        (lambda i: f"{'' if i % 3 else i},{i % 5},{i % 2}", "a: 40 of 60 values are missing"),
        (lambda i: f"{'?' if i == 5 else i},{i % 5},{i % 2}", "a: 1 of 60 values are no numbers"),
        (lambda i: f"7,{i % 5},{i % 2}", "a: the same value in every row"),
        (lambda i: f'"{i % 7},5",{i % 5},{i % 2}', "a holds decimal commas"),
    ],
)
def test_what_a_first_look_tells(tmp_path, row, told_of):
    _, told = made(tmp_path, lines("a,b,y", row))
    assert any(told_of in note for note in told), told


@pytest.mark.parametrize("name", ["Survived", "label", "Price", "Diagnosis"])
def test_targets_by_their_name_and_never_a_date_or_a_key(tmp_path, name):
    assert made(tmp_path, lines(f"{name},b,c", lambda i: f"{i % 2},{i % 5},{i % 3}.5"))[0]["target"] == name
    options, _ = made(tmp_path, lines("a,kind,date,id", lambda i: f"{i % 9},{i % 2},2024-1-{i % 28 + 1},{i}"))
    assert (options["target"], options["drop"]) == ("kind", ["date", "id"])


def test_the_delimiter_is_the_one_that_cuts_every_line_alike(tmp_path):
    options, _ = made(tmp_path, lines('"a, b, c, d";"e";y', lambda i: f"{i},5;{i % 5};{i % 2}"))
    assert (options["delimiter"], options["target"]) == (";", "y")


@pytest.mark.parametrize(
    ("content", "cure"),
    [
        (lines("0.5,1,0", lambda i: f"{i},{i},{i % 2}").encode(), "x1,x2,y"),
        (lines("a,a,y", lambda i: f"{i},{i},{i % 2}").encode(), "rename"),
        (lines("größe,y", lambda i: f"{i},{i % 2}").encode("latin-1"), "iconv"),
        (lines("a,y", lambda i: f"{i},{i % 2}").encode("utf-16"), "iconv"),
        (lines("id,name,y", lambda i: f"{i},who {i},{i % 2}").encode(), "predict from"),
    ],
)
def test_tables_that_no_study_can_use_are_refused_with_a_cure(tmp_path, content, cure):
    (tmp_path / "bad.csv").write_bytes(content)
    with pytest.raises(UsageError, match=cure):
        init(tmp_path / "study.yaml", Choices(data=str(tmp_path / "bad.csv")))


def test_parquet_is_looked_at_like_a_csv(tmp_path):
    frame = pd.DataFrame({"id": range(60), "when": pd.date_range("2024-01-01", periods=60), "a": 1.5})
    frame["kind"] = ["u", "v"] * 30
    frame.to_parquet(tmp_path / "t.parquet")
    options, told = made(tmp_path, tmp_path / "t.parquet")
    assert (options["target"], options["drop"]) == ("kind", ["id", "when"])
    assert any("binary" in note for note in told)


def test_arrays_by_other_names_and_shapes(tmp_path):
    np.savez(tmp_path / "a.npz", features=np.zeros((40, 3)), labels=np.zeros(40))
    assert made(tmp_path, tmp_path / "a.npz")[0] == {"path": "a.npz", "x": "features", "y": "labels"}
    np.savez(tmp_path / "b.npz", x_train=np.zeros((40, 8, 8, 1), np.uint8), y_train=np.zeros(40))
    study = config(init(tmp_path / "study.yaml", Choices(data=str(tmp_path / "b.npz")), force=True))
    assert (study.data.options, study.model.name, study.training.batch_size) == ({"path": "b.npz"}, "cnn", 8)


def test_few_pictures_get_small_batches(tmp_path):
    for name in ("cats", "dogs"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(12):
            (tmp_path / "pictures" / name / f"{number}.png").touch()
    assert config(init(tmp_path / "study.yaml", Choices(data=str(tmp_path / "pictures")))).training.batch_size == 4


def german(folder, rows=180):
    """Decimal commas, many different values, and `;` between the columns."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"age": rng.normal(40, 9, rows).round(2), "price": rng.normal(9, 2, rows).round(3)})
    frame["class"] = np.where(frame["age"] > 40, "old", "new")
    frame.to_csv(folder / "german.csv", sep=";", decimal=",", index=False)
    return folder / "german.csv"


@pytest.mark.parametrize(("target", "task"), [("class", "binary"), ("price", "regression")])
def test_a_table_with_decimal_commas_can_be_run_as_init_writes_it(tmp_path, target, task):
    options, told = made(tmp_path, german(tmp_path), target=target)
    assert options == {"path": "german.csv", "target": target, "delimiter": ";", "decimal": ","}
    assert any(note.startswith(f"{target} is predicted: {task}") for note in told)
    assert not any("left out" in note or "words" in note for note in told)
    study = prepare(study_file.load(tmp_path / "study.yaml"))
    assert study.data.info.task.value == task
    assert study.data.x.shape[1] == 2
    assert np.asarray(study.data.x[:, 0], dtype=float).mean() == pytest.approx(40, abs=3)


def test_decimal_commas_are_told_before_anything_else_where_they_cannot_be_read(tmp_path):
    text = lines("a,b,y", lambda i: f'"{i},25",{i % 5},{i % 2}')
    _, told = made(tmp_path, text, target="y")
    assert any(note.startswith("a is left out: it holds decimal commas") for note in told), told
    _, told = made(tmp_path, text, target="a")
    assert told[0].startswith("a holds decimal commas"), told


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (lines("a,b,y", lambda i: f"{i},{i % 5},p"), "a single class"),
        (lines("a,b,y", lambda i: f"{i},{i % 5},{'' if i % 10 else 1}"), "have no target"),
        (lines("a,b,y", lambda i: f"{i},{i % 5},{'r' if i < 1 else 'pq'[i % 2]}"), "class 'r' has 1 rows"),
        (lines("a,b,y", lambda i: f"{i},{i % 5},${i}.50"), "neither classes nor numbers"),
        ("a,b,y\n1,2,3\n", "1 row; a run needs 3"),
    ],
)
def test_what_a_run_would_refuse_is_to_be_mended_first(tmp_path, monkeypatch, text, fault):
    monkeypatch.chdir(tmp_path)
    table(tmp_path, text)
    done = CliRunner().invoke(cli, ["init", "--data", "rows.csv"])
    assert done.exit_code == 0
    assert "next: sweeper run" not in done.output
    assert fault in done.output.partition("next: mend this first")[2]


def test_a_table_without_a_fault_is_run_next(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flowers(tmp_path)
    done = CliRunner().invoke(cli, ["init", "--data", "flowers.csv"])
    assert done.output.endswith("next: sweeper run study.yaml\n")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_what_init_writes_for_an_ugly_table_runs(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"Row ID": range(90), "day": "2024-05-17", "si: ze": rng.normal(size=90)})
    frame["note"] = [f"text {n}" for n in range(90)]
    frame["colour"] = rng.choice(["red", "blue"], 90)
    frame.loc[::9, "si: ze"] = np.nan
    frame["yes"] = np.where(frame["colour"] == "red", "yes", "no")
    getattr(frame, f"to_{kind}")(f"my table.{kind}", index=False)
    assert CliRunner().invoke(cli, ["init", "mine.yaml", "--data", f"my table.{kind}"]).exit_code == 0
    small = ("training.epochs=1", "search.points=6", "confirm.seeds=2", "model.units=[4]")
    small += ("engine.kind=inline", "engine.fuse=graph")
    words = [word for setting in (*small, "parameters.optimizer={value: adam}") for word in ("-S", setting)]
    run = ["run", "mine.yaml", "--no-tracking", "--no-progress", *words]
    done = CliRunner().invoke(cli, run, standalone_mode=False)
    assert (done.return_value, done.exception) == (0, None), done.output


def test_functions_of_ones_own(tmp_path):
    study = config(init(tmp_path / "study.yaml", Choices(data="my_data:load", model="my_model:build", name="mine")))
    assert (study.data.name, study.model.name, study.name) == ("my_data:load", "my_model:build", "mine")


def test_three_questions_with_suggestions(tmp_path):
    source = flowers(tmp_path)
    asked = []

    def ask(question, default):
        asked.append((question.partition(":")[0], default))
        return {"Data": str(source), "Target": " height ", "Model": ""}[question.partition(":")[0]]

    study = config(init(tmp_path / "study.yaml", ask=ask))
    assert asked == [("Data", "digits"), ("Target", "species"), ("Model", "mlp")]
    assert (study.data.options["target"], study.model.name) == ("height", "mlp")


def test_a_slip_of_the_keyboard_is_asked_about_again(tmp_path):
    source = flowers(tmp_path)
    answers = iter(["flowrs.csv", str(source), "specis", "height", "mpl", "mlp"])
    asked = []

    def ask(question, default):
        asked.append(question)
        return next(answers)

    study = config(init(tmp_path / "study.yaml", ask=ask))
    assert (study.data.options["target"], study.model.name) == ("height", "mlp")
    assert "did you mean 'species'?" in asked[3]
    assert asked[3].endswith(asked[2])


def test_a_third_slip_ends_the_dialogue(tmp_path):
    asked = []

    def ask(question, default):
        asked.append(question)
        return "digit"

    with pytest.raises(UsageError, match="did you mean 'digits'"):
        init(tmp_path / "study.yaml", ask=ask)
    assert len(asked) == 3


def test_what_was_said_is_not_asked(tmp_path):
    init(tmp_path / "study.yaml", Choices(data="wine", model="mlp"), ask=never)


@pytest.mark.parametrize(
    ("choices", "told"),
    [
        (Choices(data="digit"), "did you mean 'digits'"),
        (Choices(data="nowhere.csv"), "nothing at"),
        (Choices(data="digits", target="y"), "leave --target out"),
        (Choices(model="mpl"), "did you mean 'mlp'"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_cure(tmp_path, choices, told):
    with pytest.raises(UsageError, match=told):
        init(tmp_path / "study.yaml", choices)
    assert not (tmp_path / "study.yaml").exists()


def test_a_target_that_is_no_column_is_refused(tmp_path):
    with pytest.raises(UsageError, match="did you mean 'species'"):
        init(tmp_path / "study.yaml", Choices(data=str(flowers(tmp_path)), target="specis"))


def test_a_model_that_does_not_fit_the_data_is_refused(tmp_path):
    with pytest.raises(StudyError, match="name: mlp"):
        init(tmp_path / "study.yaml", Choices(data="wine", model="cnn"))
    assert not (tmp_path / "study.yaml").exists()


@pytest.mark.parametrize("content", [b"", b"only\n1\n", b"a,b\n", b"\xff\xfe\x00bad", b",,\n1,2,3\n"])
def test_what_is_no_table_is_refused(tmp_path, content):
    source = tmp_path / "bad.csv"
    source.write_bytes(content)
    with pytest.raises(UsageError):
        init(tmp_path / "study.yaml", Choices(data=str(source)))


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="can be written"):
        init(tmp_path / "file" / "study.yaml")


def test_the_file_that_was_asked_for_is_named_and_no_other():
    with pytest.raises(UsageError) as caught:
        init(Path("/proc/x.yaml"))
    assert ".part" not in str(caught.value)
