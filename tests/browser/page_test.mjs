#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The page in Chromium, over a real console.
import assert from "node:assert/strict";
import { generateKeyPairSync, verify } from "node:crypto";
import { test } from "node:test";
import { change, fill, startConsole, until } from "./harness.mjs";
import { commit, detail, forgive, listed, live, nobodyReads, open, page, pill, planned, row, server, stage, visit } from "./stage.mjs";

stage();

const focused = () => page.evaluate(() => document.activeElement?.closest("[aria-rowindex]")?.ariaRowIndex);

test("a finding appears the moment it is committed", async () => {
  await open("findings?view=all");
  await page.getByText("No violations found so far").waitFor();
  const uid = await commit("TOK-002", "acme", "agent-17");
  await row(uid).waitFor();
  const text = await row(uid).innerText();
  for (const part of ["critical", "TOK-002", "Token used after it was revoked", "acme", "agent-17"]) {
    assert.ok(text.includes(part), `${part} in ${text}`);
  }
});

test("remediation is followed from plan to end, in the list and beside it", async () => {
  await open("findings?view=all");
  const uid = await commit();
  const key = await server.tell("plan", uid, "revoke-tokens-globally", "agent-17");
  await row(uid).click();
  const card = page.locator("article.execution", { hasText: "revoke-tokens-globally" });
  for (const state of ["waiting", "running", "done", "verified"]) {
    await server.tell("move", key, state);
    await card.locator(`.state.${state}`).waitFor();
    await row(uid).locator(`.state.${state}`).waitFor();
  }
  assert.equal(await card.count(), 1);
  assert.ok((await card.innerText()).includes("answered 200"));
});

test("figures and criteria follow the store", async () => {
  await open("posture");
  await page.getByText("No violations found so far").waitFor();
  await server.tell("events", "ledger", "1200");
  await commit("TBP-001");
  await commit("TBP-002");
  await page.locator(".tile.fail", { hasText: "CC6.8" }).locator(".violations", { hasText: "2" }).waitFor();
  await page.locator(".figure", { hasText: "Events" }).getByText("1\u202f200 read").waitFor();
  await page.locator(".figure", { hasText: "Findings" }).getByText("2 critical").waitFor();
  await page.locator(".tile", { hasText: "CC7.2" }).getByText("no violations").waitFor();
  await page.locator(".news-list li").nth(1).waitFor();
  assert.equal(await page.locator(".news-list li").count(), 2);
});

test("a finding opens with its evidence, and its address can be passed on", async () => {
  const uid = await commit("TOK-002", "acme", "agent-17", "tok-77");
  const key = await server.tell("plan", uid, "revoke-tokens-globally", "agent-17");
  await server.tell("move", key, "failed");
  await open("findings?view=all");
  await row(uid).click();
  await detail().locator(".evidence.trigger").waitFor();
  const text = await detail().innerText();
  for (const part of ["token.used", "token.revoked", "telemetry / ", " @ ", "SHA-256", "tok-77", "CC6.1", uid, "a".repeat(96)]) {
    assert.ok(text.includes(part), part);
  }
  assert.ok(text.includes("the endpoint answered 500 five times"), "why the playbook failed");
  const address = page.url();
  assert.ok(address.includes(uid));
  await page.goto(address);
  await detail().locator(".evidence.trigger").waitFor();
  await server.tell("move", key, "done");
  await detail().locator(".execution .state.done").waitFor();
});

test("an answer that comes behind a newer word of the stream does not undo it", async () => {
  const uid = await commit();
  const key = await server.tell("plan", uid, "revoke-tokens-globally", "agent-17");
  await server.tell("move", key, "failed");
  await visit();
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const answered = new Promise((resolve) => {
    page.route("**/api/v1/actions?*", async (route) => {
      const answer = await route.fetch();
      resolve();
      await held;
      await route.fulfill({ response: answer });
    });
  });
  await page.goto(`${server.url}/#/remediation/${key}`);
  await answered;
  await page.getByText("Live", { exact: true }).waitFor();
  await server.tell("move", key, "done");
  const card = page.locator("article.execution", { hasText: "revoke-tokens-globally" });
  await card.locator(".state.done").waitFor();
  const old = page.waitForResponse("**/api/v1/actions?*");
  release();
  await (await old).finished();
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));
  assert.equal(await card.locator(".state.done").count(), 1);
});

