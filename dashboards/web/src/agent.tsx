// SPDX-License-Identifier: Apache-2.0
// One agent: its findings of late, and what was done about them.
import { useCallback, useEffect, useMemo, useReducer, useRef } from "preact/hooks";
import { hrefOf } from "./address";
import type { Execution, Filter, Finding, Severity } from "./api";
import { fetchActionsOf, fetchFindings, fetchIncidents } from "./api";
import { noFilter, queryOf, severities } from "./filter";
import { count, plural } from "./format";
import { fetchFirst, useGrowing } from "./growing";
import { executions, useBack, useLive, useSettled } from "./live";
import { Bars, Icon, Moment, Name, SeverityMark, StateMark } from "./marks";
import { usePaneFocus } from "./page";
import { isTouched } from "./reading";
import { merged, noRows, rowsAfter } from "./rows";
import { useStore } from "./store";
import { Trouble, useAsked } from "./trouble";

const total = (counts: readonly number[]): number => counts.reduce((sum, one) => sum + one, 0);
const incidentsMax = 500; // one for each rule that it broke
const settleMs = 1_500; // the server's counts follow its findings by a second or two
const lookMs = 10_000;

/** Of each of the last 24 hours, as the server counts them, by the worst of them. */
function LastDay({ filter }: { filter: Filter }) {
  const { value, trouble, again } = useAsked(useCallback(() => fetchIncidents(filter, "", incidentsMax), [filter]), lookMs);
  useLive(useSettled(again, settleMs));
  const incidents = (value?.items ?? []).filter((one) => total(one.spark) > 0);
  const counts = Array.from({ length: 24 }, (_, hour) => total(incidents.map((one) => one.spark[hour] ?? 0)));
  const worst: Severity = severities.find((severity) => incidents.some((one) => one.severity === severity)) ?? "info";
  return (
    <section>
      <h3>The last day</h3>
      {value === null && trouble !== null && <Trouble trouble={trouble} what="the last day" />}
      {value !== null && (
        <>
          <p class="none">
            {total(counts) === 0 ? "No finding." : `${plural(total(counts), "finding")} of ${plural(incidents.length, "rule")}.`}
            {value.next !== null && ` Of the ${count(incidentsMax)} incidents that changed last.`}
          </p>
          <div class="course-bars">
            <Bars counts={counts} severity={worst} />
          </div>
        </>
      )}
    </section>
  );
}

const rowsOf = rowsAfter<Finding>((finding) => finding.uid);
const shownMax = 30;
const runsMax = 12;
const keyOfRun = (one: Execution): string => one.key;

function useHistory(tenant: string | null, agent: string) {
  const [list, change] = useReducer(rowsOf, noRows<Finding>());
  const box = useRef<HTMLDivElement>(null);
  const filter = useMemo(() => ({ ...noFilter, tenant, agent }), [tenant, agent]);
  const asked = useRef(0);
  const ask = useCallback(() => {
    const number = ++asked.current;
    const mine = (): boolean => number === asked.current;
    fetchFindings(filter, "", shownMax).then(
      (page) => mine() && change({ kind: "page", page, more: false }),
      (trouble: unknown) => mine() && change({ kind: "trouble", trouble }),
    );
  }, [filter]);
  useEffect(() => {
    change({ kind: "ask" });
    ask();
    return () => void asked.current++;
  }, [ask]);
  const { trouble } = list;
  useBack(useCallback(() => trouble !== null && ask(), [trouble, ask]));
  useLive(
    useCallback(
      (findings: readonly Finding[]) => {
        const items = findings.filter((one) => one.tenant === tenant && one.agent === agent);
        if (items.length > 0) {
          change({ kind: "told", items, reading: isTouched(box.current) });
        }
      },
      [tenant, agent],
    ),
  );
  return { list, filter, box, show: () => change({ kind: "show" }) };
}

/** Those whose state changed last, and what the stream tells meanwhile. */
function useRuns(tenant: string | null, agent: string) {
  const ask = useCallback(
    (wanted: number) => fetchFirst((after, limit) => fetchActionsOf(tenant, agent, after, limit), keyOfRun, wanted),
    [tenant, agent],
  );
  const { value, trouble, more } = useGrowing(ask, runsMax);
  const asked = value?.items ?? [];
  const live = useStore(executions).filter((one) => one.tenant === tenant && one.agent === agent);
  const runs = merged(asked, live, keyOfRun);
  return { runs: more === null ? runs : runs.slice(0, Math.max(runsMax, asked.length)), trouble, asking: value === null, more };
}

function Runs({ tenant, agent }: { tenant: string | null; agent: string }) {
  const { runs, trouble, asking, more } = useRuns(tenant, agent);
  return (
    <section>
      <h3>Remediation</h3>
      {trouble !== null && <Trouble trouble={trouble} what="the runs of playbooks" />}
      {runs.length === 0 && !asking && trouble === null && <p class="none">No playbook has run for it.</p>}
      <ul class="similar">
        {runs.map((one) => (
          <li key={one.key}>
            <a href={hrefOf("remediation", [one.key])}>
              {one.planned !== null && <Moment time={one.planned} />}
              <span class="cut">
                <Name text={one.playbook} />
              </span>
            </a>
            <StateMark state={one.state} />
          </li>
        ))}
      </ul>
      {more !== null && (
        <button type="button" class="more" onClick={more}>
          Show more runs
        </button>
      )}
    </section>
  );
}

export function AgentPane({ tenant, agent, close }: { tenant: string | null; agent: string; close: () => void }) {
  const { list, filter, box, show } = useHistory(tenant, agent);
  const pane = useRef<HTMLElement>(null);
  usePaneFocus(pane, `${tenant ?? ""}\n${agent}`);
  const shown = list.rows.slice(0, shownMax);
  return (
    <aside class="pane detail" aria-labelledby="agent-title" ref={pane} tabIndex={-1}>
      <header>
        <div>
          <p class="eyebrow">
            {tenant === null ? (
              "without a tenant"
            ) : (
              <a href={hrefOf("fleet", [tenant])}>
                <Name text={tenant} />
              </a>
            )}
          </p>
          <h2 id="agent-title">
            <Name text={agent} />
          </h2>
        </div>
        <button type="button" class="quiet icon" onClick={close} aria-label="Close the agent">
          <Icon path="M6 6l12 12M18 6 6 18" />
        </button>
      </header>
      <div class="scroller" ref={box} role="group" aria-labelledby="agent-title" tabIndex={0}>
        <LastDay filter={filter} />
        <section>
          <div class="titled">
            <h3>Findings</h3>
            {list.fresh.length > 0 && (
              <button type="button" class="quiet fresh" onClick={show}>
                {plural(list.fresh.length, "new finding")}
              </button>
            )}
          </div>
          {list.trouble !== null && <Trouble trouble={list.trouble} what="the findings" />}
          {list.rows.length === 0 && !list.loading && list.trouble === null && <p class="none">None so far.</p>}
          <ul class="similar">
            {shown.map((one) => (
              <li key={one.uid}>
                <a href={hrefOf("findings", [one.uid], queryOf(filter))}>
                  <SeverityMark severity={one.severity} bare />
                  <Moment time={one.time} />
                  <span class="cut">
                    <code>{one.rule}</code> <Name text={one.title} />
                  </span>
                </a>
                <StateMark state={one.action} />
              </li>
            ))}
          </ul>
          <a class="onward" href={hrefOf("findings", [], { ...queryOf(filter), view: "all" })}>
            All findings of <Name text={agent} />
          </a>
        </section>
        <Runs tenant={tenant} agent={agent} />
      </div>
    </aside>
  );
}
