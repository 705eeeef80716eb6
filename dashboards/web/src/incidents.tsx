// SPDX-License-Identifier: Apache-2.0
// Findings of one rule by one agent of one tenant, as one row.
import { memo } from "preact/compat";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Incident } from "./api";
import { fetchIncidents } from "./api";
import type { ListProps } from "./findings";
import { count } from "./format";
import { ListSection, usePaged } from "./list";
import { useLive } from "./live";
import { Bars, Moment, Name, SeverityMark, visible } from "./marks";
import { useReading } from "./reading";

const keyOf = (incident: Incident): string => String(incident.id);

const Row = memo(function Row(props: {
  incident: Incident;
  chosen: boolean;
  arrived: boolean;
  reachable: boolean;
  open: (incident: Incident) => void;
}) {
  const { incident, chosen } = props;
  const { state } = incident;
  const classes = ["row incident", chosen ? "chosen" : "", props.arrived ? "arrived" : "", state === "new" ? "" : "settled"];
  return (
    <div role="presentation" class={classes.filter((name) => name !== "").join(" ")} onClick={() => props.open(incident)}>
      <span role="cell" class="c-severity">
        <SeverityMark severity={incident.severity} />
      </span>
      <span role="cell" class="c-title">
        <button
          type="button"
          data-key={keyOf(incident)}
          tabIndex={props.reachable ? 0 : -1}
          aria-current={chosen ? "true" : undefined}
          onClick={(event) => {
            event.stopPropagation();
            props.open(incident);
          }}
        >
          <code>{incident.rule}</code> <span><Name text={incident.title} /></span>
          {state !== "new" && <em>{state}</em>}
          {incident.assignee !== null && <em class="who"><Name text={incident.assignee} /></em>}
        </button>
      </span>
      <span role="cell" class="c-tenant" title={visible(incident.tenant ?? "")}>
        {incident.tenant === null ? "–" : <Name text={incident.tenant} />}
      </span>
      <span role="cell" class="c-agent" title={visible(incident.agent ?? "")}>
        {incident.agent === null ? "–" : <Name text={incident.agent} />}
      </span>
      <span role="cell" class="c-spark">
        <Bars counts={incident.spark} severity={incident.severity} />
        <span class="visually-hidden">since {incident.first}</span>
      </span>
      <span role="cell" class="c-count">
        <strong>{count(incident.count)}</strong>
        {incident.open !== incident.count && <small> {count(incident.open)} open</small>}
      </span>
      <span role="cell" class="c-time">
        <Moment time={incident.last} />
      </span>
    </div>
  );
});

const Head = (
  <div role="rowgroup" class="head incident">
    <div role="row" aria-rowindex={1}>
      <span role="columnheader" class="c-severity">
        Severity
      </span>
      <span role="columnheader" class="c-title">
        Incident
      </span>
      <span role="columnheader" class="c-tenant">
        Tenant
      </span>
      <span role="columnheader" class="c-agent">
        Agent
      </span>
      <span role="columnheader" class="c-spark">
        Course
      </span>
      <span role="columnheader" class="c-count">
        Findings
      </span>
      <span role="columnheader" class="c-time">
        Last
      </span>
    </div>
  </div>
);

const settleMs = 1_500; // the server's counts follow its findings by a second or two
const lookMs = 5_000;

/** Asks for the newest page when what was told has settled, and every so often: counts change without a word, too. */
function useFollowing(ask: () => void): void {
  const due = useRef(0);
  const soon = useCallback(() => {
    due.current ||= window.setTimeout(() => {
      due.current = 0;
      ask();
    }, settleMs);
  }, [ask]);
  useLive(soon);
  useEffect(() => {
    soon();
    const timer = window.setInterval(() => document.hidden || ask(), lookMs);
    return () => {
      window.clearInterval(timer);
      window.clearTimeout(due.current);
      due.current = 0;
    };
  }, [ask, soon]);
}

export function ListOfIncidents({ filter, chosen, open, close }: ListProps) {
  const { scroller, reading } = useReading(chosen);
  const fetchPage = useCallback((after: string, limit: number) => fetchIncidents(filter, after, limit), [filter]);
  const paged = usePaged(keyOf, fetchPage, reading);
  const { list, tell } = paged;
  const current = useRef(filter);
  current.current = filter;
  useFollowing(
    useCallback(() => {
      fetchIncidents(filter).then((page) => current.current === filter && tell(page.items, { resort: true }), () => undefined);
    }, [filter, tell]),
  );
  // An incident stays the one that is open when newer findings join it.
  const [opened, setOpened] = useState<{ uid: string; key: string } | null>(null);
  const openNewest = useCallback(
    (incident: Incident) => {
      if (incident.newest !== null) {
        setOpened({ uid: incident.newest, key: keyOf(incident) });
        open(incident.newest);
      }
    },
    [open],
  );
  const newest = list.rows.find((row) => row.newest === chosen);
  const key = opened !== null && opened.uid === chosen ? opened.key : newest === undefined ? null : keyOf(newest);
  return (
    <ListSection
      view="incidents"
      filter={filter}
      uid={chosen}
      chosen={chosen === null ? (opened?.key ?? null) : key}
      keyOf={keyOf}
      paged={paged}
      scroller={scroller}
      head={Head}
      close={close}
      row={(incident, reachable) => (
        <Row
          incident={incident}
          chosen={chosen !== null && keyOf(incident) === key}
          arrived={list.arrived.has(keyOf(incident))}
          reachable={reachable}
          open={openNewest}
        />
      )}
    />
  );
}
