# SPDX-License-Identifier: Apache-2.0
"""alert_trial as an object, and servers for it to talk to."""

import os
import socket
import subprocess
import tempfile
import threading
import time

import yaml

PROGRAM = os.environ["ALERT_TRIAL"]


def wait_for(condition, seconds, what):
    """Waits for a condition, not for a time: looks ten times a second, gives up after so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        threading.Event().wait(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Trial:
    """One sink named `sink`, of the given kind and settings; "@NAME" stands for the file of that secret."""

    def __init__(self, kind, settings, secrets=None, **section):
        self.folder = tempfile.TemporaryDirectory()
        self.said = ""
        for name, secret in (secrets or {}).items():
            with open(os.path.join(self.folder.name, name), "w", encoding="utf-8") as file:
                file.write(secret + "\n")
        settings = {key: os.path.join(self.folder.name, value[1:]) if str(value).startswith("@") else value
                    for key, value in settings.items()}
        path = os.path.join(self.folder.name, "alerts.yaml")
        with open(path, "w", encoding="utf-8") as file:
            yaml.safe_dump({"sinks": {"sink": {kind: settings}}, **section}, file)
        self.process = subprocess.Popen([PROGRAM, path, os.path.join(self.folder.name, "s.db")], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.at(time.time() - 120)  # what happens then is never in the future, which some would not believe

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        status = self.process.wait(30)
        self.folder.cleanup()
        assert status == 0, f"the trial ended with status {status}"

    def do(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        self.said += answer + "\n"
        assert answer and not answer.startswith("error"), f"{words}: {answer}"
        return answer

    def at(self, seconds):
        self.do("at", int(seconds * 1e9))

    def forward(self, seconds):
        """The trial's clock goes on, and what was quiet is resolved."""
        self.do("pass", int(seconds))

    def tell(self):
        """One turn: (seconds to the next one, why it has failed)."""
        wait, _, why = self.do("tell", "sink").partition(" ")
        return float(wait), why

    def everything(self):
        """All that was said, and all bytes of the store."""
        bytes_of_store = b""
        for name in os.listdir(self.folder.name):
            if name.startswith("s.db"):
                with open(os.path.join(self.folder.name, name), "rb") as file:
                    bytes_of_store += file.read()
        return self.said + bytes_of_store.decode("latin-1")

    def counts(self):
        return tuple(map(int, self.do("count", "sink").split()))