test("stored markup and trick characters are shown as the text they are", async () => {
  const hostile = [
    `<img src=x onerror="window.broken=1">`,
    `"><script>window.broken=1</script>`,
    `<svg/onload=window.broken=1>`,
    `javascript:window.broken=1`,
    `{{constructor.constructor('window.broken=1')()}}`,
    `\u202Eevil\u202C\u200Bx`,
    `' OR 1=1 --`,
    `</td></tr></table><h1>broken</h1>`,
  ];
  await open("findings?view=all");
  for (const text of hostile) {
    const seen = text.replace("\u202E", "U+202E").replace("\u202C", "U+202C").replace("\u200B", "U+200B"); // what is not seen has a mark
    const uid = await server.tell("finding", "TOK-002", text, text, text, text);
    const key = await server.tell("plan", uid, text, text);
    await server.tell("move", key, "running");
    await row(uid).waitFor();
    assert.equal(await row(uid).locator(".c-tenant").textContent(), seen);
    assert.equal(await row(uid).locator(".c-agent").textContent(), seen);
    await row(uid).locator("button").click();
    await detail().locator("article.execution h3", { hasText: seen }).first().waitFor();
    const trigger = detail().locator(".evidence.trigger");
    await trigger.getByText(seen, { exact: true }).first().waitFor();
    const valueOf = (item, name) => item.locator("dt", { hasText: new RegExp(`^${name}$`) }).locator("xpath=following-sibling::dd[1]").textContent();
    for (const name of ["token_id", "enclave_id", "endpoint", "source"]) {
      assert.equal(await valueOf(trigger, name), seen, name);
    }
    assert.ok((await valueOf(trigger, "id")).startsWith(seen));
    const witness = detail().locator(".evidence:not(.trigger)");
    assert.equal(await valueOf(witness, "source"), seen);
    assert.ok((await valueOf(witness, "id")).startsWith(seen));
    await detail().getByText("The finding as OCSF").click();
    assert.ok(!/[\u202A-\u202E\u200B]/.test(await detail().innerText()), "what turns a text around is marked in the record, too");
    assert.equal(await detail().locator("img, script, h1, table table").count(), 0);
    await page.keyboard.press("Escape");
    await detail().waitFor({ state: "detached" });
    await nobodyReads();
  }
  const tool = await server.tell("finding", "ISO-003", "acme", "agent-1", "tok-1", hostile[0]);
  await page.goto(`${server.url}/#/findings/${tool}?view=all`);
  await detail().locator(".evidence.trigger dd", { hasText: hostile[0] }).first().waitFor();
  await detail().locator(".evidence.trigger dt", { hasText: /^tool$/ }).waitFor();
  await detail().getByRole("button", { name: "Suppress" }).click();
  await page.getByLabel("Why").fill(`${hostile[2]}${hostile[5]}`);
  await page.locator("form.desk").getByRole("button", { name: "Suppress" }).click();
  await detail().locator(".triage-mark.suppressed").waitFor();
  await page.goto(`${server.url}/#/findings?view=waivers`);
  await page.locator("table.grid summary").click();
  await page.locator("table.grid pre", { hasText: hostile[2] }).waitFor();
  assert.ok(!/[\u202A-\u202E\u200B]/.test(await page.locator("table.grid").innerText()), "in the YAML, too");
  assert.equal(await page.locator("main img, main script").count(), 0);
  for (const place of ["posture", "remediation", `findings?view=all&tenant=${encodeURIComponent(hostile[0])}`, "fleet", `fleet/${encodeURIComponent(hostile[0])}/${encodeURIComponent(hostile[0])}`, "findings"]) {
    await page.goto(`${server.url}/#/${place}`);
    await page.getByText(hostile[0]).first().waitFor({ state: "attached" });
    assert.equal(await page.locator("main img, main script, main h1").count(), 0);
  }
  assert.equal(await page.evaluate(() => window.broken), undefined);
});

test("what is being read does not move; what came meanwhile waits behind a pill", async () => {
  const uids = await fill(server);
  await open("findings?view=all");
  const reading = row(uids[20]);
  await reading.scrollIntoViewIfNeeded();
  const place = await reading.boundingBox();
  const fresh = [await commit(), await commit("ISO-001"), await commit("TOK-003")];
  await pill().getByText("3 new findings").waitFor();
  assert.deepEqual(await reading.boundingBox(), place);
  assert.equal(await row(fresh[0]).count(), 0);
  await pill().click();
  await row(fresh[2]).waitFor();
  const first = await page.locator("button[data-key]").first().getAttribute("data-key");
  assert.equal(first, fresh[2], "the newest on top");
  assert.equal(await pill().count(), 0);

  await row(fresh[2]).click();
  await detail().waitFor();
  const place2 = await row(fresh[0]).boundingBox();
  const later = await commit("EVT-001");
  await pill().getByText("1 new finding").waitFor();
  assert.deepEqual(await row(fresh[0]).boundingBox(), place2);
  await page.keyboard.press("n");
  await row(later).waitFor();
});

