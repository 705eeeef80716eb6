# SPDX-License-Identifier: Apache-2.0
"""`invigil run` for a test: its configuration, its process, its store; and a receiving end for its hooks."""

import atexit
import collections
import contextlib
import glob
import http.server
import os
import pwd
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from waiting import wait_for  # noqa: E402

INVIGIL = os.environ["INVIGIL"]
TOKEN = "the-token-of-this-console"


class Hooks:
    """Counts calls by path and idempotency key; `answer(path, key, body)` chooses the status. echo: all of a request comes
    back as the answer's text."""

    def __init__(self, answer=lambda path, key, body: 200, echo=False):
        self.calls = collections.Counter()
        self.lock = threading.Lock()
        hooks = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                key = self.headers.get("Idempotency-Key")
                with hooks.lock:
                    hooks.calls[(self.path, key)] += 1
                heads = "".join(f"{name.lower()}: {value}\n" for name, value in self.headers.items())
                text = f"{self.path}\n{heads}\n".encode() + body if echo else b""
                self.send_response(answer(self.path, key, body))
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 1024  # as many as come at once; the kernel drops what is beyond it

            def handle_error(self, request, client_address):
                """A client that was killed is part of the trial."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def lift_guards(baseline):
    """A fleet's day in a minute is more than playbooks may do in their own right: here everything is to be called. What
    is called counts, and does nothing, so no effect of it is looked for (that is what tests/broker/proof is about)."""
    every = "minute: 1000000, hour: 1000000, day: 1000000"
    lifted = f"  executions: {{{every}}}\n"
    lifted += "".join(f"  {guard}: {{{every}, share: 1}}\n" for guard in ("agents", "tenants", "enclaves"))
    lifted += "  ramp: {start: 1000000, errors: 1}\n"
    for path in glob.glob(os.path.join(baseline, "remediations", "*.yaml")):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        text, lifted_here = re.subn(r"^guards:.*\n(  .*\n)+", f"guards:\n{lifted}", text, flags=re.MULTILINE)
        assert lifted_here == 1, path
        text = re.sub(r"^  expect:.*\n(    .*\n)+", "", text, flags=re.MULTILINE)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(path + ".new", path)  # another daemon may be reading it


class Monitor:
    """A daemon in a folder of its own. Starting it again continues with the same store."""

    def __init__(self, folder, baseline, kafka, hooks_url=None, env=None, more=(), roles=None, store=None, guarded=False,
                 group="invigil-test"):
        self.folder = folder
        self.store = store or os.path.join(folder, "invigil.db")
        self.config = os.path.join(folder, "invigil.yaml")
        self.log = os.path.join(folder, "invigil.log")
        self.token = os.path.join(folder, "console.token")
        with open(self.token, "w", encoding="ascii") as file:
            file.write(TOKEN + "\n")
        self.env = {**os.environ, **(env or {})}
        self.process = None
        self.prefix = []  # a command that runs the daemon in its own place
        self.options = ["--roles", roles] if roles else []
        self.uid = None
        if not guarded:
            lift_guards(baseline)
        lines = [f"baseline: {baseline}", "kafka:", f"  group.id: {group}"]
        lines += [f"  {name}: {value}" for name, value in kafka.items()]
        lines += [f"store: {{path: {self.store}}}", f"console: {{listen: '127.0.0.1:0', token_file: {self.token}}}", *more]
        if hooks_url:
            lines.append("endpoints:")
            lines += [f"  {name}: {{url: '{hooks_url}'}}" for name in ("token-authority", "sandbox-orchestrator")]
        with open(self.config, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def as_nobody(self):
        """Where root starts it, it is to become another user, to whom its folder then belongs."""
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            with open(self.config, "a", encoding="utf-8") as file:
                file.write("user: nobody\n")
            self.uid = str(nobody.pw_uid)
        return self

    def check_confined(self):
        """That the confinement is in force, as the kernel has it, for each thread."""
        for thread in os.listdir(f"/proc/{self.process.pid}/task"):
            try:
                with open(f"/proc/{self.process.pid}/task/{thread}/status", encoding="utf-8") as file:
                    status = dict(re.findall(r"^(\w+):\s+(.*)$", file.read(), re.MULTILINE))
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended since
            assert status["Seccomp"] == "2", f"thread {thread}: Seccomp {status['Seccomp']}"
            assert status["NoNewPrivs"] == "1", f"thread {thread}: NoNewPrivs {status['NoNewPrivs']}"
            for name in ("CapInh", "CapPrm", "CapEff", "CapAmb") + (("CapBnd",) if os.geteuid() == 0 else ()):
                assert int(status[name], 16) == 0, f"thread {thread}: {name} {status[name]}"
            if self.uid:
                assert set(status["Uid"].split()) == {self.uid}, f"thread {thread}: Uid {status['Uid']}"
        with open(f"/proc/{self.process.pid}/limits", encoding="utf-8") as file:
            assert re.search(r"Max core file size\s+0\s+0\s", file.read()), "core dumps are forbidden"

    def start(self):
        with open(self.log, "ab") as log:
            self.begun = log.tell()
            self.process = subprocess.Popen([*self.prefix, INVIGIL, "run", "--config", self.config, *self.options],
                                            stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, env=self.env)
        atexit.register(self.kill)  # a test that fails leaves nothing running
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=180)
        assert status == 0, f"ended with status {status}:\n{self.tail()}"

    def tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            text = file.read()
        fault = text.rfind("ERROR: AddressSanitizer")
        return text[fault:] if fault >= 0 else "".join(text.splitlines(True)[-40:])

    def alive(self):
        assert self.process.poll() is None, f"ended by itself, status {self.process.returncode}:\n{self.tail()}"
        return True

    def url(self):
        """The console's address, from the log line in which this process tells it."""
        with open(self.log, encoding="utf-8", errors="replace") as file:
            file.seek(self.begun)
            urls = [part[4:] for line in file if "console.listening" in line for part in line.split()
                    if part.startswith("url=")]
        return urls[-1] if urls else None

    def get(self, path):
        url = wait_for(lambda: self.alive() and self.url(), 120, "the console's address")
        asked = urllib.request.Request(url + path, headers={"Authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.read().decode()

    def rows(self, query, *args):
        if not os.path.exists(self.store):
            return []
        try:
            with contextlib.closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True, timeout=60)) as db:
                return db.execute(query, args).fetchall()
        except sqlite3.OperationalError as error:
            if "no such" not in str(error) and "unable to open" not in str(error):
                raise
            return []  # not made yet

    def findings(self, all_kinds=False):
        """The violations in the store: uid -> (rule, source, id)."""
        rows = self.rows("SELECT uid, rule, trigger_source, trigger_id FROM findings WHERE kind >= ?", 0 if all_kinds else 2)
        return {uid: (rule, source, event) for uid, rule, source, event in rows}
