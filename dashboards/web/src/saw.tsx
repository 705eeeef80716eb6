// SPDX-License-Identifier: Apache-2.0
// What the clause that failed had before it: each value under its name, and where it came from.
import type { Detail, Evidence, Saw } from "./api";
import { plural } from "./format";
import { Name } from "./marks";

const shown = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

/** Where a value comes from: an event of the finding's, the baseline, or an override of it for some. */
function sourceOf(saw: Saw, evidences: readonly Evidence[]): string {
  if (saw.of === "parameter") {
    const who = Object.entries(saw.override ?? {}).map(([name, pattern]) => `${name} ${pattern}`);
    return who.length === 0 ? "the baseline" : `override for ${who.join(", ")}`;
  }
  const event = evidences[saw.evidence ?? -1]?.data;
  const side = saw.of === "trigger" ? "trigger" : "witness";
  return event === undefined ? side : `${side} ${event.type ?? event.id}`;
}

export function Seen({ detail }: { detail: Detail }) {
  const { saw, unseen, left_out: leftOut } = detail.rule;
  const evidences = detail.ocsf.evidences ?? [];
  if (saw === null || saw.length === 0) {
    return <p class="none">{unseen === null ? "The clause reads no value." : `The values that it saw are not known: ${unseen}.`}</p>;
  }
  return (
    <>
      <table class="grid saw">
        <caption>What the clause saw</caption>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Value</th>
            <th scope="col">From</th>
          </tr>
        </thead>
        <tbody>
          {saw.map((one, i) => (
            <tr key={i} class={one.of}>
              <th scope="row">
                <code>
                  <Name text={one.name} />
                </code>
              </th>
              <td>
                {one.value === null || one.value === undefined ? (
                  <span class="none">{one.why ?? "none"}</span>
                ) : (
                  <code>
                    <Name text={shown(one.value)} />
                  </code>
                )}
              </td>
              <td>
                <Name text={sourceOf(one, evidences)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {leftOut > 0 && <p class="none">{plural(leftOut, "further value")} {leftOut === 1 ? "is" : "are"} in the record.</p>}
    </>
  );
}
