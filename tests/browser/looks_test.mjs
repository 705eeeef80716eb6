#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// How the page looks: every screen in both themes, wide and narrow, accessible by axe's rules, and a picture of it.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { change, fill, modules, openPage, shots, startBrowser, startConsole } from "./harness.mjs";

const desk = { width: 1280, height: 800 };
const phone = { width: 390, height: 844 };
const paintMs = 3_000; // a tenth of a second where nothing else runs: the rest is for a machine that is busy
const paintTries = 10; // of which one must keep to it, each in a browser that knows nothing yet

let browser;
let server;
let uids;
let page;

before(async () => {
  mkdirSync(shots, { recursive: true });
  browser = await startBrowser();
  server = await startConsole();
  await server.tell("ready");
  uids = await fill(server);
  const until = new Date(Date.now() + 86_400_000).toISOString();
  await change(server, `/api/v1/findings/${uids[30]}/triage`, { do: "acknowledge" });
  for (const [name, ...roles] of [["ann", "admin"], ["carol", "analyst", "auditor"], ["on-call", "responder"], ["wall", "viewer"]]) {
    await change(server, "/api/v1/users", { name, roles, password: "correct horse battery" });
  }
  await change(server, "/api/v1/tokens", { name: "prometheus", roles: ["viewer"], expires: "366d" });
  await change(server, "/api/v1/tokens", { name: "ticket-bridge", roles: ["analyst"], expires: "5d" });
  await change(server, `/api/v1/findings/${uids[29]}/triage`, { do: "suppress", reason: "the host is being moved", until });
});

after(async () => {
  await browser.close();
  await server.end();
});

const row = (uid) => page.locator(`.slot:has(button[data-key="${uid}"])`);
const detail = () => page.locator("section.detail");

const axe = readFileSync(modules.resolve("axe-core/axe.min.js"), "utf8");
const accessible = async (what) => {
  await page.evaluate(axe);
  const found = await page.evaluate(() =>
    window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
  );
  const said = found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).join("; ")}`);
  assert.deepEqual(said, [], what);
};

for (const colorScheme of ["light", "dark"]) {
  for (const viewport of [desk, phone]) {
    const name = `${colorScheme} at ${viewport.width}`;
    test(`${name}: accessible, nothing sticks out, and a picture of it`, async () => {
      const looked = { colorScheme, viewport, reducedMotion: "reduce" };
      const look = async (screen) => {
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(width <= viewport.width, `${screen} is ${width} wide`);
        await accessible(screen);
        await page.screenshot({ path: join(shots, `${screen}-${colorScheme}-${viewport.width}.png`) });
      };
      page = await openPage(browser, `${server.url}/#/posture`, looked);
      await page.locator(".tile").first().waitFor();
      await page.locator(".news-list li").first().waitFor();
      await look("posture");
      await page.goto(`${server.url}/#/posture/CC6.1`);
      await page.locator(".rules li").first().waitFor();
      await look("criterion");
      await page.goto(`${server.url}/#/findings`);
      await page.locator(".row.incident").first().waitFor();
      await look("incidents");
      await page.goto(`${server.url}/#/findings?view=all`);
      await row(uids[39]).waitFor();
      await look("findings");
      await row(uids[39]).locator("button").click();
      await detail().locator(".evidence.trigger").waitFor();
      await look("finding");
      await detail().getByRole("button", { name: "Suppress" }).click();
      await page.getByLabel("Why").waitFor();
      await look("finding-suppress");
      await page.keyboard.press("Escape");
      await detail().getByRole("button", { name: "Close", exact: true }).click();
      await page.locator("form.desk select").waitFor();
      await accessible("closing a finding");
      await page.keyboard.press("Escape");
      await page.keyboard.press("Escape");
      if (viewport === phone) {
        await page.getByRole("button", { name: "More filters" }).click();
        await page.getByLabel("Criterion").waitFor();
        await look("filters");
      }
      await page.goto(`${server.url}/#/findings?view=all&tenant=nobody&from=2026-01-05T10:00:00Z`);
      await page.getByText("Nothing matches these filters").waitFor();
      await look("findings-none");
      await page.goto(`${server.url}/#/remediation`);
      await page.locator(".slot").first().waitFor();
      await look("remediation");
      await page.getByRole("button", { name: "Pause all" }).click();
      await page.getByLabel("Why").waitFor();
      await look("remediation-pause");
      await page.keyboard.press("Escape");
      await page.goto(`${server.url}/#/remediation?state=refused`);
      await page.getByText("No run is refused").waitFor();
      await look("remediation-none");
      await page.goto(`${server.url}/#/remediation`);
      await page.locator(".slot button").first().click();
      await page.locator("article.execution").waitFor();
      await page.getByLabel("Key's id in the baseline").fill("ann-2026");
      await look("run");
      await page.goto(`${server.url}/#/fleet`);
      await page.locator("table.grid tbody tr").first().waitFor();
      await look("fleet");
      await page.locator("table.grid tbody a").first().click();
      await page.locator(".pane .similar li").first().waitFor();
      await look("agent");
      await page.goto(`${server.url}/#/system`);
      await page.locator(".chart canvas").first().waitFor();
      await look("system");
      await page.route("**/api/v1/system", (route) => route.fulfill({ status: 503, contentType: "application/problem+json", body: `{"detail":"busy"}` }));
      await page.route("**/api/v1/fleet*", (route) => route.abort());
      await page.goto(`${server.url}/#/fleet`);
      await page.getByText("The server does not answer").waitFor();
      await look("fleet-unanswered");
      await page.goto(`${server.url}/#/system`);
      await page.getByText("The sinks cannot be shown").waitFor();
      await accessible("a system that cannot be shown");
      await page.unroute("**/api/v1/system");
      await page.unroute("**/api/v1/fleet*");
      await page.route("**/api/v1/stream*", (route) => route.abort());
      await page.goto(`${server.url}/#/posture`);
      await page.reload();
      await page.getByText(/^No answer from the server since/).waitFor();
      await page.locator(".tile").first().waitFor();
      await look("lost");
      await page.unroute("**/api/v1/stream*");
      await page.getByText("Live", { exact: true }).waitFor();
      await page.goto(`${server.url}/#/audit`);
      await page.locator("table.grid tbody tr").first().waitFor();
      await look("audit");
      await page.goto(`${server.url}/#/findings?view=waivers`);
      await page.locator("table.grid tbody tr").first().waitFor();
      await look("waivers");
      await page.goto(`${server.url}/#/access`);
      await page.locator("table.grid tbody tr").first().waitFor();
      await look("users");
      await page.getByRole("button", { name: "Add a user" }).click();
      await page.getByLabel("Name", { exact: true }).waitFor();
      await look("user-add");
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.goto(`${server.url}/#/access/tokens`);
      await page.getByText("ticket-bridge").waitFor();
      await look("tokens");
      await page.getByRole("button", { name: "Make a token" }).click();
      await page.getByLabel("For what").fill(`look-${colorScheme}-${viewport.width}`);
      await page.getByRole("button", { name: "Make", exact: true }).click();
      await page.getByText("ivg_").waitFor();
      await look("token-made");
      await page.getByRole("button", { name: "I have it" }).click();
      const ann = { name: "ann", via: "session", roles: ["admin"], permissions: ["read", "admin"], csrf: "x", expires: "2099-01-01T00:00:00Z" };
      await page.route("**/api/v1/session", (route) => route.fulfill({ status: 200, contentType: "application/json", body: JSON.stringify(ann) }));
      await page.goto(`${server.url}/#/account`);
      await page.reload();
      await page.getByLabel("Present password").waitFor();
      await look("account");
      await page.unroute("**/api/v1/session");
      await page.route("**/api/v1/session", (route) =>
        route.fulfill({ status: 401, contentType: "application/problem+json", body: "{}" }),
      );
      await page.reload();
      await page.getByLabel("Password").waitFor();
      await look("login");
      const faults = page.faults.filter((fault) => !/status of (401|503)|ERR_FAILED/.test(fault));
      await page.context().close();
      assert.deepEqual(faults, [], "the page had errors of its own");
    });
  }
}

