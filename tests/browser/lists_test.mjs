#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Lists: what they are narrowed to, how far they reach, and that they keep their place.
import assert from "node:assert/strict";
import { test } from "node:test";
import { change, until } from "./harness.mjs";
import { commit, focus, listed, nobodyReads, open, openWith, page, pill, planned, row, server, stage, visit } from "./stage.mjs";

stage();

const triage = (uid, what = { do: "acknowledge" }) => change(server, `/api/v1/findings/${uid}/triage`, what);
const incident = (agent) => page.locator(".slot", { has: page.locator(".row.incident", { hasText: agent }) });
const dialog = () => page.getByRole("dialog");

test("an incident that left the filter leaves the list", async () => {
  const first = await commit("TOK-002", "acme", "agent-1");
  await commit("TOK-002", "acme", "agent-2");
  await commit("TOK-002", "acme", "agent-3");
  await open("findings?state=new");
  await incident("agent-3").waitFor();
  await incident("agent-2").hover();
  const place = await incident("agent-2").boundingBox();
  await triage(first, { do: "close", reason: "benign" });
  await incident("agent-1").getByText("not among these any more").waitFor(); // while somebody reads it stays, and says so
  assert.deepEqual(await incident("agent-2").boundingBox(), place);
  await nobodyReads();
  await incident("agent-1").waitFor({ state: "detached" });
  assert.equal(await listed(), 2);
  await triage(first, { do: "reopen" });
  await incident("agent-1").waitFor();
});

test("a period has a beginning and an end, however far back, and stands in the address", async () => {
  await open("findings?view=all", { timezoneId: "Europe/Zurich" });
  const choose = async (from, to) => {
    await page.getByLabel("Time", { exact: true }).focus();
    await page.getByLabel("Time", { exact: true }).selectOption({ label: "From … to …" });
    await dialog().getByLabel("From").fill(from);
    await dialog().getByLabel(/^To/).fill(to);
    await dialog().getByRole("button", { name: "Show" }).click();
  };
  for (const [screen, path] of [["findings?view=all", "findings"], ["posture", "posture"], ["audit", "audit"], ["remediation", "remediation"]]) {
    await page.goto(`${server.url}/#/${screen}`);
    const asked = page.waitForRequest((request) => {
      const url = new URL(request.url());
      return url.pathname === `/api/v1/${path}` && url.searchParams.get("from") === "2026-01-05T09:00:05Z";
    });
    await page.getByLabel("Time", { exact: true }).waitFor();
    await choose("2026-01-05T10:00:05", "2026-01-05T12:30:15");
    assert.equal(new URL((await asked).url()).searchParams.get("to"), "2026-01-05T11:30:15Z", screen);
    await dialog().waitFor({ state: "detached" });
    assert.match(page.url(), /from=2026-01-05T09:00:05Z&to=2026-01-05T11:30:15Z/);
    assert.match(await page.getByLabel("Time", { exact: true }).locator("option:checked").innerText(), /^Since .*10:00:05 to .*12:30:15$/);
  }
  await page.goto(`${server.url}/#/findings?view=all&from=2026-01-05T09:00:00Z`);
  await page.getByText("Nothing matches these filters").or(page.locator(".slot").first()).first().waitFor();
  await choose("2026-01-05T10:00:05", "2026-01-05T09:00:05");
  await dialog().getByRole("alert").getByText("It ends before it begins").waitFor();
  await dialog().getByLabel("From").fill("");
  await dialog().getByLabel(/^To/).fill("");
  await dialog().getByRole("button", { name: "Show" }).click();
  await dialog().getByRole("alert").getByText("A beginning or an end is needed").waitFor();
  await page.keyboard.press("Escape");
  await dialog().waitFor({ state: "detached" });
  await focus(page.getByLabel("Time", { exact: true }));
  await page.getByLabel("Time", { exact: true }).selectOption({ label: "Any time" });
  await until(() => !page.url().includes("from="), "any time");
});

