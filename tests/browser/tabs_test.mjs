#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Several tabs of one browser: one stream for all of them, and one person.
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./harness.mjs";
import { commit, forgive, live, nobodyReads, page, row, server, stage, tab, turnTo, visit } from "./stage.mjs";

const token = "correct-horse-battery-staple";
const password = "correct horse battery";

stage({ token });

const logIn = async (name, secret, screen = "posture") => {
  await page.goto(`${server.url}/#/${screen}`);
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(secret);
  await page.keyboard.press("Enter");
  await live();
};

const addUser = async (name, ...roles) => {
  const answer = await fetch(`${server.url}/api/v1/users`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ name, password, roles }),
  });
  assert.equal(answer.status, 201);
};

/** Which of the browser's tabs have a stream, as they ask for it. */
const streamsOf = (context) => {
  const streams = new Map();
  context.on("request", (request) => {
    if (request.url().includes("/api/v1/stream")) {
      const of = request.frame().page();
      streams.set(of, [...(streams.get(of) ?? []), new URL(request.url()).searchParams.get("after")]);
    }
  });
  return streams;
};

test("eight tabs are all live by one stream, and another one goes on when its tab is closed", async () => {
  forgive(/status of 401/); // what the page is told before it asks
  await visit();
  const streams = streamsOf(page.context());
  await logIn("token", token, "findings?view=all");
  const tabs = [page];
  for (let i = 1; i < 8; i++) {
    tabs.push(await tab(`${server.url}/#/findings?view=all`));
    await live();
  }
  const everywhere = async (uid) => {
    for (const one of tabs) {
      turnTo(one);
      await row(uid).waitFor();
      assert.equal(await row(uid).count(), 1);
    }
  };
  await everywhere(await commit());
  assert.deepEqual([...streams.keys()], [tabs[0]]);
  turnTo(tabs[6]);
  await row(await commit("ISO-001")).locator("button").click(); // there is a connection left to ask by
  await page.locator("section.detail .evidence.trigger").waitFor();
  await page.keyboard.press("Escape");
  await page.locator("section.detail").waitFor({ state: "detached" });
  await nobodyReads();

  await tabs.shift().close();
  const missed = [await commit("TBP-001"), await commit("TOK-001")];
  await until(() => streams.size === 2, "another tab has the stream");
  const [after] = [...streams.values()][1];
  assert.match(after, /\d/, "from where it was told last");
  for (const uid of [...missed, await commit("TBP-002")]) {
    await everywhere(uid);
  }
  assert.equal(streams.size, 2, "and none but that");
});

test("a tab that has the stream and is held up is relieved by one that is looked at", async () => {
  forgive(/status of 401/);
  await visit();
  const streams = streamsOf(page.context());
  // What it tells does not come out, as where a browser has stopped its clocks.
  await page.addInitScript(() => {
    const Real = window.BroadcastChannel;
    window.BroadcastChannel = class extends Real {
      postMessage() {}
    };
  });
  await logIn("token", token, "findings?view=all");
  const held = page;
  await tab();
  await page.clock.install();
  await page.goto(`${server.url}/#/findings?view=all`);
  await page.getByText("No violations found so far").waitFor();
  assert.deepEqual([...streams.keys()], [held]);
  const missed = await commit();
  const holder = () => page.evaluate(async () => (await navigator.locks.query()).held[0].clientId);
  const first = await holder();
  await page.clock.fastForward(25_000); // that it stood still itself
  assert.equal(await holder(), first);
  await page.clock.runFor(25_000); // of silence
  await row(missed).waitFor();
  await live();
  assert.deepEqual([...streams.keys()], [held, page]);
  const uid = await commit("ISO-001");
  await row(uid).waitFor();
  turnTo(held);
  await row(uid).waitFor();
});

test("a tab that was opened late and takes the stream over begins where the one furthest behind ends", async () => {
  forgive(/status of 401/);
  await visit();
  const streams = streamsOf(page.context());
  await page.addInitScript(() => {
    const Real = window.BroadcastChannel;
    window.BroadcastChannel = class extends Real {
      postMessage() {}
    };
  });
  await logIn("token", token, "findings?view=all");
  const before = await commit();
  const behind = await tab();
  await page.addInitScript(() => Object.defineProperty(Document.prototype, "hidden", { get: () => true })); // it takes nothing over
  await page.goto(`${server.url}/#/findings?view=all`);
  await row(before).waitFor();
  const missed = [await commit("ISO-001"), await commit("TBP-001")];
  const late = await tab();
  await page.clock.install();
  await page.goto(`${server.url}/#/findings?view=all`);
  await row(missed[1]).waitFor();
  await page.clock.runFor(25_000);
  await until(() => streams.has(late), "it takes the stream over");
  turnTo(behind);
  for (const uid of [...missed, await commit("TOK-001")]) {
    await row(uid).waitFor();
  }
  turnTo(late);
  for (const uid of [before, ...missed]) {
    assert.equal(await row(uid).count(), 1);
  }
  assert.ok(!streams.has(behind));
});

