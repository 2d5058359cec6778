from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sweeper.catalog.tables import load
from sweeper.data import Task
from sweeper.errors import DataError

ROWS = 60


def frame(**columns):
    rng = np.random.default_rng(0)
    base = {"age": rng.integers(18, 90, ROWS), "income": rng.normal(size=ROWS).round(3), "bought": ["yes", "no"] * 30}
    return pd.DataFrame({**base, **columns})


def loaded(tmp_path, table, kind="csv", **options):
    path = tmp_path / f"data.{kind}"
    if kind == "csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path)
    return load(kind, {"path": path.name, "target": "bought", **options}, tmp_path)


def problem(tmp_path, table, kind="csv", **options):
    with pytest.raises(DataError) as caught:
        loaded(tmp_path, table, kind, **options)
    return caught.value.problems[0]


def with_cell(values, row, value):
    values = list(values)
    values[row] = value
    return values


kinds = pytest.mark.parametrize("kind", ["csv", "parquet"])


@kinds
def test_numbers_and_words_become_a_matrix_of_numbers(tmp_path, kind):
    city = ["Ulm", None, "Bonn"] * 20
    data = loaded(tmp_path, frame(city=city, flag=[True, False] * 30), kind)
    assert data.x.dtype == np.float64
    assert data.x.shape == (60, 4)
    assert data.x[:3, 2].tolist() == [1, pytest.approx(np.nan, nan_ok=True), 0]
    assert data.x[:2, 3].tolist() == [1, 0]
    assert data.info.feature_names == (
        *("age", "income", "city=Bonn", "city=Ulm", "city is missing", "flag=False", "flag=True"),
    )
    assert data.info.input_shape == (7,)
    assert (data.info.task, data.info.class_names) == (Task.BINARY, ("no", "yes"))
    assert data.y[:2].tolist() == [1, 0]


@kinds
def test_what_the_model_sees_has_no_gaps(tmp_path, kind):
    table = frame(income=with_cell(frame()["income"], 5, None), city=with_cell(["a", "b"] * 30, 9, None))
    split = loaded(tmp_path, table, kind).split(0)
    for part in (split.train, split.validation, split.open_test()):
        assert part.x.shape[1:] == (6,)
        assert np.isfinite(part.x).all()


def test_csv_and_parquet_of_one_table_are_the_same_data(tmp_path):
    table = frame(city=["Ulm", None, "Bonn"] * 20)
    csv, parquet = (loaded(tmp_path, table, kind) for kind in ("csv", "parquet"))
    assert csv.fingerprint == parquet.fingerprint


def test_columns_of_pandas_types(tmp_path):
    table = frame(
        category=pd.Categorical(["b", "a", None] * 20, categories=["a", "b", "unused"]),
        nullable=pd.array([1, 2, None] * 20, dtype="Int64"),
        truth=pd.array([True, None, False] * 20, dtype="boolean"),
    )
    names = loaded(tmp_path, table, "parquet").info.feature_names
    assert names[2:] == (
        *("category=a", "category=b", "category is missing"),
        *("nullable", "nullable is missing"),
        *("truth=False", "truth=True", "truth is missing"),
    )


