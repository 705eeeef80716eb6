#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who may do what: every role on every route, log-ins and what ends them, what a page of another site could try."""
import contextlib
import json
import os
import re
import sqlite3
import time
import unittest
from urllib.parse import quote

from console import MAY, Console, Stream, routes, until

SOURCE = os.environ["IV_SOURCE_DIR"]
TOKEN = "correct-horse-battery-staple"
ADMIN = {"Authorization": f"Bearer {TOKEN}"}
PASSWORD = "correct horse battery"


def guarded():
    """A console with a configured token."""
    console = Console()
    path = f"{console.folder}/token"
    with open(path, "w", encoding="ascii") as file:
        file.write(TOKEN + "\n")
    console.stop()
    console.options["token_file"] = path
    console.start()
    console.tell("ready")
    return console


class Guarded(unittest.TestCase):
    """What tests do with such a console."""

    def made_token(self, name, *roles, **more):
        status, _, body = self.console.send("/api/v1/tokens", {"name": name, "roles": roles, **more}, headers=ADMIN)
        self.assertEqual(status, 201, body)
        return json.loads(body)

    def user(self, name, *roles):
        status, _, body = self.console.send("/api/v1/users", {"name": name, "roles": roles, "password": PASSWORD}, headers=ADMIN)
        self.assertEqual(status, 201, body)

    def log_in(self, name, password=PASSWORD):
        """(cookie header, CSRF header)"""
        status, headers, body = self.console.tries("/api/v1/session", {"name": name, "password": password})
        self.assertEqual(status, 200, body)
        return {"Cookie": headers["set-cookie"].split(";")[0]}, {"X-CSRF-Token": json.loads(body)["csrf"]}

    def stored(self, statement, *values):
        with contextlib.closing(sqlite3.connect(f"{self.console.folder}/store.db", timeout=30)) as db:
            rows = db.execute(statement, values).fetchall()
            db.commit()
            return rows

    def locked_out(self):
        return [row for row in self.audit() if row[2] == "session.lock-out"]

    def audit(self):
        return [(item["who"], item["via"], item["what"], item["object"])
                for item in json.loads(self.console.ask("/api/v1/audit?order=oldest&limit=500", headers=ADMIN)[2])["items"]]


