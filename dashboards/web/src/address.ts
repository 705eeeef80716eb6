// SPDX-License-Identifier: Apache-2.0
// What is looked at stands in the page's address, so that it can be passed on.
import type { Filter, Severity } from "./api";
import { severities } from "./api";

export function readAddress(): { filter: Filter; chosen: string | null } {
  const query = new URLSearchParams(location.search);
  const wanted = (query.get("severity") ?? "").split(",");
  return {
    filter: {
      severities: severities.filter((severity: Severity) => wanted.includes(severity)),
      rule: query.get("rule") ?? "",
      criterion: query.get("criterion") ?? "",
    },
    chosen: query.get("finding"),
  };
}

export function writeAddress(filter: Filter, chosen: string | null): void {
  const query = new URLSearchParams();
  const values = {
    severity: filter.severities.join(","),
    rule: filter.rule,
    criterion: filter.criterion,
    finding: chosen ?? "",
  };
  for (const [name, value] of Object.entries(values)) {
    if (value !== "") {
      query.set(name, value);
    }
  }
  const text = query.toString().replaceAll("%2C", ",");
  history.replaceState(null, "", text === "" ? location.pathname : `?${text}`);
}
