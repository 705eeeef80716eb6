// SPDX-License-Identifier: Apache-2.0
// The bar that narrows the lists of findings.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Baseline, Filter, Severity } from "./api";
import { isSet, noFilter, severities, triageStates } from "./filter";
import { when } from "./format";

/** Tells what was typed when the typing pauses or Enter is pressed. */
export function Field(props: { label: string; value: string; wide?: boolean; change: (value: string) => void }) {
  const [text, setText] = useState(props.value);
  const timer = useRef(0);
  useEffect(() => setText(props.value), [props.value]);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const tell = (value: string): void => {
    window.clearTimeout(timer.current);
    if (value.trim() !== props.value) {
      props.change(value.trim());
    }
  };
  return (
    <input
      class={props.wide === true ? "field wide" : "field"}
      type="search"
      aria-label={props.label}
      placeholder={props.label}
      value={text}
      maxLength={256}
      onInput={(event) => {
        const { value } = event.currentTarget;
        setText(value);
        window.clearTimeout(timer.current);
        timer.current = window.setTimeout(() => tell(value), 350);
      }}
      onKeyDown={(event) => event.key === "Enter" && tell(event.currentTarget.value)}
      onBlur={(event) => tell(event.currentTarget.value)}
    />
  );
}

/** Whose it is: what is typed, or that it is nobody's, which an address says and a list leads to. */
function Owner({ label, value, change }: { label: string; value: string | null; change: (value: string) => void }) {
  return value === null ? (
    <button type="button" class="chip" onClick={() => change("")}>
      Without {label === "Agent" ? "an" : "a"} {label.toLowerCase()} <span aria-hidden="true">×</span>
      <span class="visually-hidden">, show any</span>
    </button>
  ) : (
    <Field label={label} value={value} change={change} />
  );
}

const periods = [
  ["", "Any time"],
  ["3600", "Last hour"],
  ["86400", "Last 24 hours"],
  ["604800", "Last 7 days"],
  ["2592000", "Last 30 days"],
] as const;

/** A period up to now becomes its beginning, so that the address keeps its meaning when it is passed on. */
export function Period(props: { from: string; to: string; unset?: string; change: (from: string, to: string) => void }) {
  const set = props.from !== "" || props.to !== "";
  return (
    <select
      aria-label="Time"
      value={set ? "kept" : ""}
      onChange={(event) => {
        const seconds = Number(event.currentTarget.value);
        const from = seconds > 0 ? new Date(Date.now() - seconds * 1000).toISOString().replace(/\.\d+Z/, "Z") : "";
        props.change(from, "");
      }}
    >
      {set && (
        <option value="kept">
          {props.from === "" ? "Before" : "Since"} {when(props.from || props.to)}
          {props.from !== "" && props.to !== "" && ` to ${when(props.to)}`}
        </option>
      )}
      {periods.map(([value, text]) => (
        <option key={value} value={value}>
          {value === "" ? (props.unset ?? text) : text}
        </option>
      ))}
    </select>
  );
}

export function Filters(props: {
  filter: Filter;
  baseline: Baseline | null;
  change: (filter: Filter) => void;
}) {
  const { filter, baseline, change } = props;
  const [more, setMore] = useState(false);
  const toggle = (severity: Severity): void => {
    const on = filter.severities.includes(severity);
    const list = on ? filter.severities.filter((s) => s !== severity) : [...filter.severities, severity];
    change({ ...filter, severities: severities.filter((s) => list.includes(s)) });
  };
  const criteria = [...new Set(baseline?.rules.flatMap((rule) => rule.criteria))].sort();
  return (
    <div class={more ? "filters unfolded" : "filters"} role="group" aria-label="Filters">
      <div class="choices">
        {severities.map((severity) => (
          <button
            type="button"
            key={severity}
            class={`choice ${severity}`}
            aria-pressed={filter.severities.includes(severity)}
            onClick={() => toggle(severity)}
          >
            {severity}
          </button>
        ))}
      </div>
      <button type="button" class="quiet only-tight" aria-expanded={more} onClick={() => setMore(!more)}>
        {more ? "Fewer filters" : "More filters"}
      </button>
      <div class="fields">
        <select
          aria-label="Rule"
          value={filter.rule}
          onChange={(event) => change({ ...filter, rule: event.currentTarget.value })}
        >
          <option value="">Every rule</option>
          {filter.rule !== "" && baseline?.rules.every((rule) => rule.id !== filter.rule) !== false && (
            <option value={filter.rule}>{filter.rule}</option>
          )}
          {baseline?.rules.map((rule) => (
            <option key={rule.id} value={rule.id}>
              {rule.id} {rule.title}
            </option>
          ))}
        </select>
        <select
          aria-label="Criterion"
          value={filter.criterion}
          onChange={(event) => change({ ...filter, criterion: event.currentTarget.value })}
        >
          <option value="">Every criterion</option>
          {filter.criterion !== "" && !criteria.includes(filter.criterion) && (
            <option value={filter.criterion}>{filter.criterion}</option>
          )}
          {criteria.map((id) => (
            <option key={id} value={id}>
              {id}
            </option>
          ))}
        </select>
        <select
            aria-label="State"
            value={filter.state}
            onChange={(event) => change({ ...filter, state: event.currentTarget.value })}
          >
            <option value="">Any state</option>
            {triageStates.map((state) => (
              <option key={state} value={state}>
                {state}
              </option>
            ))}
          </select>
        <Period from={filter.from} to={filter.to} change={(from, to) => change({ ...filter, from, to })} />
        <Owner label="Tenant" value={filter.tenant} change={(tenant) => change({ ...filter, tenant })} />
        <Owner label="Agent" value={filter.agent} change={(agent) => change({ ...filter, agent })} />
        <Field label="Assignee" value={filter.assignee} change={(assignee) => change({ ...filter, assignee })} />
      </div>
      {isSet(filter) && (
        <button type="button" class="quiet clear" onClick={() => change(noFilter)}>
          Clear filters
        </button>
      )}
    </div>
  );
}
