# SPDX-License-Identifier: Apache-2.0
"""A console to talk to: the test server over a fresh store, and clients that speak HTTP well or badly."""
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import time

SERVER = os.environ["IV_CONSOLE_SERVER"]
SOURCE = os.environ["IV_SOURCE_DIR"]
PATIENCE = 120  # seconds until a condition that does not come about fails the test
MAY = {"viewer": {"read"}, "analyst": {"read", "triage"}, "responder": {"read", "triage", "respond"},
       "auditor": {"read", "audit"}, "admin": {"read", "triage", "respond", "audit", "admin"}}


class Console:
    """with Console() as c: c.tell("finding", …) commits; c.get("/api/v1/status") asks."""

    def __init__(self, **options):
        self.folder = tempfile.mkdtemp(prefix="invigil-console-")
        self.options = {"store": f"{self.folder}/store.db", "listen": "127.0.0.1:0", "pulse_ms": "200",
                        "answer_ms": "60000", **options}
        self.child = None
        self.start()

    def start(self):
        words = [SERVER] + [f"{name}={value}" for name, value in self.options.items()]
        self.errors = open(f"{self.folder}/errors", "w+", encoding="utf-8")
        # What AddressSanitizer keeps of freed memory would hide what the server itself holds.
        options = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=4"]))
        self.child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True,
                                      env={**os.environ, "ASAN_OPTIONS": options})
        self.url = self.child.stdout.readline().strip()
        if not self.url:
            self.child.communicate(timeout=PATIENCE)
            said = self.said()
            self.errors.close()
            shutil.rmtree(self.folder, ignore_errors=True)
            raise RuntimeError(said)
        self.port = int(self.url.rsplit(":", 1)[1])

    def said(self):
        self.errors.seek(0)
        return self.errors.read()

    def stop(self):
        """Ends the server in an orderly way; its exit status and words tell of leaks and undefined behaviour."""
        if self.child.poll() is None:
            self.child.stdin.write("quit\n")
            self.child.stdin.flush()
        status = self.child.wait(PATIENCE)
        self.child.stdin.close()
        self.child.stdout.close()
        said = self.said()
        self.errors.close()
        assert status == 0 and "Sanitizer" not in said, f"the server ended with {status}: {said}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def tell(self, *words):
        self.child.stdin.write("\t".join(words) + "\n")
        self.child.stdin.flush()
        answer = self.child.stdout.readline().rstrip("\n")
        assert not answer.startswith("! "), answer
        return answer

    def ask(self, path, method="GET", headers=None, body=None):
        """(status, headers in lower case, body)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def get(self, path, **kwargs):
        status, _, body = self.ask(path, **kwargs)
        assert status == 200, f"{path}: {status} {body}"
        return json.loads(body)

    def send(self, path, body, method="POST", headers=None):
        """The same with a body of JSON."""
        return self.ask(path, method, {"Content-Type": "application/json", **(headers or {})}, json.dumps(body))

    def tries(self, path, body):
        """Once more as soon as the console says that one may."""
        return until(lambda: (lambda answer: answer[0] not in (429, 503) and answer)(self.send(path, body)), "the wait ends")

    def raw(self, data, patience=PATIENCE):
        """All that comes back on a connection that gets these bytes, until the other side ends it or is silent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=patience) as s:
            try:
                s.sendall(data)
            except (BrokenPipeError, ConnectionResetError):
                pass
            return drain(s)

    def resident(self):
        with open(f"/proc/{self.child.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


class Authority:
    """A certificate authority of our own in a folder, and one that nobody knows: "ca" and "other"."""

    def __init__(self, folder):
        self.folder = folder
        for ca in ["ca", "other"]:
            self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                          f"/CN={ca}", "-keyout", f"{ca}.key", "-out", f"{ca}.pem")
        self.issue("server", "ca", "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth")

    def _openssl(self, *words):
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    def issue(self, name, ca="ca", extensions="extendedKeyUsage=clientAuth"):
        write(f"{self.folder}/{name}.ext", extensions)
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout",
                      f"{name}.key", "-out", f"{name}.csr")
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial",
                      "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.pem")

    def options(self, clients):
        """Of a console with the certificate; clients: those of the authority alone are let in."""
        files = {"certificate": "server.pem", "key": "server.key"} | ({"client_ca": "ca.pem"} if clients else {})
        return {name: f"{self.folder}/{file}" for name, file in files.items()}

    def ask(self, console, path, client=None, method="GET", headers=None, body=None, change=None):
        """(status, headers in lower case, body). change: of the TLS context."""
        context = ssl.create_default_context(cafile=f"{self.folder}/ca.pem")
        if change is not None:
            change(context)
        if client is not None:
            context.load_cert_chain(f"{self.folder}/{client}.pem", f"{self.folder}/{client}.key")
        connection = http.client.HTTPSConnection("127.0.0.1", console.port, context=context, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()


def routes():
    """(method, path, needs)"""
    with open(f"{SOURCE}/monitor/console/routes.def", encoding="utf-8") as file:
        return re.findall(r'^ROUTE\(\w+,\s*"(\w+)",\s*"([^"]+)",\s*(\w+),', file.read(), re.MULTILINE)


def drain(s):
    data = b""
    try:
        while piece := s.recv(65536):
            data += piece
    except (ConnectionResetError, TimeoutError):
        pass
    return data


def until(condition, what):
    """Waits for a condition, not for a time."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"did not come about: {what}")


class Stream:
    """A client of /api/v1/stream. next() answers (id, event, data)."""

    def __init__(self, console, after=None, last_event_id=None, receive_bytes=None, headers=None):
        self.socket = socket.socket()
        if receive_bytes is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", console.port))
        query = "" if after is None else f"?after={after}"
        header = "" if last_event_id is None else f"Last-Event-ID: {last_event_id}\r\n"
        header += "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        self.socket.sendall(f"GET /api/v1/stream{query} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n".encode())

    def open(self):
        """Reads the head; the events follow."""
        self.file = self.socket.makefile("rb")
        status = self.file.readline()
        assert b" 200 " in status, status
        while self.file.readline() != b"\r\n":
            pass
        self.text = b""
        return self

    def _line(self):
        while b"\n" not in self.text:
            size = int(self.file.readline(), 16)
            if size == 0:
                raise EOFError("the stream ended")
            self.text += self.file.read(size)
            self.file.readline()
        line, self.text = self.text.split(b"\n", 1)
        return line.decode()

    def next(self, *kinds):
        """The next event, of these kinds if any are given."""
        while True:
            event = {}
            while (line := self._line()) != "":
                name, _, value = line.partition(": ")
                event[name] = value
            if "event" in event and (not kinds or event["event"] in kinds):
                return event.get("id"), event["event"], json.loads(event["data"])

    def close(self):
        if hasattr(self, "file"):
            self.file.close()
        self.socket.close()
