#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Users, tokens and one's own account, as people change them on the page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./harness.mjs";
import { focus, forgive, live, page, server, stage, turnTo, visit } from "./stage.mjs";

const token = "correct-horse-battery-staple";
const first = "correct horse battery";
const second = "another battery, by hand";

stage({ token, forgives: /status of 4\d\d/ }); // a refusal is what some of them are about

const logIn = async (name, password, screen = "posture") => {
  await visit(`${server.url}/#/${screen}`);
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.keyboard.press("Enter");
  await live();
};

const dialog = () => page.getByRole("dialog");
const row = (name) => page.locator("table.grid tbody tr", { hasText: name });
const roles = (name, role) => row(name).locator("td:nth-child(2)").getByText(role);
const press = (name, within = page) => within.getByRole("button", { name, exact: true }).click();
const gone = () => dialog().waitFor({ state: "detached" });
const asked = (who, path) => fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${who}` } });

const addUser = async (name, password, ...roles) => {
  await press("Add a user");
  await dialog().getByLabel("Name").fill(name);
  await dialog().getByLabel("Password").fill(password);
  for (const role of roles) {
    await dialog().getByLabel(new RegExp(`^${role} `)).check();
  }
  await press("Add", dialog());
};

test("a user is added, gets other roles and another password, and is removed", async () => {
  await logIn("token", token, "access");
  await page.getByText("There is no user yet").waitFor();
  await addUser("ann", first, "analyst");
  await gone();
  await roles("ann", "analyst").waitFor();
  await addUser("ann", first);
  await dialog().getByRole("alert").getByText("there is a user of this name already").waitFor();
  await page.keyboard.press("Escape");
  await gone();
  await press("roles of ann");
  await dialog().getByLabel(/^responder /).check();
  await dialog().getByLabel(/^viewer /).uncheck();
  await press("Set", dialog());
  await roles("ann", "responder").waitFor();
  assert.equal(await roles("ann", "viewer").count(), 0);
  await press("password of ann");
  await dialog().getByLabel("New password").fill(second);
  await press("Set", dialog());
  await gone();
  const admin = page;
  await logIn("ann", second);
  assert.equal(await page.getByRole("link", { name: "Access", exact: true }).count(), 0, "this is for admins");
  await page.goto(`${server.url}/#/access`);
  await page.locator(".tile").first().waitFor();
  turnTo(admin);
  await press("remove of ann");
  await press("Remove", dialog());
  await page.getByText("There is no user yet").waitFor();
});

test("a token is made, shown once and to be copied, works, and is revoked", async () => {
  await logIn("token", token, "access/tokens");
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"], { origin: server.url });
  await press("Make a token");
  await dialog().getByLabel("For what").fill("prometheus");
  await dialog().getByLabel("Good for").selectOption("7d");
  await press("Make", dialog());
  const secret = await dialog().locator("code").textContent();
  assert.match(secret, /^ivg_[0-9a-f]{64}$/);
  await page.keyboard.press("Escape");
  assert.equal(await dialog().count(), 1, "what is shown once does not go by a slip");
  await press("Copy", dialog());
  await dialog().getByText("Copied").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
  await press("I have it", dialog());
  await gone();
  await row("prometheus").getByText("in 7 days").waitFor();
  assert.ok(!(await page.content()).includes(secret), "it is nowhere any more");
  assert.equal((await asked(secret, "/api/v1/session")).status, 200);
  await press("revoke prometheus");
  await press("Revoke", dialog());
  await page.getByText("There is no token yet").waitFor();
  assert.equal((await asked(secret, "/api/v1/session")).status, 401);
});

test("a question can be left, and nothing was done", async () => {
  await logIn("token", token, "access");
  await addUser("bea", first);
  await gone();
  for (const leave of [() => press("Cancel", dialog()), () => page.keyboard.press("Escape")]) {
    await press("remove of bea");
    await leave();
    await gone();
  }
  await page.reload();
  await row("bea").waitFor();
});

test("one sets one's own password, and logs in with it", async () => {
  await logIn("token", token, "access");
  await addUser("cleo", first);
  await gone();
  await logIn("cleo", first);
  await page.getByRole("link", { name: "cleo" }).click();
  await page.getByText("a log-in").waitFor();
  const set = async (present, ...twice) => {
    await page.getByLabel("Present password").fill(present);
    await page.getByLabel("New password", { exact: true }).fill(twice[0]);
    await page.getByLabel("New password, again").fill(twice[1]);
    await press("Set");
  };
  await set(first, second, `${second}!`);
  await page.getByRole("alert").getByText("not the same").waitFor();
  await set("wrong", second, second);
  await page.getByRole("alert").getByText("not your present password").waitFor();
  await set(first, second, second);
  await page.getByText("The password is set. Log in with it.").waitFor();
  await logIn("cleo", second);
});