test("a restart of the server costs a moment and no finding", async () => {
  forgive(/net::ERR_/); // the browser's own word for a server that went away in mid-answer
  await open("findings?view=all");
  const before = await commit();
  await row(before).waitFor();
  await server.stop();
  await page.getByText(/^No answer from the server since .*, trying again$/).waitFor();
  await server.start();
  await server.tell("ready");
  const missed = [await commit("ISO-001"), await commit("TBP-001"), await commit("TOK-001")];
  await page.getByText("Live", { exact: true }).waitFor();
  for (const uid of [before, ...missed]) {
    await row(uid).waitFor();
    assert.equal(await row(uid).count(), 1);
  }
});

test("filters choose what is listed and what comes in, and stand in the address", async () => {
  const critical = await commit("TOK-002");
  const medium = await commit("TOK-003");
  await open("findings?view=all");
  await row(medium).waitFor();
  await page.getByRole("button", { name: "critical", exact: true }).click();
  await row(medium).waitFor({ state: "detached" });
  await row(critical).waitFor();
  assert.ok(page.url().endsWith("?severity=critical&view=all"));
  await nobodyReads();
  await commit("TOK-003");
  const other = await commit("ISO-001", "globex", "agent-3");
  await row(other).waitFor();
  assert.equal(await listed(), 2);
  await page.getByLabel("Criterion").selectOption("C1.1");
  await row(critical).waitFor({ state: "detached" });
  assert.ok(page.url().includes("criterion=C1.1"));
  await page.getByLabel("Tenant").fill("acme");
  await page.getByText("Nothing matches these filters").waitFor();
  await page.getByRole("button", { name: /Clear filters/ }).click();
  await page.getByLabel("Search").fill("AGENT-3");
  await page.keyboard.press("Enter");
  await row(critical).waitFor({ state: "detached" });
  await row(other).waitFor();
  assert.ok(page.url().includes("q=AGENT-3"));
  await page.goto(`${server.url}/#/findings?tenant=globex&agent=agent-3&view=all`);
  await row(other).waitFor();
  assert.equal(await listed(), 1);
  await page.getByLabel("Rule").selectOption("TOK-001");
  await page.getByText("Nothing matches these filters").waitFor();
  await page.getByRole("button", { name: /Clear filters/ }).click();
  await row(medium).waitFor();
});

test("ten thousand findings are scrolled through, and only what is seen is in the document", async () => {
  await server.tell("many", "10000");
  await open("findings?view=all");
  const list = page.locator(".list .scroller");
  const drawn = async () => page.locator(".slot").count();
  await page.locator(".slot").first().waitFor();
  while ((await listed()) < 10_000) {
    const before = await listed();
    assert.ok((await drawn()) < 80, `${await drawn()} rows drawn of ${before}`);
    await list.evaluate((box) => box.scrollTo({ top: box.scrollHeight }));
    await until(async () => (await listed()) > before, "more rows");
  }
  await list.evaluate((box) => box.scrollTo({ top: box.scrollHeight }));
  await page.locator('[aria-rowindex="10001"]').waitFor();
  await list.evaluate((box) => box.scrollTo({ top: box.scrollHeight / 2 }));
  await page.locator('[aria-rowindex="5001"]').waitFor();
  // A held-up drawing is felt from some tenth of a second on: that no part of a scroll takes long, on a machine that is busy.
  const slowest = await list.evaluate(async (box) => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const tasks = [];
    const watch = new PerformanceObserver((seen) => tasks.push(...seen.getEntries().map((one) => one.duration)));
    watch.observe({ type: "longtask" });
    box.scrollTo({ top: 0 });
    await frame();
    for (let i = 1; i <= 120; i++) {
      box.scrollTo({ top: i * 440 }); // ten rows
      await frame();
    }
    await frame();
    tasks.push(...watch.takeRecords().map((one) => one.duration));
    watch.disconnect();
    return tasks.sort((a, b) => a - b);
  });
  const half = slowest.length < 60 ? 0 : slowest[slowest.length - 60];
  console.log(`${slowest.length} tasks of 120 frames took 50 ms or more, the longest ${Math.round(slowest.at(-1) ?? 0)} ms`);
  assert.ok(half < 500, `half of the frames took ${half} ms`);
  await list.evaluate((box) => box.scrollTo({ top: box.scrollHeight / 2 }));
  await page.locator('[aria-rowindex="5001"]').waitFor();
  await page.locator('[aria-rowindex="5001"] button').focus();
  await page.keyboard.press("Home");
  await until(async () => (await focused()) === "2", "the first row has the focus");
  await page.keyboard.press("End");
  await until(async () => (await focused()) === "10001", "the last row has the focus");
  assert.ok((await drawn()) < 80);
});

