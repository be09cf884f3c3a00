"""A playground in its own process, requests to it, and a headless Chromium; the standard library only."""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit

CHROMEDRIVER = shutil.which("chromedriver")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
XOR = [[-1, -1, -1], [-1, 1, 1], [1, -1, 1], [1, 1, -1]]
CHILD = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); from maxmargin.cli import main; "


class Playground:
    """``maxmargin play`` in a process of its own."""

    def __init__(self, *arguments):
        code = CHILD + "sys.exit(main(sys.argv[1:]))"
        command = [sys.executable, "-W", "error", "-c", code, "play", "--no-browser", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        self.parts = urlsplit(self.url)

    def request(self, method, target, body=None, **headers):
        """Status and body of one request on a connection of its own."""
        connection = http.client.HTTPConnection(self.parts.netloc, timeout=90)
        try:
            given = {"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
            connection.request(method, target, body, given)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def post(self, route, document, **headers):
        """Status and JSON of one API call; a str or bytes is sent as it is."""
        body = document if isinstance(document, (str, bytes)) else json.dumps(document)
        status, answer = self.request("POST", f"/api/{route}?{self.parts.query}", body, **headers)
        return status, json.loads(answer)

    def events(self, seconds, until=None):
        """(time, kind, content) of the stream, for so long or up to an event of that kind."""
        connection = http.client.HTTPConnection(self.parts.netloc, timeout=seconds)
        connection.request("GET", f"/api/stream?{self.parts.query}")
        response, found, end = connection.getresponse(), [], time.monotonic() + seconds
        assert response.status == 200 and response.getheader("Content-Type").startswith("text/event-stream")
        kind = None
        while time.monotonic() < end:
            try:
                line = response.readline().decode().strip()
            except TimeoutError:
                break
            if line.startswith("event: "):
                kind = line[7:]
            elif line.startswith("data: "):
                found.append((time.monotonic(), kind, json.loads(line[6:])))
                if kind == until:
                    break
        connection.close()
        return found

    def interrupt(self):
        """Exit status, output and error after Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


class Browser:
    """Headless Chromium over the WebDriver protocol."""

    def __init__(self, width, height):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.driver = subprocess.Popen(
            [CHROMEDRIVER, f"--port={self.port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        flags = (
            "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
        )
        options = {"args": [*flags.split(), "--disable-component-update", "--disable-sync"], "binary": CHROMIUM}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        for _ in range(100):
            try:
                self.session = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
                break
            except ConnectionRefusedError:
                time.sleep(0.1)
        self.size(width, height)

    def _call(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request(method, path, None if body is None else json.dumps(body))
        value = json.loads(connection.getresponse().read())["value"]
        connection.close()
        if isinstance(value, dict) and "error" in value:
            raise RuntimeError(value["message"])
        return value

    def command(self, method, path, body=None):
        return self._call(method, f"/session/{self.session}{path}", body)

    def size(self, width, height):
        """The page is that many CSS pixels large."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.command("POST", "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics})

    def open(self, url):
        self.command("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        """The value of a JavaScript function body."""
        return self.command("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, script, seconds=40.0):
        """The first truthy value of an expression."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := self.run(f"return {script}"):
                return value
            time.sleep(0.05)
        raise AssertionError(f"{script} is still false; the page says: {self.run('return document.body.innerText')}")

    def pointer(self, *steps):
        """Mouse: ("move", x, y), ("down", button), ("up", button) in CSS pixels of the page."""
        kinds = {"move": "pointerMove", "down": "pointerDown", "up": "pointerUp"}
        actions = []
        for kind, *rest in steps:
            where = (
                {"x": round(rest[0]), "y": round(rest[1]), "duration": 30} if kind == "move" else {"button": rest[0]}
            )
            actions.append({"type": kinds[kind]} | where)
        source = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions}
        self.command("POST", "/actions", {"actions": [source]})

    def keys(self, *names):
        """Press these keys one after the other; WebDriver's code points for special ones."""
        actions = [{"type": kind, "value": key} for key in names for kind in ("keyDown", "keyUp")]
        self.command("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def screenshot(self):
        """PNG bytes of what is seen."""
        return base64.b64decode(self.command("GET", "/screenshot"))

    def console(self):
        """What the page has written on the console since the last call."""
        return [entry["message"] for entry in self.command("POST", "/se/log", {"type": "browser"})]

    def close(self):
        try:
            self.command("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait(timeout=30)
