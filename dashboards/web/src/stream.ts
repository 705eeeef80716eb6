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
const retryMs = 2_000;

/** Answers how to end it. */
export function listen(position: string, tell: (word: Word) => void): () => void {
  let last = position;
  let source: EventSource | null = null;
  let heard = Date.now();
  let since: number | null = null;
  let retry = 0;

  const is = (now: Connection): void => {
    since = now === "lost" ? (since ?? Date.now()) : null;
    tell({ kind: "connection", now, since });
  };
  const open = (): void => {
    source?.close();
    heard = Date.now();
    source = new EventSource(`/api/v1/stream?after=${encodeURIComponent(last)}`);
    source.addEventListener("open", () => {
      heard = Date.now();
      is("live");
    });
    for (const kind of kinds) {
      source.addEventListener(kind, (event: MessageEvent<string>) => {
        heard = Date.now();
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
  const watch = window.setInterval(() => {
    if (source?.readyState === EventSource.OPEN && Date.now() - heard > silenceMs) {
      is("lost");
      open();
    }
  }, 1_000);

  open();
  return () => {
    window.clearInterval(watch);
    window.clearTimeout(retry);
    source?.close();
  };
}
