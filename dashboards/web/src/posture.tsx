// SPDX-License-Identifier: Apache-2.0
// The first screen: how each Trust Services criterion stands, what was seen of the period, and what is new.
import { useCallback, useRef } from "preact/hooks";
import type { Place } from "./address";
import { go, hrefOf } from "./address";
import type { Outcome, Posture, PostureCriterion } from "./api";
import { fetchPosture } from "./api";
import { Figures } from "./figures";
import { Period } from "./period";
import { count, percent, plural } from "./format";
import { useLive, useSettled } from "./live";
import { Empty, Icon, OutcomeMark, SeverityMark } from "./marks";
import { NewsAside } from "./news";
import { useKeys, usePaneFocus, useTitle } from "./page";
import { Strip, spansOf } from "./strip";
import { Lacking, useAsked } from "./trouble";

const outcomes: readonly (readonly [Outcome, string, string])[] = [
  ["fail", "fails", "fail"],
  ["inconclusive", "inconclusive", "inconclusive"],
  ["pass", "passes", "pass"],
  ["no-violation", "without violation", "without violation"],
  ["no-population", "without population", "without population"],
  ["not-testable", "not testable here", "not testable here"],
];
const families = [
  ["CC", "Security"],
  ["A", "Availability"],
  ["C", "Confidentiality"],
  ["PI", "Processing integrity"],
  ["P", "Privacy"],
] as const;

const familyOf = (id: string): string => /^[A-Z]+/.exec(id)?.[0] ?? "";

function Summary({ criteria }: { criteria: readonly PostureCriterion[] }) {
  const counts = outcomes
    .map(([outcome, one, many]) => ({ outcome, one, many, number: criteria.filter((c) => c.outcome === outcome).length }))
    .filter(({ number }) => number > 0);
  return (
    <ul class="summary" aria-label="Criteria by outcome">
      {counts.map(({ outcome, one, many, number }) => (
        <li key={outcome} class={outcome}>
          <strong>{number}</strong> {number === 1 ? one : many}
        </li>
      ))}
    </ul>
  );
}

function Tile(props: { criterion: PostureCriterion; whole: { from: number; to: number } | null; chosen: boolean; href: string }) {
  const { criterion, whole } = props;
  const { coverage } = criterion;
  return (
    <a
      class={`tile ${criterion.outcome}`}
      data-key={criterion.id}
      href={props.href}
      aria-current={props.chosen ? "true" : undefined}
    >
      <span class="tile-head">
        <span class="criterion">{criterion.id}</span>
        <OutcomeMark outcome={criterion.outcome} />
      </span>
      <span class="name">{criterion.title}</span>
      <span class="tile-figures">
        <span class="violations">
          {criterion.violations === 0 ? "no violations" : plural(criterion.violations, "violation")}
        </span>
        <span>
          {criterion.population === null ? "" : `${count(criterion.population)} judged, `}
          {plural(criterion.rules.length, "rule")}
        </span>
      </span>
      {coverage !== null && (
        <span class="tile-strip">
          <Strip
            covered={spansOf(coverage.intervals.map(([from, to]) => ({ from, to })))}
            whole={whole}
            share={coverage.share}
          />
          <span class="share">{percent(coverage.share)}</span>
        </span>
      )}
    </a>
  );
}

/** What no stream can show here: said, and kept small. */
function NotTestable({ criteria }: { criteria: readonly PostureCriterion[] }) {
  return criteria.length === 0 ? null : (
    <section class="untested">
      <h3>Not testable here</h3>
      <ul>
        {criteria.map((one) => (
          <li key={one.id}>
            <strong>{one.id}</strong> {one.title}
          </li>
        ))}
      </ul>
    </section>
  );
}