test("names are text, whatever they look like", async () => {
  await logIn("token", token, "access");
  await page.route("**/api/v1/users", (route) =>
    route.fulfill({ json: { items: [{ name: "<img src=x onerror=broken=1>", roles: ["<b>viewer</b>"], created: "2026-01-01T00:00:00Z", changed: "2026-01-01T00:00:00Z" }], next: null } }),
  );
  await page.reload();
  await roles("<img src=x onerror=broken=1>", "<b>viewer</b>").waitFor();
  await until(async () => (await page.locator("main img, main b").count()) === 0, "no markup of theirs");
});

test("the pages of a long list are read to the last", async () => {
  await logIn("token", token, "access");
  const at = "2026-01-01T00:00:00Z";
  const user = (name) => ({ name, roles: ["viewer"], created: at, changed: at });
  await page.route("**/api/v1/users", (route) => route.fulfill({ json: { items: [user("one")], next: "one" } }));
  await page.route("**/api/v1/users?after=one", (route) => route.fulfill({ json: { items: [user("two")], next: "two" } }));
  await page.route("**/api/v1/users?after=two", (route) => route.fulfill({ json: { items: [user("three")], next: null } }));
  await page.reload();
  await row("three").waitFor();
  assert.deepEqual(await page.locator("table.grid tbody strong").allTextContents(), ["one", "two", "three"]);
});

test("what is not seen in a name has a mark", async () => {
  await logIn("token", token, "access");
  const at = "2026-01-01T00:00:00Z";
  await page.route("**/api/v1/users", (route) =>
    route.fulfill({ json: { items: [{ name: "a\u200Bnn", roles: ["viewer"], created: at, changed: at }], next: null } }),
  );
  await page.route("**/api/v1/tokens", (route) =>
    route.fulfill({ json: { items: [{ id: "1", name: "\u202Eprom", roles: ["viewer"], creator: "a\u200Bnn", created: at, expires: at }], next: null } }),
  );
  await page.reload();
  await row("U+200B").waitFor();
  await press("remove of a\u27E8U+200B\u27E9nn");
  await dialog().getByText("Remove a\u27E8U+200B\u27E9nn?").waitFor();
  await page.keyboard.press("Escape");
  await gone();
  await page.goto(`${server.url}/#/access/tokens`);
  await row("U+202Eprom").waitFor();
  assert.ok(!/[\u200B\u202E]/.test(await page.locator("main").innerText()));
});

test("when a question goes, the focus is where it was", async () => {
  await logIn("token", token, "access");
  const add = page.getByRole("button", { name: "Add a user" });
  const remove = page.getByRole("button", { name: "remove of bea" });
  await add.click();
  await press("Cancel", dialog());
  await focus(add);
  await addUser("bea", first);
  await gone();
  await focus(add);
  for (const leave of [() => press("Cancel", dialog()), () => page.keyboard.press("Escape")]) {
    await remove.click();
    await leave();
    await gone();
    await focus(remove);
  }
  await press("roles of bea");
  await dialog().getByLabel(/^analyst /).check();
  await press("Set", dialog());
  await gone();
  await focus(page.getByRole("button", { name: "roles of bea" }));
  await press("remove of bea");
  await press("Remove", dialog());
  await page.getByText("There is no user yet").waitFor();
  await focus(add);
  await page.goto(`${server.url}/#/access/tokens`);
  await press("Make a token");
  await dialog().getByLabel("For what").fill("prometheus");
  await press("Make", dialog());
  await press("I have it", dialog());
  await gone();
  await focus(page.getByRole("button", { name: "Make a token" }));
});

test("whose session ends hears of it on a screen that asks for nothing", async () => {
  await logIn("token", token, "access");
  await addUser("ann", first, "analyst");
  await gone();
  const admin = page;
  await logIn("ann", first, "findings?view=all");
  const ann = page;
  turnTo(admin);
  await press("password of ann");
  await dialog().getByLabel("New password").fill(second);
  await press("Set", dialog());
  await gone();
  turnTo(ann);
  await page.getByLabel("Password").waitFor();
});

test("a gateway that answers for the server makes nobody a stranger to it", async () => {
  forgive(/status of 503/);
  await logIn("token", token);
  let answers = 0;
  await page.route("**/api/v1/session", (route) =>
    answers++ < 2 ? route.fulfill({ status: 503, contentType: "text/html", body: "later" }) : route.continue(),
  );
  await page.reload();
  await page.getByRole("link", { name: "Access", exact: true }).waitFor();
});
