// SPDX-License-Identifier: Apache-2.0
import type { Baseline, Filter, Severity } from "./api";
import { severities } from "./api";
import { noFilter } from "./state";

export function Filters(props: {
  filter: Filter;
  baseline: Baseline | null;
  shown: number;
  more: boolean;
  change: (filter: Filter) => void;
}) {
  const { filter, baseline, change } = props;
  const toggle = (severity: Severity): void => {
    const on = filter.severities.includes(severity);
    const list = on ? filter.severities.filter((s) => s !== severity) : [...filter.severities, severity];
    change({ ...filter, severities: severities.filter((s) => list.includes(s)) });
  };
  const filtered = filter.severities.length > 0 || filter.rule !== "" || filter.criterion !== "";
  return (
    <div class="filters" role="group" aria-label="Filters">
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
      <select
        aria-label="Rule"
        value={filter.rule}
        onChange={(event) => change({ ...filter, rule: event.currentTarget.value })}
      >
        <option value="">Every rule</option>
        {baseline?.rules.map((rule) => (
          <option key={rule.id} value={rule.id}>
            {rule.id} {rule.title}
          </option>
        ))}
      </select>
      {filtered && (
        <button type="button" class="quiet" onClick={() => change(noFilter)}>
          {filter.criterion === "" ? "Clear filters" : `Clear filters (${filter.criterion})`}
        </button>
      )}
      <p class="shown" role="status">
        {props.shown === 0 ? "" : `${props.shown}${props.more ? "+" : ""} shown`}
      </p>
    </div>
  );
}
