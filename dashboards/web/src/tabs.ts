// SPDX-License-Identifier: Apache-2.0
// One live stream for all tabs of a browser, which opens no more than six connections to a server: one tab has it and
// tells the others. When that one closes another goes on behind what it was told last. Where there are no locks (plain
// HTTP to another machine) each tab has a stream of its own, but only while it is looked at.
import type { Connection, Word } from "./stream";
import { listen } from "./stream";

const name = "invigil-stream";
const silenceMs = 20_000; // what a tab that has the stream is never silent for, unless it is held up
const lookMs = 2_000;

type Said = Word | { kind: "hello" };

export interface Share {
  /** Where this tab's knowledge ends, which it asked for after it began to hear. */
  from(position: string): void;
  end(): void;
}

function alone(hear: (word: Word) => void): Share {
  let last: string | null = null;
  let stop: (() => void) | null = null;
  const turn = (): void => {
    if (last !== null && !document.hidden) {
      stop ??= listen(last, (word) => {
        last = word.kind === "connection" || word.id === "" ? last : word.id;
        hear(word);
      });
    } else {
      stop?.();
      stop = null;
    }
  };
  document.addEventListener("visibilitychange", turn);
  return {
    from: (position) => {
      last = position;
      turn();
    },
    end: () => {
      document.removeEventListener("visibilitychange", turn);
      stop?.();
    },
  };
}

function together(locks: LockManager, hear: (word: Word) => void): Share {
  const channel = new BroadcastChannel(name);
  let last: string | null = null;
  let heard = Date.now();
  let yields: (() => void) | null = null; // of the tab that has the stream
  let now: Connection = "connecting";
  let since: number | null = null;
  let waiting = new AbortController();

  const take = (word: Word): void => {
    heard = Date.now();
    if (word.kind === "connection") {
      ({ now, since } = word);
    } else if (word.id !== "") {
      last = word.id;
    }
    hear(word);
  };
  channel.onmessage = ({ data }: MessageEvent<Said>): void => {
    if (data.kind !== "hello") {
      take(data);
    } else if (yields !== null) {
      channel.postMessage({ kind: "connection", now, since } satisfies Said);
    }
  };
  const lead = (position: string): Promise<void> =>
    new Promise((resolve) => {
      const stop = listen(position, (word) => {
        channel.postMessage(word);
        take(word);
      });
      yields = () => {
        yields = null;
        stop();
        resolve();
      };
    });
  /** steal: from a tab that the browser holds up, and which begins to wait anew. */
  const queue = (steal: boolean): void => {
    waiting.abort();
    const mine = (waiting = new AbortController());
    const how: LockOptions = steal ? { steal } : { signal: mine.signal };
    locks
      .request(name, how, () => (mine.signal.aborted ? undefined : lead(last!)))
      .catch(() => {
        if (!mine.signal.aborted) {
          yields?.();
          queue(false);
        }
      });
  };
  const look = window.setInterval(() => {
    if (last !== null && yields === null && !document.hidden && Date.now() - heard > silenceMs) {
      heard = Date.now();
      queue(true);
    }
  }, lookMs);
  return {
    from: (position) => {
      last ??= position;
      heard = Date.now();
      channel.postMessage({ kind: "hello" } satisfies Said);
      queue(false);
    },
    end: () => {
      window.clearInterval(look);
      waiting.abort();
      yields?.();
      channel.close();
    },
  };
}

/** From the call on what the other tabs are told is heard, too. */
export const share = (hear: (word: Word) => void): Share =>
  "locks" in navigator && navigator.locks !== undefined ? together(navigator.locks, hear) : alone(hear);
