import csv
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from synthetic import World, drawn, every_kind, material, nothing_completed, poisoned

from sweeper.errors import StorageError
from sweeper.report import html, markdown
from sweeper.report.figures import NAMES
from sweeper.report.text import headline
from sweeper.report.write import verdict_json, write

KINDS = every_kind()


class Page(HTMLParser):
    """Tags, attributes and words of a page."""

    def __init__(self, markup):
        super().__init__()
        self.tags, self.attributes, self.words, self.open = [], [], [], []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in ("meta", "path", "circle", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in ("meta", "path", "circle", "rect"):
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).replace("\u00a0", " ").split())


def test_files(tmp_path):
    files = write(tmp_path, material())
    assert [path.relative_to(tmp_path).as_posix() for path in files] == [
        "report.html",
        "report.md",
        "verdict.json",
        "trials.csv",
        *(f"figures/{name}.png" for name in NAMES),
    ]
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(files)


def test_same_material_gives_the_same_bytes(tmp_path):
    first, second = write(tmp_path / "a", material()), write(tmp_path / "b", material())
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


@pytest.mark.parametrize("kind", KINDS)
def test_page_needs_nothing_else_and_says_the_verdict_first(kind):
    page = Page(html.render(KINDS[kind], drawn(kind)))
    assert page.open == []
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    for tag, name, value in page.attributes:
        assert not name.startswith("on")
        if name in ("href", "xlink:href", "src"):
            assert value.startswith("#"), f"{tag} {name}={value}"
    assert ("meta", "content", "default-src 'none'; style-src 'unsafe-inline'; img-src data:") in page.attributes
    assert page.tags.count("h1") == 1
    assert headline(KINDS[kind].verdict) in page.text


def test_order_of_the_page():
    page = html.render(KINDS["winner"], drawn("winner"))
    order = re.findall(r'<section id="(\w+)"', page)
    assert order == [
        "use",
        "confirmation",
        "finalists",
        "threats",
        "combinations",
        "effects",
        "learning_rate",
        "robustness",
        "divergence",
        "tuning",
        "importance",
        "explored",
        "training",
        "speed",
        "predictions",
        "nights",
        "untested",
        "run",
    ]


def test_page_tells_what_was_run_and_what_it_does_not_show():
    made = KINDS["winner"]
    text = Page(html.render(made, drawn("winner"))).text
    for said in (made.verdict.notes[0], "tensorflow 2.21.0", "5b958ef (clean)", "data: {name: digits}", "1,797"):
        assert said in text


def test_names_are_data_everywhere():
    study = "name: '</code></pre><script>alert(1)</script>'\n```\n# not a heading\n"
    made = replace(KINDS["awkward names"], provenance={"study": study, "description": "<script>alert(2)</script>"})
    page = html.render(made, drawn("awkward names"))
    text = markdown.render(made, drawn("awkward names"))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    prose = re.sub(r"(`{3,})\w+\n.*?\n\1\n", "", text, flags=re.DOTALL)
    assert "<script" not in prose
    assert "not a heading" not in prose  # stays inside the fence of the study file


def test_markdown_tables_keep_their_columns():
    lines = markdown.render(KINDS["awkward names"], drawn("awkward names")).splitlines()
    finalists = lines.index("## Finalists") + 2
    counts = {len(re.findall(r"(?<!\\)\|", line)) for line in lines[finalists : finalists + 6]}
    assert counts == {8}


@pytest.mark.parametrize("kind", ["mae", "no verdict", "unused"])
def test_markdown_links_the_figures_that_exist(kind):
    linked = re.findall(r"\]\(figures/(\w+)\.png\)", markdown.render(KINDS[kind], drawn(kind)))
    assert linked == [picture.name for picture in drawn(kind)]


def test_verdict_document_comes_back():
    made = material()
    assert json.loads(verdict_json(made.verdict)) == json.loads(json.dumps(made.verdict.to_dict()))


def test_verdict_document_knows_no_nan():
    made = poisoned(material())
    broken = made.verdict.explored[0].__class__(made.verdict.explored[0].combination, 8, float("nan"), 0)
    made = replace(made, verdict=replace(made.verdict, explored=(broken,), regret=float("inf")))

    def refuse(constant):
        raise AssertionError(constant)

    document = json.loads(verdict_json(made.verdict), parse_constant=refuse)
    assert document["regret"] is None
    assert document["explored"][0]["best"] is None


def test_trials_are_all_there(tmp_path):
    made = material(World(points=6, seeds=3))
    with write(tmp_path, made)[3].open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(made.records)


def test_later_report_leaves_no_old_figures(tmp_path):
    write(tmp_path, material())
    write(tmp_path, nothing_completed())
    assert list((tmp_path / "figures").iterdir()) == []


def test_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="a folder that can be written to"):
        write(tmp_path / "file", material())
