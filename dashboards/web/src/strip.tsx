// SPDX-License-Identifier: Apache-2.0
// The coverage of a period: what was seen is filled, and a gap is a gap.
import { percent } from "./format";

export interface Span {
  from: number; // milliseconds
  to: number;
}

const leastGap = 0.018; // of the width: what is shorter is drawn as wide as this, so that no gap hides

function gapsOf(covered: readonly Span[], whole: Span): Span[] {
  const gaps: Span[] = [];
  let reached = whole.from;
  for (const span of [...covered].sort((a, b) => a.from - b.from)) {
    if (span.from > reached) {
      gaps.push({ from: reached, to: span.from });
    }
    reached = Math.max(reached, span.to);
  }
  if (reached < whole.to) {
    gaps.push({ from: reached, to: whole.to });
  }
  return gaps;
}

export function Strip({ covered, whole, share }: { covered: readonly Span[]; whole: Span | null; share: number }) {
  if (whole === null || whole.to <= whole.from) {
    return <span class="strip unknown" role="img" aria-label="Nothing was read in this period" />;
  }
  const length = whole.to - whole.from;
  const gaps = gapsOf(covered, whole);
  const nothing = covered.length === 0;
  return (
    <svg
      class="strip"
      role="img"
      aria-label={`${percent(share)} covered${gaps.length > 0 && !nothing ? `, ${gaps.length} gaps` : ""}`}
      preserveAspectRatio="none"
      viewBox="0 0 1000 8"
    >
      {!nothing && <rect class="seen" width="1000" height="8" />}
      {gaps.map((gap) => {
        const width = Math.max(leastGap, (gap.to - gap.from) / length) * 1000;
        const x = Math.min(1000 - width, ((gap.from - whole.from) / length) * 1000);
        return <rect key={gap.from} class="gap" x={x.toFixed(2)} width={width.toFixed(2)} height="8" />;
      })}
    </svg>
  );
}

export const spansOf = (intervals: readonly { from: string; to: string }[]): Span[] =>
  intervals.map((one) => ({ from: Date.parse(one.from), to: Date.parse(one.to) }));