test("everything can be done from the keyboard", async () => {
  const uids = [await commit("TOK-001"), await commit("TOK-002"), await commit("TOK-003")];
  await open("findings?view=all");
  await row(uids[0]).waitFor();
  await row(uids[2]).locator("button").focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  assert.equal(await page.evaluate(() => document.activeElement.dataset.key), uids[1]);
  await page.keyboard.press("Enter");
  await detail().getByRole("heading", { name: "Token used after it was revoked" }).waitFor();
  assert.ok(await detail().evaluate((pane) => pane.contains(document.activeElement)), "focus goes with it");
  await page.keyboard.press("Escape");
  await detail().waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => document.activeElement.dataset.key), uids[1], "and comes back");
});

test("an alert's link leads to its finding", async () => {
  const uid = await commit();
  await visit(`${server.url}/?finding=${uid}`);
  await detail().locator(".evidence.trigger").waitFor();
  assert.ok(page.url().endsWith(`/#/findings/${uid}`));
});

test("from a criterion that fails to what violates it", async () => {
  await commit("TBP-002");
  await open("posture");
  await page.locator(".tile.fail", { hasText: "CC6.8" }).click();
  await page.locator(".rules a", { hasText: "TBP-002" }).click();
  await page.locator(".row.incident", { hasText: "TBP-002" }).waitFor();
  assert.ok(page.url().endsWith("#/findings?rule=TBP-002"));
  await page.goBack();
  await page.getByRole("link", { name: "All findings against CC6.8" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("heading", { name: "Newest findings" }).waitFor();
});

test("runs of playbooks are listed by state and opened", async () => {
  const uids = [await commit(), await commit()];
  const waits = await server.tell("plan", uids[0], "revoke-tokens-globally", "agent-1");
  await server.tell("move", waits, "waiting");
  const failed = await server.tell("plan", uids[1], "terminate-sandbox", "agent-2");
  await server.tell("move", failed, "failed");
  await open("remediation");
  await row(failed).waitFor();
  await page.getByRole("button", { name: /waits for approval/ }).click();
  await row(failed).waitFor({ state: "detached" });
  await row(waits).locator("button").click();
  await page.locator(".pane").getByRole("heading", { level: 2 }).waitFor();
  await page.locator("article.execution .step").first().waitFor();
  assert.ok(page.url().endsWith(`#/remediation/${waits}?state=waiting`));
});

test("a monitor that is not ready says why", async () => {
  await server.tell("unready", "waiting for the broker");
  await visit(server.url);
  await page.getByText("Not ready: waiting for the broker").waitFor();
});

test("findings of one rule by one agent are one incident, which grows while it is looked at", async () => {
  const first = await commit("TOK-002", "acme", "agent-1");
  await commit("TOK-002", "acme", "agent-1");
  await commit("ISO-001", "globex", "agent-2");
  await open("findings");
  const incident = page.locator(".row.incident", { hasText: "agent-1" });
  await incident.locator(".c-count", { hasText: "2" }).waitFor();
  assert.equal(await listed(), 2);
  assert.ok((await incident.locator(".bars-spark rect:not(.zero)").count()) > 0);
  await incident.locator("button").click();
  await detail().locator(".evidence.trigger").waitFor();
  await detail().locator(".similar a", { hasText: "e-00000001" }).waitFor();
  assert.ok((await detail().locator(".similar a").first().getAttribute("href")).includes(first));
  const third = await commit("TOK-002", "acme", "agent-1");
  await incident.locator(".c-count", { hasText: "3" }).waitFor();
  await page.locator(".row.incident.chosen", { hasText: "agent-1" }).waitFor();
  await page.keyboard.press("Escape");
  await detail().waitFor({ state: "detached" });
  await page.getByRole("link", { name: "Each finding" }).click();
  await row(third).waitFor();
  assert.equal(await listed(), 4);
});

test("the fleet is shown by risk, and one agent with what it did", async () => {
  await commit("EVT-001", "acme", "agent-1");
  const uid = await commit("TOK-002", "globex", "agent-2");
  await open("fleet");
  const rows = page.locator("table.grid tbody tr");
  await rows.nth(1).waitFor();
  assert.ok((await rows.first().innerText()).includes("agent-2"), "the riskier first");
  await page.locator(".tenants a", { hasText: "acme" }).click();
  await rows.filter({ hasText: "agent-2" }).waitFor({ state: "detached" });
  await page.locator(".chip").click();
  await page.getByRole("link", { name: "agent-2", exact: true }).click();
  await page.locator(`.pane a[href*="${uid}"]`).waitFor();
  assert.ok(page.url().endsWith("#/fleet/globex/agent-2"));
  const later = await commit("ISO-001", "globex", "agent-2");
  await nobodyReads();
  await page.locator(".pane").getByRole("button", { name: /new finding/ }).or(page.locator(`.pane a[href*="${later}"]`)).first().waitFor();
  await page.keyboard.press("Escape");
  await page.locator(".pane").waitFor({ state: "detached" });
});

test("the system's screen shows what was read, what was lost and who is told", async () => {
  await server.tell("events", "ledger", "1200");
  await server.tell("cover", "telemetry", "2026-01-05T10:00:00Z", "2026-01-05T12:00:00Z", "retention", "2026-01-05T10:30:00Z", "2026-01-05T11:00:00Z");
  await server.tell("alert", "TOK-002", "acme", "firing");
  await open("system");
  await page.getByRole("region", { name: "Partitions" }).getByText("75.0 %").waitFor();
  await page.getByRole("region", { name: "Lost" }).getByText("the broker dropped records before they were read").waitFor();
  await page.getByRole("region", { name: "Sinks" }).locator("li").first().waitFor();
  await page.getByRole("img", { name: /^Events a second since/ }).locator("canvas").waitFor();
});

test("with a token configured the page asks who one is, and its address survives the log-in", async () => {
  forgive(/status of 401/); // what the page is told before it asks
  const token = "correct-horse-battery-staple";
  const guarded = await startConsole(token);
  try {
    await guarded.tell("ready");
    const uid = await guarded.tell("finding", "TOK-002", "acme", "agent-17", "tok-1");
    await visit(`${guarded.url}/#/findings/${uid}?view=all`);
    await page.getByLabel("Name").fill("token");
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("alert").filter({ hasText: /./ }).waitFor();
    await page.getByLabel("Password").fill(token);
    await page.keyboard.press("Enter");
    await page.getByText("Live", { exact: true }).waitFor();
    await detail().locator(".evidence.trigger").waitFor();
    const later = await guarded.tell("finding", "ISO-001", "acme", "agent-17", "tok-1");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: /1 new finding/ }).click();
    await row(later).waitFor();
    await page.getByRole("link", { name: "Audit" }).click();
    await page.locator("table.grid tr", { hasText: "session.open" }).first().waitFor();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("Password").waitFor();
    await page.reload();
    await page.getByLabel("Password").waitFor();
    assert.equal(await page.locator("nav").count(), 0);
    await page.context().close();
  } finally {
    await guarded.end();
  }
});