function CriterionPane({ criterion, close }: { criterion: PostureCriterion; close: () => void }) {
  const pane = useRef<HTMLElement>(null);
  usePaneFocus(pane, criterion.id);
  return (
    <aside class="pane" aria-labelledby="criterion-title" ref={pane} tabIndex={-1}>
      <header>
        <div>
          <p class="eyebrow">
            <code>{criterion.id}</code>
            <OutcomeMark outcome={criterion.outcome} />
          </p>
          <h2 id="criterion-title">{criterion.title}</h2>
        </div>
        <button type="button" class="quiet icon" onClick={close} aria-label="Close the criterion">
          <Icon path="M6 6l12 12M18 6 6 18" />
        </button>
      </header>
      <div class="scroller" role="group" aria-labelledby="criterion-title" tabIndex={0}>
        <dl class="duo">
          <dt>Violations</dt>
          <dd>{count(criterion.violations)}</dd>
          <dt title="Events that its rules had to judge, by whole hours">Judged</dt>
          <dd>{criterion.population === null ? "–" : count(criterion.population)}</dd>
          <dt>Under a waiver</dt>
          <dd>{count(criterion.suppressed)}</dd>
          <dt>Coverage</dt>
          <dd>{criterion.coverage === null ? "–" : percent(criterion.coverage.share)}</dd>
        </dl>
        <section>
          <h3>Its rules</h3>
          {criterion.rules.length === 0 && <p class="none">The baseline has no rule for it.</p>}
          <ul class="rules">
            {criterion.rules.map((rule) => (
              <li key={rule.id}>
                <a href={hrefOf("findings", [], { rule: rule.id })}>
                  <SeverityMark severity={rule.severity} bare />
                  <span>
                    <code>{rule.id}</code> {rule.title}
                  </span>
                  <span title="Violations, of the events that it had to judge">
                    <strong class={rule.violations > 0 ? "some" : ""}>{count(rule.violations)}</strong>
                    {rule.population !== null && <small> of {count(rule.population)}</small>}
                  </span>
                </a>
              </li>
            ))}
          </ul>
          <a class="onward" href={hrefOf("findings", [], { criterion: criterion.id })}>
            All findings against {criterion.id}
          </a>
        </section>
      </div>
    </aside>
  );
}

function usePosture(from: string, to: string): { posture: Posture | null; trouble: unknown } {
  const { value, trouble, again } = useAsked(
    useCallback(() => fetchPosture(from, to), [from, to]),
    10_000,
  );
  useLive(useSettled(again, 1_000));
  return { posture: value, trouble };
}

export function PostureScreen({ place }: { place: Place }) {
  useTitle("Posture");
  const { from = "", to = "" } = place.query;
  const { posture, trouble } = usePosture(from, to);
  const chosen = place.rest[0] ?? null;
  const query = { from, to };
  const close = useCallback(() => go(hrefOf("posture", [], { from, to }), true), [from, to]);
  useKeys(useCallback((key) => key === "Escape" && chosen !== null && (close(), true), [chosen, close]));
  const criteria = posture?.criteria ?? [];
  const whole = posture === null ? null : { from: Date.parse(posture.from), to: Date.parse(posture.to) };
  const open = criteria.find((one) => one.id === chosen);
  return (
    <div class="overview">
      <Figures />
      <div class={open === undefined ? "split aside" : "split aside open"}>
        <section class="posture" aria-labelledby="posture-title">
          <div class="found-head">
            <h2 id="posture-title">Trust Services criteria</h2>
            <Summary criteria={criteria} />
            <Period from={from} to={to} unset="The last day seen" change={(f, t) => go(hrefOf("posture", place.rest, { from: f, to: t }), true)} />
          </div>
          <div class="scroller" role="group" aria-labelledby="posture-title" tabIndex={0}>
            <Lacking value={posture} trouble={trouble} what="the posture" />
            {posture === null && trouble === null && <Empty title="The posture is being worked out" />}
            <div class="families">
              {families.map(([prefix, name]) => {
                const own = criteria.filter((one) => familyOf(one.id) === prefix && one.outcome !== "not-testable");
                return (
                  own.length > 0 && (
                    <section key={prefix} class={own.length < 4 ? `family of-${own.length}` : "family"} aria-label={name}>
                      <h3>{name}</h3>
                      {own.map((one) => (
                        <Tile
                          key={one.id}
                          criterion={one}
                          whole={whole}
                          chosen={one.id === chosen}
                          href={hrefOf("posture", one.id === chosen ? [] : [one.id], query)}
                        />
                      ))}
                    </section>
                  )
                );
              })}
            </div>
            <NotTestable criteria={criteria.filter((one) => one.outcome === "not-testable")} />
          </div>
        </section>
        {open === undefined ? <NewsAside /> : <CriterionPane criterion={open} close={close} />}
      </div>
    </div>
  );
}

