import json
import shutil
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner
from scripted_desk import LOOP, STUDY, Desk

from sweeper.cli import cli
from sweeper.commands.compare import compare, load, write_page
from sweeper.errors import StorageError, UsageError
from sweeper.report import comparison_text

BETTER = LOOP.replace('"relu": 0.95', '"relu": 0.97')
OTHER = STUDY.replace("name: scripted", "name: other").replace("epochs: 2", "epochs: 3")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The storage of four studies: `scripted`, `better` and longer, with other seeds, and on other data."""
    folder = tmp_path_factory.mktemp("desk")
    desk = Desk(folder)
    small = "\nparameters: {activation: {values: [relu, tanh]}, optimizer: {values: [sgd, adam]}}\n"
    (folder / "loop.py").write_text(LOOP)
    (folder / "better.py").write_text(BETTER)
    for name, text in {
        "scripted": STUDY + small,
        "other": OTHER.replace("loop:train", "better:train") + small,
        "reseeded": STUDY.replace("name: scripted", "name: reseeded") + small + "search: {seed: 7}\n",
        "wine": STUDY.replace("name: scripted", "name: wine").replace("iris", "wine") + small,
    }.items():
        desk.write(text, f"{name}.yaml")
        done = desk.sweeper("run", f"{name}.yaml", "--no-tracking", "--no-progress", "--engine", "inline")
        assert done.code == 0, done.err
    return folder / "mlruns"


def run(*words):
    """The command as it is typed."""
    from sweeper.errors import SweeperError

    done = CliRunner().invoke(cli, ["compare", *map(str, words)])
    if done.exception is not None and not isinstance(done.exception, (SystemExit, SweeperError)):
        raise done.exception
    return done


def test_same_seeds_are_paired_and_the_better_study_is_named(root):
    found = compare("scripted", "other", root)
    assert found.conclusion == "second"
    assert found.gap.paired
    assert found.gap.seeds == 8, "one look was enough"
    assert found.gap.mean == pytest.approx(0.02, abs=0.002)
    assert found.gap.interval.low <= found.gap.mean <= found.gap.interval.high
    assert "other (relu" in comparison_text.headline(found)
    assert "paired" in comparison_text.paragraph(found)
    assert ("training.epochs", 2, 3) in found.differs
    assert not any(key.startswith("name") for key, _, _ in found.differs)


def test_the_interval_allows_for_the_picks_having_been_chosen(root, tmp_path):
    found = compare("scripted", "reseeded", root)
    alone = []
    for name in ("scripted", "reseeded"):
        folder = tmp_path / name
        shutil.copytree(root / "studies" / name, folder)
        document = json.loads((folder / "verdict.json").read_text())
        pick = document["pick"]["combination"]
        document["finalists"] = [each for each in document["finalists"] if each["combination"] == pick]
        (folder / "verdict.json").write_text(json.dumps(document))
        alone.append(str(folder))
    only = compare(*alone, root)
    assert only.gap.mean == found.gap.mean
    assert only.gap.interval.low > found.gap.interval.low
    assert only.gap.interval.high < found.gap.interval.high
    pairs = len(found.first.finalists) * len(found.second.finalists)
    assert f"one of {pairs} pairs" in comparison_text.paragraph(found)
    assert "pairs" not in comparison_text.paragraph(only)


def test_difference_turns_with_the_order(root):
    there, back = compare("scripted", "other", root), compare("other", "scripted", root)
    assert back.conclusion == "first"
    assert back.gap.mean == pytest.approx(-there.gap.mean)


def test_a_study_is_the_same_as_itself(root):
    found = compare("scripted", str(root / "studies" / "scripted"), root)
    assert found.conclusion == "same"
    assert found.gap.mean == 0.0
    assert found.differs == ()


def test_other_seeds_are_not_paired_and_it_says_so(root):
    found = compare("scripted", "reseeded", root)
    assert not found.gap.paired
    assert "unpaired" in comparison_text.paragraph(found)
    assert "Welch" in comparison_text.paragraph(found)
    assert any("test rows" in note and "differ" in note for note in found.notes)


def test_other_data_are_refused_with_what_differs(root):
    with pytest.raises(UsageError) as refused:
        compare("scripted", "wine", root)
    assert refused.value.exit_code == 2
    told = str(refused.value)
    assert "name iris" in told
    assert "name wine" in told
    for word in ("expected", "received", "try"):
        assert word in told


def test_other_metrics_are_refused_all_at_once(root, tmp_path):
    folder = tmp_path / "scripted"
    shutil.copytree(root / "studies" / "scripted", folder)
    document = json.loads((folder / "verdict.json").read_text())
    (folder / "verdict.json").write_text(json.dumps({**document, "metric": "loss", "goal": "minimize"}))
    with pytest.raises(UsageError) as refused:
        compare("scripted", str(folder), root)
    assert len(refused.value.problems) == 2
    assert "the same metric: accuracy" in str(refused.value)


def test_every_way_to_name_a_study(root):
    folder = root / "studies" / "scripted"
    words = ["scripted", str(root.parent / "scripted.yaml"), str(folder), str(folder / "verdict.json")]
    assert {load(word, root).folder.resolve() for word in words} == {folder.resolve()}


@pytest.mark.parametrize("word", ["nothing", "nothing.json", "nothing.yaml"])
def test_a_study_that_is_not_there(root, word):
    with pytest.raises(UsageError, match="a study that has been run"):
        load(word, root)


def test_a_verdict_without_its_ledger(root, tmp_path):
    shutil.copy(root / "studies" / "scripted" / "verdict.json", tmp_path / "verdict.json")
    with pytest.raises(UsageError, match=r"keep study\.db beside verdict\.json"):
        load(str(tmp_path / "verdict.json"), root)


def test_a_damaged_verdict(root, tmp_path):
    (tmp_path / "verdict.json").write_text("{")
    with pytest.raises(StorageError, match="a verdict document"):
        load(str(tmp_path), root)


def test_shared_combinations_stand_side_by_side(root):
    found = compare("scripted", "other", root)
    assert len(found.shared) == 4
    confirmed = [each for each in found.shared if each.gap is not None]
    assert found.shared[: len(confirmed)] == tuple(confirmed)
    rows = comparison_text.shared_table(found)
    assert rows[0][1:3] == ["scripted", "other"]
    assert len(rows) == 5


def test_nothing_confirmed_cannot_be_told(root, tmp_path):
    folder = tmp_path / "open"
    shutil.copytree(root / "studies" / "scripted", folder)
    document = json.loads((folder / "verdict.json").read_text())
    bare = {**document, "finalists": [], "set": [], "winner": None, "outcome": "NO_VERDICT", "complete": False}
    (folder / "verdict.json").write_text(json.dumps(bare))
    found = compare("scripted", str(folder), root)
    assert found.conclusion == "unknown"
    assert found.gap is None
    assert comparison_text.headline(found).startswith("Cannot be told")
    assert any("not finished" in note for note in found.notes)


def test_json_and_page(root, tmp_path):
    page = tmp_path / "compared.html"
    done = run("scripted", "other", "--storage", root, "--html", page, "--json")
    document = json.loads(done.output)
    assert document["conclusion"] == "second"
    assert document["difference"]["method"] == "paired t"
    assert document["shared"][0]["difference"]["interval"][0] <= document["shared"][0]["difference"]["mean"]
    text = page.read_text()
    assert text.startswith("<!doctype html>")
    tags = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag, attrs):
            tags.append(tag)
            assert not [name for name, _ in attrs if name in ("href", "src")]

    Tags().feed(text)
    assert tags.count("svg") == 2
    assert "script" not in tags


def test_words_for_a_terminal(root):
    done = run("scripted", "other", "--storage", root)
    assert done.exit_code == 0
    assert "other (relu" in done.output.splitlines()[0]
    for said in ("Finalists", "Combinations of both", "training.epochs", "95 % interval"):
        assert said in done.output


def test_page_that_cannot_be_written(root, tmp_path):
    with pytest.raises(UsageError, match="--html"):
        write_page(compare("scripted", "other", root), tmp_path / "no" / "folder.html")
