// SPDX-License-Identifier: Apache-2.0
// Whether somebody reads a list. While he does nothing under his eye moves: what comes waits until he asks for it.
import { useCallback, useMemo, useRef, useState } from "preact/hooks";

/** The pointer or the keyboard is on it. */
export const isTouched = (box: HTMLElement | null): boolean => box?.matches(":hover, :focus-within") === true;

/** Something of it is open, it is scrolled, or the pointer or the keyboard is on it. */
function isRead(box: HTMLElement | null, open: boolean): boolean {
  return (
    open ||
    (box !== null &&
      (box.scrollTop > 4 || isTouched(box) || (window.scrollY > 4 && box.getBoundingClientRect().top < 0)))
  );
}

export function useReading(chosen: string | null) {
  const scroller = useRef<HTMLDivElement>(null);
  const now = useRef(chosen);
  now.current = chosen;
  return { scroller, reading: useCallback(() => isRead(scroller.current, now.current !== null), []) };
}

/**
 * A ranking that is asked for again and again: while somebody reads it, its rows stay where they are and only what
 * they say changes. waiting: how many rows would move or come in; show() lets them.
 */
export function useHeld<T>(ranked: readonly T[], key: (item: T) => string, scope: string, reading: () => boolean) {
  const order = useRef<{ scope: string; keys: readonly string[] }>({ scope: "", keys: [] });
  const [shows, setShows] = useState(0);
  const shown = useRef(shows);
  const held = useMemo(() => {
    const rows = new Map(ranked.map((row) => [key(row), row]));
    const keys = [...rows.keys()];
    if (order.current.scope !== scope || shown.current !== shows || order.current.keys.length === 0 || !reading()) {
      order.current = { scope, keys };
      shown.current = shows;
      return { rows: ranked, waiting: 0 };
    }
    const kept = order.current.keys.filter((one) => rows.has(one));
    return {
      rows: kept.map((one) => rows.get(one)!),
      waiting: keys.filter((one, i) => one !== kept[i]).length,
    };
  }, [ranked, key, scope, reading, shows]);
  return { ...held, show: () => setShows(shows + 1) };
}

