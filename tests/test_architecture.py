"""The shape of the package: arrows point one way, no cycles, small files and functions, a cheap import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "maxmargin"
FILES = sorted(PACKAGE.rglob("*.py"))

# Layers from the bottom up; a module may import from its own layer and from those below.
LAYERS = [
    {"errors", "clock", "outcome", "rounding", "conventions"},
    {"atomic", "archives", "memory", "text", "progress", "threads", "options", "result"},
    {"dataset", "datasets", "targets"},
    {"features"},
    {"oracles"},
    {"games"},
    {"solvers", "flow"},
    {"margins"},
    {"training", "accuracy"},
    {"comparison", "comparison_table"},
    {"theory", "sweeps"},
    {"plots", "report", "film", "play"},
    {"labs"},
    {"verification"},
    {"estimators", "cli", "__main__"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
# Lines that cross on purpose, inside a function: a comparison saves its report, a certificate becomes a network.
# What a notebook shows of a result is drawn by the report.
LAZY = {("comparison", "plots"), ("comparison", "report"), ("games", "flow"), ("result", "report")}
# The referee judges everyone: only those that ask for its word know it, and it knows no one.
ASKING = {"maxmargin", "maxmargin.cli.check", "maxmargin.margins.self_check", "maxmargin.play.jobs"}


def modules() -> dict[str, Path]:
    named = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in FILES}
    return {name.removesuffix(".__init__"): path for name, path in named.items()}


def imports(name: str, path: Path) -> list[tuple[str, bool]]:
    """(imported module of the package, is it at the top of the file?)."""
    tree = ast.parse(path.read_text())
    top = set(map(id, tree.body))
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    known, found = modules(), []
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1])
        base = f"{base}.{node.module}" if node.module else base
        for alias in node.names:
            target = f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base
            found.append((target, id(node) in top))
    return found


def area(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def test_every_module_has_a_layer():
    assert {area(name) for name in modules()} - {"", "check"} <= set(LEVEL)


@pytest.mark.parametrize("name", sorted(modules()))
def test_arrows_point_down(name):
    here = area(name)
    for target, _ in imports(name, modules()[name]):
        there = area(target)
        if here == "check":
            assert there in {"check", "errors"}, f"{name}: the referee imports {target}"
        elif there == "check":
            assert name in ASKING, f"{name} asks the referee, which {sorted(ASKING)} do"
        elif here and there and here != there and (here, there) not in LAZY:
            assert LEVEL[there] <= LEVEL[here], f"{name} imports {target}, which is above it"


def test_flow_and_solvers_do_not_know_each_other():
    for name, path in modules().items():
        targets = {area(target) for target, _ in imports(name, path)}
        assert not (area(name) == "flow" and "solvers" in targets), name
        assert not (area(name) == "solvers" and "flow" in targets), name


def test_no_import_cycles():
    graph = {name: {t for t, top in imports(name, path) if top and t != name} for name, path in modules().items()}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path, name))
        if name not in done:
            for target in graph.get(name, ()):
                visit(target, (*path, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize(
    "path", [*FILES, *sorted(ROOT.glob("tests/*.py")), *sorted(ROOT.glob("experiments/**/*.py"))], ids=str
)
def test_files_and_functions_are_small(path):
    text = path.read_text()
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            documentation = ast.get_docstring(node, clean=False) or ""
            length = node.end_lineno - node.lineno + 1 - documentation.count("\n") - bool(documentation)
            assert length <= 60, f"{path.name}:{node.lineno} {node.name} has {length} lines"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_house_rules(path):
    for node in ast.walk(ast.parse(path.read_text())):
        assert not isinstance(node, ast.Assert), f"{path}:{node.lineno}: assert on a user's path"
        assert not (isinstance(node, ast.ExceptHandler) and node.type is None), f"{path}:{node.lineno}: bare except"
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print":
            assert "cli" in path.parts, f"{path}:{node.lineno}: print in the library"


def test_only_two_places_import_cvxpy():
    """The readable statements; `doctor` lists solvers."""
    allowed = ("solvers/conic.py", "cli/doctor.py", "margins/program.py")
    for path in FILES:
        if "import cvxpy" in path.read_text():
            assert str(path.relative_to(PACKAGE)) in allowed, path


def test_top_level_is_what_was_agreed():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    agreed = {"setup.cfg", "README.md", "maxmargin", "tests", "experiments", "data", "docs", "CONTRIBUTING.md"}
    unavoidable = {"pyproject.toml", "LICENSE", "CITATION.cff", "CHANGELOG.md", ".gitignore", ".ci"}
    assert {line.split("/")[0] for line in tracked.stdout.splitlines()} <= agreed | unavoidable


def test_import_is_cheap():
    """No heavy library is loaded by `import maxmargin`, and it takes less than half a second."""
    code = (
        "import time; start = time.process_time(); import maxmargin, sys; maxmargin.InputError;"
        "heavy = {'cvxpy', 'scipy', 'sklearn', 'matplotlib', 'highspy'} & set(sys.modules);"
        "print(time.process_time() - start); assert not heavy, heavy"
    )
    seconds = min(
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    )
    assert seconds < 0.5