class Access(Guarded):
    """One console for all of them."""

    @classmethod
    def setUpClass(cls):
        cls.console = guarded()

    @classmethod
    def tearDownClass(cls):
        cls.console.__exit__()

    def test_every_role_may_do_on_every_route_what_its_permissions_say(self):
        self.assertGreater(len(routes()), 20)
        for role, may in MAY.items():
            made = self.made_token(f"table-{role}", role)
            who = {"Authorization": f"Bearer {made['token']}", "Last-Event-ID": "none"}
            session = self.console.get("/api/v1/session", headers=who)
            self.assertEqual((set(session["permissions"]), session["roles"]), (may, [role]))
            for method, path, needs in routes():
                url = re.sub(r"\{\w+\}", "nothing", path)
                status, _, body = self.console.ask(url, method, who)  # of the stream no events are asked: 400
                allowed = needs in ("OPEN", "GUEST") or needs.lower() in may
                self.assertEqual(status not in (401, 403), allowed, (role, method, path, status, body))
                self.assertNotEqual(status, 405, (method, path))

    def test_every_role_may_do_the_same_by_a_session(self):
        for role, may in MAY.items():
            self.user(f"row-{role}", role)
            cookie, csrf = self.log_in(f"row-{role}")
            self.assertEqual(set(self.console.get("/api/v1/session", headers=cookie)["permissions"]), may)
            who = {**cookie, **csrf, "Last-Event-ID": "none"}
            table = sorted(routes(), key=lambda row: row[0] == "DELETE" and row[1] == "/api/v1/session")  # the log-out is last
            for method, path, needs in table:
                url = re.sub(r"\{\w+\}", "nothing", path)
                if method != "GET" and needs != "GUEST":
                    status = self.console.ask(url, method, cookie)[0]
                    self.assertEqual(status, 403, (role, method, path, "without the CSRF token"))
                status, _, body = self.console.ask(url, method, who)
                allowed = needs in ("OPEN", "GUEST") or needs.lower() in may
                self.assertEqual(status not in (401, 403), allowed, (role, method, path, status, body))

    def test_without_a_name_only_health_the_page_and_the_log_in_are_served(self):
        for headers in [{}, {"Cookie": "invigil=" + "0" * 64}, {"Cookie": "invigil="}, {"Authorization": "Bearer "},
                        {"Authorization": "Bearer ivg_" + "0" * 64}, {"Authorization": "Basic Og=="}]:
            for method, path, needs in routes():
                url = re.sub(r"\{\w+\}", "nothing", path)
                status = self.console.ask(url, method, headers)[0]
                self.assertEqual(status == 401, needs not in ("OPEN", "GUEST"), (headers, method, path, status))

    def test_a_method_that_a_path_does_not_serve_is_answered_with_those_that_it_does(self):
        served = {}
        for method, path, _ in routes():
            served.setdefault(path, set()).update({"GET", "HEAD"} if method == "GET" else {method})
        for path, methods in served.items():
            for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - methods:
                status, headers, _ = self.console.ask(re.sub(r"\{\w+\}", "nothing", path), method, ADMIN)
                self.assertEqual((status, set(headers["allow"].split(", "))), (405, methods), (method, path))

    def test_a_session_changes_nothing_without_its_csrf_token_or_for_another_site(self):
        self.user("carl", "admin")
        cookie, csrf = self.log_in("carl")
        body = {"name": "made-by-carl", "roles": ["viewer"]}
        for more in [{}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "0" * 32}, {**csrf, "Origin": "https://evil.example"},
                     {**csrf, "Origin": "null"}, {**csrf, "Sec-Fetch-Site": "cross-site"},
                     {**csrf, "Sec-Fetch-Site": "same-site"}]:
            self.assertEqual(self.console.send("/api/v1/tokens", body, headers={**cookie, **more})[0], 403, more)
            self.assertEqual(self.console.ask("/api/v1/session", "DELETE", {**cookie, **more})[0], 403, more)
        own = {**csrf, "Origin": f"http://127.0.0.1:{self.console.port}", "Sec-Fetch-Site": "same-origin"}
        self.assertEqual(self.console.send("/api/v1/tokens", body, headers={**cookie, **own})[0], 201)
        status = self.console.send("/api/v1/users", {}, headers={**ADMIN, "Origin": "null"})[0]
        self.assertEqual(status, 400, "a token is sent on purpose")
        for name in ["Origin", "Sec-Fetch-Site"]:
            self.assertEqual(self.console.send("/api/v1/session", {"name": "carl", "password": PASSWORD},
                                               headers={name: "https://evil.example"})[0], 403, "no page logs its reader in")

    def test_a_cookie_is_for_no_script_and_for_no_other_site(self):
        self.user("cora", "viewer")
        _, headers, _ = self.console.tries("/api/v1/session", {"name": "cora", "password": PASSWORD})
        name, *rest = headers["set-cookie"].split("; ")
        self.assertRegex(name, "^invigil=[0-9a-f]{64}$")
        self.assertEqual(set(rest), {"Path=/", "HttpOnly", "SameSite=Strict", "Max-Age=43200"})
        self.assertEqual(headers["cache-control"], "no-store")

    def test_a_session_ends_with_a_log_out_a_password_its_user_and_its_time(self):
        def ends(name, how):
            self.user(name, "analyst")
            cookie, csrf = self.log_in(name)
            self.assertEqual(self.console.get("/api/v1/session", headers=cookie)["name"], name)
            how(name, cookie, csrf)
            self.assertEqual(self.console.ask("/api/v1/session", headers=cookie)[0], 401, name)

        ends("ed-1", lambda name, cookie, csrf: self.console.ask("/api/v1/session", "DELETE", {**cookie, **csrf}))
        ends("ed-2", lambda name, *_: self.console.send(f"/api/v1/users/{name}/password", {"password": PASSWORD + "!"},
                                                        headers=ADMIN))
        ends("ed-3", lambda name, *_: self.console.ask(f"/api/v1/users/{name}", "DELETE", ADMIN))
        hour = 3600 * 10**9
        for column, age in [("created", 12 * hour), ("used", hour // 2)]:
            ends(f"ed-{column}", lambda name, *_, column=column, age=age:
                 self.stored(f"UPDATE sessions SET {column} = ? WHERE user = ?", time.time_ns() - age - 10**9, name))

    def test_a_stream_ends_with_the_session_that_opened_it(self):
        self.user("sam", "viewer")
        cookie, _ = self.log_in("sam")
        stream = Stream(self.console, headers=cookie).open()
        stream.next("status")
        self.console.ask("/api/v1/users/sam", "DELETE", ADMIN)
        end = time.monotonic() + 60
        with self.assertRaises((EOFError, ValueError, ConnectionError)):  # to hear nothing is not the end
            while time.monotonic() < end:
                stream.next()
        stream.close()

    def test_the_configured_token_logs_in_under_its_own_name(self):
        cookie, _ = self.log_in("token", TOKEN)
        self.assertEqual(self.console.get("/api/v1/session", headers=cookie)["roles"], ["admin"])
        self.assertEqual(self.console.tries("/api/v1/session", {"name": "token", "password": TOKEN[:-1]})[0], 401)

    def test_a_token_is_good_until_it_is_revoked_or_expires_and_is_kept_as_its_hash(self):
        first, second = self.made_token("job", "viewer", expires="1h"), self.made_token("job-2", "auditor")
        who = [{"Authorization": f"Bearer {made['token']}"} for made in (first, second)]
        self.assertEqual([self.console.ask("/api/v1/session", headers=h)[0] for h in who], [200, 200])
        self.console.ask(f"/api/v1/tokens/{first['id']}", "DELETE", ADMIN)
        self.stored("UPDATE tokens SET expires = ? WHERE id = ?", time.time_ns() - 10**9, second["id"])
        self.assertEqual([self.console.ask("/api/v1/session", headers=h)[0] for h in who], [401, 401])
        self.assertNotIn("ivg_", self.console.ask("/api/v1/tokens", headers=ADMIN)[2].decode())
        with open(f"{self.console.folder}/store.db", "rb") as db, open(f"{self.console.folder}/store.db-wal", "rb") as wal:
            kept = db.read() + wal.read()
        for secret in [first["token"], second["token"], PASSWORD, TOKEN]:
            self.assertNotIn(secret.encode(), kept)
            self.assertNotIn(secret.removeprefix("ivg_").encode(), kept)

    def pages(self, path, key, limit, after_each=lambda page: None):
        """Each row once, page by page; what is done after each."""
        keys, after = [], ""
        while after is not None:
            page = self.console.get(f"{path}?limit={limit}{after}", headers=ADMIN)
            self.assertEqual(len(page["items"]) == limit, page["next"] is not None, page)
            keys += [item[key] for item in page["items"]]
            after = page["next"] and f"&after={quote(page['next'])}"
            after_each(page)
        return keys

    def test_users_and_tokens_are_listed_page_by_page(self):
        for name in [f"page.{n}" for n in range(5)]:
            self.stored("INSERT INTO users VALUES (?, 'viewer', x'', x'', 1, 1, 1, 0, 0)", name)
        made = [self.made_token(f"page-{n}", "viewer")["id"] for n in range(5)]
        self.stored("UPDATE tokens SET created = 7 WHERE id IN (?, ?, ?)", *made[:3])
        users = self.console.get("/api/v1/users?limit=500", headers=ADMIN)
        names = [user["name"] for user in users["items"]]
        self.assertIsNone(users["next"])
        self.assertEqual((names, names), (sorted(names), self.pages("/api/v1/users", "name", 2)))
        ids = [token["id"] for token in self.console.get("/api/v1/tokens?limit=500", headers=ADMIN)["items"]]
        self.assertEqual(set(made) - set(ids), set())

        def revoke(page):
            last = page["items"][-1]["id"] if page["items"] else None
            if last in made:
                self.console.ask(f"/api/v1/tokens/{last}", "DELETE", ADMIN)

        self.assertEqual(self.pages("/api/v1/tokens", "id", 2, revoke), ids, "whose cursor goes moves no other one")
        for wrong in ["users?after=", "users?after=a%20b", "users?limit=0", "tokens?after=", "tokens?after=1", "tokens?after=x.y",
                      "tokens?after=1.0123", "tokens?after=.0123456789abcdef", "tokens?limit=501"]:
            self.assertEqual(self.console.ask(f"/api/v1/{wrong}", headers=ADMIN)[0], 400, wrong)

    def test_what_a_token_makes_ends_with_it(self):
        first = self.made_token("maker", "admin", expires="1h")
        who = {"Authorization": f"Bearer {first['token']}"}
        status, _, body = self.console.send("/api/v1/tokens", {"name": "made", "roles": ["viewer"]}, headers=who)
        self.assertEqual(status, 201, body)
        second = json.loads(body)
        self.assertEqual((second["expires"], second["creator"]), (first["expires"], f"token:maker#{first['id']}"))
        for path, sent in [("tokens", {"name": "long", "roles": ["viewer"], "expires": "2h"}),
                           ("users", {"name": "made", "roles": ["viewer"], "password": PASSWORD}),
                           ("users/token/password", {"password": PASSWORD})]:
            status, _, body = self.console.send(f"/api/v1/{path}", sent, headers=who)
            self.assertIn(status, (400, 403), path)
            self.assertIn("outlives", json.loads(body)["detail"])
        [detail] = [item["detail"] for item in self.console.get("/api/v1/audit?limit=500", headers=ADMIN)["items"]
                    if item["object"] == second["id"]]
        self.assertEqual(detail, f"made: viewer, until {second['expires']}")
        self.console.ask(f"/api/v1/tokens/{first['id']}", "DELETE", ADMIN)
        for made in (first, second):
            self.assertEqual(self.console.ask("/api/v1/session", headers={"Authorization": f"Bearer {made['token']}"})[0], 401)

    def test_nobody_removes_himself_even_by_a_token_of_his(self):
        self.user("ruth", "admin")
        cookie, csrf = self.log_in("ruth")
        asked = {"name": "ruths", "roles": ["admin"]}
        made = json.loads(self.console.send("/api/v1/tokens", asked, headers={**cookie, **csrf})[2])
        first = {"Authorization": f"Bearer {made['token']}"}
        made = json.loads(self.console.send("/api/v1/tokens", {"name": "ruths-own", "roles": ["admin"]}, headers=first)[2])
        second = {"Authorization": f"Bearer {made['token']}"}
        for who in (first, second, {**cookie, **csrf}):
            status, _, body = self.console.ask("/api/v1/users/ruth", "DELETE", who)
            self.assertEqual(status, 409, body)
        for who in (first, second, cookie):
            self.assertEqual(self.console.ask("/api/v1/session", headers=who)[0], 200, "nothing was taken")
        self.user("saul", "viewer")
        self.assertEqual(self.console.ask("/api/v1/users/saul", "DELETE", second)[0], 204)
        self.assertEqual(self.console.ask("/api/v1/users/ruth", "DELETE", ADMIN)[0], 204)

    def test_a_second_log_in_of_a_browser_ends_the_session_that_it_had(self):
        self.user("lena", "viewer")
        self.user("lutz", "viewer")
        first, csrf = self.log_in("lena")
        other, _ = self.log_in("lena")

        def log_in_again():
            answer = self.console.ask("/api/v1/session", "POST", {**first, **csrf, "Content-Type": "application/json"},
                                      json.dumps({"name": "lutz", "password": PASSWORD}))
            return answer[0] not in (429, 503) and answer

        status, headers, body = until(log_in_again, "the wait ends")
        self.assertEqual(status, 200, body)
        second = {"Cookie": headers["set-cookie"].split(";")[0]}
        self.assertEqual([self.console.ask("/api/v1/session", headers=who)[0] for who in (first, other, second)], [401, 200, 200])
        self.assertEqual(self.console.get("/api/v1/session", headers=second)["name"], "lutz")

    def test_a_password_has_no_control_characters(self):
        for sign in "\t\n\x7f\x00\x1b":
            user = {"name": "connie", "roles": ["viewer"], "password": PASSWORD + sign}
            status, _, body = self.console.send("/api/v1/users", user, headers=ADMIN)
            self.assertEqual(status, 400, (sign, body))

    def test_roles_are_other_ones_with_the_next_request_and_nobody_gives_them_to_himself(self):
        self.user("rose", "viewer")
        self.user("rex", "admin")
        rose, rex = self.log_in("rose"), self.log_in("rex")
        rex = {**rex[0], **rex[1]}
        triage = f"/api/v1/findings/{'0' * 64}/triage"
        self.assertEqual(self.console.send(triage, {}, headers={**rose[0], **rose[1]})[0], 403)
        self.assertEqual(self.console.send("/api/v1/users/rose/roles", {"roles": ["analyst"]}, headers=rex)[0], 204)
        self.assertEqual(self.console.send(triage, {}, headers={**rose[0], **rose[1]})[0], 400)
        self.assertEqual(self.console.get("/api/v1/session", headers=rose[0])["roles"], ["analyst"])
        self.assertEqual(self.console.send("/api/v1/users/rex/roles", {"roles": ["viewer"]}, headers=rex)[0], 409)
        self.assertEqual(self.console.send("/api/v1/users/rosa/roles", {"roles": ["viewer"]}, headers=rex)[0], 404)
        made = json.loads(self.console.send("/api/v1/tokens", {"name": "rex-job", "roles": ["admin"]}, headers=rex)[2])
        token = {"Authorization": f"Bearer {made['token']}"}
        status, _, body = self.console.send("/api/v1/users/rose/roles", {"roles": ["admin"]}, headers=token)
        self.assertEqual(status, 403, body)
        for roles, left in [(["admin", "viewer"], 200), (["analyst"], 401)]:
            self.assertEqual(self.console.send("/api/v1/users/rex/roles", {"roles": roles}, headers=ADMIN)[0], 204)
            status = self.console.ask("/api/v1/session", headers=token)[0]
            self.assertEqual(status, left, "what an admin made ends with the admin")
        self.assertIn(("token", "token", "user.roles", "rex"), self.audit())

    def test_a_user_sets_his_own_password_with_the_present_one_and_is_logged_out_everywhere(self):
        self.user("opal", "viewer")
        (first, csrf), (other, _) = self.log_in("opal"), self.log_in("opal")
        path, new = "/api/v1/session/password", PASSWORD + " twice"
        self.assertEqual(self.console.send(path, {"present": PASSWORD, "password": new}, headers=first)[0], 403, "CSRF")
        for present, password, want in [(PASSWORD + "x", new, 403), (PASSWORD, "short", 400), (PASSWORD, new, 204)]:
            body = {"present": present, "password": password}
            status, headers, body = self.console.send(path, body, headers={**first, **csrf})
            self.assertEqual(status, want, body)
        self.assertRegex(headers["set-cookie"], "^invigil=;.*Max-Age=0")
        for cookie in (first, other):
            self.assertEqual(self.console.ask("/api/v1/session", headers=cookie)[0], 401)
        self.assertEqual(self.console.tries("/api/v1/session", {"name": "opal", "password": PASSWORD})[0], 401)
        self.log_in("opal", new)
        for cookie, csrf in [(ADMIN, {}), self.log_in("token", TOKEN)]:
            status = self.console.send(path, {"present": TOKEN, "password": new}, headers={**cookie, **csrf})[0]
            self.assertEqual(status, 409, "it has no password of its own")

    def test_every_change_is_a_record_of_who_made_it_and_a_leaf_of_the_log(self):
        before = self.audit()
        self.user("ada", "admin")
        cookie, csrf = self.log_in("ada")
        for _ in range(2):
            self.console.send("/api/v1/users", {"name": "eve", "roles": ["viewer"], "password": PASSWORD},
                              headers={**cookie, **csrf})
        self.console.ask("/api/v1/users/eve", "DELETE", {**cookie, **csrf})
        self.console.ask("/api/v1/users/eve", "DELETE", {**cookie, **csrf})
        self.console.ask("/api/v1/session", "DELETE", {**cookie, **csrf})
        self.assertEqual(self.audit()[len(before):],
                         [("token", "token", "user.add", "ada"), ("ada", "session", "session.open", "ada"),
                          ("ada", "session", "user.add", "eve"), ("ada", "session", "user.remove", "eve"),
                          ("ada", "session", "session.close", "ada")], "what was refused changed nothing")
        [(leaves,)] = self.stored("SELECT count(*) FROM log JOIN log_documents USING (leaf)"
                                  """ WHERE entry LIKE '%"kind":"audit"%'""")
        self.assertEqual(leaves, len(self.audit()))

    def test_the_record_tells_what_was_done_to_findings_and_executions_and_from_where(self):
        uid = self.console.tell("finding", "TOK-002", "acme", "agent-audited", "tok-1")
        key = self.console.tell("plan", uid, "audited", "agent-audited")
        self.console.tell("move", key, "waiting")
        self.user("aud", "responder")
        cookie, csrf = self.log_in("aud")
        before = len(self.audit())

        def send(path, body, want=200):
            status, _, answer = self.console.send(path, body, headers={**cookie, **csrf})
            self.assertEqual(status, want, (path, answer))

        changes = [{"do": "acknowledge"}, {"do": "assign", "assignee": "carol"}, {"do": "comment", "text": "so"},
                   {"do": "close", "reason": "benign"}, {"do": "reopen"},
                   {"do": "suppress", "reason": "a drill", "until": "2199-01-01T00:00:00Z"}]
        for change in changes:
            send(f"/api/v1/findings/{uid}/triage", change)
        send(f"/api/v1/findings/{uid}/triage", {"do": "close"}, want=400)
        others = [self.console.tell("finding", "TOK-002", "acme", "agent-of-many", f"many-{i}") for i in range(3)]
        incident = until(lambda: (lambda one: one and one["open"] == 3 and one["id"])(
            self.console.get(f"/api/v1/findings/{others[0]}", headers=ADMIN)["incident"]), "the incident has its findings")
        send(f"/api/v1/incidents/{incident}/triage", {"do": "acknowledge"})
        send(f"/api/v1/incidents/{incident}/triage", {"do": "acknowledge"}, want=409)
        send(f"/api/v1/incidents/{incident}/triage", {"do": "close", "reason": "benign", "text": "a drill"})
        waiver = self.stored("SELECT max(id) FROM waivers")[0][0]
        self.assertEqual(self.console.ask(f"/api/v1/waivers/{waiver}", "DELETE", {**cookie, **csrf})[0], 204)
        send("/api/v1/respond", {"paused": True, "why": "a drill"})
        send("/api/v1/respond", {"paused": False})
        asked = "?decision=approve&role=security&key_id=sec-1"
        statement = json.loads(self.console.ask(f"/api/v1/executions/{key}/approval{asked}", headers=cookie)[2])
        for decision in ("approve", "deny"):
            send(f"/api/v1/executions/{key}/approval", {"decision": decision, "role": "security", "key": "sec-1",
                                                        "at": statement["at"], "signature": "A" * 86 + "=="})
        self.console.tell("move", key, "done")
        self.stored("UPDATE steps SET state = 'due', undoes = 1 WHERE execution = ? AND position = 1", key)
        send(f"/api/v1/executions/{key}/undo", {})
        rows = json.loads(self.console.ask("/api/v1/audit?order=oldest&limit=500", headers=ADMIN)[2])["items"][before:]
        self.assertEqual([(row["what"], row["object"]) for row in rows],
                         [(f"finding.{change['do']}", uid) for change in changes]
                         + [("incident.acknowledge", str(incident)), ("incident.close", str(incident))]
                         + [("waiver.end", str(waiver))]
                         + [("respond.pause", "respond"), ("respond.resume", "respond")]
                         + [("execution.approve", key), ("execution.deny", key), ("execution.undo", key)])
        self.assertEqual({(row["who"], row["via"], row["from"]) for row in rows}, {("aud", "session", "127.0.0.1")})
        details = {row["what"]: row["detail"] for row in rows}
        self.assertEqual(details["incident.acknowledge"], "3 of TOK-002 of agent-of-many in acme")
        self.assertEqual(details["incident.close"], "3 of TOK-002 of agent-of-many in acme: benign")
        self.assertEqual(details["finding.suppress"], "until 2199-01-01T00:00:00Z: a drill")
        self.assertEqual(details["waiver.end"], "TOK-002 of agent-audited in acme, by aud until 2199-01-01T00:00:00Z: a drill")
        kept = self.console.get("/api/v1/waivers", headers=ADMIN)["items"][0]
        self.assertEqual((kept["id"], kept["ended_by"]), (str(waiver), "aud"))
        self.assertEqual(self.console.ask(f"/api/v1/waivers/{waiver}", "DELETE", {**cookie, **csrf})[0], 404, "it has ended")

    def test_a_fragment_of_sql_in_a_filter_of_the_record_matches_nothing(self):
        fragments = ["' OR '1'='1", "'; DROP TABLE audit; --", "1) UNION SELECT * FROM users --", "%", "_", "\" OR 1=1", "*"]
        self.console.tell("alert", "TOK-002", "acme", "firing")
        self.made_token("fragments", "viewer")
        for fragment in fragments:
            for asked in ("audit?who", "alerts?rule", "alerts?tenant"):
                status, _, body = self.console.ask(f"/api/v1/{asked}={quote(fragment)}", headers=ADMIN)
                self.assertEqual((status, json.loads(body)["items"]), (200, []), (asked, fragment))
            for asked in ("alerts?state", "journal?what", "alerts?after", "fleet?after", "remediation?from", "actions?to"):
                status, _, _ = self.console.ask(f"/api/v1/{asked}={quote(fragment)}", headers=ADMIN)
                self.assertEqual(status, 400, (asked, fragment))
        self.assertNotEqual(self.audit(), [])
        body = self.console.ask("/api/v1/alerts?rule=TOK-002&tenant=acme", headers=ADMIN)[2]
        self.assertEqual(len(json.loads(body)["items"]), 1)

    def test_pages_of_the_record_follow_one_another_and_keep_to_a_time(self):
        for i in range(3):
            self.made_token(f"page-{i}", "viewer")
        seen, after = [], ""
        while after is not None:
            url = "/api/v1/audit?limit=2" + (f"&after={after}" if after else "")
            page = json.loads(self.console.ask(url, headers=ADMIN)[2])
            seen += [item["seq"] for item in page["items"]]
            after = page["next"]
        self.assertEqual(seen, list(range(max(seen), 0, -1)))
        items = json.loads(self.console.ask("/api/v1/audit?order=oldest&limit=500", headers=ADMIN)[2])["items"]
        cut = items[-2]["at"]
        for query, want in [(f"from={cut}", 2), (f"to={cut}", len(items) - 2), ("from=2099-01-01T00:00:00Z", 0),
                            ("to=1970-01-01T00:00:00Z", 0),
                            ("who=no-such", 0)]:
            page = json.loads(self.console.ask(f"/api/v1/audit?limit=500&{query}", headers=ADMIN)[2])["items"]
            self.assertEqual(len(page), want, query)

    def test_a_body_is_an_object_with_the_members_that_are_known(self):
        good = {"name": "body-1", "roles": ["viewer"]}
        rows = [("", "missing"), ("[]", "object"), ("{", "JSON"), ('"x"', "object"),
                (json.dumps({**good, "role": 1}), "did you mean 'roles'"),
                (json.dumps({**good, "name": 7}), "name"), (json.dumps({**good, "roles": "viewer"}), "roles"),
                (json.dumps({**good, "roles": [7]}), "roles"), (json.dumps({**good, "roles": []}), "at least one role"),
                (json.dumps({**good, "roles": ["a"] * 17}), "roles"), (json.dumps({**good, "name": None}), "missing"),
                (json.dumps({**good, "name": "a\u0000b"}), "name"), (json.dumps({**good, "name": "../x"}), "name"),
                (json.dumps({**good, "expires": "2 weeks"}), "expires"), (json.dumps({**good, "expires": "367d"}), "expires"),
                ('{"name": "a", "name": "b", "roles": ["viewer"]}', "name"), ("[" * 5000, "JSON"),
                ('{"name": "\xff"}', "JSON")]
        for body, word in rows:
            kind = {**ADMIN, "Content-Type": "application/json"}
            status, _, answer = self.console.ask("/api/v1/tokens", "POST", kind, body.encode("latin-1"))
            self.assertEqual(status, 400, (body[:60], answer))
            self.assertIn(word, json.loads(answer)["detail"], body[:60])

    def test_a_change_does_not_wait_for_a_writer_that_keeps_the_store(self):
        self.user("willa", "viewer")
        cookie, _ = self.log_in("willa")
        with contextlib.closing(sqlite3.connect(f"{self.console.folder}/store.db", timeout=30, isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            status, _, body = self.console.send("/api/v1/tokens", {"name": "kept-out", "roles": ["viewer"]}, headers=ADMIN)
            self.assertEqual(status, 503, body)
            self.assertEqual(self.console.ask("/api/v1/session", headers=cookie)[0], 200, "who only looks is served")
            db.execute("ROLLBACK")
        self.made_token("let-in", "viewer")

    def test_hostile_text_is_a_value_and_nothing_more(self):
        users = self.stored("SELECT name FROM users")
        for text in ["' OR '1'='1", "'; DROP TABLE users; --", "<script>alert(1)</script>", "a\nb", "\u202ereversed",
                     "ann\u0000"]:
            status, _, body = self.console.tries("/api/v1/session", {"name": text, "password": text})
            self.assertIn(status, (400, 401), (text, body))
            user = {"name": text, "roles": ["admin"], "password": PASSWORD}
            self.assertEqual(self.console.send("/api/v1/users", user, headers=ADMIN)[0], 400, text)
        self.assertEqual(self.stored("SELECT name FROM users"), users)

    def test_a_request_is_never_hidden_in_another_ones_body(self):
        hidden = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + TOKEN.encode() + b"\r\n\r\n"
        chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(hidden), hidden)
        heads = ["Content-Length: 4|Transfer-Encoding: chunked", "Transfer-Encoding: chunked|Content-Length: 4",
                 "Content-Length: 4|Content-Length: 5", "Content-Length: 4, 4", "Content-Length: 0x4", "Content-Length: -1",
                 "Content-Length: 4 4", "Content-Length:", "Content-Length: 65537", "Content-Length: 99999999999999999999",
                 "Transfer-Encoding: chunked", "Transfer-Encoding: xchunked|Content-Length: 4",
                 "Transfer-Encoding: chunked, identity", "Transfer-Encoding:\x0bchunked",
                 "Transfer-Encoding : chunked|Content-Length: 4", "Transfer-Encoding\t: chunked|Content-Length: 4",
                 "Content-Length : 99|Content-Length: 4", "Content-Length: 4|X: y|Transfer-Encoding: chunked"]
        for head in heads:
            for body in [hidden, chunk, b"zz\r\n" + hidden, b"0\r\n\r\n" + hidden]:
                whole = "POST /api/v1/session HTTP/1.1|Host: localhost|Content-Type: application/json|" + head + "||"
                answer = self.console.raw(whole.replace("|", "\r\n").encode() + body)
                self.assertNotIn(b"invigil_", answer, (head, body[:20]))
                self.assertNotIn(b"HTTP/1.1 200", answer, (head, body[:20]))


class Guessing(Guarded):
    """On a console for each test, where nobody else has failed before."""

    def setUp(self):
        self.console = guarded()
        self.addCleanup(self.console.__exit__)

    def test_who_guesses_passwords_has_to_wait_and_others_too_short_a_time_to_notice(self):
        self.user("gus", "viewer")
        guess = {"name": "gus", "password": "a guess, and wrong"}
        tried = []

        def is_refused():
            tried.append(self.console.send("/api/v1/session", guess))
            return tried[-1][0] == 429

        until(is_refused, "somebody who guesses has to wait")
        self.assertLessEqual({status for status, _, _ in tried}, {401, 429})
        self.assertLessEqual(int(tried[-1][1]["retry-after"]), 4)
        self.assertEqual(self.locked_out()[0], ("nobody", "nothing", "session.lock-out", "gus"), "his waits are on record")
        self.log_in("gus")

    def test_who_guesses_at_the_present_password_of_an_open_session_has_to_wait(self):
        self.user("orla", "viewer")
        cookie, csrf = self.log_in("orla")
        guess = {"present": "a guess, and wrong", "password": PASSWORD + " twice"}
        seen = set()

        def is_refused():
            status = self.console.send("/api/v1/session/password", guess, headers={**cookie, **csrf})[0]
            seen.add(status)
            return status == 429

        until(is_refused, "somebody who guesses has to wait")
        self.assertLessEqual(seen, {403, 429, 503})
        self.assertEqual(self.locked_out()[0], ("orla", "session", "session.lock-out", "orla"), "her waits are on record")


class Closed(unittest.TestCase):
    """A console that nobody was let into yet."""

    def test_without_users_token_and_authority_health_alone_is_served_and_the_log_says_how_to_add_one(self):
        with Console(closed="1") as console:
            console.tell("ready")
            for method, path, needs in routes():
                status = console.ask(re.sub(r"\{\w+\}", "nothing", path), method)[0]
                self.assertEqual(status == 401, needs not in ("OPEN", "GUEST"), (method, path, status))
            self.assertEqual(console.ask("/healthz")[0], 200)
            self.assertEqual(console.send("/api/v1/session", {"name": "token", "password": ""})[0], 401)
            self.assertIn("invigil user add", console.said())


unittest.main()
