// SPDX-License-Identifier: Apache-2.0
// A rule as it is written, for who reads a finding of it.

interface Line {
  text: string;
  failed: boolean; // of the part that the finding is about
}

const depthOf = (text: string): number => text.search(/\S/); // -1: an empty line

/** Without `tests:`: from that key to the next one beside it. A list may stand as deep as its key. */
function withoutTests(lines: readonly Line[]): readonly Line[] {
  const from = lines.findIndex(({ text }) => /^\s*tests:/.test(text));
  if (from === -1) {
    return lines;
  }
  const depth = depthOf(lines[from]?.text ?? "");
  const length = lines.slice(from + 1).findIndex(({ text }) => {
    const own = depthOf(text);
    return own !== -1 && (own < depth || (own === depth && !/^\s*-/.test(text)));
  });
  return length === -1 ? lines.slice(0, from) : [...lines.slice(0, from), ...lines.slice(from + 1 + length)];
}

/** Its first line has lost the depth at which it stands in the pack's file, the others have not. */
function dedented(lines: readonly Line[]): readonly Line[] {
  const depths = lines.slice(1).map(({ text }) => depthOf(text)).filter((depth) => depth !== -1);
  const depth = depths.length === 0 ? 0 : Math.min(...depths);
  return lines.map((line, i) => ({ ...line, text: i === 0 ? line.text.trimStart() : line.text.slice(depth) }));
}

function linesOf(text: string, clause: string | null): Line[] {
  const at = clause === null || clause === "" ? -1 : text.indexOf(clause);
  const first = at === -1 ? Infinity : text.slice(0, at).split("\n").length - 1;
  const last = first + (clause ?? "").trimEnd().split("\n").length;
  return text.trimEnd().split("\n").map((line, i) => ({ text: line, failed: i >= first && i < last }));
}

/** The part of it that failed is marked where it stands. */
export function RuleText({ text, clause }: { text: string; clause: string | null }) {
  const lines = dedented(withoutTests(linesOf(text, clause)));
  const from = lines.findIndex((line) => line.failed);
  const to = from + lines.filter((line) => line.failed).length;
  const joined = (some: readonly Line[]): string => some.map((line) => `${line.text}\n`).join("");
  return (
    <pre tabIndex={0} aria-label="The rule as written">
      {from === -1 ? (
        joined(lines)
      ) : (
        <>
          {joined(lines.slice(0, from))}
          <mark>{joined(lines.slice(from, to)).trimEnd()}</mark>
          {`\n${joined(lines.slice(to))}`.trimEnd()}
        </>
      )}
    </pre>
  );
}
