#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// What the page counts and measures: whose figures they are, of which period, and that they follow.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startConsole, until } from "./harness.mjs";
import { commit, detail, open, openWith, page, planned, server, stage, visit } from "./stage.mjs";

stage();

const course = () => page.getByRole("img", { name: /^Time to contain, each/ });
const labelled = (pattern) => until(async () => pattern.test((await course().getAttribute("aria-label")) ?? ""), `the chart says ${pattern}`);
const none = { count: 0, p50: null, p90: null, max: null };

test("how long remediation took is drawn by hour or day over the period that was chosen", async () => {
  const asked = [];
  const two = Date.parse("2026-01-05T02:00:00Z");
  await openWith("remediation?from=2026-01-05T00:00:00Z&to=2026-01-05T06:00:00Z", {
    "remediation?*": (body, url) => {
      const [from, to] = ["from", "to"].map((name) => Date.parse(url.searchParams.get(name)));
      asked.push([from, to]);
      const some = from <= two && two < to;
      const contain = some ? { count: 3, p50: 4, p90: 60, max: 90 } : none;
      return { ...body, times: { detect: { ...contain, p50: 0.25 }, act: none, contain } };
    },
  });
  await labelled(/^Time to contain, each hour: from \D*5\D* 0?\d+:00:00 half within 4\.0 s, the worst 1 min 30 s$/);
  const hours = asked.filter(([from, to]) => to - from === 3_600_000).map(([from]) => new Date(from).getUTCHours());
  assert.deepEqual(hours.sort(), [0, 1, 2, 3, 4, 5], "each hour once");
  const sums = page.locator(".sums");
  assert.match(await sums.locator(".contain").innerText(), /4\.0 s\s+1 min\s+1 min 30 s\s+3/);
  assert.match(await sums.locator(".detect").innerText(), /250 ms/);
  assert.match(await sums.locator(".act").innerText(), /–\s+–\s+–\s+0/);
  await course().locator("canvas").waitFor();
  await page.getByLabel("Time", { exact: true }).selectOption({ label: "Last 7 days" });
  await page.getByText("No run that was planned in this period has shown yet that it worked.").waitFor();
  await until(() => asked.some(([from, to]) => to - from === 86_400_000), "days are asked for");
  assert.match(page.url(), /#\/remediation\?from=/);
});

test("the times of remediation follow what the stream tells", async () => {
  const running = await planned(await commit(), "running");
  await open("remediation");
  await page.getByText("No run that was planned in this period has shown yet that it worked.").waitFor();
  await server.tell("move", running, "verified");
  await labelled(/each hour: from .* half within .*, the worst/);
  await planned(await commit(), "verified");
  await page.locator(".sums .contain td:last-child", { hasText: /^2$/ }).waitFor();
});

test("each worker is shown with the partitions that it reads", async () => {
  await server.tell("events", "ledger", "1200");
  await server.tell("cover", "ledger", "2026-01-05T10:00:00Z", "2026-01-05T12:00:00Z", "nothing", "2026-01-05T10:00:00Z", "2026-01-05T10:00:00Z");
  await openWith("system", { system: (body) => ({ ...body, workers: [...body.workers, { worker: 7, partitions: [] }] }) });
  const rows = page.getByRole("region", { name: "Workers" }).locator("tbody tr");
  await rows.nth(1).waitFor();
  assert.match(await rows.first().innerText(), /^0\s+ledger\s*\/ 0\s+12\s+.*\d\d:00:00$/s);
  assert.match(await rows.nth(1).innerText(), /^7\s+reads nothing now$/);
  assert.equal(await page.getByRole("note").count(), 0, "they are this process's");
});

test("a console of its own says that the figures are another process's", async () => {
  const alone = await startConsole(undefined, "workers=0");
  try {
    await alone.tell("ready");
    await alone.tell("cover", "ledger", "2026-01-05T10:00:00Z", "2026-01-05T12:00:00Z", "nothing", "2026-01-05T10:00:00Z", "2026-01-05T10:00:00Z");
    await visit(`${alone.url}/#/system`);
    await page.getByRole("note").getByText("This process only shows.").waitFor();
    const events = page.locator(".figure", { hasText: "Events" });
    assert.match(await events.innerText(), /–\s+another process detects/);
    await page.getByRole("region", { name: "Workers" }).getByText("None in this process").waitFor();
    const partition = page.getByRole("region", { name: "Partitions" }).locator("tbody tr");
    await partition.waitFor();
    assert.equal(await partition.locator(".number").innerText(), "–", "not a nought");
    await page.context().close();
  } finally {
    await alone.end();
  }
});

test("a finding shows each value that its clause saw, and where it came from", async () => {
  const uid = await commit();
  const saw = [
    { name: "use.time", of: "trigger", evidence: 0, value: "2026-01-05T10:00:01.25Z" },
    { name: "gone.scope", of: "partner", evidence: 1, value: ["a", "b"] },
    { name: "use.reason", of: "trigger", evidence: 0, value: null, why: "the event does not have it" },
    { name: "baseline.token.propagation", of: "parameter", value: "5s", override: { tenant: "acme*" } },
    { name: "baseline.token.limit", of: "parameter", value: 3, override: null },
  ];
  const told = (rule) => ({ [`findings/${uid}`]: (body) => ({ ...body, rule: { ...body.rule, ...rule } }) });
  await openWith(`findings/${uid}`, told({ saw, unseen: null, left_out: 2 }));
  const rows = detail().locator(".saw tbody tr");
  await rows.nth(4).waitFor();
  assert.deepEqual((await rows.allInnerTexts()).map((text) => text.split(/\s*\t\s*/)), [
    ["use.time", "2026-01-05T10:00:01.25Z", "trigger token.used"],
    ["gone.scope", `["a","b"]`, "witness token.revoked"],
    ["use.reason", "the event does not have it", "trigger token.used"],
    ["baseline.token.propagation", "5s", "override for tenant acme*"],
    ["baseline.token.limit", "3", "the baseline"],
  ]);
  await detail().getByText("2 further values are in the record.").waitFor();
  await page.context().close();
  await openWith(`findings/${uid}`, told({ saw: null, unseen: "it was found by an older version", left_out: 0 }));
  await detail().getByText("The values that it saw are not known: it was found by an older version.").waitFor();
});
