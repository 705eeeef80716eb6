#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// What the page says of what it shows is so, and it keeps still under who reads.
import assert from "node:assert/strict";
import { test } from "node:test";
import { change, until } from "./harness.mjs";
import {
  commit, detail, focus, forgive, listed, nobodyReads, open, openWith, page, planned, row, server, stage, visit,
} from "./stage.mjs";

stage();

const triage = (uid, what = { do: "acknowledge" }) => change(server, `/api/v1/findings/${uid}/triage`, what);

const timed = (name, time, type) => ({
  name,
  data: { source: "urn:test", id: `${type} ${time}`, type, time, topic: "telemetry", partition: 0, offset: 1 },
});

test("a finding says in which order its events stand, by their times' value", async () => {
  const uid = await commit();
  const told = (evidences) => ({ [`findings/${uid}`]: (body) => ({ ...body, ocsf: { ...body.ocsf, evidences } }) });
  await openWith(`findings/${uid}`, told([
    timed("trigger", "2026-01-05T10:00:01.5Z", "token.used"),
    timed("witness", "2026-01-05T10:00:00Z", "token.revoked"),
  ]));
  await detail().locator(".story", { hasText: /, 1\.5 s after token\.revoked$/ }).waitFor();
  await page.context().close();
  // As text, "…00.25Z" stands before "…00Z".
  await openWith(`findings/${uid}`, told([
    timed("witness", "2026-01-05T10:00:00.25Z", "second"),
    timed("trigger", "2026-01-05T10:00:00Z", "first"),
    timed("witness", "2026-01-05T10:00:00.2500001Z", "third"),
  ]));
  await detail().locator(".story", { hasText: /, 250 ms before second$/ }).waitFor();
  assert.deepEqual(await detail().locator(".evidence-head strong").allInnerTexts(), ["first", "second", "third"]);
});

test("times have their day where it is not today's, and durations their unit", async () => {
  const uid = await commit();
  const key = await planned(uid, "verified");
  await openWith(`findings/${uid}`, {
    [`findings/${uid}`]: (body) => ({
      ...body,
      ocsf: { ...body.ocsf, evidences: [timed("trigger", "2024-02-03T10:00:00Z", "token.used"), timed("witness", "2023-10-14T07:00:00Z", "token.revoked")] },
      actions: body.actions.map((one) => ({ ...one, seq: one.seq + 1, times: { detect: 0.9999, act: 59.97, contain: 3600 } })),
    }),
  });
  const text = await detail().locator(".evidences").innerText();
  assert.match(text, /2024.*\d\d:00:00\.000/s);
  assert.match(text, /112 d 3 h before/);
  const about = await detail().locator(".execution .about").innerText();
  assert.match(about, /detected after 1\.0 s/);
  assert.match(about, /acted after 1 min/);
  assert.match(about, /contained after 1 h/);
  await page.locator(".foot").getByText("Times in").waitFor();
  assert.ok(key.length > 0);
});

test("what waits is counted as the server counts it, and a state's list is the server's", async () => {
  const uid = await commit();
  const waits = await planned(uid, "waiting");
  const failed = await planned(await commit(), "failed");
  // The newest runs that the page asks for of its own are others than those of the state.
  await visit();
  await page.route("**/api/v1/actions?limit=100", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), items: [], next: null } });
  });
  await page.goto(`${server.url}/#/posture`);
  await page.getByRole("link", { name: "1 playbook waits for approval" }).waitFor();
  await page.locator(".badge", { hasText: "1" }).waitFor();
  await page.getByRole("link", { name: "1 playbook waits for approval" }).click();
  await row(waits).waitFor();
  assert.equal(await row(failed).count(), 0);
  await server.tell("move", waits, "done");
  await row(waits).locator(".state.done").or(page.getByText("No run waits for approval")).first().waitFor();
  await nobodyReads();
  await planned(await commit(), "waiting");
  await row(waits).waitFor({ state: "detached" });
});