test("a theme is kept", async () => {
  await open("posture", { colorScheme: "light" });
  await page.getByRole("button", { name: "Switch to the dark theme" }).click();
  await page.reload();
  await page.getByRole("button", { name: "Switch to the light theme" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
});

test("what people make of a finding is told, kept and shown to all", async () => {
  const uid = await commit("TOK-002", "acme", "agent-17");
  await open(`findings/${uid}?view=all`);
  await page.getByRole("button", { name: "Acknowledge" }).click();
  await detail().locator(".triage-mark.acknowledged").waitFor();
  await row(uid).locator("em", { hasText: "acknowledged" }).waitFor();
  await page.getByRole("button", { name: "Assign" }).click();
  await page.getByLabel("To", { exact: true }).fill("<b>mira</b>");
  await page.locator("form.desk").getByRole("button", { name: "Assign" }).click();
  await detail().getByText("<b>mira</b> looks after it").waitFor();
  await page.getByRole("button", { name: "Comment" }).click();
  await page.getByLabel("Words").fill("the gateway's cache <img src=x onerror=alert(1)>");
  await page.locator("form.desk").getByRole("button", { name: "Comment" }).click();
  await detail().locator(".history").getByText("the gateway's cache <img src=x onerror=alert(1)>").waitFor();
  await page.getByRole("button", { name: "Close", exact: true }).click();
  await page.locator("form.desk select").selectOption("benign");
  await page.locator("form.desk").getByRole("button", { name: "Close" }).click();
  await detail().locator(".triage-mark.closed").waitFor();
  await page.reload();
  await detail().locator(".triage-mark.closed").waitFor();
  await page.getByRole("button", { name: "Reopen" }).click();
  await detail().getByRole("button", { name: "Suppress" }).waitFor();
  assert.equal(await detail().locator("img").count(), 0);
});

test("suppressing makes a waiver for what follows, which can be ended", async () => {
  const uid = await commit("TOK-002", "acme", "agent-17");
  await open(`findings/${uid}?view=all`);
  await page.getByRole("button", { name: "Suppress" }).click();
  await page.getByLabel("Why").fill("the host is being moved");
  await page.getByLabel("For").selectOption("7");
  await page.locator("form.desk").getByRole("button", { name: "Suppress" }).click();
  await detail().locator(".triage-mark.suppressed").waitFor();
  await page.keyboard.press("Escape");
  await detail().waitFor({ state: "detached" });
  await nobodyReads();
  const later = await commit("TOK-002", "acme", "agent-17");
  await row(later).locator("em", { hasText: "suppressed" }).waitFor();
  await row(later).click();
  await detail().getByText("Suppressed by demo: the host is being moved").waitFor();
  await page.keyboard.press("Escape");
  await detail().waitFor({ state: "detached" });
  await page.getByRole("link", { name: "Waivers" }).click();
  const waiver = page.locator("table.grid tbody tr", { hasText: "the host is being moved" });
  await waiver.getByText("For the baseline's file").click();
  await waiver.locator("pre", { hasText: "agent-17" }).waitFor();
  await waiver.getByText("in force").waitFor();
  await waiver.getByRole("button", { name: "End" }).click();
  await page.getByRole("dialog").getByText("the host is being moved, by demo").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await waiver.getByText("in force").waitFor();
  await waiver.getByRole("button", { name: "End" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "End it" }).click();
  await waiver.getByText(/ended .* by demo/).waitFor();
  assert.ok(await waiver.getByRole("button", { name: "End" }).isDisabled());
});

test("an incident is acknowledged and closed as one, and a finding of it for itself", async () => {
  const uids = [];
  for (let i = 0; i < 4; i++) {
    uids.push(await commit("TOK-002", "acme", "agent-17", `tok-${i}`));
  }
  const stateOf = async (uid) => (await (await fetch(`${server.url}/api/v1/findings/${uid}`)).json()).triage.state;
  const states = async () => (await Promise.all(uids.map(stateOf))).join(" ");
  await open(`findings/${uids[1]}?view=all`);
  await detail().getByRole("button", { name: "This finding", pressed: true }).waitFor();
  await detail().getByRole("button", { name: "Acknowledge" }).click();
  await detail().locator(".triage-mark.acknowledged").waitFor();
  assert.equal(await states(), "new acknowledged new new");
  await open("findings");
  await page.locator(".slot:has(.c-count)").first().click();
  await detail().getByRole("button", { name: "All 4 of the incident", pressed: true }).waitFor();
  await detail().getByRole("button", { name: "Acknowledge" }).click();
  await until(async () => (await states()) === "acknowledged acknowledged acknowledged acknowledged", "all are acknowledged");
  await detail().locator(".triage-mark.acknowledged").waitFor();
  await detail().getByRole("button", { name: "Acknowledge" }).waitFor({ state: "detached" });
  await detail().getByRole("button", { name: "Close", exact: true }).click();
  await page.locator("form.desk select").selectOption("benign");
  await page.locator("form.desk").getByRole("button", { name: "Close" }).click();
  await until(async () => (await states()) === "closed closed closed closed", "all are closed");
  await page.locator("[role=row] em", { hasText: "closed" }).waitFor();
});

/** A finding of an incident of four, whose sums do not follow what is done with it. */
async function openSlow() {
  const uids = [];
  for (let i = 0; i < 4; i++) {
    uids.push(await commit("TOK-002", "acme", "agent-17", `tok-${i}`));
  }
  await change(server, `/api/v1/findings/${uids[1]}/triage`, { do: "acknowledge" });
  const summed = async () => (await (await fetch(`${server.url}/api/v1/findings/${uids[1]}`)).json()).incident?.open === 4;
  await until(summed, "the incident has all four");
  await visit();
  let incident;
  await page.route("**/api/v1/findings/*", async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    incident ??= body.incident;
    await route.fulfill({ response: answer, json: { ...body, incident } });
  });
  await page.goto(`${server.url}/#/findings/${uids[1]}?view=all`);
  await live();
  await detail().getByRole("button", { name: "All 4 of the incident" }).click();
  return uids;
}

test("what follows at once is done with the same findings of an incident, and it is said where they were fewer", async () => {
  const uids = await openSlow();
  const states = async () => {
    const details = uids.map(async (uid) => (await fetch(`${server.url}/api/v1/findings/${uid}`)).json());
    return (await Promise.all(details)).map((one) => one.triage.state).join(" ");
  };
  await detail().getByRole("button", { name: "Acknowledge" }).click();
  await detail().getByRole("status").getByText("Done with 3 of 4").waitFor();
  assert.equal(await states(), "acknowledged acknowledged acknowledged acknowledged");
  await detail().getByRole("button", { name: "Close", exact: true }).click();
  await page.locator("form.desk").getByRole("button", { name: "Close" }).click();
  await page.locator("form.desk").waitFor({ state: "detached" });
  assert.equal(await states(), "closed closed closed closed");
  assert.equal(await detail().getByRole("status").count(), 0);
});

test("what was cut off in the midst of an incident goes on from there, and ends where nothing is left", async () => {
  forgive(/status of (409|503)/);
  await openSlow();
  const problem = (status, detail) => ({ status, contentType: "application/problem+json", body: JSON.stringify({ detail }) });
  const answers = [
    { json: { changed: 2, next: "99", seq: 101 } },
    problem(503, "the store is busy"),
    problem(409, "no finding of this incident stands"),
  ];
  const asked = [];
  await page.route("**/api/v1/incidents/*/triage", (route) => {
    asked.push(route.request().postDataJSON());
    return route.fulfill(answers.shift());
  });
  await detail().getByRole("button", { name: "Comment" }).click();
  await page.locator("form.desk textarea").fill("seen");
  const send = page.locator("form.desk").getByRole("button", { name: "Comment" });
  await send.click();
  await detail().getByRole("alert").getByText("the store is busy").waitFor();
  await send.click();
  await detail().getByRole("status").getByText("Done with 2 of 4").waitFor();
  await page.locator("form.desk").waitFor({ state: "detached" });
  assert.equal(await detail().getByRole("alert").count(), 0);
  assert.deepEqual(asked.map((one) => one.upto).slice(1), ["99", "99"]);
});

test("remediation is paused and goes on, and every screen says so", async () => {
  await open("remediation");
  await page.getByRole("button", { name: "Pause all" }).click();
  await page.getByLabel("Why").fill("<i>a storm</i>");
  await page.getByRole("button", { name: "Pause all remediation" }).click();
  await page.getByText("Remediation is paused by demo: <i>a storm</i>").waitFor();
  await page.goto(`${server.url}/#/posture`);
  await page.reload();
  await page.getByText("Remediation is paused by demo: <i>a storm</i>").click();
  await page.getByRole("button", { name: "Let it go on" }).click();
  await page.getByLabel("Why").fill("it is over");
  await page.getByRole("button", { name: "Go on", exact: true }).click();
  await page.locator(".paused").waitFor({ state: "detached" });
});

test("a run that waits is approved with a key that stays in the browser", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const uid = await commit();
  const key = await server.tell("plan", uid, "revoke-tokens-globally", "agent-17");
  await server.tell("move", key, "waiting");
  await visit();
  // The store's run waits for no role: here it waits for two.
  await page.route(`**/api/v1/executions/${key}`, async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    const needs = [
      { roles: ["responder"], approvals: 1, missing: 0 },
      { roles: ["lead"], approvals: 1, missing: 1 },
    ];
    const waits = { ...body.waits, approvals: 2, roles: ["responder", "lead"], needs };
    await route.fulfill({ response: answer, json: { ...body, waits } });
  });
  let sent;
  await page.route(`**/api/v1/executions/${key}/approval`, async (route) => {
    sent = route.request().postDataJSON();
    await route.continue();
  });
  await page.goto(`${server.url}/#/remediation/${key}`);
  await page.getByText("Needs one approval of responder and one approval of lead, until").waitFor();
  await page.getByText("Missing: one approval of lead").waitFor();
  await page.locator("form.desk select").selectOption("lead");
  await page.getByLabel("Key's id in the baseline").fill("ann-2026");
  await page.getByLabel("Why").fill("seen \u202Eand right");
  const told = page.waitForResponse((answer) => answer.url().includes("/approval?"));
  await page.getByRole("button", { name: "Show what is signed" }).click();
  const { statement, at } = await (await told).json();
  await page.getByLabel("What is signed").getByText('"decision": "approve"').waitFor();
  assert.match(await page.getByLabel("What is signed").innerText(), /"reason": "seen U\+202Eand right"/);
  assert.equal(await page.getByLabel("Requests that are signed").locator("li").count(), 2);
  assert.match(await page.getByLabel("Request 1").innerText(), /^{\n  "body": {\n.*"path": "\/v1\/revoke"\n}$/s);
  assert.match(await page.getByLabel("Terms 1").innerText(), /"on_failure": "stop"/);
  await page.getByLabel(/Private key/).setInputFiles({
    name: "ann.pem",
    mimeType: "application/x-pem-file",
    buffer: Buffer.from(privateKey.export({ type: "pkcs8", format: "pem" })),
  });
  await page.getByRole("button", { name: "Sign and approve" }).click();
  await page.getByText("by ann-2026 as lead").waitFor();
  assert.deepEqual({ ...sent, signature: "" }, { decision: "approve", role: "lead", key: "ann-2026", at, reason: "seen \u202Eand right", signature: "" });
  assert.ok(verify(null, Buffer.from(statement), publicKey, Buffer.from(sent.signature, "base64")), "what was shown is what was signed");
});

