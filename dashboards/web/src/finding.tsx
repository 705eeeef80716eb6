// SPDX-License-Identifier: Apache-2.0
// One finding: what was expected, what happened, on what evidence, what was done about it, and others like it.
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { hrefOf } from "./address";
import type { Baseline, Detail, Execution, Finding } from "./api";
import { fetchDetail, fetchFindings } from "./api";
import { ExecutionCard } from "./execution";
import { noFilter, queryOf } from "./filter";
import { criterionName, when } from "./format";
import { baseline, executions, useLive, useSettled } from "./live";
import { Icon, Moment, Name, SeverityMark, StateMark, Written } from "./marks";
import { usePaneFocus } from "./page";
import { merged } from "./rows";
import { RuleText } from "./rule_text";
import { Seen } from "./saw";
import { useStore } from "./store";
import { Timeline, story } from "./timeline";
import { Triage } from "./triage";
import { Trouble, useAsked } from "./trouble";

const similarMax = 8;

const executionKey = (execution: Execution): string => execution.key;

function Pair({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>
        <Name text={value} />
      </dd>
    </>
  );
}

function Meaning({ detail, rules }: { detail: Detail; rules: Baseline | null }) {
  const { finding, ocsf } = detail;
  const rule = rules?.rules.find((one) => one.id === finding.rule);
  const waiver = ocsf.unmapped?.waiver;
  return (
    <>
      {waiver !== undefined && (
        <p class="notice">
          Waived by <Name text={waiver.by} />: <Name text={waiver.reason} />
          {waiver.until !== undefined && ` (until ${when(waiver.until)})`}
        </p>
      )}
      {detail.triage.waiver !== null && (
        <p class="notice">
          Suppressed by <Name text={detail.triage.waiver.author} />: <Name text={detail.triage.waiver.reason} />
          {` (until ${when(detail.triage.waiver.until)})`}
          {detail.triage.waiver.ended_by !== null && (
            <>
              , ended by <Name text={detail.triage.waiver.ended_by} />
            </>
          )}
        </p>
      )}
      <div class="meaning">
        <section>
          <h3>Expected</h3>
          <p>{ocsf.finding_info?.desc ?? rule?.description ?? finding.title}</p>
        </section>
        <section class="happened">
          <h3>Happened</h3>
          <p>
            <Name text={ocsf.status_detail ?? finding.title} />
          </p>
          <p class="story">{story(ocsf.evidences ?? [])}</p>
        </section>
      </div>
    </>
  );
}

function Done({ detail, actions, rules }: { detail: Detail; actions: Execution[]; rules: Baseline | null }) {
  const playbook = rules?.rules.find((one) => one.id === detail.finding.rule)?.remediate;
  return (
    <section>
      <h3>What was done</h3>
      {actions.length === 0 ? (
        <p class="none">{playbook == null ? "This rule has no playbook." : `Nothing yet: playbook ${playbook}.`}</p>
      ) : (
        actions.map((execution) => <ExecutionCard key={execution.key} execution={execution} linked />)
      )}
    </section>
  );
}

/** Of the same rule and subject: what an incident is made of. */
function Similar({ finding }: { finding: Finding }) {
  const { rule, tenant, agent } = finding;
  const filter = useMemo(() => ({ ...noFilter, rule, tenant, agent }), [rule, tenant, agent]);
  const { value, trouble, again } = useAsked(useCallback(() => fetchFindings(filter, "", similarMax + 1), [filter]));
  useEffect(again, [finding.seq, again]);
  const others = (value?.items ?? []).filter((one) => one.uid !== finding.uid).slice(0, similarMax);
  const subject = agent !== null && (
    <>
      {" by "}
      <Name text={agent} />
    </>
  );
  return (
    <section>
      <h3>Others like it</h3>
      {trouble !== null && <Trouble trouble={trouble} what="similar findings" />}
      {value !== null && others.length === 0 && (
        <p class="none">
          No other of this rule{subject}.
        </p>
      )}
      {others.length > 0 && (
        <ul class="similar">
          {others.map((one) => (
            <li key={one.uid}>
              <a href={hrefOf("findings", [one.uid])}>
                <Moment time={one.time} />
                <code>
                  <Name text={one.trigger.id} />
                </code>
              </a>
              <StateMark state={one.action} />
            </li>
          ))}
        </ul>
      )}
      {others.length > 0 && (
        <a class="onward" href={hrefOf("findings", [], queryOf(filter))}>
          All of {rule}
          {subject}
        </a>
      )}
    </section>
  );
}

function TheRule({ detail, rules }: { detail: Detail; rules: Baseline | null }) {
  const rule = rules?.rules.find((one) => one.id === detail.finding.rule);
  const text = detail.rule.text ?? rule?.source;
  return (
    <section>
      <h3>The rule</h3>
      {detail.rule.text === null && (
        <p class="none">
          {text === undefined
            ? "This rule is not in the baseline in force."
            : "The baseline that found this is not on record here; so the one in force has it:"}
        </p>
      )}
      <div class="clause-and-values">
        {text !== undefined && <RuleText text={text} clause={detail.rule.clause} />}
        <div>
          <Seen detail={detail} />
        </div>
      </div>
    </section>
  );
}

