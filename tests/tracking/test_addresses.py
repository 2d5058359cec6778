from pathlib import Path

import pytest

from sweeper.tracking.addresses import credentials, is_server, public_uri, sqlite_file


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://anna:p%40ss@host:5000/prefix", "http://host:5000/prefix"),
        ("postgresql://anna:secret@host/db", "postgresql://host/db"),
        ("http://host:5000", "http://host:5000"),
        ("sqlite:////home/anna@work/mlflow.db", "sqlite:////home/anna@work/mlflow.db"),
    ],
)
def test_an_address_is_shown_without_its_password(uri, shown):
    assert public_uri(uri) == shown


def test_credentials_are_decoded():
    assert credentials("http://anna:p%40ss@host") == ("anna", "p@ss")
    assert credentials("http://anna@host") == ("anna", "")
    assert credentials("http://host") is None


@pytest.mark.parametrize(
    ("uri", "file"),
    [
        ("sqlite:////abs/mlflow.db", Path("/abs/mlflow.db")),
        ("sqlite:///rel/mlflow.db?timeout=3", Path("rel/mlflow.db")),
        ("sqlite:///:memory:", None),
        ("sqlite://", None),
        ("http://host", None),
    ],
)
def test_the_file_of_a_database(uri, file):
    assert sqlite_file(uri) == file


def test_servers():
    assert is_server("https://host")
    assert not is_server("databricks")
    assert not is_server("sqlite:///x.db")