test("findings are narrowed to a time, a state, an agent and an assignee", async () => {
  const taken = await commit("TOK-002", "acme", "agent-1");
  const known = await commit("TOK-002", "acme", "agent-2");
  const fresh = await commit("ISO-001", "acme", "agent-3");
  await triage(taken);
  await triage(taken, { do: "assign", assignee: "mira" });
  await triage(taken, { do: "close", reason: "benign" });
  await triage(known);
  await open("findings?view=all&state=new,acknowledged");
  await row(fresh).waitFor();
  await row(known).waitFor();
  assert.equal(await listed(), 2);
  const state = page.getByLabel("State");
  assert.equal(await state.locator("option:checked").innerText(), "not settled");
  await state.selectOption("closed");
  await row(taken).waitFor();
  assert.equal(await listed(), 1);
  await page.goto(`${server.url}/#/findings?view=all&state=closed,new`);
  await row(fresh).waitFor();
  assert.equal(await listed(), 2);
  assert.equal(await state.locator("option:checked").innerText(), "closed or new");
  await state.selectOption("");
  await row(known).waitFor();
  await page.getByLabel("Agent").fill("agent-2");
  await page.keyboard.press("Enter");
  await row(fresh).waitFor({ state: "detached" });
  await row(known).waitFor();
  assert.match(page.url(), /agent=agent-2/);
  await page.getByLabel("Agent").fill("");
  await page.keyboard.press("Enter");
  await page.getByLabel("Assignee").fill("mira");
  await page.keyboard.press("Enter");
  await row(taken).waitFor();
  await row(known).waitFor({ state: "detached" });
  assert.match(page.url(), /assignee=mira/);
  await page.getByRole("button", { name: "Clear filters" }).click();
  await page.getByLabel("Time", { exact: true }).selectOption({ label: "Last hour" });
  await row(known).waitFor();
  await page.goto(`${server.url}/#/findings?view=all&to=2020-01-01T00:00:00Z`);
  await page.getByText("Nothing matches these filters").waitFor();
  await page.getByLabel("Time", { exact: true }).selectOption({ label: "Any time" });
  await row(known).waitFor();
  await page.goto(`${server.url}/#/findings?agent=agent-1&from=2020-01-01T00:00:00Z`);
  await incident("agent-1").getByText("0 open in all").waitFor();
  await page.goto(`${server.url}/#/findings?agent=agent-1`);
  await incident("agent-1").getByText("0 open", { exact: true }).waitFor();
});

test("the way back from who is nobody's keeps the focus", async () => {
  await commit("TOK-002", "acme", "agent-1");
  await open("findings?view=all&tenant=");
  await page.getByRole("button", { name: "Without a tenant" }).click();
  await focus(page.getByLabel("Tenant"));
  await page.goto(`${server.url}/#/fleet`);
  await page.getByLabel("Tenant").fill("acme");
  await page.keyboard.press("Enter");
  const chip = page.getByRole("button", { name: "acme show every tenant" });
  await focus(chip);
  assert.match(page.url(), /#\/fleet\/acme$/);
  await page.keyboard.press("Enter");
  await focus(page.getByLabel("Tenant"));
});

test("the fleet is of one tenant, in the order that was chosen", async () => {
  await commit("EVT-001", "acme", "agent-a");
  await commit("EVT-001", "acme", "agent-a");
  await commit("TOK-002", "globex", "agent-b");
  await open("fleet");
  const names = page.locator("table.grid tbody td:first-child a");
  const are = (...wanted) => until(async () => (await names.allInnerTexts()).join() === wanted.join(), `the agents are ${wanted.join(", ")}`);
  await are("agent-b", "agent-a");
  await page.getByLabel("By").selectOption("findings");
  await are("agent-a", "agent-b");
  assert.match(page.url(), /order=findings/);
  await page.getByLabel("By").selectOption("last");
  await are("agent-b", "agent-a");
  await page.getByLabel("By").selectOption("name");
  await are("agent-a", "agent-b");
  await page.getByLabel("Tenant").fill("globex");
  await page.keyboard.press("Enter");
  await are("agent-b");
  await page.goto(`${server.url}/#/fleet/nobody`);
  await page.getByText("No finding names an agent of this tenant").waitFor();
});

test("where nothing hovers, who has touched the page of late reads", async () => {
  const first = await commit("TOK-002", "acme", "agent-1");
  await visit("about:blank", { hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } });
  await page.clock.install();
  await page.goto(`${server.url}/#/findings?view=all`);
  await row(first).waitFor();
  await page.getByText("Live", { exact: true }).waitFor();
  assert.equal(await page.evaluate(() => matchMedia("(hover: hover)").matches), false);
  await page.getByRole("heading", { name: "Findings" }).tap();
  const place = await row(first).boundingBox();
  const second = await commit("ISO-001", "acme", "agent-2");
  await pill().getByText("1 new finding").waitFor();
  assert.deepEqual(await row(first).boundingBox(), place);
  await pill().tap();
  await row(second).waitFor();
  await page.clock.fastForward(61_000); // nobody has touched it since
  const third = await commit("TBP-001", "acme", "agent-3");
  await row(third).waitFor();
});

