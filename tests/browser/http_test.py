#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the console makes of requests that are not as they should be, and who it serves."""
import base64
import contextlib
import http.client
import json
import os
import random
import re
import socket
import sqlite3
import ssl
import tempfile
import time
import unittest
import warnings
from urllib.parse import quote

from console import MAY, PATIENCE, Authority, Console, Stream, drain, routes, until, write

TOKEN = "correct-horse-battery-staple"
PERIODS = ["findings", "incidents", "coverage", "posture", "audit", "journal", "actions", "alerts", "remediation"]


def damage(whole, chance):
    """Some bytes changed, lost, put in or said twice."""
    damaged = bytearray(whole)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(damaged))
        kind = chance.randrange(4)
        if kind == 0:
            damaged[at] = chance.randrange(256)
        elif kind == 1 and len(damaged) > 20:
            del damaged[at:at + chance.randint(1, 9)]
        elif kind == 2:
            damaged[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 40)))
        else:
            damaged[at:at] = damaged[at:at + chance.randint(1, 60)]
    return bytes(damaged)


class Shapes(unittest.TestCase):
    """One console for all: each test leaves it as it was."""

    @classmethod
    def setUpClass(cls):
        cls.console = Console(head_s="1", idle_s="2")
        cls.console.tell("ready")
        for i in range(3):
            cls.console.tell("finding", "TOK-002", "acme", f"agent-{i}", "tok-1")

    @classmethod
    def tearDownClass(cls):
        cls.console.__exit__()

    def tearDown(self):
        self.assertEqual(self.console.get("/healthz"), {"status": "ok"}, "it still answers")

    def test_every_answer_carries_the_headers_that_keep_a_browser_safe(self):
        for path in ["/", "/healthz", "/api/v1/findings", "/nothing", "/api/v1/findings?x=1"]:
            _, headers, _ = self.console.ask(path)
            self.assertIn("default-src 'self'", headers["content-security-policy"], path)
            self.assertNotIn("unsafe", headers["content-security-policy"], path)
            self.assertEqual(headers["x-content-type-options"], "nosniff", path)
            self.assertEqual(headers["referrer-policy"], "no-referrer", path)
            self.assertEqual(headers["x-frame-options"], "DENY", path)

    def test_head_is_get_without_its_body(self):
        for path in ["/", "/api/v1/findings", "/api/v1/stream"]:
            status, headers, body = self.console.ask(path, method="HEAD")
            self.assertEqual((status, body), (200, b""), path)
            self.assertIn("content-type", headers, path)

    def test_head_answers_on_every_route_as_get_does(self):
        with Console() as console:
            uid = console.tell("finding", "TOK-002", "acme", "agent-9", "tok-1")
            key = console.tell("plan", uid, "revoke-tokens-globally", "agent-9")
            for path in [path for method, path, _ in routes() if method == "GET"]:
                for variable in [uid, key, "nothing"] if "{" in path else [""]:
                    url = re.sub(r"\{\w+\}", variable, path)
                    got = console.ask(url, headers={"Last-Event-ID": "none"})  # of the stream no events: 400
                    head = console.ask(url, "HEAD", {"Last-Event-ID": "none"})
                    self.assertEqual((head[0], head[2]), (got[0], b""), url)
                    self.assertEqual(head[1].keys(), got[1].keys(), url)
                    self.assertEqual(head[1]["content-type"], got[1]["content-type"], url)

    def test_other_methods_are_refused_with_the_ones_that_are_served(self):
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"]:
            status, headers, _ = self.console.ask("/api/v1/findings", method=method)
            self.assertEqual((status, headers.get("allow")), (405, "GET, HEAD"), method)

    def test_what_is_not_there_is_a_problem_document(self):
        for path in ["/nothing", "/api/v1", "/api/v1/findings/", "/api/v1/findings/a/b", "/api/v2/findings", "/index.html/"]:
            status, headers, body = self.console.ask(path)
            self.assertEqual((status, headers["content-type"]), (404, "application/problem+json"), path)
            self.assertEqual(json.loads(body)["status"], 404, path)

    def test_no_path_leaves_the_embedded_files(self):
        for path in ["/../etc/passwd", "/assets/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd",
                     "/assets/%2e%2e%2findex.html", "//etc/passwd", "/assets//", "/.", "/%00", "/assets/..%5c..%5cx",
                     "/healthz%00.js", "/%c0%ae%c0%ae/etc/passwd"]:
            answer = self.console.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            self.assertIn(b" 404 ", answer.split(b"\r\n")[0], path)
            self.assertNotIn(b"root:", answer, path)

    def test_a_fragment_of_sql_in_any_filter_is_a_value_that_matches_nothing(self):
        fragments = ["' OR '1'='1", "'; DROP TABLE findings; --", "1) UNION SELECT * FROM facts --", "%' --", "\" OR 1=1",
                     "x\\' OR 1=1 --", "acme'--", "*", "%", "_____"]
        for name in ["rule", "criterion", "tenant", "agent"]:
            for fragment in fragments:
                page = self.console.get(f"/api/v1/findings?{name}={quote(fragment)}")
                self.assertEqual(page["items"], [], (name, fragment))
        for name in ["severity", "from", "to", "after", "limit", "order", "format", "suppressed"]:
            for fragment in fragments:
                status, _, _ = self.console.ask(f"/api/v1/findings?{name}={quote(fragment)}")
                self.assertEqual(status, 400, (name, fragment))
        self.assertEqual(self.console.get("/api/v1/actions?finding=" + quote("' OR '1'='1"))["items"], [])
        self.assertEqual(len(self.console.get("/api/v1/findings?tenant=acme")["items"]), 3)

    def test_a_query_that_is_not_understood_is_refused_and_says_why(self):
        for query, word in [("sevrity=high", "severity"), ("limit=1&limit=2", "twice"), ("rule=" + "x" * 300, "256"),
                            ("tenant=" + "x" * 4097, "4096"),
                            ("tenant=%ff%fe", "UTF-8"), ("limit=-1", "limit"), ("limit=9e9", "limit"), ("after=1x", "after"),
                            ("from=2026-13-01T00:00:00Z", "from"), ("severity=high,", "severity")]:
            status, _, body = self.console.ask(f"/api/v1/findings?{query}")
            if word is not None:
                self.assertEqual(status, 400, query)
                self.assertIn(word, json.loads(body)["detail"], query)

    def test_a_nul_in_a_query_cuts_nothing_short(self):
        status, _, body = self.console.ask("/api/v1/findings?tenant=acme%00junk")
        self.assertEqual((status, "NUL" in json.loads(body)["detail"]), (400, True))

    def test_a_head_that_is_too_large_is_refused(self):
        for head in [b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
                     b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
                     b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 9000 + b"\r\n"]:
            answer = self.console.raw(head)
            self.assertTrue(answer == b"" or answer.split(b" ")[1] in (b"413", b"414", b"431"), answer[:80])

    def test_what_is_not_http_is_cut_off(self):
        for junk in [b"\x00" * 64, b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"GET /healthz HTTP/9.9\r\n\r\n",
                     b"GET /healthz HTTP/1.1\r\n\r\n", b"\r\n" * 50, b"GET  /healthz  HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n bad: folded\r\nno colon\r\n\r\n", bytes(range(256))]:
            answer = self.console.raw(junk)
            self.assertNotIn(b'{"status":"ok"}', answer, junk)

    def test_a_body_is_refused_and_what_follows_it_is_not_taken_for_a_request(self):
        smuggled = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for head in [b"Content-Length: %d\r\n" % len(smuggled), b"Transfer-Encoding: chunked\r\n",
                     b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", b"Content-Length: 0\r\nContent-Length: 46\r\n",
                     b"Transfer-Encoding: identity\r\nContent-Length: 3\r\n", b"Content-Length: +3\r\n",
                     b"Content-Length: 99999999999999999999\r\n"]:
            answer = self.console.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n" + smuggled)
            self.assertNotIn(b"invigil_", answer, head)
            self.assertNotIn(b"HTTP/1.1 200", answer, head)

    def test_a_request_for_two_hosts_is_refused(self):
        answer = self.console.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nhost: elsewhere\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer[:80])

    def test_requests_that_were_damaged_on_the_way_do_no_harm(self):
        """Set IV_SEED to repeat a run."""
        seed = int(os.environ.get("IV_SEED", time.time_ns() % 1_000_000))
        chance = random.Random(seed)
        whole = (b"GET /api/v1/findings?severity=high&tenant=acme&limit=5 HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n"
                 b"If-None-Match: \"x\"\r\nLast-Event-ID: 1-1\r\nAuthorization: Basic YTpi\r\nConnection: close\r\n\r\n")
        sent = []
        for number in range(200):
            s = socket.create_connection(("127.0.0.1", self.console.port), timeout=PATIENCE)
            s.sendall(damage(whole, chance))
            s.shutdown(socket.SHUT_WR)
            sent.append(s)
        for number, s in enumerate(sent):
            answer = drain(s)
            s.close()
            self.assertTrue(answer == b"" or answer.startswith(b"HTTP/1."), f"IV_SEED={seed}, request {number}: {answer[:60]}")

    def test_requests_in_a_row_are_answered_in_a_row(self):
        one = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        answer = self.console.raw(one * 5 + b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        self.assertEqual(answer.count(b"HTTP/1.1 200 OK"), 6)

    def test_a_connection_that_is_half_closed_is_let_go(self):
        """By what stands behind it: nothing, part of a request, a request, a stream that would go on for ever."""
        host = b" HTTP/1.1\r\nHost: localhost\r\n"
        for request in (b"", b"GET /healthz" + host, b"GET /healthz" + host + b"\r\n",
                        b"GET /api/v1/stream" + host + b"\r\n",
                        b"POST /api/v1/session" + host + b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{"):
            with socket.create_connection(("127.0.0.1", self.console.port), timeout=PATIENCE) as s:
                s.sendall(request)
                s.shutdown(socket.SHUT_WR)
                given_up = time.monotonic() + PATIENCE
                while s.recv(65536):
                    self.assertLess(time.monotonic(), given_up, request)

    def test_a_request_that_trickles_in_is_cut_off(self):
        with socket.create_connection(("127.0.0.1", self.console.port), timeout=PATIENCE) as s:
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")

            def cut():
                try:
                    s.sendall(b"X: y\r\n")
                    s.settimeout(0.05)
                    return s.recv(1) == b""
                except TimeoutError:
                    return False
                except OSError:
                    return True

            until(cut, "the server ends a head that does not")

    def test_a_body_that_trickles_in_is_cut_off(self):
        with socket.create_connection(("127.0.0.1", self.console.port), timeout=PATIENCE) as s:
            s.sendall(b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                      b"Content-Length: 60000\r\n\r\n{")

            def cut():
                try:
                    s.sendall(b" ")
                    s.settimeout(0.05)
                    return s.recv(1) == b""
                except TimeoutError:
                    return False
                except OSError:
                    return True

            until(cut, "the server ends a body that does not")

    def test_clients_that_never_finish_hold_nobody_up(self):
        heads = [b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ",
                 b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                 b"Content-Length: 9\r\n\r\n{"]
        before = self.console.resident()
        held = []
        for i in range(200):
            held.append(socket.create_connection(("127.0.0.1", self.console.port), timeout=PATIENCE))
            held[-1].sendall(heads[i % len(heads)])
        self.assertEqual(self.console.get("/healthz"), {"status": "ok"})
        self.assertLess(self.console.resident() - before, 200 * (128 << 10), "what each may hold")
        for s in held:
            self.assertIn(drain(s)[:12], (b"", b"HTTP/1.1 408"))
            s.close()

    def test_as_many_connections_as_are_allowed_and_not_one_more(self):
        with Console(max_connections="16") as console:
            held = [socket.create_connection(("127.0.0.1", console.port), timeout=PATIENCE) for _ in range(16)]
            for s in held:
                s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.assertIn(b"200 OK", s.recv(4096))
            with socket.create_connection(("127.0.0.1", console.port), timeout=1) as late:
                late.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                self.assertEqual(drain(late), b"", "it waits its turn")
                held.pop().close()
                late.settimeout(PATIENCE)
                self.assertIn(b"200 OK", drain(late))
            for s in held:
                s.close()

    def test_another_site_cannot_make_a_browser_read_from_here(self):
        for host, status in [("evil.example", 421), ("evil.example:8088", 421), ("localhost.evil.example", 421),
                             ("127.0.0.1", 200),
                             (f"localhost:{self.console.port}", 200), ("[::1]:80", 200), ("LOCALHOST", 200)]:
            self.assertEqual(self.console.ask("/api/v1/findings", headers={"Host": host})[0], status, host)

    def test_an_etag_saves_the_body(self):
        _, headers, body = self.console.ask("/api/v1/findings")
        status, again, empty = self.console.ask("/api/v1/findings", headers={"If-None-Match": headers["etag"]})
        self.assertEqual((status, empty, again["etag"]), (304, b"", headers["etag"]))
        self.assertEqual(self.console.ask("/api/v1/findings", headers={"If-None-Match": '"other"'})[2], body)

    def test_pages_follow_one_another_without_gap_or_overlap(self):
        with Console() as console:
            console.tell("many", "57")
            for order in ["newest", "oldest"]:
                seen, after = [], ""
                while after is not None:
                    page = console.get(f"/api/v1/findings?limit=10&order={order}" + (f"&after={after}" if after else ""))
                    seen += [item["seq"] for item in page["items"]]
                    after = page["next"]
                self.assertEqual(seen, sorted(range(1, 58), reverse=order == "newest"), order)

    def test_coverage_is_what_all_that_a_rule_needs_have_in_common(self):
        with Console() as console:
            day = "2026-01-01T00:00:"
            console.tell("cover", "telemetry", day + "05Z", day + "50Z", "late", day + "20Z", day + "21Z")
            console.tell("cover", "ledger", day + "00Z", day + "40Z", "sequence", day + "12Z", day + "15Z")
            console.tell("forget", "ISO-001", day + "18Z", day + "20Z")
            got = json.loads(console.ask(f"/api/v1/coverage?from={day}10Z&to={day}50Z")[2])
            spans = {row["rule"]: [(i["from"][17:19], i["to"][17:19]) for i in row["intervals"]] for row in got["rules"]}
            self.assertEqual(spans["ISO-001"], [("10", "18"), ("21", "50")])
            self.assertEqual(spans["ISO-003"], [("10", "20"), ("21", "50")])
            streams = {row["stream"]: row["covered_seconds"] for row in got["streams"]}
            self.assertEqual(streams, {"ledger": 27, "telemetry": 39})
            criteria = {row["criterion"]: row["ratio"] for row in got["criteria"]}
            self.assertEqual(criteria["C1.1"], 37 / 40)
            self.assertEqual([row["losses"] for row in got["partitions"]],
                             [[{"from": day + "12Z", "to": day + "15Z", "cause": "sequence", "records": 2}],
                              [{"from": day + "20Z", "to": day + "21Z", "cause": "late", "records": 2}]])
            metrics = console.ask("/metrics")[2].decode()
            self.assertIn('invigil_coverage_ratio{criterion="C1.1"} 0.94', metrics)  # 47 of 50 seconds
            self.assertIn('invigil_coverage_lost_seconds{stream="ledger",cause="sequence"} 3', metrics)

    def test_what_is_asked_without_a_period_ends_where_the_slower_stream_has_come(self):
        with Console() as console:
            day = "2026-01-01T00:00:"
            console.tell("cover", "ledger", day + "00Z", day + "40.5Z", "none", day + "00Z", day + "00Z")
            console.tell("cover", "telemetry", day + "05Z", day + "41.7Z", "none", day + "00Z", day + "00Z")
            coverage, posture = console.get("/api/v1/coverage"), console.get("/api/v1/posture")
            self.assertEqual({row["ratio"] for kind in ("streams", "rules", "criteria") for row in coverage[kind]}, {1})
            self.assertEqual({row["coverage"]["share"] for row in posture["criteria"] if row["coverage"]}, {1})
            self.assertEqual(coverage["to"], posture["to"])
            asked = console.get(f"/api/v1/coverage?from={day}00Z&to={day}42Z")
            self.assertEqual({row["covered_seconds"] for row in asked["streams"]}, {40.5, 41.7}, "an end that is asked for stays")

    def test_a_violation_fails_its_criterion_though_the_hindmost_partition_is_not_there_yet(self):
        with Console() as console:
            for stream in ("ledger", "telemetry"):
                begun = "2020-01-01T00:00:00Z"
                console.tell("cover", stream, begun, "2020-01-01T01:00:00Z", "none", begun, begun)
            console.tell("finding", "TOK-002", "acme", "agent-1", "tok")

            def failing():
                return {row["id"]: row for row in console.get("/api/v1/posture")["criteria"] if row["outcome"] == "fail"}

            self.assertEqual(failing()["CC6.1"]["violations"], 1)
            until(lambda: failing()["CC6.1"]["open"] == 1, "the sums know of it")
            asked = console.get("/api/v1/posture?from=2020-01-01T00:00:00Z&to=2020-01-01T01:00:00Z")["criteria"]
            self.assertEqual({row["violations"] for row in asked}, {0}, "a period that is asked for is kept to")

    def test_a_gap_however_small_is_not_rounded_away(self):
        with Console() as console:
            at = "2026-01-01T00:00:00"
            console.tell("cover", "telemetry", at + "Z", "2026-01-02T00:00:00Z", "late", at + "Z", at + ".000000001Z")
            row = console.get("/api/v1/coverage")["streams"][1]
            self.assertEqual((row["ratio"], len(row["intervals"])), (0.999999, 1))
            rows = [row["coverage"] for row in console.get("/api/v1/posture")["criteria"] if row["coverage"]]
            self.assertLess(max(row["share"] for row in rows), 1)

    def test_a_period_that_ends_before_it_begins_is_refused(self):
        for path in PERIODS:
            status, _, body = self.console.ask(f"/api/v1/{path}?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z")
            self.assertEqual((status, json.loads(body).get("detail")), (400, "to must not be before from"), path)

    def test_the_status_says_whether_what_it_counts_is_of_this_process(self):
        for workers in ("0", "3"):
            with Console(workers=workers) as console:
                console.tell("events", "ledger", "1000")
                console.tell("cover", "ledger", "2026-01-01T00:00:00Z", "2026-01-01T00:00:59Z", "none", "", "")
                status = console.get("/api/v1/status")
                system = console.get("/api/v1/system")
                self.assertEqual(status["workers"], int(workers))
                known = [status[name] for name in ("events", "lag", "detection", "memory")]
                partition = {name: system["partitions"][0][name] for name in ("topic", "worker", "lag", "reach")}
                if workers == "0":
                    self.assertEqual(known, [None] * 4)
                    self.assertEqual(status["watermarks"], [{"stream": "ledger", "time": "2026-01-01T00:00:59Z"}])
                    self.assertIsNone(system["workers"])
                    self.assertEqual(partition, {"topic": "ledger", "worker": None, "lag": None, "reach": "2026-01-01T00:00:59Z"})
                else:
                    self.assertEqual((known[0]["total"], known[1][0]["records"]), (1000, 12))
                    seat = {"topic": "ledger", "partition": "0", "lag": 12, "watermark": "2026-01-01T00:00:59Z"}
                    self.assertEqual(system["workers"], [{"worker": 0, "partitions": [seat]}, {"worker": 1, "partitions": []},
                                                         {"worker": 2, "partitions": []}])
                    self.assertEqual(partition, {"topic": "ledger", "worker": 0, "lag": 12, "reach": "2026-01-01T00:00:59Z"})

    def test_metrics_parse_and_every_series_belongs_to_a_declared_metric(self):
        status, headers, body = self.console.ask("/metrics")
        self.assertEqual((status, headers["content-type"]), (200, "text/plain; version=0.0.4; charset=utf-8"))
        kinds = {}
        for line in body.decode().splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                kinds[name] = kind
            elif not line.startswith("#"):
                name = line.split("{")[0].split(" ")[0]
                base = name
                for suffix in ("_bucket", "_sum", "_count"):
                    if name.endswith(suffix) and kinds.get(name.removesuffix(suffix)) == "histogram":
                        base = name.removesuffix(suffix)
                self.assertIn(base, kinds, line)
                float(line.rsplit(" ", 1)[1])
        self.assertTrue(all(name.startswith("invigil_") for name in kinds))
        self.assertIn(b'invigil_findings_total{rule="TOK-002",severity="critical"} 3', body)

    def test_the_page_is_sent_compressed_where_that_is_understood(self):
        status, headers, plain = self.console.ask("/")
        self.assertEqual(status, 200)
        _, zipped, _ = self.console.ask("/", headers={"Accept-Encoding": "gzip"})
        if headers["content-type"].startswith("text/html"):
            self.assertEqual(zipped.get("content-encoding"), "gzip")
            self.assertIn(b"<title>Invigil</title>", plain)

    def test_one_address_holds_a_bounded_number_of_connections(self):
        with Console(max_connections_per_ip="8") as console:
            held = [Stream(console).open() for _ in range(8)]
            self.assertEqual(console.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"), b"")
            for stream in held:
                stream.close()

            def serves():
                try:
                    return console.ask("/healthz")[0] == 200
                except (OSError, http.client.HTTPException):
                    return False

            until(serves, "it serves again")


def pages(console, path):
    """The items of all pages."""
    items, after = [], ""
    while after is not None:
        page = console.get(path + (f"&after={quote(after)}" if after else ""))
        items += page["items"]
        after = page["next"]
    return items


class Filters(unittest.TestCase):
    """What may be asked of what is there."""

    def names(self, query, field="agent"):
        return sorted((item[field] for item in self.console.get(f"/api/v1/findings?{query}")["items"]), key=str)

    def known(self, count):
        """The incidents are a second behind the findings."""
        until(lambda: sum(i["count"] for i in self.console.get("/api/v1/incidents")["items"]) == count, "incidents know of all")

    def test_an_identifier_passes_whole_and_is_matched_to_the_byte(self):
        with Console() as self.console:
            names = ["a" * 4096, "a" * 4095, "a&b=c;d", "100%", "a%0Ab", "\u202eevil", "\u00fc\u4f60", "\x7f\x01", "'\";--"]
            for name in names:
                self.console.tell("finding", "TOK-002", name, name, "tok")
            for name in names:
                for part in ("agent", "tenant"):
                    self.assertEqual(self.names(f"{part}={quote(name, safe='')}"), [name], (part, name[:20]))
            self.assertEqual(self.names("agent=a%0Ab"), [])
            self.known(len(names))
            with contextlib.closing(sqlite3.connect(f"{self.console.folder}/store.db", timeout=PATIENCE)) as db:
                for table in ("findings", "incidents"):
                    db.execute(f"UPDATE {table} SET agent = 'a' || char(10) || 'b' WHERE agent = '100%'")
                db.commit()
            self.assertEqual(self.names("agent=a%0Ab"), ["a\nb"])
            self.assertEqual(self.names("agent=a%250Ab"), ["a%0Ab"])
            for query in ("incidents?agent=", "fleet?tenant="):
                items = self.console.get(f"/api/v1/{query}{'a' * 4095}")["items"]
                self.assertEqual([item["agent"] for item in items], ["a" * 4095], query)

    def test_an_empty_name_asks_for_those_without(self):
        with Console() as self.console:
            for tenant, agent in [("", ""), ("acme", ""), ("acme", "a"), ("", "a")]:
                self.console.tell("finding", "TOK-002", tenant, agent, "tok")
            self.assertEqual(self.names("tenant="), [None, "a"])
            self.assertEqual(self.names("agent=", "tenant"), [None, "acme"])
            self.assertEqual(self.names("tenant=&agent="), [None])
            self.known(4)
            for path in ("incidents", "fleet"):
                items = self.console.get(f"/api/v1/{path}?tenant=")["items"]
                self.assertEqual(sorted((i["agent"] for i in items), key=str), [None, "a"], path)

    def test_names_as_long_as_producers_like_make_more_pages_and_no_failure(self):
        with Console() as self.console:
            names = [chr(1) * 4080 + f"{i:03}" for i in range(360)]  # in JSON each byte of it takes six
            for name in names:
                self.console.tell("finding", "TOK-002", name, name, "tok")
            until(lambda: sum(i["count"] for i in pages(self.console, "/api/v1/incidents?limit=500")) == len(names),
                  "incidents know of all")
            for path in ("findings", "incidents", "fleet"):
                self.assertEqual(sorted(i["agent"] for i in pages(self.console, f"/api/v1/{path}?limit=500")), names, path)

    def test_the_search_finds_the_same_in_both_views(self):
        with Console() as self.console:
            for rule, tenant, agent in [("TOK-001", "acme", "one"), ("TOK-002", "acme", "two"), ("ISO-001", "Globex", "three")]:
                self.console.tell("finding", rule, tenant, agent, "tok")
            self.known(3)
            ids = {item["agent"]: item["trigger"]["id"] for item in self.console.get("/api/v1/findings")["items"]}
            for text, agents in [("tok-", ["one", "two"]), ("iso-001", ["three"]), ("ACME", ["one", "two"]), ("glob", ["three"]),
                                 ("Two", ["two"]), ("nothing", []), ("%", []), (ids["two"].upper(), ["two"])]:
                for path in ("findings", "incidents"):
                    items = self.console.get(f"/api/v1/{path}?q={quote(text)}")["items"]
                    self.assertEqual(sorted(i["agent"] for i in items), agents, (path, text))

    def test_alerts_are_listed_by_pages_and_by_when_they_changed(self):
        with Console() as self.console:
            for i in range(25):
                self.console.tell("alert", f"R-{i:03}", "acme", "resolved" if i % 3 == 0 else "firing")
            whole = self.console.get("/api/v1/alerts?limit=500")["items"]
            self.assertEqual([item["state"] for item in whole], ["firing"] * 16 + ["resolved"] * 9)
            for limit in (1, 4, 5, 25):
                self.assertEqual(pages(self.console, f"/api/v1/alerts?limit={limit}"), whole, limit)
            for after in ("1", "1-", "1-x-" + "0" * 32, "2-1-" + "0" * 32, "1-1-0", "--"):
                self.assertEqual(self.console.ask(f"/api/v1/alerts?after={after}")[0], 400, after)
            first, last = whole[15]["last"], whole[0]["last"]  # of those that fire, the newest first
            for query, rules in [(f"from={last}&state=firing", ["R-023"]), ("to=2020-01-01T00:00:00Z", []),
                                 (f"from={first}&to={last}&state=firing", [item["rule"] for item in whole[1:16]])]:
                self.assertEqual([i["rule"] for i in self.console.get(f"/api/v1/alerts?{query}")["items"]], rules, query)

    def test_what_was_planned_in_a_period_is_listed_and_summed_up(self):
        with Console() as self.console:
            uid = self.console.tell("finding", "TOK-002", "acme", "a", "tok")
            keys = [self.console.tell("plan", uid, f"revoke-{i}", f"target-{i}") for i in range(12)]
            for key in keys[:10]:
                self.console.tell("move", key, "running")
                self.console.tell("move", key, "verified")
            start = 1767225600 * 10**9  # 2026-01-01
            with contextlib.closing(sqlite3.connect(f"{self.console.folder}/store.db", timeout=PATIENCE)) as db:
                for i, key in enumerate(keys):
                    at = start + i * 10**9
                    db.execute("UPDATE executions SET event_time = ?1 - 500000000, planned = ?1, started = ?1 + ?2, finished ="
                               " ?1 + 2 * ?2 WHERE key = ?3", (at, (i + 1) * 10**6, key))
                db.execute("UPDATE executions SET started = 0, finished = 0 WHERE state = 'planned'")
                db.commit()
            day = "2026-01-01T00:00:"
            items = self.console.get(f"/api/v1/actions?from={day}02Z&to={day}05Z&order=oldest")["items"]
            self.assertEqual([item["target"] for item in items], ["target-2", "target-3", "target-4"])
            self.runs_of_an_agent()
            got = self.console.get(f"/api/v1/remediation?from={day}00Z&to={day}12Z")
            self.assertEqual({state: n for state, n in got["executions"].items() if n}, {"verified": 10, "planned": 2})
            self.assertEqual(got["times"]["detect"], {"count": 12, "p50": 0.5, "p90": 0.5, "max": 0.5})
            self.assertEqual(got["times"]["act"], {"count": 10, "p50": 0.005, "p90": 0.009, "max": 0.01})
            self.assertEqual(got["times"]["contain"], {"count": 10, "p50": 0.51, "p90": 0.518, "max": 0.52})
            self.assertEqual((got["whole"], got["from"], got["to"]), (True, day + "00Z", day + "12Z"))
            none = self.console.get("/api/v1/remediation?to=2020-01-01T00:00:00Z")
            self.assertEqual(none["times"]["contain"], {"count": 0, "p50": None, "p90": None, "max": None})

    def runs_of_an_agent(self):
        """Also of few among many, and of those without a tenant or an agent; a page looks at a bounded number."""
        def targets(query):
            return [item["target"] for item in self.console.get(f"/api/v1/actions?{query}")["items"]]

        uid = self.console.tell("finding", "TOK-002", "globex", "agent-9", "t")
        self.console.tell("plan", uid, "hold", "theirs", "globex", "agent-9")
        self.console.tell("plan", uid, "wait", "nobody's", "", "")
        self.console.tell("plan", uid, "stop", "no tenant's", "", "agent-9")
        self.assertEqual(targets("tenant=globex&agent=agent-9"), ["theirs"])
        self.assertEqual(targets("agent=agent-9"), ["no tenant's", "theirs"])
        self.assertEqual(targets("tenant=&agent="), ["nobody's"])
        self.assertEqual(targets("tenant="), ["no tenant's", "nobody's"])
        self.assertEqual(targets("tenant=acme&agent=agent-9"), [])

    def test_pages_of_the_fleet_tell_of_each_agent_once_whatever_changes_meanwhile(self):
        with Console() as self.console:
            for i in range(20):
                for _ in range(i % 5 + 1):
                    self.console.tell("finding", "TOK-002", f"tenant-{i % 3}", f"agent-{i}", "tok")
            self.known(60)
            for order in ("risk", "findings", "last", "name"):
                whole = self.console.get(f"/api/v1/fleet?limit=500&order={order}")["items"]
                self.assertEqual(pages(self.console, f"/api/v1/fleet?limit=3&order={order}"), whole, order)
            first = self.console.get("/api/v1/fleet?limit=7&order=findings")
            for _ in range(5):  # one that was told goes to the front: what was third is now fourth
                self.console.tell("finding", "TOK-002", first["items"][6]["tenant"], first["items"][6]["agent"], "tok")
            self.known(65)
            rest = self.console.get(f"/api/v1/fleet?limit=500&order=findings&after={first['next']}")["items"]
            self.assertEqual(len({(i["tenant"], i["agent"]) for i in first["items"] + rest}), 20)
            self.assertEqual(len(first["items"] + rest), 20)
            for after in ("1", "1.2", "1.2.3.4", "x.2.3", "1.2.99999", "9" * 30 + ".1.1", "1.2.-3"):
                self.assertEqual(self.console.ask(f"/api/v1/fleet?after={after}")[0], 400, after)


class Access(unittest.TestCase):
    def refused(self, **options):
        with self.assertRaises(RuntimeError) as caught:
            Console(**options)
        return str(caught.exception)

    def test_other_machines_are_not_served_without_tls_and_authentication(self):
        for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"]:
            self.assertIn("is reachable from other machines", self.refused(listen=listen))

    def test_an_address_that_is_none_is_refused_with_what_one_looks_like(self):
        for listen in ["8088", "localhost", "example.org:80", "127.0.0.1:99999", "127.0.0.1:", "::1:80", "[127.0.0.1]:80"]:
            self.assertIn("127.0.0.1:8088", self.refused(listen=listen))

    def test_a_token_that_is_no_secret_is_refused(self):
        with Console() as console:
            path = write(f"{console.folder}/token", "short\n")
            self.assertIn("must have 16", self.refused(token_file=path))
            self.assertIn("cannot open", self.refused(token_file=path + "-not-there"))

    def test_with_a_token_nothing_but_health_is_served_without_it(self):
        with Console() as first:
            path = write(f"{first.folder}/token", TOKEN + "\n")
            with Console(token_file=path) as console:
                console.tell("ready")
                basic = base64.b64encode(f"anybody:{TOKEN}".encode()).decode()
                for path in ["/metrics", "/api/v1/findings", "/api/v1/status"]:
                    status, headers, _ = console.ask(path)
                    self.assertEqual(status, 401, path)
                    # The page asks for the session itself; a browser's own dialogue would be in its way.
                    self.assertIn("Bearer" if path.endswith("session") else "Basic", headers["www-authenticate"], path)
                    for wrong in ["", "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Basic !!!",
                                  "Bearer " + TOKEN.upper(),
                                  "Basic " + base64.b64encode(TOKEN.encode()).decode(), "Digest x"]:
                        self.assertEqual(console.ask(path, headers={"Authorization": wrong})[0], 401, wrong)
                for mode, want in [("cors", "Bearer"), ("same-origin", "Bearer"), ("navigate", "Basic")]:
                    _, headers, _ = console.ask("/api/v1/status", headers={"Sec-Fetch-Mode": mode})
                    self.assertIn(want, headers["www-authenticate"], "a page is asked by nobody but itself")
                for right in [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"Basic {basic}"]:
                    self.assertEqual(console.ask("/api/v1/findings", headers={"Authorization": right})[0], 200, right)
                for path in ["/healthz", "/readyz", "/"]:  # the page's files know nothing of anybody
                    self.assertEqual(console.ask(path)[0], 200, path)


class Tls(unittest.TestCase):
    """A server with a certificate, a client that it knows and some that it does not."""

    @classmethod
    def setUpClass(cls):
        cls.first = Console()
        cls.authority = Authority(cls.first.folder)
        cls.authority.issue("client")
        cls.authority.issue("stranger", "other")
        cls.authority.issue("misused", "ca", "extendedKeyUsage=serverAuth")
        cls.console = Console(listen="0.0.0.0:0", **cls.authority.options(clients=True))

    @classmethod
    def tearDownClass(cls):
        cls.console.__exit__()
        cls.first.__exit__()

    def ask(self, path, client=None, most=None):
        def old(context):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that it is old is the point
                context.minimum_version = ssl.TLSVersion.TLSv1
                context.maximum_version = most
            context.set_ciphers("ALL:@SECLEVEL=0")

        return self.authority.ask(self.console, path, client, change=None if most is None else old)[:2]

    def test_a_client_of_the_authority_is_served(self):
        status, headers = self.ask("/metrics", "client")
        self.assertEqual(status, 200)
        self.assertIn("max-age", headers["strict-transport-security"])

    def test_others_get_health_and_nothing_else(self):
        self.assertEqual(self.ask("/healthz")[0], 200)
        self.assertEqual(self.ask("/metrics")[0], 403)
        for client in ["stranger", "misused"]:
            try:
                self.assertEqual(self.ask("/metrics", client)[0], 403, client)
            except (ssl.SSLError, ConnectionError):
                pass  # refused in the handshake already

    def test_both_versions_of_tls_that_are_any_good_are_served(self):
        for version in [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]:
            self.assertEqual(self.ask("/healthz", most=version)[0], 200, version)

    def test_a_certificate_is_a_viewer_of_its_name_or_the_user_of_it(self):
        status, _, body = self.authority.ask(self.console, "/api/v1/session", "client")
        self.assertEqual((status, json.loads(body)["name"], json.loads(body)["roles"]), (200, "client", ["viewer"]))
        self.assertEqual(self.ask("/api/v1/users", "client")[0], 403)
        self.assertEqual(self.ask("/", None)[0], 403, "the page too is for who has a certificate")
        for role, may in MAY.items():
            with contextlib.closing(sqlite3.connect(f"{self.console.folder}/store.db", timeout=PATIENCE)) as db:
                db.execute("REPLACE INTO users VALUES ('client', ?, x'00', x'00', 2, 8, 1, 0, 0)", (role,))
                db.commit()
            for method, path, needs in routes():
                headers = {"Content-Type": "application/json", "Last-Event-ID": "none"}
                url = re.sub(r"\{\w+\}", "nothing", path)
                status, _, body = self.authority.ask(self.console, url, "client", method, headers)
                allowed = needs in ("OPEN", "GUEST") or needs.lower() in may
                self.assertEqual(status not in (401, 403), allowed, (role, method, path, status, body))
        with contextlib.closing(sqlite3.connect(f"{self.console.folder}/store.db", timeout=PATIENCE)) as db:
            db.execute("DELETE FROM users")
            db.commit()

    def test_a_cookie_under_tls_is_bound_to_its_host_and_to_tls(self):
        path = write(f"{self.authority.folder}/token", TOKEN + "\n")
        with Console(token_file=path, **self.authority.options(clients=False)) as console:
            def ask(path, method="GET", headers=None, body=None):
                return self.authority.ask(console, path, None, method, headers, body)

            status, headers, body = ask("/api/v1/session", "POST", {"Content-Type": "application/json"},
                                        json.dumps({"name": "token", "password": TOKEN}))
            self.assertEqual(status, 200)
            self.assertRegex(headers["set-cookie"], "^__Host-invigil=[0-9a-f]{64}; Path=/; HttpOnly; SameSite=Strict;.*; Secure$")
            cookie, csrf = headers["set-cookie"].split(";")[0], json.loads(body)["csrf"]
            self.assertEqual(ask("/api/v1/users", headers={"Cookie": cookie})[0], 200)
            for other in ["invigil=", "__Secure-invigil=", "__host-invigil="]:
                name = other + cookie.split("=")[1]
                self.assertEqual(ask("/api/v1/users", headers={"Cookie": name})[0], 401, "a subdomain could have set it")
            self.assertEqual(ask("/api/v1/session", "DELETE", {"Cookie": cookie})[0], 403)
            status, headers, _ = ask("/api/v1/session", "DELETE", {"Cookie": cookie, "X-CSRF-Token": csrf})
            self.assertEqual(status, 204)
            self.assertRegex(headers["set-cookie"], "^__Host-invigil=;.*Max-Age=0; Secure$")
            self.assertEqual(ask("/api/v1/users", headers={"Cookie": cookie})[0], 401)

    def test_old_tls_is_refused(self):
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.ask("/healthz", most=ssl.TLSVersion.TLSv1_1)


class Live(unittest.TestCase):
    def test_a_stream_shows_what_is_committed_while_it_is_open(self):
        with Console() as console:
            stream = Stream(console).open()
            stream.next("status")
            uid = console.tell("finding", "TOK-002", "acme", "agent-1", "tok-1")
            self.assertEqual(stream.next("finding")[2]["uid"], uid)
            key = console.tell("plan", uid, "revoke-tokens-globally", "agent-1")
            self.assertEqual(stream.next("action")[2]["state"], "planned")
            console.tell("move", key, "done")
            _, _, action = stream.next("action")
            self.assertEqual((action["key"], action["state"], len(action["steps"])), (key, "done", 2))
            stream.close()

    def test_a_stream_resumes_after_any_event_without_loss(self):
        with Console() as console:
            uids = [console.tell("finding", "TOK-002", "acme", f"agent-{i}", "t") for i in range(10)]
            for uid in uids[:5]:
                console.tell("move", console.tell("plan", uid, "revoke-tokens-globally", "x"), "done")
            console.tell("many", "150")
            whole = self.read(console, "0-0", 160 + 5)
            ids = [place for place, _ in whole]
            everything = {name for _, name in whole}
            self.assertEqual((len(set(ids)), len(everything)), (165, 165), "each has an id of its own and comes once")
            for cut in [0, 1, 9, 63, 64, 65, 100, 159, 163]:
                before = {name for _, name in whole[:cut + 1]}
                rest = self.read(console, ids[cut], 165 - len(before))
                self.assertEqual({name for _, name in rest}, everything - before, f"after event {cut}")

    @staticmethod
    def read(console, place, count):
        """As many findings and actions behind a place: (id, uid or key)."""
        stream = Stream(console, after="9-9", last_event_id=place).open()
        events = [stream.next("finding", "action") for _ in range(count)]
        stream.close()
        return [(place, data["uid"] if kind == "finding" else data["key"]) for place, kind, data in events]

    def test_what_others_do_is_told_at_once_and_not_with_the_next_pulse(self):
        with Console(pulse_ms="3600000") as console, Console(store=console.options["store"]) as other:
            stream = Stream(console).open()
            self.assertFalse(stream.next("respond")[2]["paused"])
            for where, paused in [(console, True), (other, False)]:
                self.assertEqual(where.send("/api/v1/respond", {"paused": paused, "why": "a drill"})[0], 200)
                self.assertEqual(stream.next("respond")[2]["paused"], paused)
            uid = console.tell("finding", "TOK-002", "acme", "agent-1", "t")
            self.assertEqual(stream.next("finding")[2]["state"], "new")
            self.assertEqual(console.send(f"/api/v1/findings/{uid}/triage", {"do": "acknowledge"})[0], 200)
            self.assertEqual(stream.next("finding")[2]["state"], "acknowledged")
            stream.close()

    def test_the_pause_file_is_told_as_a_pause_and_what_somebody_said_before_it(self):
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "pause")
            with Console(pulse_ms="3600000", pause_file=file) as console:
                stream = Stream(console).open()
                self.assertFalse(stream.next("respond")[2]["paused"])
                with open(file, "w", encoding="ascii"):
                    pass
                by_file = {"paused": True, "by": None, "at": None, "why": f"pause file {file}"}
                self.assertEqual(stream.next("respond")[2], by_file)
                self.assertEqual(console.send("/api/v1/respond", {"paused": True, "why": "a drill"})[0], 200)
                self.assertEqual(stream.next("respond")[2]["why"], "a drill")
                self.assertEqual(console.send("/api/v1/respond", {"paused": False})[0], 200)
                self.assertEqual(stream.next("respond")[2], by_file)
                os.remove(file)
                self.assertFalse(stream.next("respond")[2]["paused"])
                stream.close()

    def test_a_pause_is_told_also_while_the_status_cannot_be_had(self):
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "pause")
            with Console(pulse_ms="3600000", pause_file=file) as console:
                stream = Stream(console).open()
                self.assertFalse(stream.next("respond")[2]["paused"])
                with contextlib.closing(sqlite3.connect(f"{console.folder}/store.db", timeout=PATIENCE)) as db:
                    db.execute("ALTER TABLE outbox RENAME TO lost")
                with open(file, "w", encoding="ascii"):
                    pass
                self.assertTrue(stream.next()[2]["paused"], "no status comes before it")
                stream.close()
                stream = Stream(console).open()
                self.assertTrue(stream.next("respond")[2]["paused"], "who comes later hears of it too")
                stream.close()

    def test_a_stream_outlives_a_restart_of_the_server(self):
        with Console() as console:
            stream = Stream(console).open()
            console.tell("finding", "TOK-002", "acme", "agent-1", "t")
            last, _, _ = stream.next("finding")
            console.options["listen"] = f"127.0.0.1:{console.port}"
            console.stop()
            with self.assertRaises((EOFError, ValueError, OSError)):
                while True:
                    stream.next()
            stream.close()
            console.start()
            uids = [console.tell("finding", "ISO-001", "acme", "agent-2", "t") for _ in range(3)]
            stream = Stream(console, last_event_id=last).open()
            self.assertEqual([stream.next("finding")[2]["uid"] for _ in uids], uids)
            stream.close()

    def test_a_place_of_another_store_starts_from_the_first(self):
        with Console() as console:
            uid = console.tell("finding", "TOK-002", "acme", "agent-1", "t")
            stream = Stream(console, last_event_id="999999-999999").open()
            self.assertEqual(stream.next("finding")[2]["uid"], uid)
            stream.close()

    def test_clients_that_do_not_read_cost_little_and_hold_nobody_up(self):
        with Console() as console:
            console.tell("many", "2000")
            asleep = [Stream(console, after="0-0", receive_bytes=4096) for _ in range(40)]
            reader = Stream(console, after="0-0").open()
            for _ in range(2000):
                reader.next("finding")
            before = console.resident()
            for _ in range(10):
                console.tell("many", "2000")
                for _ in range(2000):
                    reader.next("finding")
            grown = console.resident() - before
            self.assertLess(grown, 48 << 20, "20,000 findings of about 500 bytes, 40 clients: 400 MB if each were queued")
            reader.close()
            for stream in asleep:
                stream.close()

    def test_many_clients_miss_nothing(self):
        with Console() as console:
            streams = [Stream(console).open() for _ in range(200)]
            for stream in streams:
                stream.next("status")
            before = console.resident()
            for _ in range(6):
                console.tell("many", "25")
            for stream in streams:
                seqs = [stream.next("finding")[2]["seq"] for _ in range(150)]
                self.assertEqual(seqs, list(range(1, 151)))
                stream.close()
            self.assertLess(console.resident() - before, 48 << 20, "what is sent is there once, not once for each client")



class Bounds(unittest.TestCase):
    """What clients may hold together, and what one of them may."""

    def test_answers_that_nobody_takes_hold_a_bounded_memory_and_the_rest_is_told_to_wait(self):
        path = "/api/v1/findings?format=ocsf&limit=500"
        with Console(max_answers_mib="4") as console:
            console.tell("many", "500")
            before = console.resident()
            slow = []
            answer = console.ask(path)
            while len(slow) < 32 and answer[0] == 200:
                slow.append(self.slow(console, path, {}))
                answer = console.ask(path)
            status, headers, body = answer
            self.assertEqual((status, headers["retry-after"]), (503, "1"), body[:200])
            self.assertNotIn("etag", headers)
            self.assertEqual(console.get("/healthz"), {"status": "ok"}, "what is small always goes")
            self.assertLess(console.resident() - before, 48 << 20)
            for s in slow:
                s.close()
            until(lambda: console.ask(path)[0] == 200, "there is room again")

    def test_answers_that_one_name_does_not_take_leave_room_for_others(self):
        path = "/api/v1/findings?format=ocsf&limit=500"
        with Console(max_answers_mib="16") as console:
            console.tell("many", "500")
            token = write(f"{console.folder}/token", TOKEN + "\n")
            console.stop()
            console.options["token_file"] = token
            console.start()
            first = {"Authorization": f"Bearer {TOKEN}"}
            made = console.send("/api/v1/tokens", {"name": "wall", "roles": ["viewer"]}, headers=first)
            second = {"Authorization": f"Bearer {json.loads(made[2])['token']}"}
            slow = []
            answer = console.ask(path, headers=first)
            while len(slow) < 32 and answer[0] == 200:
                slow.append(self.slow(console, path, first))
                answer = console.ask(path, headers=first)
            self.assertEqual((answer[0], answer[1]["retry-after"], json.loads(answer[2])["status"]), (429, "1", 429))
            self.assertEqual(console.ask(path, headers=second)[0], 200, "another one's answers go")
            self.assertEqual(console.ask("/api/v1/status", headers=first)[0], 200, "what is small always goes")
            for s in slow:
                s.close()
            until(lambda: console.ask(path, headers=first)[0] == 200, "there is room again")

    @staticmethod
    def slow(console, path, headers):
        """A client that asks, and reads no more than the first bytes."""
        s = socket.socket()
        s.settimeout(PATIENCE)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)  # else the kernel takes all of it
        s.connect(("127.0.0.1", console.port))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n".encode())
        assert b"HTTP/1.1" in s.recv(64)
        return s

    def test_a_page_of_whole_documents_ends_before_it_is_too_large(self):
        with Console() as console:
            uids = [console.tell("finding", "TOK-002", "t" * 900, "a" * 900, "k" * 900) for _ in range(560)]
            seen, pages, after = [], 0, ""
            while after is not None:
                status, _, body = console.ask(f"/api/v1/findings?format=ocsf&limit=500&order=oldest{after and '&after='}{after}")
                self.assertEqual(status, 200)
                self.assertLess(len(body), 3 << 20)
                page = json.loads(body)
                seen += [item["finding_info"]["uid"] for item in page["items"]]
                pages, after = pages + 1, page["next"]
            self.assertEqual(seen, uids)
            self.assertGreater(pages, 1)

    def test_one_name_has_a_bounded_number_of_streams_and_others_have_theirs(self):
        with Console(max_streams_per_name="2") as console:
            path = write(f"{console.folder}/token", TOKEN + "\n")
            console.stop()
            console.options["token_file"] = path
            console.start()
            first = {"Authorization": f"Bearer {TOKEN}"}
            status, _, body = console.send("/api/v1/tokens", {"name": "wall", "roles": ["viewer"]}, headers=first)
            self.assertEqual(status, 201, body)
            second = {"Authorization": f"Bearer {json.loads(body)['token']}"}
            for who in (first, second):
                held = [Stream(console, headers=who).open() for _ in range(2)]
                status, headers, body = console.ask("/api/v1/stream", headers=who)
                self.assertEqual((status, json.loads(body)["status"]), (429, 429))
                self.assertIn("retry-after", headers)
                held.pop().close()

                def serves():
                    stream = Stream(console, headers=who)
                    try:
                        stream.open().close()
                        return True
                    except AssertionError:
                        stream.close()
                        return False

                until(serves, "there is room for one again")
                held.pop().close()

unittest.main()
