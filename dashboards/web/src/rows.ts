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
  gone: ReadonlySet<string>; // that no longer belong here, shown until nobody reads
  next: string | null; // cursor of the rows behind the last
  loading: boolean;
  trouble: unknown;
}

export interface Told<T> {
  kind: "told";
  items: readonly T[];
  reading: boolean;
  resort?: boolean; // what changed comes to the top
  least?: number; // items are all that there are of this seq or a later one: what is shown of that and not among them goes
  belongs?: (item: T) => boolean; // into this list: what no longer does goes, but not under the eye of who reads
}

export type RowsChange<T> =
  | { kind: "ask" }
  | { kind: "page"; page: Page<T>; more: boolean }
  | Told<T>
  | { kind: "show" }
  | { kind: "trouble"; trouble: unknown };

const none: ReadonlySet<string> = new Set();

export function noRows<T>(): Rows<T> {
  return { rows: [], fresh: [], arrived: none, gone: none, next: null, loading: true, trouble: null };
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

const without = <T>(rows: readonly T[], keys: ReadonlySet<string>, key: (item: T) => string): readonly T[] =>
  keys.size === 0 ? rows : rows.filter((row) => !keys.has(key(row)));

function told<T extends Sequenced>(
  list: Rows<T>,
  { items, reading, resort, least = Infinity, belongs }: Told<T>,
  key: (item: T) => string,
): Rows<T> {
  const news = new Map(merged(items, [], key).map((item) => [key(item), item]));
  const current = updated(list.rows, news, key);
  const gone = new Set(list.gone);
  for (const row of current.filter((one) => one.seq >= least && !news.has(key(one)))) {
    gone.add(key(row));
  }
  for (const row of current.filter((one) => news.has(key(one)))) {
    if (belongs?.(row) === false) {
      gone.add(key(row));
    } else {
      gone.delete(key(row));
    }
  }
  const now = reading || list.loading ? { ...list, gone, rows: current } : { ...list, gone: none, rows: without(current, gone, key) };
  const mine = belongs === undefined ? [...news.values()] : [...news.values()].filter(belongs);
  if (resort === true && !reading && !list.loading) {
    return { ...now, rows: merged(now.rows, mine, key), fresh: list.fresh.filter((row) => !news.has(key(row)) && row.seq < least), arrived: none };
  }
  const shown = keysOf(current, key);
  const unseen = mine.filter((item) => !shown.has(key(item)));
  // What waits in "fresh" and was said anew is said anew there, too, or is not waited for any more.
  const waiting = list.fresh.filter((row) => (news.has(key(row)) ? belongs?.(news.get(key(row))!) !== false : row.seq < least));
  if (unseen.length === 0 || reading || list.loading) {
    return { ...now, fresh: merged(unseen, waiting, key).slice(0, rowsMax) };
  }
  return { ...now, rows: [...unseen, ...now.rows].slice(0, rowsMax), fresh: without(waiting, keysOf(unseen, key), key), arrived: keysOf(unseen, key) };
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
  return { ...answered, rows: items, fresh, arrived: none, gone: none };
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
        const rows = [...list.fresh, ...without(without(list.rows, list.gone, key), fresh, key)];
        return { ...list, rows: rows.slice(0, rowsMax), arrived: fresh, gone: none, fresh: [] };
      }
      case "trouble":
        return { ...list, trouble: change.trouble, loading: false };
    }
  };
}
