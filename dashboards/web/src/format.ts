// SPDX-License-Identifier: Apache-2.0
// Numbers and times as people read them.

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export function count(n: number): string {
  if (n >= 10_000_000) {
    return `${(n / 1_000_000).toFixed(1)} M`;
  }
  return whole.format(n).replaceAll(",", "\u202f");
}

/** The clock's time, the day before it where it is not today. */
export function when(text: string): string {
  const date = new Date(text);
  const today = new Date().toDateString() === date.toDateString();
  return today ? clock.format(date) : `${day.format(date)} ${clock.format(date)}`;
}

const fullDay = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric" });

/** The day with its year, for what lies far from today. */
export const date = (text: string, timed = false): string =>
  `${fullDay.format(new Date(text))}${timed ? ` ${clock.format(new Date(text))}` : ""}`;

/** To the millisecond, for a line of events. */
export function exact(text: string): string {
  const date = new Date(text);
  return `${clock.format(date)}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

export function duration(seconds: number): string {
  if (seconds < 0.001) {
    return "< 1 ms";
  }
  if (seconds < 1) {
    return `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
  }
  if (seconds < 60) {
    return `${seconds.toFixed(1)} s`;
  }
  if (seconds < 3600) {
    return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  }
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

export function between(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 1000;
}

export const short = (digest: string, digits = 12): string =>
  digest.length > digits ? `${digest.slice(0, digits)}…` : digest;

/** Trust Services Criteria, in a few words each. */
const criteria: Record<string, string> = {
  "A1.1": "Capacity",
  "A1.2": "Availability",
  "C1.1": "Confidential",
  "C1.2": "Disposal",
  "CC4.1": "Evaluation",
  "CC4.2": "Deficiencies",
  "CC5.2": "Technology controls",
  "CC6.1": "Logical access",
  "CC6.2": "Credentials",
  "CC6.3": "Permissions",
  "CC6.6": "Boundaries",
  "CC6.7": "Movement",
  "CC6.8": "Software",
  "CC7.1": "Configuration",
  "CC7.2": "Anomalies",
  "CC7.3": "Evaluation",
  "CC7.4": "Response",
  "CC7.5": "Recovery",
  "CC8.1": "Changes",
  "PI1.2": "Inputs",
  "PI1.3": "Processing",
  "PI1.4": "Outputs",
  "PI1.5": "Storage",
};
export const criterionName = (id: string): string =>
  criteria[id] ?? (id.startsWith("P") ? "Privacy" : id.startsWith("A1") ? "Availability" : "Criterion");

/** How far a moment lies back, in its two largest units. */
export function ago(text: string, now = Date.now()): string {
  const seconds = Math.max(0, (now - Date.parse(text)) / 1000);
  if (seconds < 60) {
    return `${Math.floor(seconds)} s ago`;
  }
  if (seconds < 3600) {
    return `${Math.floor(seconds / 60)} min ago`;
  }
  if (seconds < 86_400) {
    return `${Math.floor(seconds / 3600)} h ago`;
  }
  return `${Math.floor(seconds / 86_400)} d ago`;
}

export const percent = (share: number): string => {
  const of = share * 100;
  if (of > 0 && of < 0.1) {
    return "< 0.1 %";
  }
  // Never rounded up to a whole that it is not.
  return `${of >= 99.995 && share < 1 ? "99.99" : of.toFixed(of === 100 || of === 0 ? 0 : of > 99 ? 2 : 1)} %`;
};

export function bytes(n: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = n < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(n) / 3));
  const value = n / 1000 ** power;
  return `${value.toFixed(power === 0 || value >= 100 ? 0 : 1)} ${units[power] ?? ""}`;
}

export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;
