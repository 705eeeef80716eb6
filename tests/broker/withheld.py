# SPDX-License-Identifier: Apache-2.0
"""Credentials of a daemon, for hooks and for alert sinks, and a look for them wherever they must not be: the store, the
snapshots, the log, the API, the topics. The other sides send back whatever they were sent."""

import base64
import os
import random
import subprocess

from monitor import TOKEN

PATHS = ("findings?limit=500", "actions?limit=500", "alerts?limit=500", "incidents?limit=100", "fleet", "system", "status",
         "baseline", "coverage", "journal", "audit")
# For what violates a rule that names no playbook, so that it is still one execution for a finding.
TELL = """apiVersion: invigil/v1
kind: Playbook
metadata: {name: tell-identity-provider, title: Tell the identity provider}
target: "{{finding.uid}}"
"on": [{rules: ["KEY-*", "LED-*", "SEM-*", "CHG-*", "AVL-*", "PRV-*", "DET-*"]}]
guards:
  ramp: {start: 1000}
steps:
- name: tell
  ssf.push: {endpoint: identity-provider, subject: {format: opaque, id: "{{finding.uid}}"}, reason: "{{rule.title}}"}
"""
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

    def key(self, name, pem):
        """The path of a private key, each line of which is a secret."""
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(pem)
        self.key_of(path)
        return path

    def key_of(self, path):
        with open(path, encoding="ascii") as file:
            for number, line in enumerate(file):
                if not line.startswith("-----"):
                    self.texts[f"{os.path.basename(path)}, line {number}"] = line.strip()

    def lines(self):
        """The configuration. What listens for mail speaks no TLS, so that this password is never sent; that the sink is away
        would be a finding, if the trial took long enough."""
        pem = subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], check=True,
                             capture_output=True).stdout
        signing = self.key("ssf.key", pem)
        lines = ["log: {level: debug}", "endpoints:",
                 f"  token-authority: {{url: '{self.hooks}', hmac_key_file: {self.file('tokens.key')},"
                 f" bearer_token_file: {self.file('tokens.bearer')}}}",
                 f"  sandbox-orchestrator: {{url: '{self.hooks}', client_id: monitor,"
                 f" client_secret_file: {self.file('orchestrator.secret')}}}",
                 f"  identity-provider: {{url: '{self.notices}/ssf', bearer_token_file: {self.file('ssf.bearer')},"
                 f" set: {{issuer: 'https://i.example/', audience: 'https://a.example/', key_id: k1, key_file: {signing}}}}}",
                 "alerts:", "  unreachable_after: 24h", "  sinks:",
                 f"    hook: {{webhook: {{url: '{self.notices}/hook', hmac_key_file: {self.file('webhook.key')},"
                 f" bearer_token_file: {self.file('webhook.bearer')}}}}}",
                 f"    ops: {{alertmanager: {{url: '{self.notices}/ops', bearer_token_file: {self.file('ops.bearer')}}}}}",
                 "    mail: {smtp: {url: 'smtps://" + self.notices.removeprefix("http://") + "', from: a@example.org,"
                 f" to: b@example.org, user: invigil, password_file: {self.file('mail.secret')}}}}}",
                 f"    chat: {{slack: {{url_file: {self.file('slack.url', self.notices + '/{}')}}}}}",
                 f"    page: {{pagerduty: {{url: '{self.notices}/page', routing_key_file: {self.file('pagerduty.key')}}}}}"]
        login = f"monitor:{self.texts['orchestrator.secret']}".encode()
        self.texts["a log-in of orchestrator.secret"] = base64.b64encode(login).decode()
        return lines

    @staticmethod
    def tell(baseline):
        with open(os.path.join(baseline, "remediations", "tell-identity-provider.yaml"), "w", encoding="utf-8") as file:
            file.write(TELL)

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
