// SPDX-License-Identifier: Apache-2.0
// The screen of what was done: runs of playbooks, one of them in full, and how long it took to contain.
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Place } from "./address";
import { go, hrefOf } from "./address";
import type { Execution, RunState } from "./api";
import { fetchActions } from "./api";
import { Chart } from "./chart";
import { ExecutionPane } from "./execution_pane";
import { between, count, duration } from "./format";
import { executions, nextActions, status, takeExecutions } from "./live";
import { Empty, Moment, SeverityMark, StateMark, stateWord } from "./marks";
import { useKeys, useNarrow, useTitle } from "./page";
import { PauseSwitch } from "./pause";
import { store, useStore } from "./store";
import { Trouble } from "./trouble";
import { VirtualList } from "./virtual";

const states: readonly RunState[] = [
  "waiting",
  "planned",
  "running",
  "failed",
  "ambiguous",
  "done",
  "verified",
  "withheld",
  "undone",
  "refused",
  "superseded",
];

const keyOf = (execution: Execution): string => execution.key;

function Row(props: { execution: Execution; chosen: boolean; reachable: boolean; open: (key: string) => void }) {
  const { execution } = props;
  const took =
    execution.planned !== null && execution.finished !== null ? between(execution.planned, execution.finished) : null;
  return (
    <div
      role="presentation"
      class={props.chosen ? "row run chosen" : "row run"}
      onClick={() => props.open(execution.key)}
    >
      <span role="cell" class="c-severity">
        <SeverityMark severity={execution.severity} bare />
      </span>
      <span role="cell" class="c-title">
        <button
          type="button"
          data-key={execution.key}
          tabIndex={props.reachable ? 0 : -1}
          aria-current={props.chosen ? "true" : undefined}
          onClick={(event) => {
            event.stopPropagation();
            props.open(execution.key);
          }}
        >
          <code>{execution.rule}</code> <span>{execution.playbook}</span>
          {execution.mode === "observe" && <em>observed</em>}
        </button>
      </span>
      <span role="cell" class="c-tenant" title={execution.tenant ?? ""}>
        {execution.tenant ?? "–"}
      </span>
      <span role="cell" class="c-agent" title={execution.target ?? ""}>
        {execution.target ?? "–"}
      </span>
      <span role="cell" class="c-time">
        {execution.planned === null ? "–" : <Moment time={execution.planned} />}
      </span>
      <span role="cell" class="c-took">
        {took === null ? "" : duration(took)}
      </span>
      <span role="cell" class="c-state">
        <StateMark state={execution.state} />
      </span>
    </div>
  );
}

const Head = (
  <div role="rowgroup" class="head run">
    <div role="row" aria-rowindex={1}>
      <span role="columnheader" class="c-severity">
        <span class="visually-hidden">Severity</span>
      </span>
      <span role="columnheader" class="c-title">
        Playbook
      </span>
      <span role="columnheader" class="c-tenant">
        Tenant
      </span>
      <span role="columnheader" class="c-agent">
        Target
      </span>
      <span role="columnheader" class="c-time">
        Planned
      </span>
      <span role="columnheader" class="c-took">
        Took
      </span>
      <span role="columnheader" class="c-state">
        State
      </span>
    </div>
  </div>
);

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

/** From the event to the evidence that it worked, of the runs that were fetched. */
function Containment({ all }: { all: readonly Execution[] }) {
  const points = useMemo(
    () =>
      all
        .map((execution) => ({ at: Date.parse(execution.finished ?? "") / 1000, took: execution.times.contain }))
        .filter((point): point is { at: number; took: number } => point.took !== null)
        .sort((a, b) => a.at - b.at),
    [all],
  );
  if (points.length === 0) {
    return <p class="none">No run has shown yet that it worked.</p>;
  }
  const sorted = points.map((point) => point.took).sort((a, b) => a - b);
  const middle = duration(quantile(sorted, 0.5));
  const most = duration(quantile(sorted, 0.9));
  return (
    <>
      <dl class="duo">
        <dt>Half within</dt>
        <dd>{middle}</dd>
        <dt>9 of 10 within</dt>
        <dd>{most}</dd>
        <dt>Of runs</dt>
        <dd>{count(points.length)}</dd>
      </dl>
      <Chart
        label={`Time to contain of ${points.length} runs: half within ${middle}, nine of ten within ${most}`}
        x={points.map((point) => point.at)}
        lines={[{ name: "to contain", values: points.map((point) => point.took), colour: "--accent", kind: "dots" }]}
        height={210}
        yValue={duration}
      />
    </>
  );
}