test("an empty page that is not the last is not taken for nothing", async () => {
  await planned(await commit(), "done");
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await visit();
  await page.route("**/api/v1/actions?*state=failed*", async (route) => {
    const { searchParams } = new URL(route.request().url());
    if (searchParams.has("after")) {
      await held;
      await route.continue();
    } else {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: { ...(await answer.json()), items: [], next: "1" } });
    }
  });
  await page.goto(`${server.url}/#/remediation?state=failed`);
  await page.getByText("None among those looked at so far").waitFor();
  assert.equal(await page.getByText("No run has failed").count(), 0);
  release();
  await page.getByText("No run has failed").waitFor();
});

test("more of an agent's runs are shown", async () => {
  const uid = await commit("TOK-002", "acme", "agent-17");
  const runs = [];
  for (let i = 0; i < 14; i++) {
    runs.push(await server.tell("plan", uid, `playbook-${i}`, `target-${i}`));
  }
  // The page keeps the newest runs of all anyhow: as if these were older.
  await openWith("fleet/acme/agent-17", { "actions?limit=100": (body) => ({ ...body, items: [] }) });
  const links = page.locator('.pane a[href*="#/remediation/"]');
  await until(async () => (await links.count()) === 12, "twelve runs");
  await page.getByRole("button", { name: "Show more runs" }).click();
  await until(async () => (await links.count()) === 14, "all of them");
  assert.equal(await page.getByRole("button", { name: "Show more runs" }).count(), 0);
});

test("waivers are shown however many there are, and keep their place", async () => {
  const uid = await commit("TOK-002", "acme", "agent-0");
  await triage(uid, { do: "suppress", reason: "the host is being moved", until: new Date(Date.now() + 86_400_000).toISOString() });
  const one = (await (await fetch(`${server.url}/api/v1/waivers`)).json()).items[0];
  const all = Array.from({ length: 730 }, (_, i) => ({ ...one, id: String(10_000 - i), reason: `reason ${i}` }));
  await visit();
  await page.clock.install();
  await page.route("**/api/v1/waivers?*", (route) => {
    const { searchParams } = new URL(route.request().url());
    const from = Number(searchParams.get("after") ?? 0);
    const to = from + Number(searchParams.get("limit"));
    return route.fulfill({ json: { items: all.slice(from, to), next: to < all.length ? String(to) : null } });
  });
  await page.goto(`${server.url}/#/findings?view=waivers`);
  const rows = page.locator("table.grid tbody tr");
  const are = (count) => until(async () => (await rows.count()) === count, `${count} waivers`);
  await are(100);
  await page.getByText("100+ shown").waitFor();
  for (let count = 200; count < all.length; count += 100) {
    await page.getByRole("button", { name: "Show more waivers" }).click();
    await are(count);
  }
  await page.getByRole("button", { name: "Show more waivers" }).click();
  await are(730);
  await rows.last().getByText("reason 729").waitFor();
  await rows.last().scrollIntoViewIfNeeded();
  all.unshift({ ...one, id: "10001", reason: "the newest" });
  await page.clock.fastForward(11_000);
  await page.locator(".pill", { hasText: "would move" }).waitFor();
  await rows.first().getByText("reason 0").waitFor();
  await page.locator(".pill").click();
  await rows.first().getByText("the newest").waitFor();
});

test("the audit is narrowed to a person, and read to its beginning", async () => {
  const uid = await commit();
  for (let i = 0; i < 105; i++) {
    await triage(uid, { do: "comment", text: `words ${i}` });
  }
  await open("audit", { viewport: { width: 390, height: 844 } });
  const rows = page.locator("table.grid tbody tr");
  await until(async () => (await rows.count()) === 100, "a page");
  await rows.first().locator(".narrow-only").getByText("words 104").waitFor();
  await rows.first().locator(".narrow-only").getByText("from 127.0.0.1").waitFor();
  await page.getByRole("button", { name: "Show what was before" }).click();
  await until(async () => (await rows.count()) === 105, "all of it");
  await rows.last().locator(".narrow-only").getByText("words 0", { exact: true }).waitFor();
  await page.getByLabel("Who").fill("nobody");
  await page.keyboard.press("Enter");
  await page.getByText("Nobody has changed anything").waitFor();
  assert.match(page.url(), /#\/audit\?who=nobody$/);
  await page.goto(`${server.url}/#/audit?who=demo&to=2026-01-05T00:00:00Z`);
  await page.getByText("Nobody has changed anything").waitFor();
  await page.getByLabel("Time", { exact: true }).selectOption({ label: "Any time" });
  await until(async () => (await rows.count()) === 100, "a page");
});
