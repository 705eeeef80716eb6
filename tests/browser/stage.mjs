// SPDX-License-Identifier: Apache-2.0
// What each test of the page begins with and ends with: a console over a fresh store, one browser for all of a file's
// tests, and at the end no error of the page's own.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach } from "node:test";
import { openPage, openTab, startBrowser, startConsole, until } from "./harness.mjs";

let browser;
let opened = [];
let forgiven = [];

/** Of the test that runs: its console, and the page that it opened last. */
export let server;
export let page;

/** token: of a console that lets in who shows it. Faults that match forgives are not the page's own, in any test. */
export function stage({ token, forgives } = {}) {
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser.close());
  beforeEach(async () => {
    forgiven = forgives === undefined ? [] : [forgives];
    server = await startConsole(token);
    await server.tell("ready");
  });
  afterEach(async () => {
    const faults = opened.flatMap((one) => one.faults).filter((fault) => forgiven.every((one) => !one.test(fault)));
    // An answer that is still under way to the page is nobody's any more.
    await Promise.all(opened.filter((one) => !one.isClosed()).map((one) => one.unrouteAll({ behavior: "ignoreErrors" })));
    await Promise.all([...new Set(opened.map((one) => one.context()))].map((context) => context.close()));
    opened = [];
    page = undefined;
    await server.end();
    assert.deepEqual(faults, [], "the page had errors of its own");
  });
}

/** What a test brings about itself. */
export const forgive = (what) => void forgiven.push(what);

/** Opens a page of its own, empty if no address is given. */
export async function visit(url = "about:blank", options = {}) {
  page = await openPage(browser, url, options);
  opened.push(page);
  return page;
}

/** Opens another tab of the browser that the present page is in. */
export async function tab(url = "about:blank") {
  page = await openTab(page.context(), url);
  opened.push(page);
  return page;
}

/** Back to one that was opened before. */
export const turnTo = (one) => void (page = one);

export const live = () => page.getByText("Live", { exact: true }).waitFor();

export async function open(place, options = {}) {
  await visit(`${server.url}/#/${place}`, options);
  await live();
}

/** Opens a place where some answers of the server are others. */
export async function openWith(place, answers) {
  await visit();
  for (const [path, make] of Object.entries(answers)) {
    await page.route(`**/api/v1/${path}`, async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: make(await answer.json(), new URL(route.request().url())) });
    });
  }
  await page.goto(`${server.url}/#/${place}`);
  await live();
}

export const commit = (rule = "TOK-002", tenant = "acme", agent = "agent-17", token = "tok-1") =>
  server.tell("finding", rule, tenant, agent, token);

/** A run of a playbook, in a state if one is given. Answers its key. */
export async function planned(uid, state, agent = "agent-17") {
  const key = await server.tell("plan", uid, "revoke-tokens-globally", agent);
  if (state !== undefined) {
    await server.tell("move", key, state);
  }
  return key;
}

export const row = (key) => page.locator(`.slot:has(button[data-key="${key}"])`);
export const listed = async () => Number(await page.locator("[role=table]").getAttribute("aria-rowcount")) - 1;
export const pill = () => page.locator(".pill");
export const detail = () => page.locator("section.detail");
export const focus = (what) => until(() => what.evaluate((it) => it === document.activeElement), "the focus is where it was");

export async function nobodyReads() {
  await page.mouse.move(0, 0);
  await page.evaluate(() => document.activeElement.blur());
}
