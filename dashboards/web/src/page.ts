// SPDX-License-Identifier: Apache-2.0
// What is around the parts of the page: its width, the keys pressed, the window's title.
import { useEffect, useState } from "preact/hooks";

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