function Record({ detail }: { detail: Detail }) {
  const { finding, ocsf } = detail;
  const digest = ocsf.metadata?.tags?.find((tag) => tag.name === "baseline.digest");
  return (
    <section>
      <h3>For the record</h3>
      <dl class="pairs">
        <Pair name="criteria" value={finding.criteria.map((id) => `${id} ${criterionName(id)}`).join(", ")} />
        <Pair name="verdict" value={finding.verdict} />
        <Pair name="uid" value={finding.uid} />
        <Pair name="event" value={finding.time} />
        <Pair name="detected" value={finding.detected ?? "–"} />
        {digest !== undefined && <Pair name="baseline" value={digest.value ?? digest.values?.[0] ?? ""} />}
      </dl>
      <details>
        <summary>The finding as OCSF</summary>
        <pre tabIndex={0}>
          <Written text={JSON.stringify(ocsf, null, 2)} />
        </pre>
      </details>
    </section>
  );
}

const countedMs = 1_500; // an incident's figures follow its findings by a second or two

const isOfOneIncident = (a: Finding, b: Finding): boolean => a.rule === b.rule && a.tenant === b.tenant && a.agent === b.agent;

/** What is undecided is in none. */
const isOfAnIncident = (one: Finding): boolean => one.verdict !== "open" && one.verdict !== "inconclusive";

function useDetail(uid: string) {
  const { value, trouble, again } = useAsked(useCallback(() => fetchDetail(uid), [uid]));
  const [newest, setNewest] = useState<Finding | null>(null);
  const known = useRef<Finding | null>(null);
  known.current = value?.finding ?? null;
  const heard = useRef(0); // of its incident
  const counted = useSettled(again, countedMs);
  useEffect(() => {
    if (value !== null && isOfAnIncident(value.finding)) {
      const told = value.finding.uid === uid ? Math.max(value.finding.seq, heard.current) : 0;
      if ((value.incident?.seq ?? 0) < told) {
        counted();
      }
    }
  }, [value, uid, counted]);
  useEffect(() => void (heard.current = 0), [uid]);
  const hear = useCallback(
    (findings: readonly Finding[]) => {
      for (const one of findings) {
        if (known.current !== null && isOfAnIncident(one) && isOfOneIncident(one, known.current)) {
          heard.current = Math.max(heard.current, one.seq);
          counted();
        }
      }
      const news = findings.filter((finding) => finding.uid === uid).at(-1);
      if (news !== undefined) {
        setNewest(news);
        again();
      }
    },
    [uid, again, counted],
  );
  useLive(hear);
  const detail = value?.finding.uid === uid ? value : null;
  const told = newest?.uid === uid && newest.seq > (detail?.finding.seq ?? 0) ? newest : null;
  return { detail, finding: told ?? detail?.finding ?? null, trouble: detail === null ? trouble : null, again };
}

export function FindingPane({ uid, grouped, close }: { uid: string; grouped: boolean; close: () => void }) {
  const { detail, finding, trouble, again } = useDetail(uid);
  const rules = useStore(baseline);
  const all = useStore(executions);
  const pane = useRef<HTMLElement>(null);
  usePaneFocus(pane, uid);
  const live = all.filter((execution) => execution.finding === uid);
  const actions = merged(live, detail?.actions ?? [], executionKey);
  const agent = finding?.agent ?? null;
  const tenant = finding?.tenant ?? null;
  return (
    <section class="pane detail" aria-labelledby="detail-title" ref={pane} tabIndex={-1}>
      <header>
        <div>
          {finding !== null && (
            <p class="eyebrow">
              <SeverityMark severity={finding.severity} />
              <code>{finding.rule}</code>
              {tenant !== null && <Name text={tenant} />}
              {agent !== null && (
                <a href={hrefOf("fleet", [tenant ?? "", agent])}>
                  <Name text={agent} />
                </a>
              )}
              <Moment time={finding.time} />
            </p>
          )}
          <h2 id="detail-title">
            <Name text={finding?.title ?? "Finding"} />
          </h2>
        </div>
        <button type="button" class="quiet icon" onClick={close} aria-label="Close the finding">
          <Icon path="M6 6l12 12M18 6 6 18" />
        </button>
      </header>
      <div class="scroller" role="group" aria-labelledby="detail-title" tabIndex={0}>
        {trouble !== null && <Trouble trouble={trouble} what="this finding" absent="There is no such finding" />}
        {detail !== null && (
          <>
            <Meaning detail={detail} rules={rules} />
            <Triage detail={detail} grouped={grouped} done={again} />
            <section>
              <h3>The evidence</h3>
              <Timeline
                evidences={detail.ocsf.evidences ?? []}
                total={detail.ocsf.unmapped?.witness_total ?? detail.finding.witnesses}
              />
            </section>
            <Done detail={detail} actions={actions} rules={rules} />
            <TheRule detail={detail} rules={rules} />
            <Similar finding={detail.finding} />
            <Record detail={detail} />
          </>
        )}
      </div>
    </section>
  );
}
