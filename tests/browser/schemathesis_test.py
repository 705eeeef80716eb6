#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Schemathesis asks a console that has something to tell all that dashboards/openapi.yaml allows, and much that it forbids:
what comes back is described, and of what is forbidden nothing is accepted. Set IV_SEED to repeat a run."""
import os
import re
import subprocess
import sys
import unittest

from console import SOURCE, Console, until, write

sys.path.insert(0, f"{SOURCE}/tests/deploy")
from published import python_packages  # pylint: disable=wrong-import-position

TOKEN = "correct-horse-battery-staple"
EXAMPLES = "8"  # of each kind, for each operation

# Not asked of it: the stream, which does not end. Not judged by it: whether everything that the schemas allow is accepted,
# since they cannot say that a moment lies ahead or that a password is the present one; and whether credentials count, since it
# takes a request with the right token and a cookie of its own making for one that must be refused (access_test.py walks that).
WORDS = ["--exclude-path", "/api/v1/stream", "--exclude-checks", "positive_data_acceptance,ignored_auth",
         "--generation-database", "none", "--request-timeout", "60", "--no-color",
         "--max-examples", EXAMPLES, "--max-failures", "5"]


class Schemathesis(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        packages = python_packages(os.environ["IV_PACKAGES"], "tests/browser/schemathesis.txt")
        cls.program = os.path.join(packages, "bin/schemathesis")

    def ask(self, seed, phases, at_least):
        with Console() as console:
            path = write(f"{console.folder}/token", TOKEN + "\n")
            uid = console.tell("finding", "TOK-002", "acme", "agent-17", "tok-1")
            console.tell("many", "30")
            key = console.tell("plan", uid, "hold", "agent-17")
            console.tell("alert", "TOK-002", "acme", "firing")
            write(f"{console.folder}/schemathesis.toml", f'[parameters]\n"path.uid" = "{uid}"\n"path.key" = "{key}"\n')
            console.stop()
            console.options["token_file"] = path
            console.start()
            console.tell("ready")
            header = {"Authorization": f"Bearer {TOKEN}"}
            until(lambda: console.get("/api/v1/incidents", headers=header)["items"], "incidents know of the findings")
            answer = subprocess.run([self.program, "run", f"{SOURCE}/dashboards/openapi.yaml", "--url", console.url, "-H",
                                     f"Authorization: Bearer {TOKEN}", "--seed", str(seed), "--phases", phases,
                                     *WORDS], text=True, check=False,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                    cwd=console.folder, timeout=240)
            self.assertEqual(answer.returncode, 0, f"IV_SEED={seed}\n{answer.stdout[-8000:]}")
            generated, passed = map(int, re.search(r"(\d+) generated, (\d+) passed", answer.stdout).groups())
            print(f"{passed} cases")
            self.assertEqual(generated, passed)
            self.assertGreater(passed, at_least)

    def test_what_is_described_is_what_is_answered(self):
        self.ask(1, "coverage,fuzzing", 500)

    def test_so_it_is_with_other_questions(self):
        """The same ones in each run; IV_SEED takes others."""
        seed = int(os.environ.get("IV_SEED", "2"))
        print(f"IV_SEED={seed}")
        self.ask(seed, "fuzzing", 100)


unittest.main()
