import pytest

from sweeper.catalog.csv_text import CsvText
from sweeper.errors import DataError


def write(tmp_path, content):
    path = tmp_path / "data.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def problem(tmp_path, content, delimiter=","):
    path = write(tmp_path, content)
    with pytest.raises(DataError) as caught:
        CsvText.read(path, delimiter)
    found = caught.value.problems[0]
    assert found.where.startswith(str(path))
    return found.where.removeprefix(str(path)), found


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ("a,b\n1,2\n3,4\n", [2, 3]),
        ("a,b\r\n1,2\r\n3,4", [2, 3]),
        ("a,b\n\n1,2\n  \n3,4\n\n", [3, 5]),
        ('a,b\n"two\nlines",2\n3,4\n', [3, 4]),
        ("a, b\n1, 2\n", [2]),
        ("\ufeffa,b\n1,2\n", [2]),
    ],
)
def test_every_record_has_its_line(tmp_path, content, lines):
    read = CsvText.read(write(tmp_path, content), ",")
    assert read.header == ("a", "b")
    assert list(read.lines) == lines


@pytest.mark.parametrize(("row", "fields"), [("3", 1), ("3,4,5", 3)])
def test_a_ragged_row_is_named(tmp_path, row, fields):
    where, found = problem(tmp_path, f"a,b\n1,2\n{row}\n5,6\n")
    assert where == ":3"
    assert found.received == f"{fields} fields"


@pytest.mark.parametrize("content", ["", "  \n \n"])
def test_an_empty_file(tmp_path, content):
    assert problem(tmp_path, content)[1].received == "an empty file"


def test_a_header_without_rows(tmp_path):
    assert "at least one row" in problem(tmp_path, "a,b\n")[1].expected


def test_bytes_that_are_not_utf8_are_named_with_their_offset(tmp_path):
    where, found = problem(tmp_path, "a,b\n1,gr\u00fcn\n".encode("latin-1"))
    assert where == ":2"
    assert found.received == "byte 0xfc at offset 8"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04...", "Excel"),
        (b"PAR1...", "parquet"),
        (b"a,b\n1,\x002\n", "NUL"),
    ],
)
def test_other_formats_are_called_by_their_name(tmp_path, content, kind):
    assert kind in problem(tmp_path, content)[1].received


@pytest.mark.parametrize(("mark", "cure"), [(";", '";"'), ("\t", r'"\t"'), ("|", '"|"')])
def test_another_delimiter_is_suggested(tmp_path, mark, cure):
    assert problem(tmp_path, f"a{mark}b\n1{mark}2\n")[1].cure == f"delimiter: {cure}"


def test_every_column_needs_a_name_of_its_own(tmp_path):
    assert "'a' more than once" in problem(tmp_path, "a,b,a\n1,2,3\n")[1].received
    assert "none for column 2" in problem(tmp_path, "a,,b\n1,2,3\n")[1].received


def test_a_quote_that_is_not_closed(tmp_path):
    assert "quotes" in problem(tmp_path, 'a,b\n1,"2\n3,4\n')[1].expected
