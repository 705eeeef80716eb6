// SPDX-License-Identifier: Apache-2.0
// The server's events as they come, from a position on. It comes back by itself, and goes on behind what it heard last.
import { fetchStatus } from "./api";

export type Connection = "connecting" | "live" | "lost";

/** An event of the server's with its place in the stream, or how the connection is. */
export type Word =
  | { kind: "finding" | "action" | "respond" | "status"; id: string; data: string }
  | { kind: "connection"; now: Connection; since: number | null }; // milliseconds: since when the server does not answer

const kinds = ["finding", "action", "respond", "status"] as const;
const silenceMs = 12_000; // six pulses of the server
const lookMs = 1_000;
const retryMs = 2_000;

export interface Watch {
  heard(): void;
  end(): void;
}

/**
 * Looks again and again whether it was silent for so long. The time that a tab which is looked at stood still itself
 * (a laptop that slept) is no silence of another's; one that is hidden has a slow clock.
 */
export function watchSilence(mostMs: number, everyMs: number, silent: () => void): Watch {
  let last = Date.now();
  let looked = last;
  const heard = (): void => void (last = Date.now());
  const clock = window.setInterval(() => {
    const now = Date.now();
    const late = now - looked > 2 * everyMs;
    looked = now;
    if (late && !document.hidden) {
      heard();
    } else if (now - last > mostMs) {
      silent();
    }
  }, everyMs);
  return { heard, end: () => window.clearInterval(clock) };
}

/** Answers how to end it. */
export function listen(position: string, tell: (word: Word) => void): () => void {
  let last = position;
  let source: EventSource | null = null;
  let since: number | null = null;
  let retry = 0;

  const is = (now: Connection): void => {
    since = now === "lost" ? (since ?? Date.now()) : null;
    tell({ kind: "connection", now, since });
  };
  const open = (): void => {
    source?.close();
    watch.heard();
    source = new EventSource(`/api/v1/stream?after=${encodeURIComponent(last)}`);
    source.addEventListener("open", () => {
      watch.heard();
      is("live");
    });
    for (const kind of kinds) {
      source.addEventListener(kind, (event: MessageEvent<string>) => {
        watch.heard();
        last = event.lastEventId === "" ? last : event.lastEventId;
        tell({ kind, id: event.lastEventId, data: event.data });
      });
    }
    source.addEventListener("error", () => {
      is("lost");
      // A browser comes back by itself after a broken connection, not after an answer such as 503.
      if (source?.readyState === EventSource.CLOSED) {
        fetchStatus().catch(() => undefined); // whoever is not known any more hears of it by this
        window.clearTimeout(retry);
        retry = window.setTimeout(open, retryMs);
      }
    });
  };

  // A connection can die without a word (a laptop that slept, a gateway that forgot it).
  const watch = watchSilence(silenceMs, lookMs, () => {
    if (source?.readyState === EventSource.OPEN) {
      is("lost");
      open();
    }
  });

  open();
  return () => {
    watch.end();
    window.clearTimeout(retry);
    source?.close();
  };
}
