// SPDX-License-Identifier: Apache-2.0
// What the rows of findings, incidents and runs have in common: how bad, what, whose.
import type { ComponentChildren } from "preact";
import { Name, SeverityMark, visible } from "./marks";
import type { Severity } from "./model";

export interface RowState {
  chosen: boolean;
  arrived: boolean;
  reachable: boolean; // by the keyboard, from outside of the list
}

function Owner({ column, name }: { column: string; name: string | null }) {
  return (
    <span role="cell" class={column} title={visible(name ?? "")}>
      {name === null ? "–" : <Name text={name} />}
    </span>
  );
}

export function Row(
  props: RowState & {
    id: string;
    kind: string;
    severity: Severity;
    bare?: boolean; // its mark without its word
    rule: string;
    title: string;
    notes: ComponentChildren; // behind the title
    tenant: string | null;
    agent: string | null;
    open: () => void;
    children: ComponentChildren; // further cells
  },
) {
  const classes = ["row", props.kind, props.chosen ? "chosen" : "", props.arrived ? "arrived" : ""];
  return (
    <div role="presentation" class={classes.filter((name) => name !== "").join(" ")} onClick={props.open}>
      <span role="cell" class="c-severity">
        <SeverityMark severity={props.severity} bare={props.bare === true} />
      </span>
      <span role="cell" class="c-title">
        <button
          type="button"
          data-key={props.id}
          tabIndex={props.reachable ? 0 : -1}
          aria-current={props.chosen ? "true" : undefined}
          onClick={(event) => {
            event.stopPropagation();
            props.open();
          }}
        >
          <code>{props.rule}</code>{" "}
          <span>
            <Name text={props.title} />
          </span>
          {props.notes}
        </button>
      </span>
      <Owner column="c-tenant" name={props.tenant} />
      <Owner column="c-agent" name={props.agent} />
      {props.children}
    </div>
  );
}

/** columns: their classes without "c-", and their words. Where kind has bare marks, their word is for who cannot see. */
export function Head({ kind, bare, columns }: { kind: string; bare?: boolean; columns: Readonly<Record<string, string>> }) {
  return (
    <div role="rowgroup" class={`head ${kind}`}>
      <div role="row" aria-rowindex={1}>
        <span role="columnheader" class="c-severity">
          <span class={bare === true ? "visually-hidden" : undefined}>Severity</span>
        </span>
        {Object.entries(columns).map(([column, word]) => (
          <span key={column} role="columnheader" class={`c-${column}`}>
            {word}
          </span>
        ))}
      </div>
    </div>
  );
}
