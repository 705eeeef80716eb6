// SPDX-License-Identifier: Apache-2.0
// A list that an API pages through and a stream adds to. Each row once and as it was said last, by its `seq`: an
// answer can come behind a newer word of the stream. What comes while somebody reads waits in "fresh".
import type { Page } from "./api";

export interface Sequenced {
  seq: number;
}

export interface Rows<T> {
  rows: readonly T[]; // as shown, the newest change first
  fresh: readonly T[]; // not shown yet, the newest first
  arrived: ReadonlySet<string>; // that came in with the last change, to be pointed out once
  next: string | null; // cursor of the rows behind the last
  loading: boolean;
  trouble: unknown;
}

export type RowsChange<T> =
  | { kind: "ask" }
  | { kind: "page"; page: Page<T>; more: boolean }
  | { kind: "told"; items: readonly T[]; reading: boolean; resort?: boolean } // resort: what changed comes to the top
  | { kind: "show" }
  | { kind: "trouble"; trouble: unknown };

export function noRows<T>(): Rows<T> {
  return { rows: [], fresh: [], arrived: new Set(), next: null, loading: true, trouble: null };
}

const rowsMax = 20_000;

/** Both lists, each key once and as it was said last, the newest first. */
export function merged<T extends Sequenced>(one: readonly T[], other: readonly T[], key: (item: T) => string): T[] {
  const newest = new Map<string, T>();
  for (const item of [...one, ...other]) {
    const known = newest.get(key(item));
    if (known === undefined || known.seq < item.seq) {
      newest.set(key(item), item);
    }
  }
  return [...newest.values()].sort((a, b) => b.seq - a.seq);
}

const keysOf = <T>(rows: readonly T[], key: (item: T) => string): Set<string> => new Set(rows.map(key));

/** What is shown stays where it is: only what it says changes. */
function updated<T extends Sequenced>(rows: readonly T[], news: ReadonlyMap<string, T>, key: (item: T) => string): readonly T[] {
  let changed = false;
  const now = rows.map((row) => {
    const said = news.get(key(row));
    changed ||= said !== undefined && said.seq > row.seq;
    return said !== undefined && said.seq > row.seq ? said : row;
  });
  return changed ? now : rows;
}

function told<T extends Sequenced>(
  list: Rows<T>,
  { items, reading, resort }: { items: readonly T[]; reading: boolean; resort?: boolean },
  key: (item: T) => string,
): Rows<T> {
  const news = new Map(merged(items, [], key).map((item) => [key(item), item]));
  if (resort === true && !reading && !list.loading) {
    return { ...list, rows: merged(list.rows, items, key), arrived: new Set() };
  }
  const rows = updated(list.rows, news, key);
  const shown = keysOf(rows, key);
  const unseen = [...news.values()].filter((item) => !shown.has(key(item)));
  if (unseen.length === 0) {
    return rows === list.rows ? list : { ...list, rows };
  }
  if (reading || list.loading) {
    return { ...list, rows, fresh: merged(unseen, list.fresh, key).slice(0, rowsMax) };
  }
  return { ...list, rows: [...unseen, ...rows].slice(0, rowsMax), arrived: keysOf(unseen, key) };
}

function withPage<T extends Sequenced>(list: Rows<T>, page: Page<T>, more: boolean, key: (item: T) => string): Rows<T> {
  const answered = { ...list, next: page.next, loading: false, trouble: null };
  const known = new Map([...list.rows, ...list.fresh].map((row) => [key(row), row]));
  const items = updated(page.items, known, key);
  if (more) {
    return { ...answered, rows: [...list.rows, ...items.filter((row) => !known.has(key(row)))] };
  }
  const asked = keysOf(items, key);
  const fresh = list.fresh.filter((row) => !asked.has(key(row)));
  return { ...answered, rows: items, fresh, arrived: new Set() };
}

export function rowsAfter<T extends Sequenced>(key: (item: T) => string) {
  return (list: Rows<T>, change: RowsChange<T>): Rows<T> => {
    switch (change.kind) {
      case "ask":
        return { ...list, fresh: [], loading: true };
      case "page":
        return withPage(list, change.page, change.more, key);
      case "told":
        return told(list, change, key);
      case "show": {
        const fresh = keysOf(list.fresh, key);
        const rows = [...list.fresh, ...list.rows.filter((row) => !fresh.has(key(row)))];
        return { ...list, rows: rows.slice(0, rowsMax), arrived: fresh, fresh: [] };
      }
      case "trouble":
        return { ...list, trouble: change.trouble, loading: false };
    }
  };
}
