// SPDX-License-Identifier: Apache-2.0
// Who one is here, what one may, and one's own password.
import { useState } from "preact/hooks";
import { Refusal, messageOf, setOwnPassword } from "./api";
import { date } from "./format";
import { useTitle } from "./page";
import type { Who } from "./session";
import { farewell, leave, who as whoNow } from "./session";
import { useStore } from "./store";

const known: Record<string, string> = {
  session: "a log-in",
  token: "a token",
  certificate: "a client certificate",
  demo: "being on the demo's machine",
};

function PasswordForm() {
  const [present, setPresent] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [trouble, setTrouble] = useState<string | null>(null);
  const send = async (): Promise<void> => {
    if (password !== again) {
      setTrouble("The two new ones are not the same");
      return;
    }
    try {
      await setOwnPassword(present, password);
      farewell.set("The password is set. Log in with it.");
      leave();
    } catch (error) {
      const wait = error instanceof Refusal && error.retryAfter !== null ? ` (in ${error.retryAfter} s)` : "";
      setTrouble(`${messageOf(error)}${wait}`);
    }
  };
  const field = (label: string, value: string, set: (value: string) => void, fresh: boolean) => (
    <label>
      {label}
      <input
        type="password"
        required
        minLength={fresh ? 12 : 1}
        maxLength={256}
        autocomplete={fresh ? "new-password" : "current-password"}
        value={value}
        onInput={(event) => set(event.currentTarget.value)}
      />
    </label>
  );
  return (
    <form
      class="own-password"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <h3>Your password</h3>
      {field("Present password", present, setPresent, false)}
      {field("New password", password, setPassword, true)}
      {field("New password, again", again, setAgain, true)}
      <small>At least 12 characters. All your sessions end, this one too.</small>
      {trouble !== null && (
        <p class="said" role="alert">
          {trouble}
        </p>
      )}
      <button type="submit" class="button main">
        Set
      </button>
    </form>
  );
}

export function AccountScreen() {
  useTitle("Your account");
  const who: Who = useStore(whoNow);
  return (
    <section class="found account" aria-labelledby="account-title">
      <div class="found-head">
        <h2 id="account-title">{typeof who === "string" ? "Nobody in particular" : who.name}</h2>
      </div>
      {typeof who !== "string" && (
        <div class="scroller" role="group" aria-labelledby="account-title" tabIndex={0}>
          <dl class="pairs">
            <dt>Roles</dt>
            <dd>{who.roles.join(", ")}</dd>
            <dt>May</dt>
            <dd>{who.permissions.join(", ")}</dd>
            <dt>Known by</dt>
            <dd>{known[who.via] ?? who.via}</dd>
            {who.expires !== null && (
              <>
                <dt>Until</dt>
                <dd>{date(who.expires, true)}</dd>
              </>
            )}
          </dl>
          {who.via === "session" && who.name !== "token" && <PasswordForm />}
        </div>
      )}
    </section>
  );
}
