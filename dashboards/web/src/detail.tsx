// SPDX-License-Identifier: Apache-2.0
// One finding: what was expected, what happened, on what evidence, and what was done about it.
import { useEffect, useRef, useState } from "preact/hooks";
import { ExecutionCard } from "./actions";
import type { Baseline, Detail as DetailOf, Evidence, Execution, Finding } from "./api";
import { fetchDetail } from "./api";
import { criterionName, exact, short } from "./format";
import { SeverityMark } from "./marks";
import { mergedActions } from "./state";

function Field({ name, value }: { name: string; value: unknown }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{typeof value === "string" ? value : JSON.stringify(value)}</dd>
    </>
  );
}

function EvidenceItem({ evidence }: { evidence: Evidence }) {
  const { data } = evidence;
  const fields = Object.entries(data.fields ?? {});
  return (
    <li class={evidence.name === "trigger" ? "evidence trigger" : "evidence"}>
      <p class="evidence-head">
        <time dateTime={data.time} title={data.time}>
          {exact(data.time)}
        </time>
        <strong>{data.type ?? "event"}</strong>
        <span class="role">{evidence.name}</span>
      </p>
      <dl class="pairs">
        <Field name="id" value={data.id} />
        <Field name="source" value={data.source} />
        <Field name="record" value={`${data.topic} / ${data.partition} @ ${data.offset}`} />
        {data.digest !== undefined && (
          <>
            <dt>{data.digest.algorithm}</dt>
            <dd title={data.digest.value}>{short(data.digest.value, 24)}</dd>
          </>
        )}
        {fields.map(([name, value]) => (
          <Field key={name} name={name} value={value} />
        ))}
      </dl>
    </li>
  );
}

function inOrder(evidences: Evidence[]): Evidence[] {
  return [...evidences].sort((a, b) => (a.data.time < b.data.time ? -1 : 1));
}

function Body(props: { detail: DetailOf; baseline: Baseline | null; actions: Execution[] }) {
  const { finding, ocsf } = props.detail;
  const rule = props.baseline?.rules.find((one) => one.id === finding.rule);
  const digest = ocsf.metadata?.tags?.find((tag) => tag.name === "baseline.digest");
  const waiver = ocsf.unmapped?.waiver;
  const evidences = inOrder(ocsf.evidences ?? []);
  const total = ocsf.unmapped?.witness_total ?? finding.witnesses;
  return (
    <>
      {waiver !== undefined && (
        <p class="notice">
          Waived by {waiver.by}: {waiver.reason}
          {waiver.until !== undefined && ` (until ${waiver.until})`}
        </p>
      )}
      <section>
        <h3>What the rule asks</h3>
        <p>{rule?.description ?? ocsf.finding_info?.desc ?? finding.title}</p>
        {ocsf.status_detail !== undefined && <p>{ocsf.status_detail}</p>}
      </section>
      <section>
        <h3>What happened</h3>
        <ol class="evidences">
          {evidences.map((evidence) => (
            <EvidenceItem key={`${evidence.data.source} ${evidence.data.id} ${evidence.name}`} evidence={evidence} />
          ))}
        </ol>
        {total > evidences.length - 1 && <p class="none">{total} witnesses in all; the first are shown.</p>}
      </section>
      <section>
        <h3>What was done</h3>
        {props.actions.length === 0 ? (
          <p class="none">
            {rule?.remediate == null ? "This rule has no playbook." : `Nothing yet: playbook ${rule.remediate}.`}
          </p>
        ) : (
          props.actions.map((execution) => <ExecutionCard key={execution.key} execution={execution} />)
        )}
      </section>
      <section>
        <h3>For the record</h3>
        <dl class="pairs">
          <dt>criteria</dt>
          <dd>{finding.criteria.map((id) => `${id} ${criterionName(id)}`).join(", ")}</dd>
          <Field name="uid" value={finding.uid} />
          <Field name="detected" value={finding.detected ?? "–"} />
          {digest !== undefined && <Field name="baseline" value={digest.value ?? digest.values?.[0] ?? ""} />}
        </dl>
        {rule !== undefined && (
          <details>
            <summary>The rule as written</summary>
            <pre tabIndex={0}>{rule.source}</pre>
          </details>
        )}
        <details>
          <summary>The finding as OCSF</summary>
          <pre tabIndex={0}>{JSON.stringify(ocsf, null, 2)}</pre>
        </details>
      </section>
    </>
  );
}

export function Detail(props: {
  uid: string;
  row: Finding | undefined;
  baseline: Baseline | null;
  actions: Execution[];
  close: () => void;
}) {
  const { uid, row } = props;
  const [detail, setDetail] = useState<DetailOf | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const pane = useRef<HTMLElement>(null);
  useEffect(() => {
    let current = true;
    setTrouble(null);
    fetchDetail(uid).then(
      (answer) => current && setDetail(answer),
      (error: unknown) => current && setTrouble(String(error instanceof Error ? error.message : error)),
    );
    return () => {
      current = false;
    };
  }, [uid, row?.seq]);
  useEffect(() => pane.current?.focus(), [uid]);
  const shown = detail?.finding.uid === uid ? detail : null;
  const finding = shown?.finding ?? row;
  const live = props.actions.filter((execution) => execution.finding === uid);
  const actions = mergedActions(live, shown?.actions ?? []);
  return (
    <section class="side detail" aria-labelledby="detail-title" ref={pane} tabIndex={-1}>
      <header>
        <div>
          {finding !== undefined && (
            <p class="eyebrow">
              <SeverityMark severity={finding.severity} />
              <code>{finding.rule}</code>
              <span>{[finding.tenant, finding.agent].filter((part) => part !== null).join(" / ")}</span>
            </p>
          )}
          <h2 id="detail-title">{finding?.title ?? "Finding"}</h2>
        </div>
        <button type="button" class="quiet icon" onClick={props.close} aria-label="Close the finding">
          <svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true">
            <path d="M6 6l12 12M18 6 6 18" />
          </svg>
        </button>
      </header>
      <div class="scroller" role="group" aria-labelledby="detail-title" tabIndex={0}>
        {trouble !== null && (
          <p class="notice" role="alert">
            {trouble}
          </p>
        )}
        {shown !== null && <Body detail={shown} baseline={props.baseline} actions={actions} />}
      </div>
    </section>
  );
}
