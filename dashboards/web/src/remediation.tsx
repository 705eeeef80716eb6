// SPDX-License-Identifier: Apache-2.0
// The screen of what was done: runs of playbooks, one of them in full, and how long it took to contain.
import { memo } from "preact/compat";
import { useCallback, useMemo } from "preact/hooks";
import type { Place } from "./address";
import { go, hrefOf } from "./address";
import type { Execution, RunState } from "./api";
import { fetchActions } from "./api";
import { Chart } from "./chart";
import { ExecutionPane } from "./execution_pane";
import { between, count, duration } from "./format";
import { ListBar, usePaged } from "./list";
import { executions, status, takeExecutions, useLiveExecutions } from "./live";
import { Empty, Moment, Name, SeverityMark, StateMark, stateWord, visible } from "./marks";
import { useKeys, useNarrow, useTitle } from "./page";
import { PauseSwitch } from "./pause";
import { useReading } from "./reading";
import { useStore } from "./store";
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

const Row = memo(function Row(props: {
  execution: Execution;
  chosen: boolean;
  arrived: boolean;
  reachable: boolean;
  open: (key: string) => void;
}) {
  const { execution } = props;
  const took =
    execution.planned !== null && execution.finished !== null ? between(execution.planned, execution.finished) : null;
  return (
    <div
      role="presentation"
      class={`row run${props.chosen ? " chosen" : ""}${props.arrived ? " arrived" : ""}`}
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
          <code>{execution.rule}</code> <span><Name text={execution.playbook} /></span>
          {execution.mode === "observe" && <em>observed</em>}
        </button>
      </span>
      <span role="cell" class="c-tenant" title={visible(execution.tenant ?? "")}>
        {execution.tenant === null ? "–" : <Name text={execution.tenant} />}
      </span>
      <span role="cell" class="c-agent" title={visible(execution.target ?? "")}>
        {execution.target === null ? "–" : <Name text={execution.target} />}
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
});

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

/** From the event to the evidence that it worked, of the newest runs: those that this page was told of. */
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
        <dt>Of the newest</dt>
        <dd>{count(points.length)}</dd>
      </dl>
      <Chart
        label={`Time to contain of ${points.length} runs: half within ${middle}, nine of ten within ${most}`}
        x={points.map((point) => point.at)}
        lines={[{ name: "to contain", values: points.map((point) => point.took), colour: "--accent", kind: "dots" }]}
        height={210}
        yValue={(n) => (n === 0 ? "0" : duration(n))}
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

const noneWords: Partial<Record<string, string>> = {
  "": "No playbook has run yet",
  waiting: "No run waits for approval",
  failed: "No run has failed",
};

/** The runs of a state, or all: a list of its own, which the server is asked for and the stream adds to. */
function useRuns(state: string, reading: () => boolean) {
  const fetchPage = useCallback(
    async (after: string, limit: number) => {
      const page = await fetchActions(state, after, limit);
      takeExecutions(page.items);
      return page;
    },
    [state],
  );
  const paged = usePaged(keyOf, fetchPage, reading);
  const { tell } = paged;
  useLiveExecutions(
    useCallback(
      (told) => tell(told, { resort: true, belongs: (one) => state === "" || one.state === state }),
      [state, tell],
    ),
  );
  return paged;
}

export function RemediationScreen({ place }: { place: Place }) {
  useTitle("Remediation");
  const state = place.query["state"] ?? "";
  const chosen = place.rest[0] ?? null;
  const all = useStore(executions);
  const { scroller, reading } = useReading(chosen);
  const { list, more, again, show: showNew } = useRuns(state, reading);
  const show = useCallback(() => {
    showNew();
    scroller.current?.scrollTo({ top: 0 });
  }, [showNew]);
  const narrow = useNarrow();
  const open = useCallback((key: string) => go(hrefOf("remediation", [key], { state }), chosen !== null), [state, chosen !== null]);
  const close = useCallback(() => go(hrefOf("remediation", [], { state }), true), [state]);
  useKeys(
    useCallback(
      (key) => {
        if (key === "n") {
          show();
        } else if (key === "Escape" && chosen !== null) {
          close();
        } else {
          return false;
        }
        return true;
      },
      [show, chosen, close],
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
          <ListBar list={list} what="run" show={show} />
          <VirtualList
            items={list.rows}
            keyOf={keyOf}
            rowHeight={narrow ? 60 : 44}
            label="Runs of playbooks"
            scroller={scroller}
            chosen={chosen}
            head={Head}
            nearEnd={more}
            row={(execution, reachable) => (
              <Row
                execution={execution}
                chosen={execution.key === chosen}
                arrived={list.arrived.has(execution.key)}
                reachable={reachable}
                open={open}
              />
            )}
          >
            {list.trouble !== null && (
              <>
                <Trouble trouble={list.trouble} what="remediation" />
                <button type="button" class="more" onClick={again}>
                  Try again
                </button>
              </>
            )}
            {list.rows.length === 0 && !list.loading && list.trouble === null && (
              <Empty title={noneWords[state] ?? `No run is ${stateWord(state)}`}>
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
