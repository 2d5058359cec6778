import pytest
from expressions import Expression, filled, holds

CONTEXTS = {"inputs": {"a": "x", "empty": "", "with-dash": "d"}, "steps": {"one": {"outputs": {"two": "2"}}}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("inputs.a", "x"),
        ("inputs.missing || 'it''s'", "it's"),
        ("inputs.empty && 'yes' || 'no'", "no"),
        ("inputs.a == 'x' && inputs.empty == ''", True),
        ("!(inputs.a != 'x')", True),
        ("steps.one.outputs.two", "2"),
        ("steps.none.outputs.two", ""),
        ("inputs.with-dash", "d"),
    ],
)
def test_values(text, value):
    assert Expression(text, CONTEXTS).value() == value


def test_a_mistake_is_noticed():
    with pytest.raises(AssertionError):
        Expression("inputs.a inputs.a", CONTEXTS).value()
    with pytest.raises(KeyError):
        Expression("unknown.a", CONTEXTS).value()


def test_text_around_stays():
    assert filled("<${{ inputs.a }}-${{ inputs.empty }}>", CONTEXTS) == "<x->"


@pytest.mark.parametrize(
    ("condition", "success", "runs"),
    [
        ("inputs.a == 'x'", True, True),
        ("inputs.a == 'x'", False, False),
        ("always() && inputs.a == 'x'", False, True),
        ("always() && inputs.a == 'y'", True, False),
    ],
)
def test_when_a_step_runs(condition, success, runs):
    assert holds(condition, CONTEXTS, success) is runs