@pytest.mark.parametrize(
    ("target", "options", "task"),
    [
        (["a", "b", "c"] * 20, {}, Task.MULTICLASS),
        ([0, 1] * 30, {}, Task.BINARY),
        ([0, 1] * 30, {"task": "regression"}, Task.REGRESSION),
        (list(range(60)), {}, Task.REGRESSION),
        ([n // 3 for n in range(60)], {}, Task.REGRESSION),
        ([n // 3 for n in range(60)], {"task": "classification"}, Task.MULTICLASS),
        ([0.5, 1.5] * 30, {}, Task.REGRESSION),
        ([True, False] * 30, {}, Task.BINARY),
    ],
)
def test_the_task(tmp_path, target, options, task):
    assert loaded(tmp_path, frame(bought=target), **options).info.task is task


def test_dropped_columns_groups_and_target_are_no_features(tmp_path):
    table = frame(key=[f"row {i}" for i in range(60)], patient=np.repeat(["p", "q", "r", "s", "t", "u"], 10))
    data = loaded(tmp_path, table, drop=["key"], groups="patient")
    assert data.info.feature_names == ("age", "income")
    assert np.bincount(data.groups).tolist() == [10] * 6
    assert loaded(tmp_path, table, drop="key", groups="patient").fingerprint == data.fingerprint


def test_an_index_without_a_name_is_left_out(tmp_path):
    frame().to_csv(tmp_path / "data.csv")
    assert load("csv", {"path": "data.csv", "target": "bought"}, tmp_path).info.feature_names == ("age", "income")


@pytest.mark.parametrize(("suffix", "sep", "options"), [("csv", ";", {"delimiter": ";"}), ("tsv", "\t", {})])
def test_delimiters(tmp_path, suffix, sep, options):
    frame().to_csv(tmp_path / f"data.{suffix}", index=False, sep=sep)
    data = load("csv", {"path": f"data.{suffix}", "target": "bought", **options}, tmp_path)
    assert data.x.shape == (60, 2)


@pytest.mark.parametrize("target", ["bought", "price"])
def test_decimal_commas_are_read_where_they_are_named_and_told_of_elsewhere(tmp_path, target):
    path = tmp_path / "data.csv"
    frame(price=frame()["income"] * 2).to_csv(path, index=False, sep=";", decimal=",")
    options = {"path": path.name, "target": target, "delimiter": ";"}
    data = load("csv", {**options, "decimal": ","}, tmp_path)
    assert data.info.task is (Task.BINARY if target == "bought" else Task.REGRESSION)
    with pytest.raises(DataError) as caught:
        load("csv", options, tmp_path)
    assert 'decimal: ","' in caught.value.problems[0].cure


@pytest.mark.parametrize("seed", range(5))
def test_statistics_are_those_of_the_training_rows(tmp_path, seed):
    table = frame(city=["Ulm", None, "Bonn"] * 20, income=with_cell(frame()["income"], 5, None), number=range(60))
    data = loaded(tmp_path, table)
    rows = replace(data, preprocessing=None).split(seed).train.x[:, -1].astype(int)
    fitted = data.split(seed).preprocessing
    assert len(rows) == data.sizes()["train"]
    assert fitted == data.preprocessing.fit(data.x[rows])
    assert fitted != data.preprocessing.fit(data.x)
    spoiled = np.full_like(data.x, np.nan)
    spoiled[rows] = data.x[rows]
    assert replace(data, x=spoiled).split(seed).preprocessing == fitted


def test_a_missing_target_is_counted(tmp_path):
    found = problem(tmp_path, frame(bought=with_cell(["yes", "no"] * 30, 8, None)))
    assert found.where == f"{tmp_path / 'data.csv'}:10  column 'bought'"
    assert "missing in 1 of 60 rows" in found.received
    assert problem(tmp_path, frame(bought=[None] * 60)).where.endswith("column 'bought'")


@kinds
def test_words_in_a_column_of_numbers(tmp_path, kind):
    mixed = pd.Series(with_cell(frame()["income"].astype(str), 4, "oops"))
    if kind == "parquet":
        mixed = mixed.astype("string")
    found = problem(tmp_path, frame(income=mixed), kind)
    place = ":6  column" if kind == "csv" else "  row 5, column"
    assert f"{place} 'income'" in found.where
    assert found.received == "'oops'; text in 1 of 60 rows"


def test_words_in_a_target_of_numbers(tmp_path):
    found = problem(tmp_path, frame(bought=with_cell(range(60), 4, "?")))
    assert found.where.endswith(":6  column 'bought'")
    found = problem(tmp_path, frame(), task="regression")
    assert (found.expected, found.where[-19:]) == ("numbers, because task: regression", ":2  column 'bought'")


def test_coded_answers_that_mix_numbers_and_words_are_categories(tmp_path):
    data = loaded(tmp_path, frame(doors=["2", "3", "4", "5more"] * 15))
    assert data.info.feature_names[2:] == ("doors=2", "doors=3", "doors=4", "doors=5more")


def test_words_that_hardly_repeat_are_refused(tmp_path):
    found = problem(tmp_path, frame(name=[f"customer {n}" for n in range(60)]))
    assert "60 different words in 60 rows" in found.received
    assert found.cure == "drop: [name]"


@kinds
@pytest.mark.parametrize("column", ["income", "bought"])
def test_infinite_numbers(tmp_path, kind, column):
    found = problem(
        tmp_path, frame(bought=np.linspace(0, 1, 60)).assign(**{column: [0.5] * 58 + [np.inf, -np.inf]}), kind
    )
    assert f"column '{column}'" in found.where
    assert "2 of 60 rows" in found.received


def test_dates_and_lists_are_refused(tmp_path):
    assert "datetime" in problem(tmp_path, frame(day=pd.date_range("2024", periods=60)), "parquet").received
    assert problem(tmp_path, frame(tags=[["a"]] * 60), "parquet").where.endswith("column 'tags'")


def test_columns_that_are_not_there_are_suggested(tmp_path):
    assert problem(tmp_path, frame(), target="bougth").cure == "did you mean 'bought'?"
    assert problem(tmp_path, frame(), drop=["agee"]).cure == "did you mean 'age'?"
    assert problem(tmp_path, frame(), groups="incom").cure == "did you mean 'income'?"


def test_options_that_make_no_sense(tmp_path):
    assert problem(tmp_path, frame(), target=None).where == "data.target"
    assert problem(tmp_path, frame(), drop=["age", "income"]).expected == "a column besides the target"
    assert problem(tmp_path, frame(), task="guess").where == "data.task"
    assert problem(tmp_path, frame(), delimiter="ab").where == "data.delimiter"
    assert problem(tmp_path, frame(), drop={"age": 1}).where == "data.drop"
    assert problem(tmp_path, frame(), groups=["age", "income"]).expected == "one column"


def test_a_group_that_is_missing(tmp_path):
    found = problem(tmp_path, frame(patient=with_cell(["p", "q", "r"] * 20, 3, None)), groups="patient")
    assert found.where.endswith(":5  column 'patient'")


def test_a_file_that_is_no_parquet(tmp_path):
    (tmp_path / "data.parquet").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="a parquet file"):
        load("parquet", {"path": "data.parquet", "target": "b"}, tmp_path)


def test_a_file_that_is_not_there_is_suggested(tmp_path):
    frame().to_csv(tmp_path / "customers.csv")
    with pytest.raises(DataError, match=r"did you mean 'customers\.csv'"):
        load("csv", {"path": "customer.csv", "target": "bought"}, tmp_path)