function States({ chosen, choose }: { chosen: string; choose: (state: string) => void }) {
  const now = useStore(status);
  const counts = now?.executions;
  return (
    <div class="states" role="group" aria-label="States">
      <button type="button" class="choice" aria-pressed={chosen === ""} onClick={() => choose("")}>
        all
      </button>
      {states
        .filter((state) => (counts?.[state] ?? 0) > 0 || state === chosen)
        .map((state) => (
          <button key={state} type="button" class="choice" aria-pressed={chosen === state} onClick={() => choose(state)}>
            {stateWord(state)} <b>{count(counts?.[state] ?? 0)}</b>
          </button>
        ))}
    </div>
  );
}

const noNext = store<string | null>(null);

/** The store's executions of a state; those further back are fetched as the list is scrolled. */
function useRuns(state: string) {
  const all = useStore(executions);
  const [next, setNext] = useState<string | null>(null);
  const [trouble, setTrouble] = useState<unknown>(null);
  const first = useStore(state === "" ? nextActions : noNext);
  const asking = useRef(false);
  const cursor = state === "" ? first : next;
  const ask = useCallback(
    async (after: string): Promise<void> => {
      asking.current = true;
      try {
        const page = await fetchActions(state, after, 500);
        takeExecutions(page.items);
        setTrouble(null);
        if (state === "") {
          nextActions.set(page.next);
        } else {
          setNext(page.next);
        }
      } catch (error) {
        setTrouble(error);
      } finally {
        asking.current = false;
      }
    },
    [state],
  );
  useEffect(() => {
    setNext(null);
    if (state !== "") {
      void ask("");
    }
  }, [ask, state]);
  const more = useCallback(() => {
    if (cursor !== null && !asking.current) {
      void ask(cursor);
    }
  }, [ask, cursor]);
  const runs = useMemo(() => (state === "" ? all : all.filter((one) => one.state === state)), [all, state]);
  return { all, runs, more, trouble };
}

export function RemediationScreen({ place }: { place: Place }) {
  useTitle("Remediation");
  const state = place.query["state"] ?? "";
  const chosen = place.rest[0] ?? null;
  const { all, runs, more, trouble } = useRuns(state);
  const scroller = useRef<HTMLDivElement>(null);
  const narrow = useNarrow();
  const open = useCallback((key: string) => go(hrefOf("remediation", [key], { state }), chosen !== null), [state, chosen !== null]);
  const close = useCallback(() => go(hrefOf("remediation", [], { state }), true), [state]);
  useKeys(
    useCallback(
      (key) => {
        if (key !== "Escape" || chosen === null) {
          return false;
        }
        close();
        requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`button[data-key="${chosen}"]`)?.focus());
        return true;
      },
      [chosen, close],
    ),
  );
  return (
    <div class={chosen === null ? "split aside" : "split open"}>
      <section class="found" aria-labelledby="remediation-title">
        <div class="found-head">
          <h2 id="remediation-title">Remediation</h2>
          <States chosen={state} choose={(to) => go(hrefOf("remediation", place.rest, { state: to }), true)} />
          <PauseSwitch />
        </div>
        <div class="list">
          <VirtualList
            items={runs}
            keyOf={keyOf}
            rowHeight={narrow ? 60 : 44}
            label="Runs of playbooks"
            scroller={scroller}
            chosen={chosen}
            head={Head}
            nearEnd={more}
            row={(execution, reachable) => (
              <Row execution={execution} chosen={execution.key === chosen} reachable={reachable} open={open} />
            )}
          >
            {trouble !== null && <Trouble trouble={trouble} what="remediation" />}
            {runs.length === 0 && trouble === null && (
              <Empty title={state === "" ? "No playbook has run yet" : `None is ${stateWord(state)}`}>
                Executions and their steps appear here as they happen.
              </Empty>
            )}
          </VirtualList>
        </div>
      </section>
      {chosen === null ? (
        <aside class="pane" aria-labelledby="contain-title">
          <header>
            <h2 id="contain-title">Time to contain</h2>
          </header>
          <div class="scroller" role="group" aria-labelledby="contain-title" tabIndex={0}>
            <Containment all={all} />
          </div>
        </aside>
      ) : (
        <ExecutionPane id={chosen} close={close} />
      )}
    </div>
  );
}
