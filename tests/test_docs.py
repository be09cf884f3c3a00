"""The documentation: its Python runs, its commands parse, nothing public is missing, its sources resolve."""

from __future__ import annotations

import inspect
import re
import shlex
import sys
from pathlib import Path

import pytest

import maxmargin as mm
from maxmargin.cli.parser import build_parser
from maxmargin.datasets import registry
from maxmargin.features import homogeneous
from maxmargin.theory.claims import CLAIMS

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.rst"), *DOCS.glob("extending/*.rst")])
sys.path.insert(0, str(DOCS / "_ext"))


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of one page, without their options; those of the class not-run are left out."""
    found, lines = [], page.read_text(encoding="utf-8").splitlines()
    for start, line in enumerate(lines):
        if line.strip() != f".. code-block:: {language}":
            continue
        outer = len(line) - len(line.lstrip())
        body = []
        for inner in lines[start + 1 :]:
            if inner.strip() and len(inner) - len(inner.lstrip()) <= outer:
                break
            body.append(inner)
        if any(inner.strip() == ":class: not-run" for inner in body):
            continue
        indent = min(len(inner) - len(inner.lstrip()) for inner in body if inner.strip())
        found.append("\n".join(inner[indent:] for inner in body if not inner.strip().startswith(":class:")))
    return found


CODE = [
    pytest.param(page, code, id=f"{page.relative_to(DOCS)}-{number}")
    for page in PAGES
    for number, code in enumerate(blocks(page, "python"))
]
COMMANDS = [
    pytest.param(part, id=f"{page.stem}: {part}")
    for page in PAGES
    for block in blocks(page, "bash")
    for line in block.splitlines()
    for part in line.split(" && ")
    if re.match(r"\s*(\.venv/bin/)?maxmargin ", part)
]


@pytest.mark.parametrize("page, code", CODE)
def test_python_blocks_run(page, code, tmp_path, monkeypatch, capsys):
    """They end without an exception, a warning (an error here) or a word on stderr, and define or print something."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(homogeneous, "_REGISTERED", dict(homogeneous._REGISTERED))
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    space = {"__name__": "__main__"}
    exec(compile(code, str(page), "exec"), space)
    said = capsys.readouterr()
    assert not said.err and (said.out or len(space) > 2)


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_parse(line):
    words = shlex.split(line, comments=True)
    arguments = build_parser().parse_args(words[1:])
    assert callable(arguments.run)


def test_every_page_is_in_a_table_of_contents_and_none_is_empty():
    listed = "\n".join(page.read_text(encoding="utf-8") for page in (DOCS / "index.rst", DOCS / "extending/index.rst"))
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert "To be written" not in text, page
        assert page.stem == "index" or re.search(rf"^   {page.stem}$", listed, flags=re.M), page


def test_every_public_name_is_on_the_api_page():
    from generated import Symbols

    page = "\n".join(Symbols.lines(None))
    for name in sorted(set(mm.__all__) - {"__version__"}):
        assert re.search(rf"maxmargin\.{name}$", page, flags=re.M), name


def test_every_command_is_on_the_command_page():
    from generated import Commands, subcommands

    page = "\n".join(Commands.lines(None))
    for name in subcommands(build_parser()):
        assert f"\nmaxmargin {name}\n" in page, name


def public_objects():
    """(dotted name, object) of every public name and of its public methods and properties of this package."""
    for name in sorted(set(mm.__all__) - {"__version__"}):
        value = getattr(mm, name)
        yield name, value
        for key, member in vars(value).items() if isinstance(value, type) else ():
            member = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
            if not key.startswith("_") and inspect.isfunction(member) and member.__module__.startswith("maxmargin"):
                yield f"{name}.{key}", member


@pytest.mark.parametrize("name, value", [pytest.param(*pair, id=pair[0]) for pair in public_objects()])
def test_public_names_have_docstrings(name, value):
    assert len((inspect.getdoc(value) or "").split()) > 2, name


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_sources_resolve(claim):
    """A source that names A1..A5 or C1..C10 means an anchor of the theory page or an assumption of the paper."""
    anchors = set(re.findall(r"^\.\. _(\w+):$", (DOCS / "theory.rst").read_text(encoding="utf-8"), flags=re.M))
    for part in re.split(r"; ", claim.source):
        for key in re.findall(r"\b[AC](?:10|[1-9])\b", part):
            if "of the paper" not in part:
                assert "docs/theory.rst, " in part and key in anchors, claim.source
    assert claim.source.count("theory") == claim.source.count("docs/theory.rst, ")


OUTSIDE = re.compile(
    r"theory\.md|contract\.md|findings\.md|findings F\d|design\.md|review\.md|faults\.md|code fact|shared measurement|"
    r"\.\./shared"
)
CRYPTIC = """
is nobody's lowest
is so much smaller than that
leave the iteration, with
counts as zero, if it is this fraction
squared half-angle
so many times longer than each
in which to try to see a margin
may have lost itself
has had the last word
so little (relatively)
what is lost with the crossing
an oracle's business
the stiff player
look at most
how it was come by
keep it waiting
took for itself
take it for themselves
and the word for it
a softer one, an error
is this near to a bound
""".strip().splitlines()


def texts():
    """Every text file of the repository that a reader may open, but this test."""
    for folder in ("maxmargin", "tests", "experiments", "docs"):
        for path in sorted((ROOT / folder).rglob("*")):
            built = {"_build", "gallery", "_gallery", "__pycache__"} & set(path.relative_to(ROOT).parts)
            text = path.suffix in {".py", ".rst", ".md", ".html", ".css", ".js", ".ipynb"}
            if text and not built and path != Path(__file__).resolve():
                yield path
    yield from sorted(ROOT.glob("*.md"))


def test_nothing_outside_the_repository_is_cited():
    found = [(str(p.relative_to(ROOT)), m[0]) for p in texts() for m in OUTSIDE.finditer(p.read_text(encoding="utf-8"))]
    assert not found


def test_cryptic_sentences_stay_away():
    found = [(str(p.relative_to(ROOT)), s) for p in texts() for s in CRYPTIC if s in p.read_text(encoding="utf-8")]
    assert not found


def test_scripts_that_pages_name_exist():
    """``python experiments/x.py`` in a block, and files of the repository in double backquotes."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        named = re.findall(r"python (experiments/[\w/]+\.py)", text)
        named += re.findall(r"``((?:maxmargin|experiments|tests|data)/[\w/]+(?:\.py|\.md)?)``", text)
        for name in named:
            assert (ROOT / name).exists(), f"{page.name} names {name}"


def documented(title: str) -> set[str]:
    """The keys in double quotes of one section of the page on formats."""
    page = (DOCS / "formats.rst").read_text(encoding="utf-8")
    section = re.split(rf"^{title}\n-+\n", page, flags=re.M)[1]
    block = section.split(".. code-block:: text", 1)[1].split("\n\n", 2)[1]
    return set(re.findall(r'"(\w+)"(?=[:,}?\n]| \(if)', block))


def keys_of(document) -> set[str]:
    """All keys, at any depth."""
    if isinstance(document, dict):
        return set(document).union(*map(keys_of, document.values()))
    return set().union(*map(keys_of, document)) if isinstance(document, list | tuple) else set()


def test_documents_have_the_keys_of_the_page_on_formats():
    import numpy as np

    X = np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])
    comparison = mm.compare("xor", width=20, steps=20, time_limit=5).to_json()
    written = {
        "Certificate": mm.max_margin("xor").to_json(),
        "Run": mm.train("xor", width=20, steps=20, certify_every=10).to_json(),
        "Comparison": comparison,
        "Assessment": mm.assess("xor", X, np.array([-1.0, -1.0, 1.0, 1.0])).to_json(),
        "Norm": mm.min_norm((X, [1.0, 2.0, 3.0, 4.0])).to_json(),
    }
    values = {"coefficients", "f1", "f2", "f2m", "ntk", "relu", "sphere", "certified"}  # or keys of other norms
    for title, document in written.items():
        assert len(documented(title)) > 5
        assert documented(title) - values <= keys_of(document), title
