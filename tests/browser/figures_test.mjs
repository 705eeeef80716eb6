#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// What the page counts and measures: whose figures they are, of which period, and that they follow.
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./harness.mjs";
import { commit, open, openWith, page, planned, server, stage } from "./stage.mjs";

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