test("a row that no longer passes the filter says so, and goes when nobody reads", async () => {
  const uids = [await commit(), await commit("ISO-001"), await commit("TBP-001")];
  await open("findings?view=all&state=new");
  await row(uids[2]).waitFor();
  await row(uids[0]).hover();
  const place = await row(uids[0]).boundingBox();
  await triage(uids[1]);
  await row(uids[1]).locator("em", { hasText: "acknowledged" }).waitFor();
  assert.deepEqual(await row(uids[0]).boundingBox(), place);
  await nobodyReads();
  await triage(uids[2]);
  await row(uids[2]).waitFor({ state: "detached" });
  await row(uids[1]).waitFor({ state: "detached" });
  await row(uids[0]).waitFor();
});

test("an old finding that is acknowledged is no news", async () => {
  const old = await commit("EVT-001", "acme", "agent-old");
  for (let i = 0; i < 13; i++) {
    await commit("TOK-002", "acme", `agent-${i}`);
  }
  await open("posture");
  const titles = page.locator(".news-list small");
  await titles.nth(11).waitFor();
  await triage(old);
  await triage(old, { do: "comment", text: "seen" });
  const last = await commit("ISO-001", "acme", "agent-last");
  await page.locator(`.news-list a[href$="${last}"]`).waitFor();
  assert.equal(await page.locator(".news-list a", { hasText: "agent-old" }).count(), 0);
  await page.reload();
  await page.locator(`.news-list a[href$="${last}"]`).waitFor();
  assert.equal(await page.locator(".news-list a", { hasText: "agent-old" }).count(), 0);
  assert.ok((await titles.first().innerText()).includes("agent-last"));
});

test("runs that are being read do not move; what came meanwhile waits", async () => {
  const first = await planned(await commit(), "running");
  const second = await planned(await commit(), "running");
  await open("remediation");
  await row(first).hover();
  const place = await row(first).boundingBox();
  const later = await planned(await commit(), "failed");
  await page.locator(".pill", { hasText: "1 new run" }).waitFor();
  await server.tell("move", first, "done");
  await row(first).locator(".state.done").waitFor();
  assert.deepEqual(await row(first).boundingBox(), place);
  assert.equal(await row(later).count(), 0);
  await page.locator(".pill").click();
  await row(later).waitFor();
  await row(second).waitFor();
});

test("a ranking that is being read does not move", async () => {
  await commit("TOK-003", "acme", "agent-1");
  await commit("EVT-001", "globex", "agent-2");
  await visit();
  await page.clock.install();
  await page.goto(`${server.url}/#/fleet`);
  const rows = page.locator("table.grid tbody tr");
  await rows.nth(1).waitFor();
  assert.ok((await rows.first().innerText()).includes("agent-1"));
  await rows.first().hover();
  for (let i = 0; i < 4; i++) {
    await commit("TOK-002", "globex", "agent-2");
  }
  const asked = page.waitForResponse((answer) => answer.url().includes("/api/v1/fleet"));
  await page.clock.fastForward(11_000);
  await asked;
  await page.locator(".pill", { hasText: "would move" }).waitFor();
  assert.ok((await rows.first().innerText()).includes("agent-1"));
  assert.equal(await rows.nth(1).locator(".number").first().innerText(), "5", "what it says is new");
  await page.locator(".pill").click();
  await rows.first().filter({ hasText: "agent-2" }).waitFor();
});

