import pytest

from sweeper import study_file
from sweeper.commands.columns import Columns
from sweeper.commands.init import Choices, init, scalar
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
