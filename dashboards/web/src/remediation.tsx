// SPDX-License-Identifier: Apache-2.0
// The screen of what was done: runs of playbooks, and beside them one in full or how long they took to contain.
import { memo } from "preact/compat";
import { useCallback } from "preact/hooks";
import type { Place } from "./address";
import { go, hrefOf } from "./address";
import type { Execution, RunState } from "./api";
import { fetchActions } from "./api";
import { Containment } from "./containment";
import { ExecutionPane } from "./execution_pane";
import { between, count, duration } from "./format";
import { ListBar, LooksOn, usePaged } from "./list";
import { status, takeExecutions, useLiveExecutions } from "./live";
import { Empty, Moment, StateMark, stateWord } from "./marks";
import { useKeys, useNarrow, useTitle } from "./page";
import { PauseSwitch } from "./pause";
import { useReading } from "./reading";
import type { RowState } from "./row";
import { Head, Row } from "./row";
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

const RunRow = memo(function RunRow(props: RowState & { execution: Execution; open: (key: string) => void }) {
  const { execution, open, ...state } = props;
  const { planned, finished, key } = execution;
  return (
    <Row
      {...state}
      {...execution}
      id={key}
      kind="run"
      bare
      title={execution.playbook}
      agent={execution.target}
      open={() => open(key)}
      notes={execution.mode === "observe" && <em>observed</em>}
    >
      <span role="cell" class="c-time">
        {planned === null ? "–" : <Moment time={planned} />}
      </span>
      <span role="cell" class="c-took">
        {planned !== null && finished !== null && duration(between(planned, finished))}
      </span>
      <span role="cell" class="c-state">
        <StateMark state={execution.state} />
      </span>
    </Row>
  );
});

const columns = { title: "Playbook", tenant: "Tenant", agent: "Target", time: "Planned", took: "Took", state: "State" };

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
  const { state = "", from = "", to = "" } = place.query;
  const chosen = place.rest[0] ?? null;
  const { scroller, reading } = useReading(chosen);
  const { list, more, again, show: showNew } = useRuns(state, reading);
  const show = useCallback(() => {
    showNew();
    scroller.current?.scrollTo({ top: 0 });
  }, [showNew]);
  const narrow = useNarrow();
  const isOpen = chosen !== null;
  const open = useCallback((key: string) => go(hrefOf("remediation", [key], { state, from, to }), isOpen), [state, from, to, isOpen]);
  const close = useCallback(() => go(hrefOf("remediation", [], { state, from, to }), true), [state, from, to]);
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
          <States chosen={state} choose={(one) => go(hrefOf("remediation", place.rest, { state: one, from, to }), true)} />
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
            head={<Head kind="run" bare columns={columns} />}
            nearEnd={more}
            row={(execution, reachable) => (
              <RunRow
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
            {list.rows.length === 0 && list.next !== null && list.trouble === null && <LooksOn />}
            {list.rows.length === 0 && list.next === null && !list.loading && list.trouble === null && (
              <Empty title={noneWords[state] ?? `No run is ${stateWord(state)}`}>
                Executions and their steps appear here as they happen.
              </Empty>
            )}
          </VirtualList>
        </div>
      </section>
      {chosen === null ? (
        <Containment from={from} to={to} choose={(since, until) => go(hrefOf("remediation", [], { state, from: since, to: until }), true)} />
      ) : (
        <ExecutionPane id={chosen} close={close} />
      )}
    </div>
  );
}
