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

const yearDay = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric" });

/** Nothing today, the day in this year, else the day with its year. */
function dayOf(date: Date, now = new Date()): string {
  if (now.toDateString() === date.toDateString()) {
    return "";
  }
  return `${(now.getFullYear() === date.getFullYear() ? day : yearDay).format(date)} `;
}

/** The clock's time, the day before it where it is not today. */
export function when(text: string): string {
  const date = new Date(text);
  return dayOf(date) + clock.format(date);
}

/** The day with its year, for what lies far from today. */
export const date = (text: string, timed = false): string =>
  `${yearDay.format(new Date(text))}${timed ? ` ${clock.format(new Date(text))}` : ""}`;

/** To the millisecond, for a line of events. */
export const exact = (text: string): string =>
  `${when(text)}.${String(new Date(text).getMilliseconds()).padStart(3, "0")}`;

/** The zone that this page's times are in, as the browser has it. */
export function zone(): string {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  const east = -new Date().getTimezoneOffset();
  const part = (n: number): string => String(n).padStart(2, "0");
  const offset = `UTC${east < 0 ? "\u2212" : "+"}${part(Math.floor(Math.abs(east) / 60))}:${part(Math.abs(east) % 60)}`;
  return east === 0 ? "UTC" : timeZone === undefined ? offset : `${timeZone.replaceAll("_", " ")} (${offset})`;
}

const parted = (large: number, unit: string, small: number, least: string): string =>
  small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${least}`;

/** In its two largest units. Rounded before the unit is chosen: 0.9999 s is a second and not 1000 ms. */
export function duration(seconds: number): string {
  if (seconds < 0.001) {
    return "< 1 ms";
  }
  if (seconds < 0.9995) {
    return `${(seconds * 1000).toFixed(seconds < 0.00995 ? 1 : 0)} ms`;
  }
  if (seconds < 59.95) {
    return `${seconds.toFixed(1)} s`;
  }
  const whole = Math.round(seconds);
  if (whole < 3600) {
    return parted(Math.floor(whole / 60), "min", whole % 60, "s");
  }
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) {
    return parted(Math.floor(minutes / 60), "h", minutes % 60, "min");
  }
  const hours = Math.round(seconds / 3600);
  return parted(Math.floor(hours / 24), "d", hours % 24, "h");
}

/** What stands behind the point of the seconds, as a number: a Date keeps no more than milliseconds. */
function fraction(text: string): number {
  const digits = /\.(\d+)/.exec(text)?.[1];
  return digits === undefined ? 0 : Number(`0.${digits}`);
}

/** Seconds; as exact as the two texts are. */
export function between(from: string, to: string): number {
  const second = (text: string): number => Math.floor(Date.parse(text) / 1000);
  return second(to) - second(from) + (fraction(to) - fraction(from));
}

/** For sorting: the earlier first, however many digits each was written with. */
export const earlier = (a: string, b: string): number => between(b, a);

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
