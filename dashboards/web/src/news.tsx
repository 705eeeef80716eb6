// SPDX-License-Identifier: Apache-2.0
// What is new, and what waits for somebody: beside the posture.
import { useCallback, useEffect, useReducer, useRef } from "preact/hooks";
import { hrefOf } from "./address";
import type { Finding } from "./api";
import { fetchFindings } from "./api";
import { noFilter } from "./filter";
import { plural } from "./format";
import { executions, useLive } from "./live";
import { Moment, SeverityMark } from "./marks";
import { noRows, rowsAfter } from "./rows";
import { useStore } from "./store";
import { Trouble } from "./trouble";

const shownMax = 12;
const rowsOf = rowsAfter<Finding>((finding) => finding.uid);

function Waiting() {
  const waiting = useStore(executions).filter((execution) => execution.state === "waiting");
  return waiting.length === 0 ? null : (
    <a class="attention" href={hrefOf("remediation", [], { state: "waiting" })}>
      {plural(waiting.length, "playbook waits", "playbooks wait")} for approval
    </a>
  );
}

export function NewsAside() {
  const [list, change] = useReducer(rowsOf, noRows<Finding>());
  const box = useRef<HTMLDivElement>(null);
  const hear = useCallback((findings: readonly Finding[]) => {
    const read = box.current?.matches(":hover, :focus-within") === true;
    change({ kind: "told", items: findings, reading: read });
  }, []);
  useLive(hear);
  useEffect(() => {
    fetchFindings(noFilter, "", shownMax).then(
      (page) => change({ kind: "page", page, more: false }),
      (trouble: unknown) => change({ kind: "trouble", trouble }),
    );
  }, []);
  return (
    <aside class="pane news" aria-labelledby="news-title">
      <header>
        <h2 id="news-title">Newest findings</h2>
        <a href={hrefOf("findings")}>All</a>
      </header>
      <div class="scroller" ref={box} role="group" aria-labelledby="news-title" tabIndex={0}>
        <Waiting />
        {list.fresh.length > 0 && (
          <button type="button" class="quiet fresh" onClick={() => change({ kind: "show" })}>
            {plural(list.fresh.length, "new finding")}
          </button>
        )}
        {list.trouble !== null && <Trouble trouble={list.trouble} what="the findings" />}
        {list.rows.length === 0 && !list.loading && list.trouble === null && (
          <p class="empty">
            <strong>No violations found so far</strong>
            <span>They appear here the moment they are proved.</span>
          </p>
        )}
        <ul class="news-list">
          {list.rows.slice(0, shownMax).map((finding) => (
            <li key={finding.uid} class={list.arrived.has(finding.uid) ? "arrived" : ""}>
              <a href={hrefOf("findings", [finding.uid])}>
                <SeverityMark severity={finding.severity} bare />
                <span class="news-title">{finding.title}</span>
                <small>
                  <code>{finding.rule}</code> {[finding.tenant, finding.agent].filter((part) => part !== null).join(" / ")}
                </small>
                <Moment time={finding.time} />
              </a>
            </li>
          ))}
        </ul>
      </div>
    </aside>
  );
}
