// SPDX-License-Identifier: Apache-2.0
// What the lists share. Rows that come in while somebody reads wait behind a pill above the list; nothing under the eye
// moves.
import type { ComponentChildren, RefObject } from "preact";
import { useCallback, useEffect, useReducer, useRef } from "preact/hooks";
import { go, hrefOf } from "./address";
import type { Filter, Page } from "./api";
import { isSet, queryOf } from "./filter";
import { Field, Filters } from "./filters";
import { count, plural } from "./format";
import { baseline, useBack } from "./live";
import { Empty } from "./marks";
import { useKeys, useNarrow } from "./page";
import type { Rows, Sequenced, Told } from "./rows";
import { noRows, rowsAfter } from "./rows";
import { useStore } from "./store";
import { Trouble } from "./trouble";
import { VirtualList } from "./virtual";

export type View = "incidents" | "all" | "waivers";

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
    (items: readonly T[], how: Pick<Told<T>, "resort" | "least" | "belongs"> = {}) => {
      if (items.length > 0 || how.least !== undefined) {
        change({ kind: "told", items, reading: reading(), ...how });
      }
    },
    [reading],
  );
  const again = useCallback(() => void ask(""), [ask]);
  const { trouble } = list;
  useBack(useCallback(() => trouble !== null && again(), [trouble, again]));
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

/** Above a list: what is said of it, and the pill of what waits to be shown. It has its place at all times. */
export function Bar({ said, pill, show }: { said: string; pill: string | null; show: () => void }) {
  return (
    <div class="list-bar">
      <p class="shown" role="status">
        {said}
        {pill !== null && <span class="visually-hidden">, {pill}</span>}
      </p>
      {pill !== null && (
        <button type="button" class="pill" onClick={show}>
          <span aria-hidden="true">↑</span> {pill}
        </button>
      )}
    </div>
  );
}

export function ListBar<T>({ list, what, show }: { list: Rows<T>; what: string; show: () => void }) {
  const { rows, fresh } = list;
  const said = rows.length === 0 ? "" : `${count(rows.length)}${list.next === null ? "" : "+"} shown, the newest change first`;
  return <Bar said={said} pill={fresh.length === 0 ? null : plural(fresh.length, `new ${what}`)} show={show} />;
}

/** A page can be empty and not the last: the server has looked at so many, and there are more. */
export const LooksOn = () => <Empty title="None among those looked at so far">Older ones are being looked at.</Empty>;

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
        } else {
          return false;
        }
        return true;
      },
      [show, uid, props.close],
    ),
  );
  const setFilter = useCallback(
    (to: Filter) => {
      const query = { ...queryOf(to), view: viewWord(view) };
      go(hrefOf("findings", uid === null ? [] : [uid], query), true);
    },
    [uid, view],
  );
  const { rows } = list;
  return (
    <section class="found" aria-labelledby="findings-title">
      <div class="found-head">
        <h2 id="findings-title">Findings</h2>
        <ViewSwitch view={view} filter={filter} />
        <Field label="Search" wide value={filter.q} change={(q) => setFilter({ ...filter, q })} />
        <Filters filter={filter} baseline={rules} change={setFilter} />
      </div>
      <div class="list">
        <ListBar list={list} what={view === "all" ? "finding" : "incident"} show={show} />
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
          {rows.length === 0 && list.next !== null && list.trouble === null && <LooksOn />}
          {rows.length === 0 && list.next === null && !list.loading && list.trouble === null && (
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
