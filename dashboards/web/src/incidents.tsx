// SPDX-License-Identifier: Apache-2.0
// Findings of one rule by one agent of one tenant, as one row.
import { memo } from "preact/compat";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Incident, Page } from "./api";
import { fetchIncidents } from "./api";
import type { ListProps } from "./findings";
import { count, duration } from "./format";
import { ListSection, usePaged } from "./list";
import { useLive, useSettled } from "./live";
import { Bars, Moment, Name } from "./marks";
import { useReading } from "./reading";
import type { RowState } from "./row";
import { Head, Row } from "./row";

const keyOf = (incident: Incident): string => String(incident.id);

const IncidentRow = memo(function IncidentRow(
  props: RowState & { incident: Incident; gone: boolean; timed: boolean; open: (incident: Incident) => void },
) {
  const { incident, gone, timed, open, ...state } = props; // timed: what is counted is of a period, what is open is not
  return (
    <Row
      {...state}
      {...incident}
      id={keyOf(incident)}
      kind={incident.state === "new" && !gone ? "incident" : "incident settled"}
      open={() => open(incident)}
      notes={
        <>
          {gone ? <em>not among these any more</em> : incident.state !== "new" && <em>{incident.state}</em>}
          {incident.times.contain !== null && <em class="contained">contained in {duration(incident.times.contain)}</em>}
          {incident.assignee !== null && (
            <em class="who">
              <Name text={incident.assignee} />
            </em>
          )}
        </>
      }
    >
      <span role="cell" class="c-spark">
        <Bars counts={incident.spark} severity={incident.severity} />
        <span class="visually-hidden">since {incident.first}</span>
      </span>
      <span role="cell" class="c-count">
        <strong>{count(incident.count)}</strong>
        {incident.open !== incident.count && <small> {count(incident.open)} open{timed && " in all"}</small>}
      </span>
      <span role="cell" class="c-time">
        <Moment time={incident.last} />
      </span>
    </Row>
  );
});

const columns = { title: "Incident", tenant: "Tenant", agent: "Agent", spark: "Course", count: "Findings", time: "Last" };

const settleMs = 1_500; // the server's counts follow its findings by a second or two
const lookMs = 5_000;
const followedMax = 500;

/** From which seq on a page has all that there is. */
const leastOf = (page: Page<Incident>): number => (page.next === null ? 0 : (page.items.at(-1)?.seq ?? Infinity));

/** Asks for the newest page when what was told has settled, and every so often: counts change without a word, too. */
function useFollowing(ask: () => void): void {
  const soon = useSettled(ask, settleMs);
  useLive(soon);
  useEffect(() => {
    soon();
    const timer = window.setInterval(() => document.hidden || ask(), lookMs);
    return () => window.clearInterval(timer);
  }, [ask, soon]);
}

export function ListOfIncidents({ filter, chosen, open, close }: ListProps) {
  const { scroller, reading } = useReading(chosen);
  const fetchPage = useCallback((after: string, limit: number) => fetchIncidents(filter, after, limit), [filter]);
  const paged = usePaged(keyOf, fetchPage, reading);
  const { list, tell } = paged;
  // As many as are shown are asked for again: what is not among them any more has left the filter.
  const shown = useRef(0);
  shown.current = list.rows.length;
  const asked = useRef(0);
  useEffect(() => () => void asked.current++, [filter]);
  useFollowing(
    useCallback(() => {
      const number = ++asked.current;
      fetchIncidents(filter, "", Math.min(followedMax, Math.max(100, shown.current))).then(
        (page) => number === asked.current && tell(page.items, { resort: true, least: leastOf(page) }),
        () => undefined,
      );
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
      head={<Head kind="incident" columns={columns} />}
      close={close}
      row={(incident, reachable) => (
        <IncidentRow
          incident={incident}
          chosen={chosen !== null && keyOf(incident) === key}
          arrived={list.arrived.has(keyOf(incident))}
          reachable={reachable}
          gone={list.gone.has(keyOf(incident))}
          timed={filter.from !== "" || filter.to !== ""}
          open={openNewest}
        />
      )}
    />
  );
}
