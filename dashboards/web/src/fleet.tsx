// SPDX-License-Identifier: Apache-2.0
// The screen of tenants and agents by risk, and one agent's recent history.
import { useCallback, useRef } from "preact/hooks";
import type { Place } from "./address";
import { go, hrefOf } from "./address";
import { AgentPane } from "./agent";
import type { Fleet, FleetRow } from "./api";
import { fetchFleet } from "./api";
import { severities } from "./filter";
import { Field } from "./filters";
import { ago, count, plural } from "./format";
import { fetchFirst, useGrowing } from "./growing";
import { Bar } from "./list";
import { Empty, Name, visible } from "./marks";
import { useKeptFocus, useKeys, useTitle } from "./page";
import { useHeld, useReading } from "./reading";
import { Lacking } from "./trouble";

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

interface Subject {
  tenant: string | null;
  agent: string | null;
}

const keyOf = ({ tenant, agent }: Subject): string => `${tenant ?? ""}\n${agent ?? ""}`;
const tenantKeyOf = ({ tenant }: FleetRow): string => tenant ?? "";

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
          return (
            <tr key={keyOf(row)} class={keyOf(row) === props.chosen ? "chosen" : ""}>
              <td class="name-cell">
                {agent === null ? (
                  <span class="none">without an agent</span>
                ) : (
                  <a href={hrefOf("fleet", [tenant ?? "", agent], props.query)} data-key={keyOf(row)} title={visible(agent)}>
                    <Name text={agent} />
                  </a>
                )}
                <small class="narrow-only">{tenant !== null && <Name text={tenant} />}</small>
              </td>
              <td class="wide-only name-cell" title={visible(tenant ?? "")}>
                {tenant === null ? "–" : <Name text={tenant} />}
              </td>
              <td>
                <Risk risk={row.risk} top={top} />
              </td>
              <td>
                <Standing open={row.open} />
              </td>
              <td class="number wide-only">{count(row.findings)}</td>
              <td class="number wide-only">{count(row.executions)}</td>
              <td class="wide-only moment" title={row.last}>
                {ago(row.last)}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Tenants({ rows, chosen, order }: { rows: readonly Fleet["tenants"][number][]; chosen: string; order: string }) {
  const top = Math.max(0, ...rows.map((row) => row.risk));
  return (
    <ul class="tenants">
      {rows.map((row) => (
        <li key={row.tenant ?? ""}>
          <a
            href={hrefOf("fleet", row.tenant === null || row.tenant === chosen ? [] : [row.tenant], { order })}
            aria-current={row.tenant !== null && row.tenant === chosen ? "true" : undefined}
          >
            <span class="tenant-head">
              <strong title={visible(row.tenant ?? "")}>{row.tenant === null ? "without a tenant" : <Name text={row.tenant} />}</strong>
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

const firstMax = 100;
const lookMs = 10_000;

function useRanking(tenant: string, order: string) {
  const ask = useCallback(
    async (wanted: number) => ({
      ...(await fetchFirst((after, limit) => fetchFleet(tenant, order, after, limit), keyOf, wanted)),
      of: `${tenant}\n${order}`, // another one is another list
    }),
    [tenant, order],
  );
  return useGrowing(ask, firstMax, lookMs);
}

/** Typed, or one of those that are listed below. */
function TenantFilter({ tenant, tenants, order }: { tenant: string; tenants: readonly Fleet["tenants"][number][]; order: string }) {
  const box = useRef<HTMLSpanElement>(null);
  useKeptFocus(box, "input");
  return (
    <span class="owner" ref={box}>
      {tenant === "" ? (
        <>
          <Field label="Tenant" value="" known="tenants-known" change={(name) => go(hrefOf("fleet", [name], { order }), true)} />
          <datalist id="tenants-known">
            {tenants.map((one) => one.tenant !== null && <option key={one.tenant} value={one.tenant} />)}
          </datalist>
        </>
      ) : (
        <button type="button" class="chip" onClick={() => go(hrefOf("fleet", [], { order }), true)}>
          <Name text={tenant} /> <span aria-hidden="true">×</span>
          <span class="visually-hidden">show every tenant</span>
        </button>
      )}
    </span>
  );
}

const noAgents: AgentRow[] = [];
const noTenants: Fleet["tenants"] = [];

export function FleetScreen({ place }: { place: Place }) {
  useTitle("Fleet");
  const [first = "", agent = null] = place.rest;
  const order = place.query["order"] ?? "";
  // An agent that is open leaves the list as it was.
  const tenant = agent === null ? first : (place.query["within"] ?? "");
  const chosen = agent === null ? null : keyOf({ tenant: first, agent });
  const { scroller, reading } = useReading(chosen);
  const { value, grown, trouble, more } = useRanking(tenant, order);
  const close = useCallback(() => go(hrefOf("fleet", [tenant], { order }), true), [tenant, order]);
  useKeys(useCallback((key) => key === "Escape" && agent !== null && (close(), true), [agent, close]));
  const ranked = value?.items ?? noAgents;
  const scope = value?.of ?? "";
  const agents = useHeld(ranked, keyOf, scope, grown, reading);
  const tenants = useHeld(value?.tenants ?? noTenants, tenantKeyOf, scope, 0, reading);
  const show = (): void => {
    agents.show();
    tenants.show();
  };
  const word = orders.find(([name]) => name === order)?.[1] ?? "Risk";
  return (
    <div class={agent === null ? "split fleet" : "split fleet open"}>
      <section class="found" aria-labelledby="fleet-title">
        <div class="found-head">
          <h2 id="fleet-title">Fleet</h2>
          <TenantFilter tenant={tenant} tenants={tenants.rows} order={order} />
          <label class="labelled">
            By
            <select
              value={order === "" ? "risk" : order}
              onChange={(event) => go(hrefOf("fleet", place.rest, { ...place.query, order: event.currentTarget.value }), true)}
            >
              {orders.map(([value_, text]) => (
                <option key={value_} value={value_}>
                  {text}
                </option>
              ))}
            </select>
          </label>
        </div>
        <Bar
          said={ranked.length === 0 ? "" : `${count(agents.rows.length)}${more === null ? "" : "+"} shown, by ${word.toLowerCase()}`}
          pill={agents.waiting + tenants.waiting === 0 ? null : `${plural(agents.waiting + tenants.waiting, "row")} would move`}
          show={show}
        />
        <div class="scroller" ref={scroller} role="group" aria-labelledby="fleet-title" tabIndex={0}>
          <Lacking value={value} trouble={trouble} what="the fleet" />
          {value !== null && ranked.length === 0 && <Empty title={tenant === "" ? "No finding names an agent yet" : "No finding names an agent of this tenant"} />}
          {value !== null && agent === null && <Tenants rows={tenants.rows} chosen={tenant} order={order} />}
          {agents.rows.length > 0 && <Agents rows={agents.rows} chosen={chosen} query={{ order, within: tenant }} />}
          {more !== null && (
            <button type="button" class="more" onClick={more}>
              Show more agents
            </button>
          )}
        </div>
      </section>
      {agent !== null && <AgentPane key={`${first}/${agent}`} tenant={first === "" ? null : first} agent={agent} close={close} />}
    </div>
  );
}
