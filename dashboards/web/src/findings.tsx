// SPDX-License-Identifier: Apache-2.0
// The screen of findings: grouped into incidents or each for itself, and beside the list the one that is open.
import { memo } from "preact/compat";
import { useCallback, useMemo } from "preact/hooks";
import type { Place } from "./address";
import { go, hrefOf } from "./address";
import type { Filter, Finding } from "./api";
import { fetchFindings } from "./api";
import { FindingPane } from "./finding";
import { filterOf, passes, queryOf } from "./filter";
import { ListOfIncidents } from "./incidents";
import type { View } from "./list";
import { ListSection, usePaged, viewWord } from "./list";
import { executions, useLive } from "./live";
import { Moment, StateMark } from "./marks";
import { useTitle } from "./page";
import { useReading } from "./reading";
import type { RowState } from "./row";
import { Head, Row } from "./row";
import { useStore } from "./store";
import { ListOfWaivers } from "./waivers";

const keyOf = (finding: Finding): string => finding.uid;

const FindingRow = memo(function FindingRow(
  props: RowState & { finding: Finding; action: string | null; open: (uid: string) => void },
) {
  const { finding, action, open, ...state } = props;
  return (
    <Row
      {...state}
      {...finding}
      id={finding.uid}
      kind={finding.state === "new" ? "" : "settled"}
      open={() => open(finding.uid)}
      notes={
        <>
          {finding.state !== "new" && <em>{finding.state}</em>}
          {finding.mode === "observe" && <em>observed</em>}
        </>
      }
    >
      <span role="cell" class="c-time">
        <Moment time={finding.time} />
      </span>
      <span role="cell" class="c-state">
        <StateMark state={action} />
      </span>
    </Row>
  );
});

const columns = { title: "Finding", tenant: "Tenant", agent: "Agent", time: "Time", state: "Remediation" };

function useActionStates(): ReadonlyMap<string, string> {
  const all = useStore(executions);
  return useMemo(() => {
    const states = new Map<string, string>();
    for (const execution of all) {
      if (!states.has(execution.finding)) {
        states.set(execution.finding, execution.state);
      }
    }
    return states;
  }, [all]);
}

export interface ListProps {
  filter: Filter;
  chosen: string | null; // the uid of the finding that is open
  open: (uid: string) => void;
  close: () => void;
}

function ListOfFindings({ filter, chosen, open, close }: ListProps) {
  const { scroller, reading } = useReading(chosen);
  const fetchPage = useCallback((after: string, limit: number) => fetchFindings(filter, after, limit), [filter]);
  const paged = usePaged(keyOf, fetchPage, reading);
  const { list, tell } = paged;
  useLive(useCallback((findings) => tell(findings, { belongs: (one) => passes(filter, one) }), [filter, tell]));
  const states = useActionStates();
  return (
    <ListSection
      view="all"
      filter={filter}
      uid={chosen}
      chosen={chosen}
      keyOf={keyOf}
      paged={paged}
      scroller={scroller}
      head={<Head kind="" columns={columns} />}
      close={close}
      row={(finding, reachable) => (
        <FindingRow
          finding={finding}
          action={states.get(finding.uid) ?? finding.action}
          chosen={finding.uid === chosen}
          arrived={list.arrived.has(finding.uid)}
          reachable={reachable}
          open={open}
        />
      )}
    />
  );
}

/** The same object for the same words, so that what depends on it is not asked for again. */
function useFilter(query: Readonly<Record<string, string>>): Filter {
  const { view: _, ...words } = query;
  const text = JSON.stringify(words);
  return useMemo(() => filterOf(words), [text]);
}

export function FindingsScreen({ place }: { place: Place }) {
  const chosen = place.rest[0] ?? null;
  useTitle(chosen === null ? "Findings" : "A finding");
  const word = place.query["view"];
  const view: View = word === "all" || word === "waivers" ? word : "incidents";
  const filter = useFilter(place.query);
  const isOpen = chosen !== null;
  const query = useMemo(() => ({ ...queryOf(filter), view: viewWord(view) }), [filter, view]);
  const open = useCallback((uid: string) => go(hrefOf("findings", [uid], query), isOpen), [query, isOpen]);
  const close = useCallback(() => go(hrefOf("findings", [], query), true), [query]);
  const list = { filter, chosen, open, close };
  return (
    <div class={isOpen ? "split open" : "split"}>
      {view === "all" && <ListOfFindings {...list} />}
      {view === "incidents" && <ListOfIncidents {...list} />}
      {view === "waivers" && <ListOfWaivers filter={filter} />}
      {chosen !== null && <FindingPane uid={chosen} grouped={view === "incidents"} close={close} />}
    </div>
  );
}
