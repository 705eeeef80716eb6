// SPDX-License-Identifier: Apache-2.0
// The screen of what people changed: who, when, what, from where.
import { useCallback, useEffect, useReducer, useRef } from "preact/hooks";
import type { Place } from "./address";
import { go, hrefOf } from "./address";
import type { AuditRow } from "./api";
import { fetchAudit } from "./api";
import { Field } from "./filters";
import { date, short } from "./format";
import { useBack } from "./live";
import { Empty, Name } from "./marks";
import { useTitle } from "./page";
import { Period } from "./period";
import { Trouble } from "./trouble";

interface Rows {
  rows: AuditRow[];
  next: string | null;
  loading: boolean;
  trouble: unknown;
}

type Change = { kind: "ask" } | { kind: "page"; page: { items: AuditRow[]; next: string | null }; more: boolean } | { kind: "trouble"; trouble: unknown };

function reduce(list: Rows, change: Change): Rows {
  switch (change.kind) {
    case "ask":
      return { ...list, loading: true };
    case "page":
      return {
        rows: change.more ? [...list.rows, ...change.page.items] : change.page.items,
        next: change.page.next,
        loading: false,
        trouble: null,
      };
    case "trouble":
      return { ...list, loading: false, trouble: change.trouble };
  }
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

/** What was changed, as a way to it where the page has one. */
function Thing({ row }: { row: AuditRow }) {
  const isUid = /^[0-9a-f]{64}$/.test(row.object);
  if (isUid && row.what.startsWith("finding.")) {
    return <a href={hrefOf("findings", [row.object])}>{short(row.object)}</a>;
  }
  if (isUid && (row.what.startsWith("execution.") || row.what.startsWith("respond."))) {
    return <a href={hrefOf("remediation", [row.object])}>{short(row.object)}</a>;
  }
  return <Name text={isUid ? short(row.object) : row.object} />;
}

export function AuditScreen({ place }: { place: Place }) {
  useTitle("Audit");
  const { who = "", from = "", to = "" } = place.query;
  const [list, change] = useReducer(reduce, { rows: [], next: null, loading: true, trouble: null });
  const asked = useRef(0);
  const ask = useCallback(
    async (after: string) => {
      const number = ++asked.current;
      change({ kind: "ask" });
      try {
        const page = await fetchAudit({ who, from, to, after, limit: "100" });
        if (number === asked.current) {
          change({ kind: "page", page, more: after !== "" });
        }
      } catch (trouble) {
        if (number === asked.current) {
          change({ kind: "trouble", trouble });
        }
      }
    },
    [who, from, to],
  );
  useEffect(() => void ask(""), [ask]);
  const { trouble } = list;
  useBack(useCallback(() => trouble !== null && void ask(""), [trouble, ask]));
  const set = (query: Record<string, string>): void => go(hrefOf("audit", [], { who, from, to, ...query }), true);
  return (
    <section class="found" aria-labelledby="audit-title">
      <div class="found-head">
        <h2 id="audit-title">Audit</h2>
        <Field label="Who" value={who} change={(value) => set({ who: value })} />
        <Period from={from} to={to} change={(f, t) => set({ from: f, to: t })} />
        <button type="button" class="quiet" onClick={() => void ask("")}>
          Look again
        </button>
      </div>
      <div class="scroller" role="group" aria-labelledby="audit-title" tabIndex={0}>
        {list.trouble !== null && <Trouble trouble={list.trouble} what="the audit" />}
        {list.rows.length === 0 && !list.loading && list.trouble === null && <Empty title="Nobody has changed anything" />}
        {list.rows.length > 0 && (
          <table class="grid">
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Who</th>
                <th scope="col">What</th>
                <th scope="col" class="wide-only">
                  On what
                </th>
                <th scope="col" class="wide-only">
                  Words
                </th>
                <th scope="col" class="wide-only">
                  From
                </th>
              </tr>
            </thead>
            <tbody>
              {list.rows.map((row) => (
                <tr key={row.seq}>
                  <td>
                    <time dateTime={row.at} title={row.at}>
                      <span class="dim">{date(row.at)}</span> {clock.format(new Date(row.at))}
                    </time>
                  </td>
                  <td>
                    <strong>
                      <Name text={row.who} />
                    </strong>{" "}
                    <small>via {row.via}</small>
                  </td>
                  <td>
                    <code>{row.what}</code>
                    <small class="narrow-only">
                      <Thing row={row} /> <Name text={row.detail} />
                      <span class="origin">from {row.from}</span>
                    </small>
                  </td>
                  <td class="wide-only">
                    <Thing row={row} />
                  </td>
                  <td class="wide-only words">
                    <Name text={row.detail} />
                  </td>
                  <td class="wide-only">{row.from}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        {list.next !== null && (
          <button type="button" class="more" disabled={list.loading} onClick={() => void ask(list.next ?? "")}>
            Show what was before
          </button>
        )}
      </div>
    </section>
  );
}
