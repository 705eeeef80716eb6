// SPDX-License-Identifier: Apache-2.0
// One tile for each criterion that the baseline has rules for. Choosing one shows its findings only.
import type { Baseline, Severity, Status } from "./api";
import { severities } from "./api";
import { count, criterionName } from "./format";

interface Tile {
  criterion: string;
  rules: number;
  violations: number;
  worst: Severity | null;
}

function tilesOf(baseline: Baseline, status: Status | null): Tile[] {
  const counts = new Map(status?.findings.by_rule.map((row) => [row.rule, row.count - row.suppressed]));
  const tiles = new Map<string, Tile>();
  for (const rule of baseline.rules) {
    const violations = counts.get(rule.id) ?? 0;
    for (const criterion of rule.criteria) {
      const tile = tiles.get(criterion) ?? { criterion, rules: 0, violations: 0, worst: null };
      tile.rules += 1;
      tile.violations += violations;
      if (violations > 0 && (tile.worst === null || severities.indexOf(rule.severity) < severities.indexOf(tile.worst))) {
        tile.worst = rule.severity;
      }
      tiles.set(criterion, tile);
    }
  }
  return [...tiles.values()].sort((a, b) => a.criterion.localeCompare(b.criterion, "en", { numeric: true }));
}

export function Posture(props: {
  baseline: Baseline | null;
  status: Status | null;
  chosen: string;
  choose: (criterion: string) => void;
}) {
  if (props.baseline === null) {
    return null;
  }
  return (
    <section class="posture" aria-label="Trust Services Criteria">
      {tilesOf(props.baseline, props.status).map((tile) => (
        <button
          type="button"
          key={tile.criterion}
          class={`tile ${tile.worst ?? "clear"}`}
          aria-pressed={props.chosen === tile.criterion}
          onClick={() => props.choose(props.chosen === tile.criterion ? "" : tile.criterion)}
        >
          <span class="criterion">{tile.criterion}</span>
          <span class="name">{criterionName(tile.criterion)}</span>
          <span class="violations">
            {tile.violations === 0 ? "none" : count(tile.violations)}
            <span class="visually-hidden"> violations found,</span>
          </span>
          <span class="visually-hidden">
            {tile.rules} {tile.rules === 1 ? "rule" : "rules"}
          </span>
        </button>
      ))}
    </section>
  );
}
