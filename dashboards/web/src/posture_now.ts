// SPDX-License-Identifier: Apache-2.0
// The posture as far as coverage, baseline and counts tell it.
import type { Baseline, Coverage, Posture, PostureCriterion, Status } from "./api";
import { fetchCoverage } from "./api";
import { criterionName } from "./format";

export const askPosture = (from: string, to: string): Promise<Coverage> => fetchCoverage(from, to);

/** An outcome needs all that was seen; without a violation and without full coverage it stays open. */
function outcomeOf(violations: number, covered: number): PostureCriterion["outcome"] {
  return violations > 0 ? "fail" : covered === 0 ? "no-population" : covered < 1 ? "inconclusive" : "pass";
}

export function current(coverage: Coverage, baseline: Baseline | null, status: Status | null): Posture {
  const counts = new Map(status?.findings.by_rule.map((row) => [row.rule, row]));
  const criteria = new Map<string, PostureCriterion>();
  for (const rule of baseline?.rules ?? []) {
    const row = counts.get(rule.id);
    const suppressed = row?.suppressed ?? 0;
    const violations = (row?.count ?? 0) - suppressed;
    for (const id of rule.criteria) {
      const seen = coverage.criteria.find((one) => one.criterion === id);
      const fresh: PostureCriterion = {
        id,
        title: criterionName(id),
        outcome: "pass",
        violations: 0,
        suppressed: 0,
        open: 0,
        rules: [],
        coverage: { share: seen?.ratio ?? 0, intervals: seen?.intervals.map((one) => [one.from, one.to]) ?? [] },
      };
      const criterion = criteria.get(id) ?? fresh;
      criterion.violations += violations;
      criterion.suppressed += suppressed;
      criterion.rules.push({ ...rule, violations, suppressed, inconclusive: 0 });
      criterion.outcome = outcomeOf(criterion.violations, criterion.coverage.share);
      criteria.set(id, criterion);
    }
  }
  const byId = (a: PostureCriterion, b: PostureCriterion): number => a.id.localeCompare(b.id, "en", { numeric: true });
  return {
    from: coverage.from,
    to: coverage.to,
    baseline: baseline?.digest ?? "",
    criteria: [...criteria.values()].sort(byId),
  };
}
