// SPDX-License-Identifier: Apache-2.0
// The time that a screen is narrowed to: up to now, or from one moment to another.
import { useState } from "preact/hooks";
import { Dialog } from "./dialog";
import { when } from "./format";

const periods = [
  ["", "Any time"],
  ["3600", "Last hour"],
  ["86400", "Last 24 hours"],
  ["604800", "Last 7 days"],
  ["2592000", "Last 30 days"],
  ["7776000", "Last 90 days"],
] as const;

/** As an address has it. */
const said = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z/, "Z");

/** As a field has it, in the browser's zone; to the second. */
function local(text: string): string {
  const at = Date.parse(text);
  return Number.isNaN(at) ? "" : new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

function Between(props: { from: string; to: string; close: () => void; choose: (from: string, to: string) => void }) {
  const [from, setFrom] = useState(local(props.from));
  const [to, setTo] = useState(local(props.to));
  const send = async (): Promise<void> => {
    if (from === "" && to === "") {
      throw new Error("A beginning or an end is needed");
    }
    if (from !== "" && to !== "" && from >= to) {
      throw new Error("It ends before it begins");
    }
    props.choose(from === "" ? "" : said(Date.parse(from)), to === "" ? "" : said(Date.parse(to)));
  };
  const field = (label: string, value: string, set: (value: string) => void) => (
    <label>
      {label}
      <input type="datetime-local" step={1} max="9999-12-31T23:59:59" value={value} onInput={(event) => set(event.currentTarget.value)} />
    </label>
  );
  return (
    <Dialog title="Which time?" verb="Show" close={props.close} send={send}>
      {field("From", from, setFrom)}
      {field("To (empty: up to now)", to, setTo)}
    </Dialog>
  );
}

/** A period up to now becomes its beginning, so that the address keeps its meaning when it is passed on. */
export function Period(props: { from: string; to: string; unset?: string; change: (from: string, to: string) => void }) {
  const [asks, setAsks] = useState(false);
  const set = props.from !== "" || props.to !== "";
  const now = set ? "kept" : "";
  return (
    <>
      <select
        aria-label="Time"
        value={now}
        onChange={(event) => {
          const chosen = event.currentTarget.value;
          const seconds = Number(chosen);
          if (chosen === "between") {
            event.currentTarget.value = now; // until something else is chosen
            setAsks(true);
          } else {
            props.change(seconds > 0 ? said(Date.now() - seconds * 1000) : "", "");
          }
        }}
      >
        {set && (
          <option value="kept">
            {props.from === "" ? "Before" : "Since"} {when(props.from || props.to)}
            {props.from !== "" && props.to !== "" && ` to ${when(props.to)}`}
          </option>
        )}
        {periods.map(([value, text]) => (
          <option key={value} value={value}>
            {value === "" ? (props.unset ?? text) : text}
          </option>
        ))}
        <option value="between">From … to …</option>
      </select>
      {asks && <Between from={props.from} to={props.to} close={() => setAsks(false)} choose={props.change} />}
    </>
  );
}
