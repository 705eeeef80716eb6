// SPDX-License-Identifier: Apache-2.0
// A list of which more is shown when somebody asks for it, and all of what is shown is asked for again every so often.
import { useCallback, useEffect, useRef } from "preact/hooks";
import { useAsked } from "./trouble";

const pageMax = 500;

interface Part<T> {
  items: T[];
  next: string | null;
}

/** The first so many, each once: what is behind them moves and changes, too. What else a page says is the first one's. */
export async function fetchFirst<T, P extends Part<T>>(
  fetchPage: (after: string, limit: number) => Promise<P>,
  key: (item: T) => string,
  wanted: number,
): Promise<P> {
  const items = new Map<string, T>();
  let first: P | null = null;
  let next: string | null = "";
  for (let left = wanted; left > 0 && next !== null; left -= pageMax) {
    const page: P = await fetchPage(next, Math.min(left, pageMax));
    for (const item of page.items) {
      items.set(key(item), item);
    }
    first ??= page;
    next = page.next;
  }
  return { ...first!, items: [...items.values()], next };
}

/** ask: another one is for another list, of which step are shown at first. grown: how often more were asked for. */
export function useGrowing<P extends { next: string | null }>(ask: (wanted: number) => Promise<P>, step: number, everyMs = 0) {
  const grown = useRef(0);
  useEffect(() => void (grown.current = 0), [ask]);
  const { value, trouble, again } = useAsked(
    useCallback(async () => {
      const times = grown.current;
      return { page: await ask(step * (times + 1)), grown: times };
    }, [ask, step]),
    everyMs,
  );
  const more = (): void => {
    grown.current++;
    again();
  };
  return {
    value: value?.page ?? null,
    grown: value?.grown ?? 0,
    trouble,
    again,
    more: value === null || value.page.next === null ? null : more,
  };
}
