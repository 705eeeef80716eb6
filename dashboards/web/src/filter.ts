// SPDX-License-Identifier: Apache-2.0
// What the lists of findings are narrowed to, as it stands in the address and as the API is asked for it.
import type { Filter, Finding, Severity } from "./model";

export const severities: readonly Severity[] = ["critical", "high", "medium", "low", "info"];
export const triageStates = ["new", "acknowledged", "closed", "suppressed"] as const;

export const noFilter: Filter = {
  severities: [],
  rule: "",
  criterion: "",
  tenant: "",
  agent: "",
  state: "",
  assignee: "",
  q: "",
  from: "",
  to: "",
};

const texts = ["rule", "criterion", "state", "assignee", "q", "from", "to"] as const;
const whose = ["tenant", "agent"] as const;

export function filterOf(query: Readonly<Record<string, string>>): Filter {
  const wanted = (query["severity"] ?? "").split(",");
  const filter = { ...noFilter, severities: severities.filter((severity) => wanted.includes(severity)) };
  for (const name of texts) {
    filter[name] = query[name] ?? "";
  }
  for (const name of whose) {
    filter[name] = query[name] === undefined ? "" : query[name] === "" ? null : query[name];
  }
  return filter;
}

export function queryOf(filter: Filter): Record<string, string | null> {
  const { severities: wanted, ...rest } = filter;
  return { severity: wanted.join(","), ...rest };
}

export const isSet = (filter: Filter): boolean => Object.values(queryOf(filter)).some((value) => value !== "");

/** The case of ASCII letters is one, as where the server searches. */
const folded = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** Among what the server searches, and as it does. */
function says(row: Finding, part: string): boolean {
  const { title, rule, tenant, agent, trigger } = row;
  return folded([trigger.id, title, rule, tenant ?? "", agent ?? ""].join("\n")).includes(folded(part));
}

function ofSubject(filter: Filter, row: Finding): boolean {
  return (
    (filter.severities.length === 0 || filter.severities.includes(row.severity)) &&
    (filter.rule === "" || filter.rule === row.rule) &&
    (filter.criterion === "" || row.criteria.includes(filter.criterion)) &&
    (filter.tenant === "" || filter.tenant === row.tenant) &&
    (filter.agent === "" || filter.agent === row.agent)
  );
}

/** Whether what the stream tells belongs into the list: as the server would decide. */
export function passes(filter: Filter, finding: Finding): boolean {
  const time = Date.parse(finding.time);
  return (
    ofSubject(filter, finding) &&
    (filter.from === "" || time >= Date.parse(filter.from)) &&
    (filter.to === "" || time < Date.parse(filter.to)) &&
    (filter.state === "" || filter.state.split(",").includes(finding.state)) &&
    (filter.assignee === "" || finding.assignee === filter.assignee) &&
    (filter.q === "" || says(finding, filter.q))
  );
}

