"""The playground over HTTP: solved, trained, checked, cancelled; what must be refused is; it stops when it should."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time

import numpy as np
import pytest
from play_support import XOR, Playground

import maxmargin as mm
from maxmargin.cli import main
from maxmargin.play import limits

HARD = [
    [*x, int(s)] for x, s in zip(np.random.default_rng(0).uniform(-1, 1, (480, 2)).tolist(), [1, -1] * 240, strict=True)
]


@pytest.fixture(scope="module")
def play():
    playground = Playground("xor")
    yield playground
    playground.close()


def test_the_first_line_is_the_address_with_a_token(play):
    assert play.parts.hostname == "127.0.0.1" and play.parts.query.startswith("token=") and len(play.parts.query) > 25
    status, page = play.request("GET", f"/?{play.parts.query}")
    assert status == 200 and b"@DATA@" not in page
    config = json.loads(page.split(b'id="data">')[1].split(b"</script>")[0])
    assert config["points"] == [[float(u), float(v), s] for u, v, s in XOR]


def test_page_and_modules_load_nothing_from_elsewhere(play):
    page = play.request("GET", f"/?{play.parts.query}")[1].decode()
    loaded = {name for name in play_modules(page)}
    seen = set()
    while loaded - seen:
        name = (loaded - seen).pop()
        status, text = play.request("GET", f"/{name}")
        assert status == 200 and b"http://" not in text and b"https://" not in text, name
        seen.add(name)
        loaded |= set(play_modules(text.decode()))
    assert {"main.js", "drawing.js", "play.css", "solve.js", "train.js"} <= seen


def play_modules(text):
    """Names of what a page or a module loads."""
    import re

    names = re.findall(r'(?:from|import|src=|stylesheet" href=)\s*"(?:\./)?([\w.]+\.(?:js|css))"', text)
    assert not re.search(r"@import|url\(|import\(", text)
    return names


def test_solved_is_what_max_margin_says(play):
    status, answer = play.post("solve", {"points": XOR, "norms": ["f1", "f2", "ntk"]})
    assert status == 200 and answer["n"] == 4
    for norm, found in answer["solved"].items():
        certificate = mm.max_margin("xor", norm, tol=limits.TOLERANCE)
        assert found["lower"] <= certificate.upper and certificate.lower <= found["upper"]
        assert found["status"] == "certified" and found["upper"] - found["lower"] <= limits.TOLERANCE * found["upper"]
        assert found["adversary"] == pytest.approx([0.25] * 4, abs=1e-6), "by symmetry"
    assert len(answer["solved"]["f1"]["atoms"]) == len(answer["solved"]["f1"]["weights"])


def test_contradiction_and_one_class_are_answers(play):
    status, answer = play.post("solve", {"points": [[0, 0, 1], [0, 0, -1]]})
    assert status == 200 and answer["solved"]["f1"]["status"] == "not-separable"
    status, answer = play.post("solve", {"points": [[0.5, 0, 1]]})
    assert status == 200 and answer["solved"]["f1"]["lower"] > 0


def test_check_is_about_the_points_that_were_solved_last(play):
    play.post("solve", {"points": XOR, "norms": ["f1", "f2"]})
    for norm in ("f1", "f2"):
        status, verdict = play.post("check", {"norm": norm})
        assert status == 200 and verdict["holds"] and len(verdict["checks"]) >= 5
    play.post("solve", {"points": XOR[:3], "norms": ["f1"]})
    assert play.post("check", {"norm": "f2"})[0] == 400, "a certificate of other points must be forgotten"


def test_a_time_limit_gives_an_honest_bracket(play):
    status, answer = play.post("solve", {"points": HARD, "norms": ["f1"], "time_limit": 0.05})
    found = answer["solved"]["f1"]
    assert status == 200 and found["status"] == "interrupted" and found["lower"] < found["upper"]
    assert play.post("check", {"norm": "f1"})[1]["holds"], "the bracket is open, and it is proved"


def test_the_latest_request_wins(play):
    """A hard solve is asked and superseded: it answers stale, soon, and the later one is solved."""
    answers = {}

    def ask(name, points):
        began = time.monotonic()
        answers[name] = (
            *play.post("solve", {"points": points, "norms": ["f1"], "time_limit": 5}),
            time.monotonic() - began,
        )

    hard = threading.Thread(target=ask, args=("hard", HARD))
    hard.start()
    time.sleep(0.2)
    ask("easy", XOR)
    hard.join()
    assert answers["hard"][:2] == (200, {"stale": True})
    assert answers["easy"][1]["solved"]["f1"]["status"] == "certified"
    assert answers["easy"][2] < 5 + limits.PATIENCE_SECONDS


def test_cancel_ends_a_solve(play):
    answers = []
    asked = threading.Thread(target=lambda: answers.append(play.post("solve", {"points": HARD, "time_limit": 5})))
    asked.start()
    time.sleep(0.2)
    assert play.post("cancel", {}) == (200, {"cancelled": True})
    asked.join()
    assert answers == [(200, {"stale": True})]
    assert play.post("cancel", {}) == (200, {"cancelled": False})
    assert play.post("solve", {"points": XOR})[1]["solved"]["f1"]["status"] == "certified"


def test_a_run_streams_pauses_steps_and_stops(play):
    _, begun = play.post("train", {"points": XOR, "width": 30, "schedule": "constant", "pace": "slow"})
    events = play.events(3.0)
    frames = [content for _, kind, content in events if kind == "frame" and content["run"] == begun["run"]]
    assert len(frames) > 10 and [frame["step"] for frame in frames] == sorted({frame["step"] for frame in frames})
    assert frames[-1]["directions"]["shape"] == [30, 3] and len(frames[-1]["adversary"]) == 4
    assert play.post("control", {"command": "pause"})[1] == {"running": True}
    time.sleep(0.3)
    quiet = [kind for _, kind, _ in play.events(0.7)]
    assert "frame" not in quiet
    stepped = []
    listener = threading.Thread(target=lambda: stepped.extend(play.events(10.0, until="frame")))
    listener.start()
    time.sleep(0.3)
    play.post("control", {"command": "step"})
    listener.join()
    assert stepped[-1][1] == "frame"
    ended = []
    listener = threading.Thread(target=lambda: ended.extend(play.events(10.0, until="end")))
    listener.start()
    time.sleep(0.3)
    play.post("control", {"command": "stop"})
    listener.join()
    assert ended[-1][2]["status"] == "stopped"
    assert play.post("control", {"command": "resume"})[1] == {"running": False}


def test_the_run_is_that_of_train(play):
    """The last frame of a finished run has the margin of `maxmargin.train` with the same options."""
    found = []
    listener = threading.Thread(target=lambda: found.extend(play.events(60.0, until="end")))
    listener.start()
    time.sleep(0.3)
    play.post("train", {"points": XOR, "width": 20, "steps": 300, "scale": 0.5, "seed": 3, "pace": "fast"})
    listener.join()
    last = [content for _, kind, content in found if kind == "frame"][-1]
    run = mm.train("xor", width=20, steps=300, init="gaussian:0.5", seed=3, schedule="flow")
    assert last["step"] == 300 and found[-1][2]["status"] == "finished"
    assert last["margin"] == pytest.approx(run.margin_last, rel=1e-9), "two orders of summation"


def test_presets_and_csv(play):
    for name, count in (("two points", 2), ("xor", 4), ("polygon", 6), ("clusters", 50), ("moons", 50)):
        status, scene = play.post("preset", {"name": name, "k": 3, "n": 50, "seed": 1})
        assert status == 200 and len(scene["points"]) == count and {p[2] for p in scene["points"]} == {-1, 1}
    text = "y,x1,x2\nno,1,2\nyes,3,4.5\n"
    assert play.post("csv", {"text": text})[1] == {"points": [[1.0, 2.0, -1], [3.0, 4.5, 1]], "classes": ["no", "yes"]}
    for bad in ("", "1,2\n3,4", "x1,x2,y\n1,nan,2\n1,2,3", "1,2,3\n1,2,4\n1,2,5", '"'):
        status, answer = play.post("csv", {"text": bad})
        assert status == 200 and "wanted" in answer["error"]


def test_the_smallest_norm_is_that_of_the_package(play):
    """Through (-1, 1), (0, 0), (1, 1), as |x|: one kink, which is where the middle point lies."""
    points = [[-1, 1], [0, 0], [1, 1]]
    status, answer = play.post("norm", {"points": points, "box": [-2, 2, -1, 2]})
    found = answer["solved"]["f1"]
    best = mm.min_norm((np.array(points, dtype=float)[:, :1], np.array(points, dtype=float)[:, 1]))
    assert status == 200 and found["lower"] <= best.upper and best.lower <= found["upper"]
    assert np.allclose(found["curve"], [[-2, 2], [0, 0], [2, 2]], atol=1e-6) and np.allclose(
        found["kinks"], [[0, 0]], atol=1e-6
    )
    status, answer = play.post("norm", {"points": [[0, 1], [0, 0]]})
    assert status == 200 and answer["solved"]["f1"]["status"] == "infeasible"
    assert play.post("norm", {"points": points, "tube": -1})[0] == 400


REFUSED = {
    "not JSON": ("{", 400),
    "a list": ("[]", 400),
    "no points": ({"points": []}, 400),
    "too many points": ({"points": [[0, 0, 1]] * 501}, 400),
    "10^5 points": ({"points": [[0, 0, 1]] * 100_000}, 413),
    "NaN": ('{"points": [[NaN, 0, 1]]}', 400),
    "infinity": ('{"points": [[1e999, 0, 1]]}', 400),
    "huge": ({"points": [[1e7, 0, 1]]}, 400),
    "text": ({"points": [["0", 0, 1]]}, 400),
    "a third class": ({"points": [[0, 0, 2]]}, 400),
    "other norm": ({"points": XOR, "norms": ["f3"]}, 400),
    "long limit": ({"points": XOR, "time_limit": 1e9}, 400),
    "empty box": ({"points": XOR, "box": [0, 0, 1, 1]}, 400),
    "deep": ("[" * 100_000, 400),
    "10 MB": (b" " * 10_000_000, 413),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_bodies_are_refused_in_one_sentence(play, name):
    body, wanted = REFUSED[name]
    status, answer = play.post("solve", body)
    assert status == wanted and "wanted" in answer["error"] and "\n" not in answer["error"]


@pytest.mark.parametrize(
    "options",
    [
        {"width": 0},
        {"width": 10**6},
        {"width": 2.5},
        {"scale": -1},
        {"layers": "all"},
        {"steps": 10**9},
        {"seed": True},
    ],
    ids=str,
)
def test_bad_runs_are_refused(play, options):
    status, answer = play.post("train", {"points": XOR} | options)
    assert status == 400 and answer["error"].startswith(next(iter(options)))


def test_strangers_are_refused(play):
    query, good = play.parts.query, {"points": XOR}
    for host in ("evil.example", f"evil.example:{play.parts.port}", "127.0.0.1", "0.0.0.0", ""):
        assert play.post("solve", good, Host=host)[0] == 403
        assert play.request("GET", f"/?{query}", Host=host)[0] == 403
    for origin in ("http://evil.example", "null", f"https://127.0.0.1:{play.parts.port}", "http://127.0.0.1:1"):
        assert play.post("solve", good, Origin=origin)[0] == 403
    assert play.post("solve", good, Sec_Fetch_Site="cross-site")[0] == 403
    assert play.post("solve", good, Origin=f"http://127.0.0.1:{play.parts.port}")[0] == 200
    for token in ("", "token=", "token=" + "a" * 24, query[:-1], "token=%ff"):
        for method, path in (("GET", "/"), ("GET", "/api/stream"), ("POST", "/api/solve"), ("POST", "/api/train")):
            assert play.request(method, f"{path}?{token}", json.dumps(good))[0] == 403, (method, path, token)
    assert play.post("solve", good, Content_Type="text/plain")[0] == 415, "a form of another page needs no permission"
    assert play.request("POST", f"/api/nothing?{query}", "{}")[0] == 404
    assert play.request("OPTIONS", f"/api/solve?{query}")[0] == 501


def test_files_are_out_of_reach(play):
    for path in (
        "/../setup.cfg",
        "/index.html",
        "/__init__.py",
        "/%2e%2e/server.py",
        "/play/server.py",
        "//etc/passwd",
    ):
        assert play.request("GET", f"{path}?{play.parts.query}")[0] == 404


def test_headers_forbid_everything_foreign(play):
    connection = http.client.HTTPConnection(play.parts.netloc, timeout=10)
    connection.request("GET", f"/?{play.parts.query}")
    response = connection.getresponse()
    response.read()
    connection.close()
    policy = response.getheader("Content-Security-Policy")
    assert "default-src 'none'" in policy and "script-src 'self';" in policy and "unsafe" not in policy
    assert response.getheader("Access-Control-Allow-Origin") is None
    assert response.getheader("Referrer-Policy") == "no-referrer"


def test_listens_on_loopback_only(play):
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    listening = {row[1] for row in rows if row[3] == "0A" and row[1].endswith(f":{play.parts.port:04X}")}
    assert listening == {f"0100007F:{play.parts.port:04X}"}


def test_idle_connections_do_not_lock_others_out(play):
    """As many silent connections as may be open: after the read limit the server answers again."""
    idle = [socket.create_connection((play.parts.hostname, play.parts.port)) for _ in range(limits.MAX_CONNECTIONS + 4)]
    end, status = time.monotonic() + limits.READ_SECONDS + 10, 0
    while status != 200 and time.monotonic() < end:
        try:
            status = play.request("GET", f"/?{play.parts.query}")[0]
        except (http.client.HTTPException, OSError):
            time.sleep(0.5)
    for connection in idle:
        connection.close()
    assert status == 200


def test_ctrl_c_is_the_ordinary_end():
    playground = Playground("xor")
    try:
        playground.post("train", {"points": XOR})
        began = time.monotonic()
        assert playground.interrupt() == (0, "", "")
        assert time.monotonic() - began < 10
    finally:
        playground.close()


def test_stops_when_the_page_has_been_closed_for_a_while():
    playground = Playground("--close-after", "1")
    try:
        time.sleep(2.0)
        assert playground.process.poll() is None, "nobody has opened the page yet"
        playground.events(1.0)
        assert playground.process.wait(timeout=20) == 0
    finally:
        playground.close()


@pytest.mark.parametrize(
    "arguments, wanted",
    [
        (["iris"], "two features"),
        (["clusters:n=600,d=3"], "at most 500 points"),
        (["xor", "--port", "99999999"], "--port"),
    ],
)
def test_bad_input_is_one_line(arguments, wanted, capsys):
    assert main(["play", "--no-browser", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == "" and wanted in said.err and said.err.count("\n") == 1


GARBAGE = [
    b"\r\n\r\n",
    b"\x00\xff\xfe" * 100 + b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 500 + b"\r\n",
    b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
    b"POST /api/solve?QUERY HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\nContent-Length: -1\r\n\r\n{}",
    b"POST /api/solve?QUERY HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\nContent-Length: 1e9\r\n\r\n{}",
    b"POST /api/solve?QUERY HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"POST /api/solve?QUERY HTTP/1.1\r\nHost: HOST\r\nHost: evil.example\r\nContent-Type: application/json\r\n"
    b"Content-Length: 2\r\n\r\n{}",
    b"POST /api/solve?QUERY HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{}",
]


@pytest.mark.parametrize("text", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_refused_and_the_server_lives(play, text):
    """No answer of these is a success, and the next request is answered."""
    text = text.replace(b"QUERY", play.parts.query.encode()).replace(b"HOST", play.parts.netloc.encode())
    with socket.create_connection((play.parts.hostname, play.parts.port), timeout=15) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while block := connection.recv(65536):
            answer += block
    assert not answer.startswith((b"HTTP/1.1 2", b"HTTP/1.0 2"))
    assert play.request("GET", f"/?{play.parts.query}")[0] == 200
