// SPDX-License-Identifier: Apache-2.0
// The bar that narrows the lists of findings.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Baseline, Filter, Severity } from "./api";
import { isSet, noFilter, severities, triageStates } from "./filter";
import { visible } from "./marks";
import { useKeptFocus } from "./page";
import { Period } from "./period";

/** Tells what was typed when the typing pauses or Enter is pressed. */
export function Field(props: {
  label: string;
  value: string;
  wide?: boolean;
  known?: string; // the id of a list of what can be meant
  change: (value: string) => void;
}) {
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
      list={props.known}
      onInput={(event) => {
        const { value } = event.currentTarget;
        setText(value);
        window.clearTimeout(timer.current);
        timer.current = window.setTimeout(() => tell(value), 350);
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter") {
          event.preventDefault(); // what takes its place has the focus by then, and would be pressed
          tell(event.currentTarget.value);
        }
      }}
      onBlur={(event) => tell(event.currentTarget.value)}
    />
  );
}

/** Whose it is: what is typed, or that it is nobody's, which an address says and a list leads to. */
function Owner({ label, value, change }: { label: string; value: string | null; change: (value: string) => void }) {
  const box = useRef<HTMLSpanElement>(null);
  useKeptFocus(box, "input");
  return (
    <span class="owner" ref={box}>
      {value === null ? (
        <button type="button" class="chip" onClick={() => change("")}>
          Without {label === "Agent" ? "an" : "a"} {label.toLowerCase()} <span aria-hidden="true">×</span>
          <span class="visually-hidden">, show any</span>
        </button>
      ) : (
        <Field label={label} value={value} change={change} />
      )}
    </span>
  );
}

const unsettled = "new,acknowledged";
const stateWords = (states: string): string => (states === unsettled ? "not settled" : states.replaceAll(",", " or "));

/** One state, or several as an address has them. */
function States({ value, change }: { value: string; change: (value: string) => void }) {
  const offered: string[] = [...triageStates, unsettled];
  return (
    <select aria-label="State" value={value} onChange={(event) => change(event.currentTarget.value)}>
      <option value="">Any state</option>
      {(value === "" || offered.includes(value) ? offered : [...offered, value]).map((states) => (
        <option key={states} value={states}>
          {visible(stateWords(states))}
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
        <States value={filter.state} change={(state) => change({ ...filter, state })} />
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
