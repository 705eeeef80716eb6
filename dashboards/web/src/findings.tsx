// SPDX-License-Identifier: Apache-2.0
// The list. Rows that come in while somebody reads wait behind a pill at its top; nothing under the eye moves.
import type { RefObject } from "preact";
import { memo } from "preact/compat";
import type { Finding } from "./api";
import { when } from "./format";
import { SeverityMark, StateMark } from "./marks";

const Row = memo(function Row(props: {
  finding: Finding;
  chosen: boolean;
  arrived: boolean;
  reachable: boolean;
  open: (uid: string) => void;
}) {
  const { finding, chosen } = props;
  const classes = ["row", chosen ? "chosen" : "", props.arrived ? "arrived" : "", finding.suppressed ? "waived" : ""];
  return (
    <tr
      role="row"
      class={classes.filter((name) => name !== "").join(" ")}
      aria-current={chosen ? "true" : undefined}
      onClick={() => props.open(finding.uid)}
    >
      <td role="cell" class="c-severity">
        <SeverityMark severity={finding.severity} />
      </td>
      <td role="cell" class="c-title">
        <button
          type="button"
          data-uid={finding.uid}
          tabIndex={props.reachable ? 0 : -1}
          onClick={(event) => {
            event.stopPropagation();
            props.open(finding.uid);
          }}
        >
          <code>{finding.rule}</code> <span>{finding.title}</span>
          {finding.suppressed && <em>waived</em>}
          {finding.mode === "observe" && <em>observed</em>}
        </button>
      </td>
      <td role="cell" class="c-tenant" title={finding.tenant ?? ""}>
        {finding.tenant ?? "–"}
      </td>
      <td role="cell" class="c-agent" title={finding.agent ?? ""}>
        {finding.agent ?? "–"}
      </td>
      <td role="cell" class="c-time">
        <time dateTime={finding.time} title={finding.time}>
          {when(finding.time)}
        </time>
      </td>
      <td role="cell" class="c-state">
        <StateMark state={finding.action} />
      </td>
    </tr>
  );
});

function moveFocus(list: HTMLElement, event: KeyboardEvent): void {
  const steps: Record<string, number> = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, Home: -Infinity, End: Infinity };
  const step = steps[event.key];
  if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) {
    return;
  }
  const buttons = [...list.querySelectorAll<HTMLButtonElement>("button[data-uid]")];
  const at = buttons.findIndex((button) => button === document.activeElement);
  const to = Math.min(buttons.length - 1, Math.max(0, at + step));
  event.preventDefault();
  buttons[to]?.focus();
}

export function Findings(props: {
  rows: Finding[];
  fresh: number;
  arrived: ReadonlySet<string>;
  chosen: string | null;
  next: boolean;
  loading: boolean;
  trouble: string | null;
  filtered: boolean;
  scroller: RefObject<HTMLDivElement>;
  open: (uid: string) => void;
  showFresh: () => void;
  loadMore: () => void;
}) {
  const { rows, chosen } = props;
  const reachable = rows.some((row) => row.uid === chosen) ? chosen : rows[0]?.uid;
  return (
    <div class="list">
      {props.fresh > 0 && (
        <button type="button" class="pill" onClick={props.showFresh}>
          <span aria-hidden="true">↑</span> {props.fresh} new {props.fresh === 1 ? "finding" : "findings"}
        </button>
      )}
      <p class="visually-hidden" role="status">
        {props.fresh > 0 ? `${props.fresh} new, press n to show` : ""}
      </p>
      <div
        class="scroller"
        ref={props.scroller}
        onKeyDown={(event) => moveFocus(event.currentTarget, event)}
        role="presentation"
      >
        <table role="table">
          <thead role="rowgroup">
            <tr role="row">
              <th role="columnheader" scope="col" class="c-severity">Severity</th>
              <th role="columnheader" scope="col" class="c-title">Finding</th>
              <th role="columnheader" scope="col" class="c-tenant">Tenant</th>
              <th role="columnheader" scope="col" class="c-agent">Agent</th>
              <th role="columnheader" scope="col" class="c-time">Time</th>
              <th role="columnheader" scope="col" class="c-state">Remediation</th>
            </tr>
          </thead>
          <tbody role="rowgroup">
            {rows.map((row) => (
              <Row
                key={row.uid}
                finding={row}
                chosen={row.uid === chosen}
                arrived={props.arrived.has(row.uid)}
                reachable={row.uid === reachable}
                open={props.open}
              />
            ))}
          </tbody>
        </table>
        {rows.length === 0 && !props.loading && props.trouble === null && (
          <p class="empty">
            <strong>{props.filtered ? "Nothing matches these filters" : "No violations found so far"}</strong>
            <span>{props.filtered ? "Others may be there without them." : "They appear here the moment they are proved."}</span>
          </p>
        )}
        {props.trouble !== null && (
          <p class="empty trouble" role="alert">
            <strong>The findings cannot be shown</strong>
            <span>{props.trouble}</span>
          </p>
        )}
        {props.next && (
          <button type="button" class="more" onClick={props.loadMore} disabled={props.loading}>
            {props.loading ? "Loading…" : "Show older findings"}
          </button>
        )}
      </div>
    </div>
  );
}