test("a run that waits is denied, which is signed as well", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const key = await server.tell("plan", await commit(), "revoke-tokens-globally", "agent-17");
  await server.tell("move", key, "waiting");
  await open(`remediation/${key}`);
  await page.getByRole("button", { name: "deny" }).click();
  await page.locator("form.desk select").selectOption("on-call");
  await page.getByLabel("Key's id in the baseline").fill("ann-2026");
  const told = page.waitForResponse((answer) => answer.url().includes("/approval?"));
  await page.getByRole("button", { name: "Show what is signed" }).click();
  const { statement } = await (await told).json();
  assert.equal(JSON.parse(statement).decision, "deny");
  await page.getByLabel(/Private key/).setInputFiles({
    name: "ann.pem",
    mimeType: "application/x-pem-file",
    buffer: Buffer.from(privateKey.export({ type: "pkcs8", format: "pem" })),
  });
  const sent = page.waitForRequest((request) => request.method() === "POST");
  await page.getByRole("button", { name: "Sign and deny" }).click();
  const { decision, signature } = (await sent).postDataJSON();
  assert.equal(decision, "deny");
  assert.ok(verify(null, Buffer.from(statement), publicKey, Buffer.from(signature, "base64")));
  await page.getByText("deny by ann-2026 as on-call").waitFor();
});