test("the focus returns to where it was", async () => {
  const uid = await commit("TOK-002", "acme", "agent-1");
  const key = await planned(uid, "failed");
  await open("posture");
  const tile = page.locator(".tile", { hasText: "CC6.1" });
  await tile.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Close the criterion" }).click();
  await focus(tile);

  await page.goto(`${server.url}/#/fleet`);
  const agent = page.getByRole("link", { name: "agent-1", exact: true });
  await agent.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Close the agent" }).waitFor();
  await page.keyboard.press("Escape");
  await focus(agent);

  await page.goto(`${server.url}/#/remediation`);
  await row(key).locator(".c-state").click();
  await page.getByRole("button", { name: "Close the run" }).click();
  await focus(row(key).locator("button"));
  await page.getByRole("button", { name: "Pause all" }).click();
  await focus(page.getByLabel("Why"));
  await page.keyboard.press("Escape");
  await focus(page.getByRole("button", { name: "Pause all" }));

  await page.goto(`${server.url}/#/findings?view=all`);
  await row(uid).locator("button").click();
  await detail().getByRole("button", { name: "Suppress" }).click();
  await focus(page.getByLabel("Why"));
  await page.keyboard.press("Escape");
  await focus(detail().getByRole("button", { name: "Suppress" }));
  await detail().getByRole("button", { name: "Acknowledge" }).click();
  await detail().locator(".triage-mark.acknowledged").waitFor();
  await focus(detail().getByRole("button", { name: "Assign" }));
  await detail().getByRole("button", { name: "Close the finding" }).click();
  await focus(row(uid).locator("button"));
});

test("an agent without a tenant has a history of its own", async () => {
  const nobodys = await commit("TOK-002", "", "agent-1");
  const others = await commit("TOK-002", "globex", "agent-1");
  const key = await server.tell("plan", nobodys, "revoke-tokens-globally", "agent-1", "", "agent-1");
  const another = await server.tell("plan", others, "revoke-tokens-globally", "agent-1", "globex", "agent-1");
  await open("fleet");
  await page.locator("table.grid tr", { hasText: "–" }).getByRole("link", { name: "agent-1" }).click();
  const pane = page.locator(".pane.detail");
  await pane.getByText("without a tenant").waitFor();
  await pane.locator(`a[href*="${nobodys}"]`).waitFor();
  await pane.getByText("1 finding of 1 rule.").waitFor();
  assert.equal(await pane.locator(`a[href*="${others}"]`).count(), 0);
  await pane.locator(`a[href$="remediation/${key}"]`).waitFor();
  assert.equal(await pane.locator(`a[href$="remediation/${another}"]`).count(), 0);
  await pane.getByRole("link", { name: "All findings of agent-1" }).click();
  assert.match(page.url(), /[?&]tenant=(&|$)/);
  await row(nobodys).waitFor();
  assert.equal(await row(others).count(), 0);
  await row(nobodys).locator("button").click();
  await detail().getByText(/^No other of this rule by agent-1/).waitFor();
  await detail().getByRole("link", { name: "agent-1", exact: true }).click();
  await pane.getByText("without a tenant").waitFor();
  await page.goBack();
  await detail().waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Without a tenant" }).click();
  await row(others).waitFor();
});

test("an agent's last day is what the server counts, however much it was", async () => {
  await server.tell("many", "700");
  await open("fleet/acme/agent-17");
  const pane = page.locator(".pane.detail");
  await pane.getByText(/^700 findings of \d+ rules\.$/).waitFor();
  await commit("TOK-002", "acme", "agent-17");
  await pane.getByText(/^701 findings of \d+ rules\.$/).waitFor();
});

test("what is not seen in a name has a mark", async () => {
  const uid = await commit("TOK-002", "ac\u200Bme", "\u202Eevil");
  await open("findings?view=all");
  await row(uid).locator(".c-agent").getByText("U+202E", { exact: true }).waitFor();
  await row(uid).locator(".c-tenant").getByText("U+200B", { exact: true }).waitFor();
  assert.equal(await row(uid).locator(".c-agent bdi").innerText(), "U+202Eevil");
  assert.equal(await row(uid).locator(".c-agent").getAttribute("title"), "\u27E8U+202E\u27E9evil");
  for (const place of ["posture", "fleet", "findings", `findings/${uid}`]) {
    await page.goto(`${server.url}/#/${place}`);
    await page.locator("main bdi", { hasText: "U+202Eevil" }).first().waitFor();
    assert.ok(!(await page.locator("main").innerText()).includes("\u202E"), place);
  }
});

