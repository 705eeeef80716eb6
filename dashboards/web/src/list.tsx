// SPDX-License-Identifier: Apache-2.0
// What the lists of findings and of incidents share. Rows that come in while somebody reads wait behind a pill at the
// list's top; nothing under the eye moves.
import type { ComponentChildren, RefObject } from "preact";
import { useCallback, useEffect, useReducer, useRef } from "preact/hooks";
import { go, hrefOf } from "./address";
import type { Filter, Page } from "./api";
import { isSet, queryOf } from "./filter";
import { Field, Filters } from "./filters";
import { count } from "./format";
import { baseline } from "./live";
import { Empty } from "./marks";
import { useKeys, useNarrow } from "./page";
import type { Rows, Sequenced } from "./rows";
import { noRows, rowsAfter } from "./rows";
import { useStore } from "./store";
import { Trouble } from "./trouble";
import { VirtualList } from "./virtual";

export type View = "incidents" | "all" | "waivers";

/** Somebody reads: a finding is open, the list is scrolled, or the pointer or the keyboard is on it. */
function isRead(scroller: RefObject<HTMLDivElement>, chosen: string | null): boolean {
  const list = scroller.current;
  return (
    chosen !== null ||
    (list !== null &&
      (list.scrollTop > 4 ||
        list.contains(document.activeElement) ||
        list.matches(":hover") ||
        (window.scrollY > 4 && list.getBoundingClientRect().top < 0)))
  );
}

export function useReading(chosen: string | null) {
  const scroller = useRef<HTMLDivElement>(null);
  const now = useRef(chosen);
  now.current = chosen;
  return { scroller, reading: useCallback(() => isRead(scroller, now.current), []) };
}

/** The pages of a list under a filter. tell(items) adds what came meanwhile. */
export function usePaged<T extends Sequenced>(
  key: (item: T) => string,
  fetchPage: (after: string, limit: number) => Promise<Page<T>>,
  reading: () => boolean,
) {
  const reduce = useRef(rowsAfter<T>(key));
  const [list, change] = useReducer(reduce.current, noRows<T>());
  const asked = useRef(0);
  const busy = useRef(false);
  const ask = useCallback(
    async (after: string) => {
      const number = after === "" ? ++asked.current : asked.current;
      try {
        const page = await fetchPage(after, after === "" ? 100 : 500);
        if (number === asked.current) {
          change({ kind: "page", page, more: after !== "" });
        }
      } catch (trouble) {
        if (number === asked.current) {
          change({ kind: "trouble", trouble });
        }
      }
    },
    [fetchPage],
  );
  useEffect(() => {
    change({ kind: "ask" });
    void ask("");
  }, [ask]);
  const { next, loading } = list;
  const more = useCallback(() => {
    if (next !== null && !loading && !busy.current) {
      busy.current = true;
      void ask(next).finally(() => (busy.current = false));
    }
  }, [ask, next, loading]);
  const tell = useCallback(
    (items: readonly T[], resort = false) => {
      if (items.length > 0) {
        change({ kind: "told", items, reading: reading(), resort });
      }
    },
    [reading],
  );
  const again = useCallback(() => void ask(""), [ask]);
  const show = useCallback(() => change({ kind: "show" }), []);
  return { list, more, again, tell, show };
}

const views = [
  ["incidents", "Incidents"],
  ["all", "Each finding"],
  ["waivers", "Waivers"],
] as const;

/** As the address says it: incidents without a word. */
export const viewWord = (view: View): string => (view === "incidents" ? "" : view);

export function ViewSwitch({ view, filter }: { view: View; filter: Filter }) {
  const href = (to: View): string => hrefOf("findings", [], { ...queryOf(filter), view: viewWord(to) });
  return (
    <div class="choices" role="group" aria-label="View">
      {views.map(([one, text]) => (
        <a key={one} class="choice" href={href(one)} aria-current={view === one ? "true" : undefined}>
          {text}
        </a>
      ))}
    </div>
  );
}

export function ListSection<T extends Sequenced>(props: {
  view: View;
  filter: Filter;
  uid: string | null; // of the finding that is open
  chosen: string | null; // the key of its row
  keyOf: (item: T) => string;
  paged: { list: Rows<T>; more: () => void; again: () => void; show: () => void };
  scroller: RefObject<HTMLDivElement>;
  head: ComponentChildren;
  row: (item: T, reachable: boolean) => ComponentChildren;
  close: () => void;
}) {
  const { view, filter, uid, chosen, paged, scroller } = props;
  const { list } = paged;
  const rules = useStore(baseline);
  const narrow = useNarrow();
  const show = useCallback(() => {
    paged.show();
    scroller.current?.scrollTo({ top: 0 });
  }, [paged.show]);
  useKeys(
    useCallback(
      (key) => {
        if (key === "n") {
          show();
        } else if (key === "Escape" && uid !== null) {
          props.close();
          // The list may come back into view only with the next drawing.
          requestAnimationFrame(() =>
            scroller.current?.querySelector<HTMLElement>(`button[data-key="${CSS.escape(chosen ?? "")}"]`)?.focus(),
          );
        } else {
          return false;
        }
        return true;
      },
      [show, uid, chosen, props.close],
    ),
  );
  const setFilter = useCallback(
    (to: Filter) => {
      const query = { ...queryOf(to), view: viewWord(view) };
      go(hrefOf("findings", uid === null ? [] : [uid], query), true);
    },
    [uid, view],
  );
  const { rows, fresh } = list;
  const what = view === "all" ? "finding" : "incident";
  const shown = rows.length === 0 ? "" : `${count(rows.length)}${list.next === null ? "" : "+"} shown`;
  return (
    <section class="found" aria-labelledby="findings-title">
      <div class="found-head">
        <h2 id="findings-title">Findings</h2>
        <ViewSwitch view={view} filter={filter} />
        <Field label="Search" wide value={filter.q} change={(q) => setFilter({ ...filter, q })} />
        <p class="shown" role="status">
          {shown}
        </p>
        <Filters filter={filter} baseline={rules} change={setFilter} />
      </div>
      <div class="list">
        {fresh.length > 0 && (
          <button type="button" class="pill" onClick={show}>
            <span aria-hidden="true">↑</span> {count(fresh.length)} new {what}
            {fresh.length === 1 ? "" : "s"}
          </button>
        )}
        <p class="visually-hidden" role="status">
          {fresh.length > 0 ? `${fresh.length} new, press n to show` : ""}
        </p>
        <VirtualList
          items={rows}
          keyOf={props.keyOf}
          rowHeight={narrow ? 60 : 44}
          label={view === "all" ? "Findings" : "Incidents"}
          scroller={scroller}
          chosen={chosen}
          head={props.head}
          nearEnd={paged.more}
          row={props.row}
        >
          {rows.length === 0 && !list.loading && list.trouble === null && (
            <Empty title={isSet(filter) ? "Nothing matches these filters" : "No violations found so far"}>
              {isSet(filter) ? "Others may be there without them." : "They appear here the moment they are proved."}
            </Empty>
          )}
          {list.trouble !== null && (
            <>
              <Trouble trouble={list.trouble} what={view === "all" ? "the findings" : "incidents"} />
              <button type="button" class="more" onClick={paged.again}>
                Try again
              </button>
            </>
          )}
        </VirtualList>
      </div>
    </section>
  );
}
