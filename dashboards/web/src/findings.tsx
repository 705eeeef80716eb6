// SPDX-License-Identifier: Apache-2.0
// The screen of findings: a list that is live, and beside it the one that is open. Rows that come in while somebody
// reads wait behind a pill at the list's top; nothing under the eye moves.
import type { RefObject } from "preact";
import { memo } from "preact/compat";
import { useCallback, useEffect, useMemo, useReducer, useRef } from "preact/hooks";
import type { Execution, Filter, Finding } from "./api";
import { fetchFindings } from "./api";
import type { Place } from "./address";
import { go, hrefOf } from "./address";
import { FindingPane } from "./finding";
import { filterOf, isSet, passes, queryOf, stateOf } from "./filter";
import { Filters } from "./filters";
import { count } from "./format";
import { baseline, executions, useLive } from "./live";
import { Empty, Moment, SeverityMark, StateMark } from "./marks";
import { useKeys, useNarrow, useTitle } from "./page";
import { noRows, rowsAfter } from "./rows";
import { useStore } from "./store";
import { Trouble } from "./trouble";
import { VirtualList } from "./virtual";

const keyOf = (finding: Finding): string => finding.uid;
const rowsOf = rowsAfter<Finding>(keyOf);

const Row = memo(function Row(props: {
  finding: Finding;
  action: string | null;
  chosen: boolean;
  arrived: boolean;
  reachable: boolean;
  open: (uid: string) => void;
}) {
  const { finding, chosen } = props;
  const state = stateOf(finding);
  const classes = ["row", chosen ? "chosen" : "", props.arrived ? "arrived" : "", state === "new" ? "" : "settled"];
  return (
    <div
      role="presentation"
      class={classes.filter((name) => name !== "").join(" ")}
      onClick={() => props.open(finding.uid)}
    >
      <span role="cell" class="c-severity">
        <SeverityMark severity={finding.severity} />
      </span>
      <span role="cell" class="c-title">
        <button
          type="button"
          data-key={finding.uid}
          tabIndex={props.reachable ? 0 : -1}
          aria-current={props.chosen ? "true" : undefined}
          onClick={(event) => {
            event.stopPropagation();
            props.open(finding.uid);
          }}
        >
          <code>{finding.rule}</code> <span>{finding.title}</span>
          {state !== "new" && <em>{finding.suppressed && finding.state === undefined ? "waived" : state}</em>}
          {finding.mode === "observe" && <em>observed</em>}
        </button>
      </span>
      <span role="cell" class="c-tenant" title={finding.tenant ?? ""}>
        {finding.tenant ?? "–"}
      </span>
      <span role="cell" class="c-agent" title={finding.agent ?? ""}>
        {finding.agent ?? "–"}
      </span>
      <span role="cell" class="c-time">
        <Moment time={finding.time} />
      </span>
      <span role="cell" class="c-state">
        <StateMark state={props.action} />
      </span>
    </div>
  );
});

const Head = (
  <div role="rowgroup" class="head">
    <div role="row" aria-rowindex={1}>
      <span role="columnheader" class="c-severity">
        Severity
      </span>
      <span role="columnheader" class="c-title">
        Finding
      </span>
      <span role="columnheader" class="c-tenant">
        Tenant
      </span>
      <span role="columnheader" class="c-agent">
        Agent
      </span>
      <span role="columnheader" class="c-time">
        Time
      </span>
      <span role="columnheader" class="c-state">
        Remediation
      </span>
    </div>
  </div>
);

function useActionStates(): ReadonlyMap<string, string> {
  const all = useStore(executions);
  return useMemo(() => {
    const states = new Map<string, string>();
    for (const execution of all as readonly Execution[]) {
      if (!states.has(execution.finding)) {
        states.set(execution.finding, execution.state);
      }
    }
    return states;
  }, [all]);
}

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

