import pytest

from sweeper.commands.validate import validate
from sweeper.errors import StudyError


def checked(folder, text):
    path = folder / "study.yaml"
    path.write_text("name: x\n" + text)
    return validate(path, {})


def problems(folder, text):
    with pytest.raises(StudyError) as caught:
        checked(folder, text)
    return caught.value.problems


def test_data_that_are_not_there_are_told_with_the_line_and_what_lies_there(tmp_path):
    (tmp_path / "rows.csv").touch()
    (found,) = problems(tmp_path, "data: {name: csv, path: row.csv, target: y}\n")
    assert found.where == f"{tmp_path}/study.yaml:2  data.path"
    assert found.received == f"nothing at {tmp_path}/row.csv"
    assert found.cure == "did you mean 'rows.csv'?"


def test_data_that_are_there_are_fine_and_never_opened(tmp_path):
    (tmp_path / "rows.csv").write_bytes(b"no table")
    assert "fine" in checked(tmp_path, "data: {name: csv, path: rows.csv, target: y}\n")


@pytest.mark.parametrize(
    ("lines", "where"),
    [
        ("data: {name: 'nomod:load'}\n", "2  data.name"),
        ("data: {name: digits}\nmodel: {name: 'nomod:build'}\n", "3  model.name"),
        ("data: {name: digits}\nmodel: {name: 'package.nomod:build'}\n", "3  model.name"),
        ("data: {name: digits}\ntrainer: nomod:train\n", "3  trainer"),
    ],
)
def test_a_module_that_is_not_there_is_told_with_the_line(tmp_path, lines, where):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("raise SystemExit")
    (found,) = problems(tmp_path, lines)
    assert found.where.endswith(where)
    assert "nomod" in found.received


def test_modules_are_found_beside_the_study_and_among_what_is_installed_and_not_run(tmp_path):
    (tmp_path / "package").mkdir()
    for name in ("mine.py", "package/__init__.py", "package/inner.py"):
        (tmp_path / name).write_text("raise SystemExit")
    for word in ("mine:build", "package.inner:build", "sklearn.linear_model:build", "json:build"):
        assert "fine" in checked(tmp_path, f"data: {{name: digits}}\nmodel: {{name: '{word}'}}\n")


def test_all_that_is_missing_is_told_at_once(tmp_path):
    text = "data: {name: csv, path: no.csv, target: y}\nmodel: {name: 'nomod:build'}\n"
    assert len(problems(tmp_path, text)) == 2