test("what was asked for before the draft was changed is neither shown nor signed", async () => {
  const key = await planned(await commit(), "waiting");
  await open(`remediation/${key}`);
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await page.route(`**/api/v1/executions/${key}/approval?*decision=approve*`, async (route) => {
    const answer = await route.fetch();
    await held;
    await route.fulfill({ response: answer });
  });
  await page.getByLabel("Key's id in the baseline").fill("ann-2026");
  const show = page.getByRole("button", { name: "Show what is signed" });
  const asked = page.waitForRequest(/approval\?/);
  await show.click();
  await asked;
  await page.getByRole("button", { name: "deny" }).click();
  const late = page.waitForResponse(/decision=approve/);
  release();
  await (await late).finished();
  await show.click();
  await page.getByLabel("What is signed").getByText('"decision": "deny"').waitFor();
  await page.getByRole("button", { name: "Sign and deny" }).waitFor();
});

test("a run is taken back by who says so twice, and a refusal is said", async () => {
  forgive(/status of 409/);
  const key = await server.tell("plan", await commit(), "revoke-tokens-globally", "agent-17");
  await server.tell("move", key, "done");
  const asked = [];
  await open(`remediation/${key}`);
  page.on("request", (request) => request.method() === "POST" && asked.push(new URL(request.url()).pathname));
  const first = page.getByRole("button", { name: "Take it back", exact: true });
  await first.click();
  await page.getByRole("button", { name: "Yes, take it back" }).waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await first.waitFor();
  assert.deepEqual(asked, []);
  await first.click();
  await page.getByRole("button", { name: "Yes, take it back" }).click();
  await page.getByRole("alert").getByText("nothing of this execution that could be taken back").waitFor();
  assert.deepEqual(asked, [`/api/v1/executions/${key}/undo`]);
  await page.route("**/undo", (route) => route.fulfill({ json: {} }));
  await first.click();
  await page.getByRole("button", { name: "Yes, take it back" }).click();
  await page.getByRole("alert").waitFor({ state: "detached" });
});