for (const viewport of [{ width: 1920, height: 1080 }, { width: 3840, height: 2160 }]) {
  test(`on a wall of ${viewport.width} pixels: to be read from afar, accessible, and a picture of it`, async () => {
    page = await openPage(browser, `${server.url}/?wall#/posture`, { colorScheme: "dark", viewport, reducedMotion: "reduce" });
    const places = [["posture", ".tile"], ["findings", ".row.incident"], ["remediation", ".chart canvas"], ["system", ".chart canvas"]];
    for (const [screen, sign] of places) {
      await page.goto(`${server.url}/?wall#/${screen}`);
      await page.locator(sign).first().waitFor();
      const { wide, high, text } = await page.evaluate(() => ({
        wide: document.documentElement.scrollWidth,
        high: document.documentElement.scrollHeight,
        text: document.querySelector("nav a").getBoundingClientRect().height / window.innerHeight,
      }));
      assert.deepEqual([wide, high], [viewport.width, viewport.height], `${screen} is as large as the wall`);
      assert.ok(text > 0.065, `the same share of a larger wall: ${text}`);
      await accessible(`${screen} on a wall`);
      await page.screenshot({ path: join(shots, `${screen}-wall-${viewport.width}.png`) });
    }
    const { scrolled, drawn } = await page.evaluate(() => {
      const canvas = document.querySelector(".chart canvas");
      return { scrolled: canvas.width, drawn: canvas.getBoundingClientRect().width };
    });
    assert.ok(Math.abs(scrolled - drawn) < 2, "a chart is drawn in the wall's own pixels");
    await page.getByRole("button", { name: "Large, to be read from afar" }).click();
    await page.reload();
    await page.locator('.wall[aria-pressed="false"]').waitFor();
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });
}

/** Opens the page where nothing of it is known yet. Answers what came over the wire for it, and when it was painted first. */
async function firstVisit() {
  page = await openPage(browser, "about:blank");
  const client = await page.context().newCDPSession(page);
  await client.send("Network.enable");
  let bytes = 0;
  const answers = new Set();
  client.on("Network.requestWillBeSent", (event) => {
    if (event.request.url.includes("/api/")) {
      answers.add(event.requestId);
    }
  });
  client.on("Network.loadingFinished", (event) => (bytes += answers.has(event.requestId) ? 0 : event.encodedDataLength));
  await page.goto(server.url);
  await page.locator(".tile").first().waitFor();
  await page.evaluate(() => document.fonts.ready);
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Infinity);
  await page.context().close();
  console.log(`${bytes} bytes, first contentful paint after ${paint.toFixed(0)} ms`);
  return { bytes, paint };
}

test("all of the page is under 150 kB on the wire, and soon painted", async () => {
  const paints = [];
  while (paints.length < paintTries && !(Math.min(...paints) < paintMs)) {
    const { bytes, paint } = await firstVisit();
    assert.ok(bytes > 10_000 && bytes < 150_000, `${bytes} bytes`);
    paints.push(paint);
  }
  assert.ok(Math.min(...paints) < paintMs, `first contentful paint after ${paints.join(", ")} ms`);
});
