import json
import pickle

import numpy as np
import pytest

from sweeper.catalog.preprocessing import Column, Pixels, Table, from_dict, is_gap, word

NAN = np.nan

MIXED = Table(
    (
        Column("age"),
        Column("income", missing=True),
        Column("city", ("Bonn", "Kiel", "Ulm"), missing=True),
        Column("constant"),
    )
)
ROWS = np.array(
    [
        [20.0, 1.0, 0.0, 5.0],
        [30.0, NAN, 2.0, 5.0],
        [40.0, 3.0, NAN, 5.0],
        [50.0, 8.0, 0.0, 5.0],
    ]
)


def test_inputs_are_named_in_the_order_of_the_columns():
    assert MIXED.inputs == (
        "age",
        "income",
        "income is missing",
        "city=Bonn",
        "city=Kiel",
        "city=Ulm",
        "city is missing",
        "constant",
    )
    assert MIXED.fit(ROWS)(ROWS).shape == (4, len(MIXED.inputs))


def test_numbers_are_standardised():
    age = MIXED.fit(ROWS)(ROWS)[:, 0]
    assert age == pytest.approx((ROWS[:, 0] - 35) / ROWS[:, 0].std())


def test_gaps_become_the_median_and_are_said():
    fitted = MIXED.fit(ROWS)(ROWS)
    filled = np.array([1.0, 3.0, 3.0, 8.0])
    assert fitted[:, 1] == pytest.approx((filled - filled.mean()) / filled.std())
    assert fitted[:, 2].tolist() == [0, 1, 0, 0]


def test_words_are_one_hot_and_a_gap_is_none_of_them():
    assert MIXED.fit(ROWS)(ROWS)[:, 3:7].tolist() == [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0]]


def test_what_training_rows_never_showed_gives_zeros():
    fitted = Table((Column("n", missing=True), Column("c", ("a", "b"), missing=True), Column("k"))).fit(
        np.array([[1.0, 0.0, 7.0], [2.0, 0.0, 7.0]])
    )
    never_seen = fitted(np.array([[NAN, 1.0, 1e9], [NAN, NAN, 8.0]]))
    assert never_seen.tolist() == [[0, 0, 0, 0, 0, 0]] * 2


def test_a_column_without_any_value_gives_zeros():
    rows = np.full((3, 1), NAN)
    assert Table((Column("empty", missing=True),)).fit(rows)(rows).tolist() == [[0, 1]] * 3


@pytest.mark.parametrize("value", [0.0, 0.1, -1e-300, 1e30, 123456.789])
def test_a_constant_column_gives_zeros(value):
    rows = np.full((7, 1), value)
    assert np.all(Table.of_numbers("x").fit(rows)(rows) == 0)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30, 3e38])
def test_every_scale_of_float32_is_standardised(scale):
    rows = np.linspace(-scale, scale, 11)[:, None]
    inputs = Table.of_numbers("x").fit(rows)(rows)
    assert inputs.dtype == np.float32
    assert inputs.std() == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("seed", range(20))
def test_any_rows_give_finite_inputs_of_the_same_width(seed):
    rng = np.random.default_rng(seed)
    columns, raw = [], []
    for position in range(6):
        values = rng.normal(size=60) * 10.0 ** rng.integers(-5, 6)
        categories = None
        if rng.random() < 0.5:
            categories = tuple("abcdefgh"[: rng.integers(1, 8)])
            values = rng.integers(0, len(categories), size=60).astype(float)
        values[rng.random(60) < rng.choice([0.0, 0.3, 0.97])] = NAN
        columns.append(Column(f"c{position}", categories, bool(np.isnan(values).any())))
        raw.append(values)
    table, rows = Table(tuple(columns)), np.column_stack(raw)
    fitted = table.fit(rows[:20])
    assert np.isfinite(fitted(rows)).all()
    assert fitted(rows).shape == (60, len(table.inputs))
    assert fitted == table.fit(rows[:20].copy())
    assert np.array_equal(fitted(rows)[5:9], fitted(rows[5:9]))


@pytest.mark.parametrize("fitted", [MIXED.fit(ROWS), Pixels(16.0)])
def test_survives_json_and_pickle(fitted):
    rows = ROWS if fitted != Pixels(16.0) else np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    for copy in (from_dict(json.loads(json.dumps(fitted.to_dict()))), pickle.loads(pickle.dumps(fitted))):
        assert copy == fitted
        assert np.array_equal(copy(rows), fitted(rows))


@pytest.mark.parametrize(
    ("value", "name"), [(2.0, "2"), (2.5, "2.5"), (np.int64(2), "2"), ("2.0", "2.0"), (True, "True"), (-0.0, "0")]
)
def test_a_whole_number_is_called_without_its_decimal_point(value, name):
    assert word(value) == name


@pytest.mark.parametrize("value", [None, NAN, np.float32("nan"), np.datetime64("NaT"), ""])
def test_gaps(value):
    assert is_gap(value)


@pytest.mark.parametrize("value", [0, 0.0, False, "none", "NAN"])
def test_no_gaps(value):
    assert not is_gap(value)


def test_pixels_are_scaled_and_leave_the_raw_bytes_alone():
    raw = np.array([[0, 128, 255]], dtype=np.uint8)
    scaled = Pixels().fit(raw)(raw)
    assert scaled.dtype == np.float32
    assert scaled.tolist() == [[0.0, pytest.approx(128 / 255), 1.0]]
    assert raw.tolist() == [[0, 128, 255]]
