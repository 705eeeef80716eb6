// SPDX-License-Identifier: Apache-2.0
// A finding's events in the order of their time: how far apart, where each is recorded, and what it said.
import type { Evidence } from "./api";
import { between, duration, earlier, exact, short } from "./format";
import { Name } from "./marks";

function FieldLine({ name, value }: { name: string; value: unknown }) {
  return (
    <>
      <dt>
        <Name text={name} />
      </dt>
      <dd>
        <Name text={typeof value === "string" ? value : JSON.stringify(value)} />
      </dd>
    </>
  );
}

const roleWords: Record<string, string> = { trigger: "trigger" };

/** From the trigger, as people say it: before or after. */
function distance(evidence: Evidence, trigger: Evidence | undefined): string {
  if (trigger === undefined || evidence === trigger) {
    return "";
  }
  const seconds = between(trigger.data.time, evidence.data.time);
  return seconds === 0 ? "at the same time" : `${duration(Math.abs(seconds))} ${seconds < 0 ? "before" : "after"}`;
}

function EvidenceItem({ evidence, trigger }: { evidence: Evidence; trigger: Evidence | undefined }) {
  const { data } = evidence;
  const fields = Object.entries(data.fields ?? {});
  const far = distance(evidence, trigger);
  return (
    <li class={evidence.name === "trigger" ? "evidence trigger" : "evidence"}>
      <div class="evidence-when">
        <time dateTime={data.time} title={data.time}>
          {exact(data.time)}
        </time>
        {far !== "" && <small>{far}</small>}
      </div>
      <span class="knot" aria-hidden="true" />
      <div class="evidence-what">
        <p class="evidence-head">
          <strong>
            <Name text={data.type ?? "event"} />
          </strong>
          <span class="role">{roleWords[evidence.name] ?? evidence.name}</span>
        </p>
        <dl class="pairs">
          {fields.map(([name, value]) => (
            <FieldLine key={name} name={name} value={value} />
          ))}
          <dt class="apart">id</dt>
          <dd class="apart">
            <Name text={data.id} />
          </dd>
          <FieldLine name="source" value={data.source} />
          {data.topic !== undefined && (
            <FieldLine name="record" value={`${data.topic} / ${data.partition} @ ${data.offset}`} />
          )}
          {data.digest !== undefined && (
            <>
              <dt>{data.digest.algorithm}</dt>
              <dd title={data.digest.value}>{short(data.digest.value, 32)}</dd>
            </>
          )}
        </dl>
      </div>
    </li>
  );
}

/** The moments to scale, so that a gap is seen before a figure is read. */
function Axis({ evidences }: { evidences: Evidence[] }) {
  const times = evidences.map((one) => Date.parse(one.data.time));
  const first = Math.min(...times);
  const span = Math.max(...times) - first;
  if (span === 0) {
    return null;
  }
  const at = (time: number): number => 2 + ((time - first) / span) * 96;
  return (
    <svg class="axis" width="100%" height="20" aria-hidden="true">
      <line x1="0" x2="100%" y1="10" y2="10" />
      {evidences.map((one, i) => (
        <circle
          key={i}
          class={one.name === "trigger" ? "trigger" : ""}
          cx={`${at(times[i] ?? first).toFixed(2)}%`}
          cy="10"
          r={one.name === "trigger" ? 5.5 : 4}
        />
      ))}
    </svg>
  );
}

/** In a line: the trigger, and how it stands to what is nearest of the witnesses: so long after it, or before. */
export function story(evidences: readonly Evidence[]): string {
  const trigger = evidences.find((one) => one.name === "trigger");
  if (trigger === undefined) {
    return "";
  }
  const far = (one: Evidence): number => between(one.data.time, trigger.data.time); // positive: the trigger came after it
  const [nearest] = evidences.filter((one) => one !== trigger).sort((a, b) => Math.abs(far(a)) - Math.abs(far(b)));
  const what = trigger.data.type ?? "an event";
  if (nearest === undefined) {
    return `${what} at ${exact(trigger.data.time)}`;
  }
  const seconds = far(nearest);
  const order = seconds === 0 ? "together with" : `${duration(Math.abs(seconds))} ${seconds > 0 ? "after" : "before"}`;
  return `${what} at ${exact(trigger.data.time)}, ${order} ${nearest.data.type ?? "another event"}`;
}

export function Timeline({ evidences, total }: { evidences: Evidence[]; total: number }) {
  const sorted = [...evidences].sort((a, b) => earlier(a.data.time, b.data.time));
  const trigger = sorted.find((one) => one.name === "trigger");
  return (
    <>
      {sorted.length > 1 && <Axis evidences={sorted} />}
      <ol class="evidences">
        {sorted.map((one) => (
          <EvidenceItem key={`${one.data.source} ${one.data.id} ${one.name}`} evidence={one} trigger={trigger} />
        ))}
      </ol>
      {total > evidences.length - 1 && <p class="none">{total} witnesses in all; the first are shown.</p>}
    </>
  );
}
