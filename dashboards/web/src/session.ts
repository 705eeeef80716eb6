// SPDX-License-Identifier: Apache-2.0
// Who looks at the page, and what of it they may do.
import type { Session } from "./api";
import { Refusal, fetchSession, keepToken, strangers } from "./api";
import { store } from "./store";

/** asking: not known yet; out: log in first; anybody: this server knows no users. */
export type Who = "asking" | "out" | "anybody" | Session;

/** What the log-in says above its fields. */
export const farewell = store("");

export const who = store<Who>("asking");

export function enter(session: Session): void {
  keepToken(session.csrf);
  farewell.set("");
  who.set(session);
}

export function leave(): void {
  keepToken(null);
  who.set("out");
}

const againMs = 2_000;

export async function findOut(): Promise<void> {
  try {
    enter(await fetchSession());
  } catch (error) {
    const status = error instanceof Refusal ? error.status : 0;
    if (status === 401 || status === 404) {
      who.set(status === 401 ? "out" : "anybody");
    } else {
      window.setTimeout(() => void findOut(), againMs); // a gateway's word, or none
    }
  }
}

strangers.addEventListener("stranger", leave);

/** The server decides; this only keeps back what it would refuse. */
export function may(permission: string): boolean {
  const now = who.get();
  return typeof now === "object" && now.permissions.includes(permission);
}
