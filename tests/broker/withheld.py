# SPDX-License-Identifier: Apache-2.0
"""Credentials of a daemon, for hooks and for alert sinks, and a look for them wherever they must not be: the store, the
snapshots, the log, the API, the topics. The other sides send back whatever they were sent."""

import base64
import os
import random

from monitor import TOKEN

PATHS = ("findings?limit=500", "actions?limit=500", "alerts?limit=500", "incidents?limit=100", "fleet", "system", "status",
         "baseline", "coverage", "journal", "audit")
TOPICS = ("invigil.findings", "invigil.actions", "invigil.dead-letter", "invigil.commands")


class Withheld:
    def __init__(self, folder, hooks, notices):
        self.folder, self.hooks, self.notices, self.texts = folder, hooks.url, notices.url, {"console.token": TOKEN}

    def file(self, name, text="{}"):
        """A file that holds a secret, alone or as part of a text; its path."""
        secret = random.SystemRandom().randbytes(16).hex()
        self.texts[name] = secret
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.format(secret) + "\n")
        return path

    def lines(self):
        """The configuration."""
        lines = ["log: {level: debug}", "endpoints:",
                 f"  token-authority: {{url: '{self.hooks}', hmac_key_file: {self.file('tokens.key')},"
                 f" bearer_token_file: {self.file('tokens.bearer')}}}",
                 f"  sandbox-orchestrator: {{url: '{self.hooks}', client_id: monitor,"
                 f" client_secret_file: {self.file('orchestrator.secret')}}}",
                 "alerts:", "  sinks:",
                 f"    hook: {{webhook: {{url: '{self.notices}/hook', hmac_key_file: {self.file('webhook.key')}}}}}",
                 f"    chat: {{slack: {{url_file: {self.file('slack.url', self.notices + '/{}')}}}}}",
                 f"    page: {{pagerduty: {{url: '{self.notices}/page', routing_key_file: {self.file('pagerduty.key')}}}}}"]
        login = f"monitor:{self.texts['orchestrator.secret']}".encode()
        self.texts["a log-in of orchestrator.secret"] = base64.b64encode(login).decode()
        return lines

    def look(self, where, text):
        for name, secret in self.texts.items():
            assert secret.encode() not in text, f"{where} tells what is in {name}"

    def check(self, monitor):
        """While the daemon runs."""
        answers = monitor.rows("SELECT answer FROM steps WHERE answer LIKE '%authorization%'")
        assert any("Bearer *" in answer for answer, in answers) and any("Basic *" in answer for answer, in answers), \
            "credentials were sent, and what came back of them is starred"
        looked = 0
        for folder, _, names in os.walk(self.folder):
            for name in names:
                if name.startswith("invigil.") and name != "invigil.yaml" or "snapshots" in folder:
                    with open(os.path.join(folder, name), "rb") as file:
                        self.look(name, file.read())
                    looked += 1
        assert looked >= 3, "a store, a log, and snapshots"
        for path in PATHS:
            self.look(path, monitor.get("/api/v1/" + path).encode())
        self.look("the metrics", monitor.get("/metrics").encode())

    def check_topics(self, kafka):
        for topic in TOPICS:
            self.look(topic, repr(kafka.read(topic)).encode())
