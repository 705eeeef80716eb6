// SPDX-License-Identifier: Apache-2.0
// What is new, and what waits for somebody: beside the posture.
import { useCallback, useEffect, useMemo, useReducer, useRef } from "preact/hooks";
import { hrefOf } from "./address";
import type { Finding } from "./api";
import { fetchFindings } from "./api";
import { noFilter } from "./filter";
import { earlier, plural } from "./format";
import { status, useBack, useLive } from "./live";
import { Moment, Name, SeverityMark, Subject } from "./marks";
import { isTouched } from "./reading";
import { noRows, rowsAfter } from "./rows";
import { useStore } from "./store";
import { Trouble } from "./trouble";

const shownMax = 12;
const askedMax = 100; // the API's order is that of changes: among so many are the newest ones

const detected = (finding: Finding): string => finding.detected ?? finding.time;
const newestOf = (findings: readonly Finding[]): Finding[] =>
  [...findings].sort((a, b) => earlier(detected(b), detected(a))).slice(0, shownMax);

const rowsOf = rowsAfter<Finding>((finding) => finding.uid);

function Waiting() {
  const waiting = useStore(status)?.executions.waiting ?? 0;
  return waiting === 0 ? null : (
    <a class="attention" href={hrefOf("remediation", [], { state: "waiting" })}>
      {plural(waiting, "playbook waits", "playbooks wait")} for approval
    </a>
  );
}

export function NewsAside() {
  const [list, change] = useReducer(rowsOf, noRows<Finding>());
  const box = useRef<HTMLDivElement>(null);
  const shown = useMemo(() => newestOf(list.rows), [list.rows]);
  const now = useRef(shown);
  now.current = shown;
  // An old finding that somebody acknowledges is told of, too: it is no news.
  const hear = useCallback((findings: readonly Finding[]) => {
    const least = now.current.length < shownMax ? undefined : now.current.at(-1);
    const known = new Set(now.current.map((one) => one.uid));
    const items = findings.filter(
      (one) => known.has(one.uid) || least === undefined || earlier(detected(least), detected(one)) < 0,
    );
    change({ kind: "told", items, reading: isTouched(box.current) });
  }, []);
  useLive(hear);
  const ask = useCallback(() => {
    fetchFindings(noFilter, "", askedMax).then(
      (page) => change({ kind: "page", page, more: false }),
      (trouble: unknown) => change({ kind: "trouble", trouble }),
    );
  }, []);
  useEffect(ask, [ask]);
  const { trouble } = list;
  useBack(useCallback(() => trouble !== null && ask(), [trouble, ask]));
  return (
    <aside class="pane news" aria-labelledby="news-title">
      <header>
        <h2 id="news-title">Newest findings</h2>
        {list.fresh.length > 0 && (
          <button type="button" class="quiet fresh" onClick={() => change({ kind: "show" })}>
            {plural(list.fresh.length, "new finding")}
          </button>
        )}
        <a href={hrefOf("findings")}>All</a>
      </header>
      <div class="scroller" ref={box} role="group" aria-labelledby="news-title" tabIndex={0}>
        <Waiting />
        {list.trouble !== null && <Trouble trouble={list.trouble} what="the findings" />}
        {shown.length === 0 && !list.loading && list.trouble === null && (
          <p class="empty">
            <strong>No violations found so far</strong>
            <span>They appear here the moment they are proved.</span>
          </p>
        )}
        <ul class="news-list">
          {shown.map((finding) => (
            <li key={finding.uid} class={list.arrived.has(finding.uid) ? "arrived" : ""}>
              <a href={hrefOf("findings", [finding.uid])}>
                <SeverityMark severity={finding.severity} bare />
                <span class="news-title">
                  <Name text={finding.title} />
                </span>
                <small>
                  <code>{finding.rule}</code> <Subject tenant={finding.tenant} agent={finding.agent} />
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
