import sys

import pytest

from sweeper.errors import ModelError
from sweeper.registry import resolve


@pytest.fixture(autouse=True)
def clean_imports():
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def write(folder, value, *, name="study_loop.py"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"def train():\n    return {value!r}\n")
    return folder


def test_each_folder_gives_its_own_module_of_the_same_name(tmp_path):
    one, two = write(tmp_path / "one", 1), write(tmp_path / "two", 2)
    assert resolve("study_loop:train", one)() == 1
    assert resolve("study_loop:train", two)() == 2
    assert resolve("study_loop:train", one)() == 1


def test_a_package_is_taken_from_its_own_folder_too(tmp_path):
    for value in (1, 2):
        package = tmp_path / str(value) / "study_package"
        write(package, value, name="loop.py")
        write(package, value, name="__init__.py")
        assert resolve("study_package.loop:train", tmp_path / str(value))() == value


def test_a_module_whose_file_has_changed_is_imported_again(tmp_path):
    assert resolve("study_loop:train", write(tmp_path, 1))() == 1
    assert resolve("study_loop:train", write(tmp_path, "another length"))() == "another length"


def test_a_module_that_is_as_it_was_stays_the_same_object(tmp_path):
    write(tmp_path, 1)
    assert resolve("study_loop:train", tmp_path) is resolve("study_loop:train", tmp_path)


def test_an_installed_module_is_found_from_any_folder(tmp_path):
    assert resolve("json:dumps", tmp_path) is sys.modules["json"].dumps


def test_a_missing_function_suggests_its_neighbour(tmp_path):
    with pytest.raises(ModelError, match="did you mean 'train'"):
        resolve("study_loop:trian", write(tmp_path, 1))
