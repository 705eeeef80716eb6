// SPDX-License-Identifier: Apache-2.0
// What the browser tests share: a console to look at, a browser to look with, and waiting for conditions.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Environment: IV_CONSOLE_SERVER (the program), IV_PAGE_TREE (where npm installed), IV_SHOTS (a folder). */
const need = (name) => {
  const value = process.env[name];
  if (value === undefined) {
    throw new Error(`${name} is not set; run these tests by ctest`);
  }
  return value;
};

export const modules = createRequire(join(need("IV_PAGE_TREE"), "package.json"));
export const shots = need("IV_SHOTS");

/** A console over a fresh store, with options NAME=VALUE of the server's. tell(…words) answers what the server says; stop() and start() keep store and port. */
export async function startConsole(token, ...options) {
  const folder = mkdtempSync(join(tmpdir(), "invigil-browser-"));
  const access = [];
  if (token !== undefined) {
    writeFileSync(join(folder, "token"), `${token}\n`);
    access.push(`token_file=${join(folder, "token")}`);
  }
  let child;
  let lines;
  let url = "";
  const waiting = [];
  const boot = async (listen) => {
    const words = [`store=${join(folder, "store.db")}`, `listen=${listen}`, "pulse_ms=300", ...access, ...options];
    child = spawn(need("IV_CONSOLE_SERVER"), words, {
      stdio: ["pipe", "pipe", process.env.IV_VERBOSE === undefined ? "ignore" : "inherit"],
    });
    lines = createInterface({ input: child.stdout });
    lines.on("line", (line) => waiting.shift()?.resolve(line));
    child.on("exit", () => {
      for (const one of waiting.splice(0)) {
        one.reject(new Error("the console's server ended"));
      }
    });
    url = await next();
  };
  const next = () => new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  const tell = async (...words) => {
    const answer = next();
    child.stdin.write(`${words.join("\t")}\n`);
    const text = await answer;
    if (text.startsWith("! ")) {
      throw new Error(text.slice(2));
    }
    return text;
  };
  const stop = () =>
    new Promise((resolve) => {
      child.removeAllListeners("exit");
      child.on("exit", resolve);
      child.stdin.end("quit\n");
    });
  await boot("127.0.0.1:0");
  return {
    tell,
    stop,
    get url() {
      return url;
    },
    start: () => boot(url.replace("http://", "")),
    end: async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const violated = ["TOK-002", "ISO-001", "TOK-003", "ISO-005", "ISO-003", "EVT-001"];
const states = ["running", "failed", "done", "verified", "verified", "verified", "waiting", "waiting", "waiting"];

/**
 * A store that looks like a morning: criteria that fail, one that is inconclusive and some without a violation.
 * Answers the findings' uids, the oldest first.
 */
export async function fill(server) {
  const uids = [];
  for (let i = 0; i < 40; i++) {
    const tenant = ["acme", "globex", "initech"][i % 3];
    const agent = i % 5 < 3 ? `agent-${(i % 6) * 7}` : `agent-${(i * 37) % 90}`; // some do it again
    uids.push(await server.tell("finding", violated[(i * 5) % 6], tenant, agent, `tok-${i}`));
  }
  for (const [i, state] of states.entries()) {
    const playbook = i % 2 === 0 ? "revoke-tokens-globally" : "terminate-sandbox";
    const key = await server.tell("plan", uids[39 - i], playbook, `agent-${i}`);
    await server.tell("move", key, state);
  }
  await server.tell("events", "ledger", "48210");
  await server.tell("events", "telemetry", "173004");
  const hour = (back) => new Date(Date.now() - back * 3_600_000).toISOString().replace(/\.\d+Z/, "Z");
  const reach = hour(-1 / 3600); // behind the last of the findings, so that they are of what is covered
  await server.tell("cover", "ledger", hour(20), reach, "retention", hour(9), hour(8.98));
  await server.tell("cover", "telemetry", hour(20), reach, "nothing", hour(1), hour(1));
  await server.tell("forget", "TBP-001", hour(6), hour(5));
  await server.tell("alert", "TOK-002", "acme", "firing");
  return uids;
}

/** Changes something as the page would. */
export async function change(server, path, body) {
  const answer = await fetch(`${server.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: server.url },
    body: JSON.stringify(body),
  });
  if (!answer.ok) {
    throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  }
}

export async function startBrowser() {
  const { chromium } = modules("playwright-core");
  return chromium.launch({
    executablePath: process.env.IV_CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A page that fails the test on any error of its own: an exception, a refused script, a resource that is missing. */
export async function openPage(browser, url, options = {}) {
  return openTab(await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options }), url);
}

/** Another one in the same browser, as far as cookies and what tabs tell each other go. */
export async function openTab(context, url) {
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("ERR_CONNECTION_REFUSED")) {
      page.faults.push(message.text());
    }
  });
  await page.goto(url);
  return page;
}

/** Waits for a condition, not for a time. The page's policy lets no test evaluate a waiting function in it. */
export async function until(condition, what) {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    if (await condition()) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
  throw new Error(`did not come about: ${what}`);
}
