// SPDX-License-Identifier: Apache-2.0
// What is looked at stands behind the # of the page's address, so that it can be passed on: #/findings/UID?rule=…
import { useEffect, useState } from "preact/hooks";

export interface Place {
  screen: string;
  rest: string[]; // what follows the screen: a finding's uid, a tenant (empty: without one) and an agent
  query: Readonly<Record<string, string>>;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function parsePlace(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#?\/?/, "").split(/\?(.*)/s);
  const [screen = "", ...rest] = path.split("/").map(decoded);
  while (rest.at(-1) === "") {
    rest.pop();
  }
  return { screen, rest, query: Object.fromEntries(new URLSearchParams(query)) };
}

/** What is narrowed to: "" to nothing, null to what has none, which is written as a name with nothing behind it. */
export type Query = Readonly<Record<string, string | null>>;

export function textOf(query: Query): string {
  const set = Object.entries(query).filter(([, value]) => value !== "");
  const text = new URLSearchParams(set.map(([name, value]) => [name, value ?? ""])).toString();
  return text === "" ? "" : `?${text}`;
}

export function hrefOf(screen: string, rest: readonly string[] = [], query: Query = {}): string {
  const text = textOf(query).replaceAll("%2C", ",").replaceAll("%3A", ":");
  const path = [screen, ...rest].map(encodeURIComponent).join("/");
  return `#/${path}${text}`;
}

const said = new EventTarget();

/** keep: in place of what stands in the history, as when a filter changes. */
export function go(href: string, keep = false): void {
  if (keep) {
    history.replaceState(null, "", href);
  } else {
    history.pushState(null, "", href);
  }
  said.dispatchEvent(new Event("place"));
}

export function usePlace(): Place {
  const [place, setPlace] = useState(() => parsePlace(location.hash));
  useEffect(() => {
    const read = (): void => setPlace(parsePlace(location.hash));
    said.addEventListener("place", read);
    window.addEventListener("hashchange", read);
    window.addEventListener("popstate", read);
    return () => {
      said.removeEventListener("place", read);
      window.removeEventListener("hashchange", read);
      window.removeEventListener("popstate", read);
    };
  }, []);
  return place;
}

/** An alert's link names its finding as ?finding=UID: it leads where findings are now. */
export function welcome(): void {
  const uid = new URLSearchParams(location.search).get("finding");
  if (uid !== null) {
    history.replaceState(null, "", `${location.pathname}${hrefOf("findings", [uid])}`);
  }
}