test("what is not what it says it is is not signed", async () => {
  const key = await server.tell("plan", await commit(), "revoke-tokens-globally", "agent-17");
  await server.tell("move", key, "waiting");
  await visit();
  let tamper;
  await page.route(`**/api/v1/executions/${key}/approval?*`, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: tamper(await answer.json()) });
  });
  await page.route(`**/api/v1/executions/${key}`, async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    await route.fulfill({ response: answer, json: { ...body, waits: { ...body.waits, roles: ["lead"] } } });
  });
  await page.goto(`${server.url}/#/remediation/${key}`);
  await page.getByLabel("Key's id in the baseline").fill("ann-2026");
  const refused = async (words) => {
    await page.getByRole("button", { name: "Show what is signed" }).click();
    await page.getByRole("alert").getByText(words).waitFor();
    assert.equal(await page.getByLabel("What is signed").count(), 0);
  };
  tamper = (body) => ({ ...body, steps: body.steps.map((step) => ({ ...step, request: "{}" })) });
  await refused("about other requests than those that it shows");
  tamper = (body) => ({ ...body, steps: body.steps.map((step) => ({ ...step, terms: "{}" })) });
  await refused("about other requests than those that it shows");
  tamper = (body) => ({ ...body, statement: body.statement.replace('"approve"', '"deny"') });
  await refused("says something else than what was asked for");
  // Of a name that stands there twice one reader sees the first and another the last.
  tamper = (body) => ({ ...body, statement: body.statement.replace("{", '{"decision":"deny",') });
  await refused("says something else than what was asked for");
});
