// SPDX-License-Identifier: Apache-2.0
// Whether somebody reads a list. While he does nothing under his eye moves: what comes waits until he asks for it.
import { useCallback, useMemo, useRef, useState } from "preact/hooks";

/** Where nothing hovers, what tells that somebody reads is that he has touched or moved the page of late. */
const touchedMs = 60_000;
const hovers = matchMedia("(hover: hover)");
let touched = -Infinity;
const touch = (): void => void (touched = performance.now());
for (const sign of ["touchstart", "touchmove", "touchend", "scroll"]) {
  window.addEventListener(sign, touch, { capture: true, passive: true });
}
const isHeld = (): boolean => !hovers.matches && performance.now() - touched < touchedMs;

/** The pointer or the keyboard is on it; or a finger was on the page, which is all that is seen of who reads there. */
export const isTouched = (box: HTMLElement | null): boolean => box?.matches(":hover, :focus-within") === true || isHeld();

/** Something of it is open, it is scrolled, or somebody is on it. */
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
 * they say changes; one that is no longer among what is asked for stays as it was. grown: another value lets further
 * rows in behind them. waiting: how many rows would move or come in; show() lets them.
 */
export function useHeld<T>(ranked: readonly T[], key: (item: T) => string, scope: string, grown: number, reading: () => boolean) {
  const order = useRef<{ scope: string; grown: number; rows: ReadonlyMap<string, T> }>({ scope: "", grown, rows: new Map() });
  const [shows, setShows] = useState(0);
  const shown = useRef(shows);
  const held = useMemo(() => {
    const rows = new Map(ranked.map((row) => [key(row), row]));
    const old = order.current;
    if (old.scope !== scope || shown.current !== shows || old.rows.size === 0 || !reading()) {
      order.current = { scope, grown, rows };
      shown.current = shows;
      return { rows: ranked, waiting: 0 };
    }
    const kept = new Map([...old.rows].map(([one, row]) => [one, rows.get(one) ?? row]));
    for (const [one, row] of old.grown === grown ? [] : rows) {
      kept.set(one, row);
    }
    order.current = { scope, grown, rows: kept };
    const places = [...kept.keys()];
    return { rows: [...kept.values()], waiting: [...rows.keys()].filter((one, i) => one !== places[i]).length };
  }, [ranked, key, scope, grown, reading, shows]);
  return { ...held, show: () => setShows(shows + 1) };
}
