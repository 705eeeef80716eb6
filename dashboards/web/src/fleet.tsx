// SPDX-License-Identifier: Apache-2.0
// The screen of tenants and agents by risk, and one agent's recent history.
import { useCallback, useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import type { Place } from "./address";
import { go, hrefOf } from "./address";
import type { Execution, Finding, Fleet, FleetRow, Severity } from "./api";
import { fetchFindings, fetchFleet } from "./api";
import { noFilter, queryOf, severities } from "./filter";
import { ago, count, plural } from "./format";
import { executions, useLive } from "./live";
import { Bars, Empty, Icon, Moment, SeverityMark, StateMark } from "./marks";
import { useKeys, useTitle } from "./page";
import { noRows, rowsAfter } from "./rows";
import { useStore } from "./store";
import { Trouble, useAsked } from "./trouble";

type AgentRow = Fleet["items"][number];

/** What stands, as one bar: the worst to the left. */
function Standing({ open }: { open: FleetRow["open"] }) {
  const parts = severities.map((severity) => [severity, open[severity] ?? 0] as const).filter(([, n]) => n > 0);
  const total = parts.reduce((sum, [, n]) => sum + n, 0);
  return (
    <span class="standing" title={parts.map(([severity, n]) => `${n} ${severity}`).join(", ") || "nothing stands"}>
      {parts.map(([severity, n]) => (
        <span key={severity} class={severity} style={{ flexGrow: n }}>
          <span class="visually-hidden">
            {n} {severity}
          </span>
        </span>
      ))}
      {total === 0 && <span class="visually-hidden">nothing stands</span>}
    </span>
  );
}

function Risk({ risk, top }: { risk: number; top: number }) {
  return (
    <span class="risk">
      <strong>{risk < 10 ? risk.toFixed(1) : count(Math.round(risk))}</strong>
      <span class="meter" aria-hidden="true">
        <span style={{ width: `${top === 0 ? 0 : Math.max(risk > 0 ? 2 : 0, (risk / top) * 100)}%` }} />
      </span>
    </span>
  );
}

const orders = [
  ["risk", "Risk"],
  ["findings", "Findings"],
  ["last", "Newest"],
  ["name", "Name"],
] as const;

function Agents(props: { rows: readonly AgentRow[]; chosen: string | null; query: Record<string, string> }) {
  const top = Math.max(0, ...props.rows.map((row) => row.risk));
  return (
    <table class="grid">
      <thead>
        <tr>
          <th scope="col">Agent</th>
          <th scope="col" class="wide-only">
            Tenant
          </th>
          <th scope="col">Risk</th>
          <th scope="col">Stands</th>
          <th scope="col" class="number wide-only">
            Findings
          </th>
          <th scope="col" class="number wide-only">
            Runs
          </th>
          <th scope="col" class="wide-only">
            Newest
          </th>
        </tr>
      </thead>
      <tbody>
        {props.rows.map((row) => {
          const { tenant, agent } = row;
          const name = agent ?? "without an agent";
          return (
            <tr key={`${tenant ?? ""}\n${agent ?? ""}`} class={agent !== null && agent === props.chosen ? "chosen" : ""}>
              <td>
                {tenant === null || agent === null ? (
                  <span class="none">{name}</span>
                ) : (
                  <a href={hrefOf("fleet", [tenant, agent], props.query)}>{name}</a>
                )}
                <small class="narrow-only">{tenant}</small>
              </td>
              <td class="wide-only">{tenant ?? "–"}</td>
              <td>
                <Risk risk={row.risk} top={top} />
              </td>
              <td>
                <Standing open={row.open} />
              </td>
              <td class="number wide-only">{count(row.findings)}</td>
              <td class="number wide-only">{count(row.executions)}</td>
              <td class="wide-only" title={row.last}>
                {ago(row.last)}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Tenants({ fleet, chosen, order }: { fleet: Fleet; chosen: string; order: string }) {
  const top = Math.max(0, ...fleet.tenants.map((row) => row.risk));
  return (
    <ul class="tenants">
      {fleet.tenants.map((row) => (
        <li key={row.tenant ?? ""}>
          <a
            href={hrefOf("fleet", row.tenant === null || row.tenant === chosen ? [] : [row.tenant], { order })}
            aria-current={row.tenant !== null && row.tenant === chosen ? "true" : undefined}
          >
            <span class="tenant-head">
              <strong>{row.tenant ?? "without a tenant"}</strong>
              <Risk risk={row.risk} top={top} />
            </span>
            <Standing open={row.open} />
            <small>
              {plural(row.agents, "agent")}, {plural(row.findings, "finding")}
            </small>
          </a>
        </li>
      ))}
    </ul>
  );
}

/** Findings of each of the last 24 hours, by the worst of them. */
function courseOf(findings: readonly Finding[]): { counts: number[]; worst: Severity } {
  const counts = Array.from({ length: 24 }, () => 0);
  for (const finding of findings) {
    const hour = 23 - Math.floor((Date.now() - Date.parse(finding.time)) / 3_600_000);
    if (hour >= 0 && hour < 24) {
      counts[hour] = (counts[hour] ?? 0) + 1;
    }
  }
  return { counts, worst: severities.find((severity) => findings.some((one) => one.severity === severity)) ?? "info" };
}

const rowsOf = rowsAfter<Finding>((finding) => finding.uid);
const historyMax = 100;

function useHistory(tenant: string, agent: string) {
  const [list, change] = useReducer(rowsOf, noRows<Finding>());
  const box = useRef<HTMLDivElement>(null);
  const filter = useMemo(() => ({ ...noFilter, tenant, agent }), [tenant, agent]);
  useEffect(() => {
    let current = true;
    change({ kind: "ask" });
    fetchFindings(filter, "", historyMax).then(
      (page) => current && change({ kind: "page", page, more: false }),
      (trouble: unknown) => current && change({ kind: "trouble", trouble }),
    );
    return () => void (current = false);
  }, [filter]);
  useLive(
    useCallback(
      (findings: readonly Finding[]) => {
        const items = findings.filter((one) => one.tenant === tenant && one.agent === agent);
        if (items.length > 0) {
          change({ kind: "told", items, reading: box.current?.matches(":hover, :focus-within") === true });
        }
      },
      [tenant, agent],
    ),
  );
  return { list, filter, box, show: () => change({ kind: "show" }) };
}

function AgentPane({ tenant, agent, close }: { tenant: string; agent: string; close: () => void }) {
  const { list, filter, box, show } = useHistory(tenant, agent);
  const runs = useStore(executions).filter((one: Execution) => one.tenant === tenant && one.agent === agent);
  const pane = useRef<HTMLElement>(null);
  useEffect(() => pane.current?.focus(), [tenant, agent]);
  const course = courseOf(list.rows);
  return (
    <aside class="pane detail" aria-labelledby="agent-title" ref={pane} tabIndex={-1}>
      <header>
        <div>
          <p class="eyebrow">
            <a href={hrefOf("fleet", [tenant])}>{tenant}</a>
          </p>
          <h2 id="agent-title">{agent}</h2>
        </div>
        <button type="button" class="quiet icon" onClick={close} aria-label="Close the agent">
          <Icon path="M6 6l12 12M18 6 6 18" />
        </button>
      </header>
      <div class="scroller" ref={box} role="group" aria-labelledby="agent-title" tabIndex={0}>
        <section>
          <h3>The last day</h3>
          <div class="course-bars">
            <Bars counts={course.counts} severity={course.worst} />
          </div>
        </section>
        <section>
          <h3>Findings</h3>
          {list.fresh.length > 0 && (
            <button type="button" class="quiet fresh" onClick={show}>
              {plural(list.fresh.length, "new finding")}
            </button>
          )}
          {list.trouble !== null && <Trouble trouble={list.trouble} what="the findings" />}
          {list.rows.length === 0 && !list.loading && list.trouble === null && <p class="none">None so far.</p>}
          <ul class="similar">
            {list.rows.slice(0, 30).map((one) => (
              <li key={one.uid}>
                <a href={hrefOf("findings", [one.uid], queryOf(filter))}>
                  <SeverityMark severity={one.severity} bare />
                  <Moment time={one.time} />
                  <span class="cut">
                    <code>{one.rule}</code> {one.title}
                  </span>
                </a>
                <StateMark state={one.action} />
              </li>
            ))}
          </ul>
          <a class="onward" href={hrefOf("findings", [], { ...queryOf(filter), view: "all" })}>
            All findings of {agent}
          </a>
        </section>
        <section>
          <h3>Remediation</h3>
          {runs.length === 0 && <p class="none">No playbook among the newest runs.</p>}
          <ul class="similar">
            {runs.slice(0, 12).map((one) => (
              <li key={one.key}>
                <a href={hrefOf("remediation", [one.key])}>
                  {one.planned !== null && <Moment time={one.planned} />}
                  <span class="cut">{one.playbook}</span>
                </a>
                <StateMark state={one.state} />
              </li>
            ))}
          </ul>
        </section>
      </div>
    </aside>
  );
}

/** The pages behind the first, which is asked for again and again. */
function useMore(tenant: string, order: string, next: string | null) {
  const [pages, setPages] = useState<{ items: AgentRow[]; next: string | null } | null>(null);
  useEffect(() => setPages(null), [tenant, order]);
  const cursor = pages === null ? next : pages.next;
  const more = async (): Promise<void> => {
    const page = await fetchFleet(tenant, order, cursor ?? "");
    setPages({ items: [...(pages?.items ?? []), ...page.items], next: page.next });
  };
  return { items: pages?.items ?? [], more: cursor === null ? null : () => void more().catch(() => undefined) };
}

export function FleetScreen({ place }: { place: Place }) {
  useTitle("Fleet");
  const [tenant = "", agent = null] = place.rest;
  const order = place.query["order"] ?? "";
  const { value, trouble } = useAsked(
    useCallback(() => fetchFleet(tenant, order), [tenant, order]),
    10_000,
  );
  const { items, more } = useMore(tenant, order, value?.next ?? null);
  const close = useCallback(() => go(hrefOf("fleet", [tenant], { order }), true), [tenant, order]);
  useKeys(useCallback((key) => key === "Escape" && agent !== null && (close(), true), [agent, close]));
  const known = new Set(value?.items.map((row) => `${row.tenant ?? ""}\n${row.agent ?? ""}`));
  const rows = [...(value?.items ?? []), ...items.filter((row) => !known.has(`${row.tenant ?? ""}\n${row.agent ?? ""}`))];
  return (
    <div class={agent === null ? "split fleet" : "split fleet open"}>
      <section class="found" aria-labelledby="fleet-title">
        <div class="found-head">
          <h2 id="fleet-title">Fleet</h2>
          {tenant !== "" && (
            <a class="chip" href={hrefOf("fleet", [], { order })}>
              {tenant} <span aria-hidden="true">×</span>
              <span class="visually-hidden">show every tenant</span>
            </a>
          )}
          <label class="labelled">
            By
            <select
              value={order === "" ? "risk" : order}
              onChange={(event) => go(hrefOf("fleet", place.rest, { order: event.currentTarget.value }), true)}
            >
              {orders.map(([value_, text]) => (
                <option key={value_} value={value_}>
                  {text}
                </option>
              ))}
            </select>
          </label>
        </div>
        <div class="scroller" role="group" aria-labelledby="fleet-title" tabIndex={0}>
          {trouble !== null && value === null && <Trouble trouble={trouble} what="the fleet" />}
          {value !== null && rows.length === 0 && <Empty title="No finding names an agent yet" />}
          {value !== null && agent === null && <Tenants fleet={value} chosen={tenant} order={order} />}
          {rows.length > 0 && <Agents rows={rows} chosen={agent} query={{ order }} />}
          {more !== null && (
            <button type="button" class="more" onClick={more}>
              Show more agents
            </button>
          )}
        </div>
      </section>
      {agent !== null && <AgentPane tenant={tenant} agent={agent} close={close} />}
    </div>
  );
}
