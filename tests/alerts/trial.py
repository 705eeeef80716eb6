# SPDX-License-Identifier: Apache-2.0
"""alert_trial as an object, and servers for it to talk to."""

import os
import subprocess
import sys
import tempfile
import time

import yaml

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from waiting import free_port, wait_for  # noqa: E402,F401 (for those who have a trial)

PROGRAM = os.environ["ALERT_TRIAL"]


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
        status = self.process.wait(120)
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
