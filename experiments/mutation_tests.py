"""The tests of one mutant, from a process that is already warm: the test command of experiments/mutation.py.

    python experiments/mutation_tests.py serve SOCKET GROUP.json   # answers until it is told to stop
    python experiments/mutation_tests.py ask SOCKET                # exit status 0: no test noticed the change

The server imports what the tests import from elsewhere (NumPy, SciPy, the solvers), runs the unchanged tests once,
and records the lines of the mutated files that each test reaches.  For every question it forks.  The fork imports the
changed package and runs the tests that reach the changed line, the quickest first, until one fails.  It may use a
multiple of the CPU seconds that the unchanged tests take, so that other processes do not decide about a mutant.
"""

from __future__ import annotations

import ast
import os
import socket
import sys

LIMIT, LEAST = 3.0, 6.0  # CPU seconds of a fork: so many times those of the unchanged tests, and at least so many
ALL_PASSED, SOME_FAILED, SIGNALLED = 0, 1, 2


def ask(path: str) -> int:
    """Exit status of the tests on the files as they are now."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        return int(connection.recv(16) or b"1")


class Recorder:
    """pytest plugin: the lines of the mutated files that each test reaches, and its CPU seconds."""

    def __init__(self, files: list[str]) -> None:
        import coverage

        self.cover = coverage.Coverage(data_file=None, include=files, config_file=False)
        self.seconds: dict[str, float] = {}

    def pytest_runtest_protocol(self, item: object, nextitem: object) -> None:
        self.cover.switch_context(item.nodeid)  # type: ignore[attr-defined]
        self.seconds[item.nodeid] = -os.times().user  # type: ignore[attr-defined]

    def pytest_runtest_logfinish(self, nodeid: str, location: object) -> None:
        self.seconds[nodeid] += os.times().user

    def reached(self) -> dict[str, dict[int, list[str]]]:
        """Tests by file and line."""
        data = self.cover.get_data()
        return {os.path.realpath(name): data.contexts_by_lineno(name) for name in data.measured_files()}


class Chosen:
    """pytest plugin: these tests and no others, in this order."""

    def __init__(self, names: list[str]) -> None:
        self.place = {name: place for place, name in enumerate(names)}

    def pytest_collection_modifyitems(self, items: list[object]) -> None:
        items[:] = [item for item in items if item.nodeid in self.place]  # type: ignore[attr-defined]
        items.sort(key=lambda item: self.place[item.nodeid])  # type: ignore[attr-defined]


def enclosing(source: str, line: int) -> range:
    """Lines of the innermost function around a line; of the whole file if there is none."""
    found = range(1, source.count("\n") + 2)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.lineno <= line <= (node.end_lineno or 0):
            inside = range(node.body[0].lineno, (node.end_lineno or 0) + 1)
            found = inside if len(inside) <= len(found) and line in inside else found
    return found


def examples_only() -> None:
    """Hypothesis without a search for the simplest failure: the first one decides."""
    if "hypothesis" in sys.modules:
        from hypothesis import Phase, settings

        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("mutants", phases=phases, database=None, derandomize=True, deadline=None)
        settings.load_profile("mutants")


class Server:
    """Unchanged files, what the tests reach in them, and a fork for each question."""

    def __init__(self, files: list[str], tests: list[str], budget: float) -> None:
        self.tests, self.budget = tests, budget
        self.pristine = {os.path.realpath(name): self.read(name) for name in files}
        self.lines: dict[str, dict[int, list[str]]] = {}
        self.seconds: dict[str, float] = {}

    @staticmethod
    def read(name: str) -> str:
        with open(name, encoding="utf-8") as handle:
            return handle.read()

    def pytest(self, files: list[str], plugin: object, *more: str) -> int:
        """Run tests in this process."""
        import pytest

        loaded = "ignore::pytest.PytestAssertRewriteWarning"  # pytest's own plugins are among what is loaded before
        options = ["-q", "--tb=no", "-p", "no:cacheprovider", "-W", loaded, *more]
        return int(pytest.main([*options, *files], plugins=[plugin]))

    def record(self) -> None:
        """Run the unchanged tests in a fork; keep what they reach, and load what they loaded from elsewhere."""
        import importlib
        import json

        read, write = os.pipe()
        if os.fork() == 0:
            with os.fdopen(write, "w", encoding="utf-8") as out:
                json.dump(self.recorded(), out)
            os._exit(0)
        os.close(write)
        with os.fdopen(read, encoding="utf-8") as back:
            status, self.seconds, lines, foreign = json.load(back)
        os.wait()
        if status != ALL_PASSED:
            raise SystemExit("mutation: the unchanged tests do not pass")
        self.lines = {name: {int(line): found for line, found in by.items()} for name, by in lines.items()}
        for name in foreign:
            try:
                importlib.import_module(name)
            except Exception:  # an optional part that only its own package can import
                continue

    def recorded(self) -> tuple[int, dict[str, float], dict[str, dict[int, list[str]]], list[str]]:
        """Exit status, CPU seconds and reached lines of the unchanged tests, and the foreign modules that they load."""
        examples_only()
        recorder, here = Recorder(list(self.pristine)), os.path.realpath(os.getcwd()) + os.sep
        recorder.cover.start()
        status = self.pytest(self.tests, recorder)
        recorder.cover.stop()
        places = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
        foreign = [name for name, place in places.items() if place and not place.startswith(here)]
        return status, recorder.seconds, recorder.reached(), [name for name in foreign if not name.startswith("__m")]

    def choice(self) -> list[str]:
        """Tests that reach the changed lines; those of the function if the line is reached by none."""
        found: set[str] = set()
        for name, before in self.pristine.items():
            after = self.read(name)
            if after == before:
                continue
            old, new, by = before.splitlines(), after.splitlines(), self.lines.get(name, {})
            first = next((k for k, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), 0) + 1
            tests = set(by.get(first, []))
            if not tests:
                tests = {test for line in enclosing(before, first) for test in by.get(line, [])}
            found |= tests - {""} if tests and "" not in tests else set(self.seconds)  # "": what an import reaches
        ordered = sorted(found or self.seconds, key=lambda test: self.seconds.get(test, 0.0))
        total, kept = 0.0, []
        for test in ordered:
            total += self.seconds.get(test, 0.0)
            if kept and total > self.budget:
                break
            kept.append(test)
        return kept

    def answer(self) -> int:
        """Fork, run the chosen tests there, and say how it ended."""
        import resource

        chosen = self.choice()
        allowed = max(LEAST, LIMIT * sum(self.seconds.get(test, 0.0) for test in chosen))
        child = os.fork()
        if child == 0:
            resource.setrlimit(resource.RLIMIT_CPU, (int(allowed), int(allowed) + 2))
            resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
            sys.dont_write_bytecode = True
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, 1)
            os.dup2(nothing, 2)
            examples_only()
            files = sorted({test.split("::")[0] for test in chosen})
            outcome = SOME_FAILED
            try:
                outcome = SOME_FAILED if self.pytest(files, Chosen(chosen), "-x") else ALL_PASSED
            finally:
                os._exit(outcome)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else SIGNALLED

    def serve(self, path: str) -> None:
        """Answer questions until the socket file is gone."""
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(1)
            listener.settimeout(5.0)
            while os.path.exists(path):
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                with connection:
                    connection.sendall(str(self.answer()).encode())


def main(mode: str, path: str, *group: str) -> int:
    if mode == "ask":
        return ask(path)
    import json

    with open(group[0], encoding="utf-8") as handle:
        given = json.load(handle)
    server = Server(given["files"], given["tests"], given["budget"])
    sys.path.insert(0, os.getcwd())
    server.record()
    if server.answer() != ALL_PASSED:
        raise SystemExit("mutation: the unchanged tests do not pass in a fork")
    server.serve(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
