// SPDX-License-Identifier: Apache-2.0
// The coverage of a period: what was seen is filled, and a gap is a gap. One that is shorter than a pixel is drawn as
// a pixel, so that none hides and none seems longer than it was.
import { percent, plural } from "./format";

export interface Span {
  from: number; // milliseconds
  to: number;
}

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
    <span
      class={nothing ? "strip" : "strip seen"}
      role="img"
      aria-label={`${percent(share)} covered${gaps.length > 0 && !nothing ? `, ${plural(gaps.length, "gap")}` : ""}`}
    >
      {gaps.map((gap) => {
        const share = (gap.to - gap.from) / length;
        const at = (gap.from - whole.from) / length;
        const left = `min(${(at * 100).toFixed(3)}%, 100% - 1px)`;
        return <i key={gap.from} class="gap" style={{ left, width: `${(share * 100).toFixed(3)}%` }} />;
      })}
    </span>
  );
}

export const spansOf = (intervals: readonly { from: string; to: string }[]): Span[] =>
  intervals.map((one) => ({ from: Date.parse(one.from), to: Date.parse(one.to) }));
