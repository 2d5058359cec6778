from itertools import pairwise

import pytest

from sweeper import yaml_source
from sweeper.errors import StudyError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("1E+3", 1000.0),
        (".5", 0.5),
        ("010", 10),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("null", None),
        ("~", None),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        ("'1e-3'", "1e-3"),
        (".inf", ".inf"),
        ("1" * 5000, "1" * 5000),
    ],
)
def test_scalars_follow_yaml_1_2(text, value):
    assert yaml_source.parse(f"a: {text}").value["a"] == value


def test_every_key_and_item_has_its_line():
    source = yaml_source.parse("a:\n  b: 1\n  c:\n    - x\n    - y\n")
    assert source.line(("a", "b")) == 2
    assert source.line(("a", "c", 1)) == 5
    assert source.line(("a", "missing", "deeper")) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &x 1\nb: *x\n", "anchors and aliases"),
        ("a: 1\na: 2\n", "first on line 1"),
        ("a: [1, 2\n", "study.yaml:2"),
        ("a: !!python/object:os.system 1\n", "tag"),
        ("a: " + "[" * 100 + "]" * 100, "deeper than"),
        ("a:\n\tb: 1\n", "never tabs"),
        ("- 1\n", "a mapping"),
        ("", "an empty file"),
        ("? [1, 2]\n: 3\n", "plain words"),
    ],
)
def test_what_has_no_place_in_a_study_is_refused(text, said):
    with pytest.raises(StudyError, match=said.replace("(", r"\(")):
        yaml_source.parse(text)


def test_a_billion_laughs_is_refused_before_it_grows():
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{name}: &{name} [{', '.join(['*' + before] * 10)}]" for before, name in pairwise("abcdefghi")]
    with pytest.raises(StudyError, match="anchors and aliases"):
        yaml_source.parse("\n".join(lines))


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"name: \xff\n", "byte 0xff at offset 6"), (b"#" * 1_000_001, "1,000,000 bytes")],
)
def test_unreadable_content_is_told(tmp_path, content, said):
    path = tmp_path / "study.yaml"
    path.write_bytes(content)
    with pytest.raises(StudyError, match=said):
        yaml_source.read(path)


def test_a_missing_file_names_the_cure(tmp_path):
    with pytest.raises(StudyError, match="sweeper init"):
        yaml_source.read(tmp_path / "none.yaml")


def test_a_byte_order_mark_is_accepted(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: x\n")
    assert yaml_source.read(path).value == {"name": "x"}