function useFindings(filter: Filter, reading: () => boolean) {
  const [list, change] = useReducer(rowsOf, noRows<Finding>());
  const asked = useRef(0);
  const busy = useRef(false);
  const key = JSON.stringify(filter);
  const hear = useCallback(
    (told: { findings: Finding[] }) => {
      const items = told.findings.filter((finding) => passes(filter, finding));
      if (items.length > 0) {
        change({ kind: "told", items, reading: reading() });
      }
    },
    [key, reading],
  );
  useLive(hear);
  const ask = useCallback(
    async (after: string) => {
      const number = after === "" ? ++asked.current : asked.current;
      try {
        const page = await fetchFindings(filter, after, after === "" ? 100 : 500);
        if (number === asked.current) {
          change({ kind: "page", page, more: after !== "" });
        }
      } catch (trouble) {
        if (number === asked.current) {
          change({ kind: "trouble", trouble });
        }
      }
    },
    [key],
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
  return { list, more, again: () => void ask(""), showFresh: () => change({ kind: "show" }) };
}

function ListOfFindings(props: { filter: Filter; chosen: string | null; open: (uid: string) => void; close: () => void }) {
  const { filter, chosen, open } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const chosenNow = useRef(chosen);
  chosenNow.current = chosen;
  const reading = useCallback(() => isRead(scroller, chosenNow.current), []);
  const { list, more, again, showFresh } = useFindings(filter, reading);
  const states = useActionStates();
  const rules = useStore(baseline);
  const narrow = useNarrow();

  const show = useCallback(() => {
    showFresh();
    scroller.current?.scrollTo({ top: 0 });
  }, []);
  useKeys(
    useCallback(
      (key) => {
        if (key === "n") {
          show();
        } else if (key === "Escape" && chosenNow.current !== null) {
          const uid = chosenNow.current;
          props.close();
          // The list may come back into view only with the next drawing.
          requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`button[data-key="${uid}"]`)?.focus());
        } else {
          return false;
        }
        return true;
      },
      [show, props.close],
    ),
  );

  const { rows, fresh } = list;
  const setFilter = useCallback((to: Filter) => {
    const uid = chosenNow.current;
    go(hrefOf("findings", uid === null ? [] : [uid], queryOf(to)), true);
  }, []);
  const shown = rows.length === 0 ? "" : `${count(rows.length)}${list.next === null ? "" : "+"} shown`;
  return (
    <section class="found" aria-labelledby="findings-title">
      <div class="found-head">
        <h2 id="findings-title">Findings</h2>
        <Filters filter={filter} baseline={rules} shown={shown} triage={rows[0]?.state !== undefined} change={setFilter} />
      </div>
      <div class="list">
        {fresh.length > 0 && (
          <button type="button" class="pill" onClick={show}>
            <span aria-hidden="true">↑</span> {count(fresh.length)} new {fresh.length === 1 ? "finding" : "findings"}
          </button>
        )}
        <p class="visually-hidden" role="status">
          {fresh.length > 0 ? `${fresh.length} new, press n to show` : ""}
        </p>
        <VirtualList
          items={rows}
          keyOf={keyOf}
          rowHeight={narrow ? 60 : 44}
          label="Findings"
          scroller={scroller}
          chosen={chosen}
          head={Head}
          nearEnd={more}
          row={(finding, reachable) => (
            <Row
              finding={finding}
              action={states.get(finding.uid) ?? finding.action}
              chosen={finding.uid === chosen}
              arrived={list.arrived.has(finding.uid)}
              reachable={reachable}
              open={open}
            />
          )}
        >
          {rows.length === 0 && !list.loading && list.trouble === null && (
            <Empty title={isSet(filter) ? "Nothing matches these filters" : "No violations found so far"}>
              {isSet(filter) ? "Others may be there without them." : "They appear here the moment they are proved."}
            </Empty>
          )}
          {list.trouble !== null && (
            <>
              <Trouble trouble={list.trouble} what="the findings" />
              <button type="button" class="more" onClick={again}>
                Try again
              </button>
            </>
          )}
        </VirtualList>
      </div>
    </section>
  );
}

export function FindingsScreen({ place }: { place: Place }) {
  const chosen = place.rest[0] ?? null;
  useTitle(chosen === null ? "Findings" : "A finding");
  const query = JSON.stringify(place.query);
  const filter = useMemo(() => filterOf(place.query), [query]);
  const open = useCallback((uid: string) => go(hrefOf("findings", [uid], queryOf(filter)), chosen !== null), [filter, chosen !== null]);
  const close = useCallback(() => go(hrefOf("findings", [], queryOf(filter)), true), [filter]);
  return (
    <div class={chosen === null ? "split" : "split open"}>
      <ListOfFindings filter={filter} chosen={chosen} open={open} close={close} />
      {chosen !== null && <FindingPane uid={chosen} close={close} />}
    </div>
  );
}
