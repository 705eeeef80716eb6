// SPDX-License-Identifier: Apache-2.0
// A list of which only what is looked at exists in the document. All rows are of one height; the one with the keyboard's
// focus stays there, wherever the list is scrolled.
import type { ComponentChildren, RefObject } from "preact";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

const beyond = 10; // rows drawn above and below

/** What the keys do in a list: how far the focus goes. */
function stepOf(event: KeyboardEvent, page: number): number | null {
  const steps: Record<string, number> = {
    ArrowDown: 1,
    j: 1,
    ArrowUp: -1,
    k: -1,
    PageDown: page,
    PageUp: -page,
    Home: -Infinity,
    End: Infinity,
  };
  return event.ctrlKey || event.metaKey || event.altKey ? null : (steps[event.key] ?? null);
}

function useWindow(scroller: RefObject<HTMLDivElement>, height: number, length: number): [number, number] {
  const [view, setView] = useState<[number, number]>([0, 40]);
  const measure = useCallback(() => {
    const box = scroller.current;
    if (box !== null) {
      const head = box.querySelector<HTMLElement>(".head")?.offsetHeight ?? 0;
      const first = Math.max(0, Math.floor((box.scrollTop - head) / height) - beyond);
      const last = Math.ceil((box.scrollTop + box.clientHeight) / height) + beyond;
      setView((old) => (old[0] === first && old[1] === last ? old : [first, last]));
    }
  }, [scroller, height]);
  useLayoutEffect(measure, [measure, length]);
  useEffect(() => {
    const box = scroller.current;
    if (box === null) {
      return undefined;
    }
    const seen = new ResizeObserver(measure);
    seen.observe(box);
    box.addEventListener("scroll", measure, { passive: true });
    return () => {
      seen.disconnect();
      box.removeEventListener("scroll", measure);
    };
  }, [scroller, measure]);
  return view;
}

export function VirtualList<T>(props: {
  items: readonly T[];
  keyOf: (item: T) => string;
  rowHeight: number;
  label: string;
  scroller: RefObject<HTMLDivElement>;
  chosen: string | null;
  head: ComponentChildren;
  row: (item: T, reachable: boolean) => ComponentChildren;
  nearEnd: () => void;
  children?: ComponentChildren; // behind the last row
}) {
  const { items, keyOf, rowHeight, scroller, nearEnd } = props;
  const [first, last] = useWindow(scroller, rowHeight, items.length);
  const [focus, setFocus] = useState<string | null>(null);
  const wanted = useRef(false);
  const reached = focus ?? props.chosen;
  const at = useMemo(() => (reached === null ? -1 : items.findIndex((item) => keyOf(item) === reached)), [items, keyOf, reached]);
  const reachable = at === -1 ? 0 : at;

  useEffect(() => {
    if (last >= items.length - beyond) {
      nearEnd();
    }
  }, [last, items.length, nearEnd]);

  useLayoutEffect(() => {
    if (wanted.current) {
      wanted.current = false;
      const box = scroller.current;
      const row = box?.querySelector<HTMLElement>(`[aria-rowindex="${reachable + 2}"]`);
      row?.scrollIntoView({ block: "nearest" });
      row?.querySelector<HTMLElement>("button")?.focus({ preventScroll: true });
    }
  });

  const onKeyDown = (event: KeyboardEvent): void => {
    const step = stepOf(event, Math.floor((scroller.current?.clientHeight ?? 0) / rowHeight) - 1);
    if (step === null || items.length === 0) {
      return;
    }
    event.preventDefault();
    const to = items[Math.min(items.length - 1, Math.max(0, reachable + step))];
    wanted.current = true;
    setFocus(to === undefined ? null : keyOf(to));
  };
  const onFocus = (event: FocusEvent): void => {
    const key = (event.target as HTMLElement).dataset["key"];
    if (key !== undefined) {
      setFocus(key);
    }
  };

  const shown: number[] = [];
  for (let i = Math.max(0, first); i < Math.min(items.length, last); i++) {
    shown.push(i);
  }
  if (items.length > 0 && !shown.includes(reachable)) {
    shown.push(reachable);
  }
  return (
    <div class="scroller" ref={scroller} onKeyDown={onKeyDown} onFocusIn={onFocus} role="presentation">
      <div role="table" aria-label={props.label} aria-rowcount={items.length + 1}>
        {props.head}
        <div role="rowgroup" class="rows" style={{ height: `${items.length * rowHeight}px` }}>
          {shown.map((i) => {
            const item = items[i]!;
            return (
              <div
                key={keyOf(item)}
                role="row"
                aria-rowindex={i + 2}
                class="slot"
                onClick={(event) => event.currentTarget.querySelector("button")?.focus({ preventScroll: true })}
                style={{ top: `${i * rowHeight}px`, height: `${rowHeight}px` }}
              >
                {props.row(item, i === reachable)}
              </div>
            );
          })}
        </div>
      </div>
      {props.children}
    </div>
  );
}
