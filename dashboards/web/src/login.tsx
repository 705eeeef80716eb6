// SPDX-License-Identifier: Apache-2.0
// Logging in, and out.
import { useEffect, useRef, useState } from "preact/hooks";
import { hrefOf } from "./address";
import { Refusal, logIn, logOut, messageOf } from "./api";
import { Icon, Name } from "./marks";
import { useTitle } from "./page";
import type { Who } from "./session";
import { enter, farewell, leave } from "./session";
import { useStore } from "./store";

function useLogIn() {
  const [trouble, setTrouble] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [wait, setWait] = useState(0); // seconds until the server listens again
  useEffect(() => {
    const timer = wait > 0 ? window.setTimeout(() => setWait(wait - 1), 1_000) : 0;
    return () => window.clearTimeout(timer);
  }, [wait]);
  const send = async (name: string, password: string): Promise<boolean> => {
    setBusy(true);
    setTrouble(null);
    try {
      enter(await logIn(name, password));
      return true;
    } catch (error) {
      setTrouble(messageOf(error));
      setWait(error instanceof Refusal ? (error.retryAfter ?? 0) : 0);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { trouble, busy, wait, send };
}

export function LogInScreen() {
  useTitle("Log in");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const { trouble, busy, wait, send } = useLogIn();
  const said = useStore(farewell);
  const first = useRef<HTMLInputElement>(null);
  const secret = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  return (
    <main class="login">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void send(name, password).then((good) => {
            setPassword("");
            if (!good) {
              secret.current?.focus();
            }
          });
        }}
      >
        <svg viewBox="0 0 32 32" width="44" height="44" aria-hidden="true" class="brand">
          <rect width="32" height="32" rx="9" />
          <path d="M5 16c3-5 7-7.5 11-7.5S24 11 27 16c-3 5-7 7.5-11 7.5S8 21 5 16Z" />
          <circle cx="16" cy="16" r="3.6" />
        </svg>
        <h1>Invigil</h1>
        {said !== "" && (
          <p class="farewell" role="status">
            {said}
          </p>
        )}
        <label>
          Name
          <input
            ref={first}
            name="name"
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
            required
            maxLength={64}
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        <label>
          Password
          <input
            ref={secret}
            name="password"
            type="password"
            autocomplete="current-password"
            required
            maxLength={512}
            value={password}
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="button main" disabled={busy || wait > 0}>
          {wait > 0 ? `Wait ${wait} s` : busy ? "Logging in" : "Log in"}
        </button>
        <p class="said" role="alert">
          {trouble}
        </p>
      </form>
    </main>
  );
}

/** The name, and a way out where there is a session to end. */
export function WhoMark({ who }: { who: Who }) {
  const [trouble, setTrouble] = useState<string | null>(null);
  if (typeof who === "string") {
    return null;
  }
  return (
    <div class="who" title={who.roles.join(", ")}>
      <a href={hrefOf("account")}>
        <Name text={who.name} />
      </a>
      {who.csrf !== null && (
        <button
          type="button"
          class="quiet icon"
          aria-label="Log out"
          title="Log out"
          onClick={() => void logOut().then(leave, (error: unknown) => setTrouble(messageOf(error)))}
        >
          <Icon path="M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9" />
        </button>
      )}
      {trouble !== null && (
        <p class="said" role="alert">
          You are still logged in: <Name text={trouble} />
          <button type="button" class="quiet" onClick={() => setTrouble(null)}>
            Close
          </button>
        </p>
      )}
    </div>
  );
}
