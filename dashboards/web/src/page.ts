// SPDX-License-Identifier: Apache-2.0
// What is around the parts of the page: its width, the keys pressed, the window's title, the keyboard's focus.
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

function useMedia(query: string): boolean {
  const [holds, setHolds] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const read = (): void => setHolds(media.matches);
    read();
    media.addEventListener("change", read);
    return () => media.removeEventListener("change", read);
  }, [query]);
  return holds;
}

export const useNarrow = (): boolean => useMedia("(max-width: 640px)");

const typing = (event: KeyboardEvent): boolean =>
  event.target instanceof HTMLInputElement ||
  event.target instanceof HTMLSelectElement ||
  event.target instanceof HTMLTextAreaElement;

/** A key pressed anywhere, but not into a field; Escape also there. */
export function useKeys(press: (key: string) => boolean): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const meant = !event.ctrlKey && !event.metaKey && !event.altKey && !event.defaultPrevented;
      if (meant && (event.key === "Escape" || !typing(event)) && press(event.key)) {
        event.preventDefault();
      }
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [press]);
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title === "" ? "Invigil" : `${title} · Invigil`;
  }, [title]);
}

const isLost = (): boolean => document.activeElement === null || document.activeElement === document.body;

/** A pane takes the focus with what it shows. When it closes the focus goes back to where it came from, or to key's row. */
export function usePaneFocus(pane: RefObject<HTMLElement>, key: string): void {
  const from = useRef<HTMLElement | null>(null);
  const row = useRef(key);
  useEffect(() => {
    const now = document.activeElement;
    if (now instanceof HTMLElement && !isLost() && pane.current?.contains(now) === false) {
      from.current = now;
    }
    row.current = key;
    pane.current?.focus();
  }, [key]);
  useEffect(
    () => () =>
      // The list may come back into view only with the next drawing.
      void requestAnimationFrame(() => {
        const back = from.current?.isConnected === true ? from.current : null;
        if (isLost()) {
          (back ?? document.querySelector<HTMLElement>(`[data-key="${CSS.escape(row.current)}"]`))?.focus();
        }
      }),
    [],
  );
}

/** Where a drawing takes away what has the focus in the box, the focus goes to its home there: a selector. */
export function useKeptFocus(box: RefObject<HTMLElement>, home: string): void {
  const had = box.current?.contains(document.activeElement) === true;
  useLayoutEffect(() => {
    if (had && isLost()) {
      (box.current?.querySelector<HTMLElement>(home) ?? box.current?.querySelector<HTMLElement>("button, a"))?.focus();
    }
  });
}