test("where a browser has no locks, a tab that is not looked at has no stream and misses nothing", async () => {
  forgive(/status of 401/);
  await visit();
  await page.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, "locks", { value: undefined });
    let hidden = false;
    Object.defineProperty(Document.prototype, "hidden", { get: () => hidden });
    window.addEventListener("hide", () => ((hidden = true), document.dispatchEvent(new Event("visibilitychange"))));
    window.addEventListener("show", () => ((hidden = false), document.dispatchEvent(new Event("visibilitychange"))));
  });
  let ended = 0;
  page.on("requestfailed", (request) => (ended += request.url().includes("/api/v1/stream") ? 1 : 0));
  page.on("requestfinished", (request) => (ended += request.url().includes("/api/v1/stream") ? 1 : 0));
  await logIn("token", token, "findings?view=all");
  await row(await commit()).waitFor();
  await page.evaluate(() => window.dispatchEvent(new Event("hide")));
  await until(() => ended === 1, "its stream is closed");
  const missed = await commit("ISO-001");
  await page.evaluate(() => window.dispatchEvent(new Event("show")));
  await row(missed).waitFor();
});

test("a log-in in another tab makes one person of all tabs, and nothing is done in the wrong name", async () => {
  forgive(/status of 40[13]/);
  await addUser("ann", "analyst");
  await addUser("bob", "analyst");
  const uid = await commit();
  await visit();
  // A tab that does not hear of the others: its change is refused, and it asks who it is.
  await page.addInitScript(() => {
    const Real = window.BroadcastChannel;
    window.BroadcastChannel = class extends Real {
      constructor(name) {
        super(name === "invigil-session" && window.name !== "hears" ? "nobody" : name);
      }
    };
  });
  await logIn("ann", password, `findings/${uid}?view=all`);
  const first = page;
  await tab();
  await page.evaluate(() => void (window.name = "hears"));
  await page.goto(`${server.url}/#/findings/${uid}?view=all`);
  await page.getByRole("button", { name: "Log out" }).waitFor();
  const second = page;
  await page.getByRole("button", { name: "Log out" }).click();
  await logIn("bob", password, `findings/${uid}?view=all`);
  turnTo(first);
  await page.getByRole("link", { name: "ann" }).waitFor();
  await page.getByRole("button", { name: "Acknowledge" }).click();
  await page.getByRole("alert").getByText("here, too, you are bob now").waitFor();
  await page.getByRole("link", { name: "bob" }).waitFor();
  await page.locator(".triage-mark.new").waitFor(); // not as bob what ann asked for
  await page.getByRole("button", { name: "Acknowledge" }).click();
  await page.locator(".triage-mark.acknowledged").waitFor();
  await page.locator(".history").getByText("bob").waitFor();
  await page.getByRole("alert").getByRole("button", { name: "Close" }).click();
  assert.equal(await page.getByRole("alert").count(), 0);

  // Tabs that hear of each other: one logs out, all do; one logs in, all do.
  turnTo(second);
  const third = await tab();
  await page.evaluate(() => void (window.name = "hears"));
  await page.goto(`${server.url}/#/posture`);
  await page.getByRole("link", { name: "bob" }).waitFor();
  turnTo(second);
  await page.getByRole("button", { name: "Log out" }).click();
  turnTo(third);
  await page.getByLabel("Password").waitFor();
  turnTo(second);
  await page.getByLabel("Password").waitFor();
  await page.getByLabel("Name").fill("ann");
  await page.getByLabel("Password").fill(password);
  await page.keyboard.press("Enter");
  turnTo(third);
  await page.getByRole("link", { name: "ann" }).waitFor();
});

test("a log-out that fails is said", async () => {
  forgive(/status of (401|503)/);
  await visit();
  await logIn("token", token);
  await page.route("**/api/v1/session", (route) =>
    route.fulfill({ status: 503, contentType: "application/problem+json", body: `{"detail":"the store is busy"}` }),
  );
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("alert").getByText("You are still logged in: the store is busy").waitFor();
  await page.unroute("**/api/v1/session");
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByLabel("Password").waitFor();
});
