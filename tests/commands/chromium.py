"""A headless Chromium by its DevTools protocol over a pipe: opens a page, waits for what it shows, takes a picture."""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import time

FOUND = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
"""The program, if there is one on this machine."""


def _frames(tree):
    yield tree["frame"]["id"]
    for child in tree.get("childFrames", ()):
        yield from _frames(child)


class Chromium:
    """One window; `folder` takes its profile."""

    def __init__(self, folder, size="1500,1100"):
        to_browser, self._commands = os.pipe()
        self._answers, from_browser = os.pipe()

        def as_expected():  # the protocol is spoken on descriptors 3 and 4
            os.dup2(os.dup(to_browser), 3)
            os.dup2(os.dup(from_browser), 4)

        words = [FOUND, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"]
        words += ["--disable-site-isolation-trials", "--disable-features=IsolateSandboxedIframes"]  # all in one target
        words += [f"--user-data-dir={folder}", f"--window-size={size}", "--hide-scrollbars", "about:blank"]
        high = os.dup(from_browser), os.dup(to_browser)
        self._process = subprocess.Popen(
            words, preexec_fn=as_expected, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for descriptor in (to_browser, from_browser, *high):
            os.close(descriptor)
        self._rest, self._number, self._session = b"", 0, None
        targets = self._ask("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        self._session = self._ask("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        self._ask("Page.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._session = None
        with contextlib.suppress(OSError):
            self._ask("Browser.close")
        self._process.wait(30)
        os.close(self._commands)
        os.close(self._answers)

    def open(self, address, *expected, seconds=60):
        """Open an address and wait until the page, with its frames, shows all of the expected texts; its text."""
        self._ask("Page.navigate", url="about:blank")
        self._ask("Page.navigate", url=address)
        until = time.monotonic() + seconds
        while True:
            text = self.text()
            missing = [words for words in expected if words not in text]
            if not missing:
                return text
            assert time.monotonic() < until, f"{address} does not show {missing}, but:\n{text}"
            time.sleep(0.2)

    def text(self):
        """What the page and every frame in it show, sandboxed ones too."""
        return "\n".join(self._shown(frame) for frame in _frames(self._ask("Page.getFrameTree")["frameTree"]))

    def _shown(self, frame):
        """Empty for a frame that goes away meanwhile."""
        script = "document.body ? document.body.innerText : ''"
        try:
            world = self._ask("Page.createIsolatedWorld", frameId=frame)["executionContextId"]
            answer = self._ask("Runtime.evaluate", expression=script, contextId=world, returnByValue=True)
        except AssertionError:
            return ""
        return answer["result"].get("value") or ""

    def picture(self, path):
        """The window as a PNG file."""
        path.write_bytes(base64.b64decode(self._ask("Page.captureScreenshot")["data"]))

    def _ask(self, method, **params):
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _read(self):
        while b"\0" not in self._rest:
            part = os.read(self._answers, 1 << 16)
            if not part:
                raise OSError("the browser has ended")
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)