test("what is proven is said apart from what was accepted", async () => {
  await planned(await commit(), "done");
  await planned(await commit(), "done");
  await planned(await commit(), "verified");
  await open("posture");
  const figure = page.locator(".figure", { hasText: "Remediated, verified" });
  await figure.getByText("2 accepted").waitFor();
  assert.equal(await figure.locator("strong").innerText(), "1");
});

test("a server that is gone is said, and every screen asks again when it is back", async () => {
  forgive(/net::ERR_/);
  const uid = await commit();
  await open("posture");
  await page.locator(".tile").first().waitFor();
  await server.stop();
  await page.getByText(/^No answer from the server since \d\d:\d\d:\d\d, trying again$/).waitFor();
  await page.goto(`${server.url.replace(/\/$/, "")}/#/audit`);
  await page.getByText("The server does not answer. It is asked again until it does.").waitFor();
  assert.equal(await page.getByText("Failed to fetch").count(), 0);
  await server.start();
  await server.tell("ready");
  await page.getByText("Nobody has changed anything").or(page.locator("table.grid tbody tr").first()).first().waitFor();
  await page.goto(`${server.url}/#/findings/${uid}?view=all`);
  await row(uid).waitFor();
});

test("a rule is shown as it is read: without its tests, and the part that failed is marked", async () => {
  const uid = await commit();
  const clause = "  forbid:\n    with: {event: token.revoked, as: revoked}\n    if: used.time > revoked.time\n";
  const text = `id: TOK-002\n  title: Token used\n${clause}  tests:\n  - name: one\n    events:\n    - {id: u1}\n  remediate: revoke\n`;
  await openWith(`findings/${uid}`, { [`findings/${uid}`]: (body) => ({ ...body, rule: { ...body.rule, text, clause } }) });
  const pre = detail().getByLabel("The rule as written");
  await pre.locator("mark").waitFor();
  assert.equal(
    await pre.textContent(),
    "id: TOK-002\ntitle: Token used\nforbid:\n  with: {event: token.revoked, as: revoked}\n  if: used.time > revoked.time\nremediate: revoke",
  );
  assert.equal(await pre.locator("mark").textContent(), "forbid:\n  with: {event: token.revoked, as: revoked}\n  if: used.time > revoked.time");
});

test("a gap that is shorter than a pixel is drawn as one pixel", async () => {
  const cover = (from, until_) => server.tell("cover", "telemetry", "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z", "late", from, until_);
  await cover("2026-01-05T12:00:00Z", "2026-01-05T12:00:01Z");
  await open("system");
  const gap = page.locator(".strip .gap");
  await gap.waitFor();
  assert.equal(await gap.evaluate((it) => it.getBoundingClientRect().width), 1);
  await page.getByRole("img", { name: /covered, 1 gap$/ }).first().waitFor();
});

test("what comes live passes the search, or does not come", async () => {
  await commit("TOK-002", "acme", "agent-1");
  await open("findings?view=all&q=GLOBEX");
  await page.getByText("Nothing matches these filters").waitFor();
  await nobodyReads();
  const other = await commit("TOK-002", "acme", "agent-2");
  const wanted = await commit("TOK-002", "globex", "agent-3");
  await row(wanted).waitFor();
  assert.equal(await row(other).count(), 0);
  await page.goto(`${server.url}/#/findings?view=all&q=iso-001`);
  await page.getByText("Nothing matches these filters").waitFor();
  await nobodyReads();
  const byRule = await commit("ISO-001", "acme", "agent-4");
  await row(byRule).waitFor();
  assert.equal(await listed(), 1);
});

test("the pause form does what it was opened for, though somebody else was quicker", async () => {
  await open("remediation");
  await page.getByRole("button", { name: "Pause all" }).click();
  await page.getByLabel("Why").fill("a storm");
  await change(server, "/api/v1/respond", { paused: true, why: "theirs" });
  await page.getByText("Remediation is paused by demo: theirs").waitFor();
  const sent = page.waitForRequest((request) => request.method() === "POST" && request.url().endsWith("/api/v1/respond"));
  await page.getByRole("button", { name: "Pause all remediation" }).click();
  assert.deepEqual((await sent).postDataJSON(), { paused: true, why: "a storm" });
  await page.getByText("Remediation is paused by demo: a storm").waitFor();
});

