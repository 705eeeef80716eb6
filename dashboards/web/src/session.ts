// SPDX-License-Identifier: Apache-2.0
// Who looks at the page, and what of it they may do.
import type { Session } from "./api";
import { Refusal, fetchSession, keepSession, strangers } from "./api";
import { store } from "./store";

/** asking: not known yet; out: log in first; anybody: this server knows no users. */
export type Who = "asking" | "out" | "anybody" | Session;

/** What the log-in says above its fields. */
export const farewell = store("");

export const who = store<Who>("asking");

/** Who is in is not who it was: another tab has logged in. Empty when that was seen. */
export const turned = store("");

const tabs = new BroadcastChannel("invigil-session");

function known(session: Session): void {
  const before = who.get();
  if (typeof before === "object" && before.name !== session.name) {
    turned.set(`Another tab has logged in: here, too, you are ${session.name} now. What was asked for as ${before.name} and not answered was not done.`);
  }
  keepSession(session);
  farewell.set("");
  who.set(session);
}

function unknown(): void {
  keepSession(null);
  turned.set("");
  who.set("out");
}

/** By this tab's own doing: the others ask anew who they are. */
export function enter(session: Session): void {
  known(session);
  tabs.postMessage("changed");
}

export function leave(): void {
  unknown();
  tabs.postMessage("changed");
}

const againMs = 2_000;

export async function findOut(): Promise<void> {
  try {
    known(await fetchSession());
  } catch (error) {
    const status = error instanceof Refusal ? error.status : 0;
    if (status === 401) {
      unknown();
    } else if (status === 404) {
      who.set("anybody");
    } else {
      window.setTimeout(() => void findOut(), againMs); // a gateway's word, or none
    }
  }
}

tabs.addEventListener("message", () => void findOut());
strangers.addEventListener("stranger", unknown);
strangers.addEventListener("another", (event) => known((event as CustomEvent<Session>).detail));

/** The server decides; this only keeps back what it would refuse. */
export function may(permission: string): boolean {
  const now = who.get();
  return typeof now === "object" && now.permissions.includes(permission);
}