test("a pause is told by the stream", async () => {
  const never = { paused: false, by: null, at: null, why: null };
  await openWith("posture", { respond: () => never }); // who asks is told that nothing is paused
  await page.locator(".tile").first().waitFor();
  await change(server, "/api/v1/respond", { paused: true, why: "a storm" });
  await page.getByText("Remediation is paused by demo: a storm").waitFor();
});

test("what waits to be shown still waits when what came later is shown", async () => {
  const first = await planned(await commit(), "running");
  await open("remediation");
  await row(first).hover();
  const waits = await planned(await commit(), "running");
  await page.locator(".pill", { hasText: "1 new run" }).waitFor();
  await nobodyReads();
  const later = await planned(await commit(), "running");
  await row(later).waitFor();
  assert.equal(await row(waits).count(), 0);
  await page.locator(".pill", { hasText: "1 new run" }).click();
  await row(waits).waitFor();
  await row(first).waitFor();
});

test("trouble leaves what was answered to the same question, and takes what was answered to another", async () => {
  forgive(/status of 503/);
  await open("posture");
  const tiles = page.locator(".tile");
  await tiles.first().waitFor();
  let refused = 0;
  await page.route("**/api/v1/posture*", (route) => {
    refused++;
    return route.fulfill({ status: 503, contentType: "application/problem+json", body: `{"detail":"busy"}` });
  });
  await commit();
  await until(() => refused > 0, "it is asked again");
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));
  assert.ok((await tiles.count()) > 0, "the same period as it was");
  await page.getByLabel("Time", { exact: true }).selectOption({ label: "Last 7 days" });
  await page.getByText("The posture cannot be shown").waitFor();
  assert.equal(await tiles.count(), 0, "nothing of another period");
});

test("more of the fleet is shown behind what is there, and all of it follows", async () => {
  const agents = Array.from({ length: 130 }, (_, i) => `agent-${String(i).padStart(3, "0")}`);
  for (const agent of agents) {
    await commit("EVT-001", "acme", agent);
  }
  await visit();
  await page.clock.install();
  await page.goto(`${server.url}/#/fleet?order=name`);
  const rows = page.locator("table.grid tbody tr");
  await until(async () => (await rows.count()) === 100, "a hundred agents");
  await rows.nth(50).hover();
  await page.getByRole("button", { name: "Show more agents" }).click();
  await until(async () => (await rows.count()) === 130, "all of them");
  assert.deepEqual(await rows.locator("td:first-child a").allInnerTexts(), agents);
  await commit("EVT-001", "acme", agents[129]);
  await commit("EVT-001", "acme", "agent-00a");
  const asked = page.waitForResponse((answer) => answer.url().includes("/api/v1/fleet"));
  await page.clock.fastForward(11_000);
  await asked;
  await rows.last().locator(".number", { hasText: "2" }).waitFor();
  await page.locator(".pill", { hasText: "would move" }).waitFor();
  assert.equal(await rows.count(), 130, "nobody comes in under the eye");
  await page.locator(".pill").click();
  await until(async () => (await rows.count()) === 131, "the new one");
});

test("a finding that there is not is not taken for an older server", async () => {
  forgive(/status of 404/);
  await open(`findings/${"0".repeat(64)}`);
  await detail().getByText("There is no such finding").waitFor();
});

test("what is shown and not the newest any more says so", async () => {
  forgive(/status of 503/);
  await open("posture");
  await page.locator(".tile").first().waitFor();
  const busy = { status: 503, contentType: "application/problem+json", body: `{"detail":"the store is busy"}` };
  await page.route("**/api/v1/posture*", (route) => route.fulfill(busy));
  await commit();
  await page.getByText("Not up to date: the store is busy").waitFor();
  assert.ok((await page.locator(".tile").count()) > 0, "what was known stays");
  await page.unroute("**/api/v1/posture*");
  await page.getByText("Not up to date").waitFor({ state: "detached" });
});
