// SPDX-License-Identifier: Apache-2.0
// The screen of who may use the console: users, and the tokens of programs.
import type { ComponentChildren } from "preact";
import { useCallback, useRef, useState } from "preact/hooks";
import type { Place } from "./address";
import { hrefOf } from "./address";
import type { MadeToken, Token, User } from "./api";
import { addUser, fetchTokens, fetchUsers, makeToken, removeUser, revokeToken, setPassword, setRoles } from "./api";
import { Dialog } from "./dialog";
import { date, plural } from "./format";
import { Empty, Name, visible } from "./marks";
import { useKeptFocus, useTitle } from "./page";
import { who } from "./session";
import { Lacking, useAsked } from "./trouble";

const roles = [
  ["viewer", "sees what was found and how the monitor is"],
  ["analyst", "decides what becomes of a finding"],
  ["responder", "approves, denies, undoes and pauses actions"],
  ["auditor", "reads the record of who changed what"],
  ["admin", "may do all of it, and says who else may"],
] as const;

const lives = [
  ["1d", "1 day"],
  ["7d", "7 days"],
  ["30d", "30 days"],
  ["90d", "90 days"],
  ["366d", "a year"],
] as const;

/** The server has the rules, and says so where they are broken all the same. */
const name = { maxLength: 64, required: true, autocomplete: "off", autocapitalize: "none", spellcheck: false } as const;

function Roles({ value, set }: { value: readonly string[]; set: (roles: string[]) => void }) {
  return (
    <fieldset class="roles">
      <legend>Roles</legend>
      {roles.map(([role, meaning]) => (
        <label key={role}>
          <input
            type="checkbox"
            checked={value.includes(role)}
            onChange={(event) =>
              set(roles.map(([other]) => other).filter((other) => (other === role ? event.currentTarget.checked : value.includes(other))))
            }
          />
          <span>
            <strong>{role}</strong> {meaning}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function Secret(props: { label: string; value: string; set: (value: string) => void; children: string }) {
  return (
    <div>
      <label>
        {props.label}
        <input
          type="password"
          minLength={12}
          maxLength={256}
          required
          autocomplete="new-password"
          aria-describedby="secret-hint"
          value={props.value}
          onInput={(event) => props.set(event.currentTarget.value)}
        />
      </label>
      <small id="secret-hint">{props.children}</small>
    </div>
  );
}

const RoleMarks = ({ value, narrow }: { value: readonly string[]; narrow?: boolean }) => (
  <span class={narrow === true ? "role-marks narrow-only" : "role-marks"}>
    {value.map((role) => (
      <span key={role} class={role === "admin" ? "mark role admin" : "mark role"}>
        <Name text={role} />
      </span>
    ))}
  </span>
);

type Asking = { what: "add" } | { what: "roles" | "password" | "remove"; user: User } | { what: "make" } | { what: "revoke"; token: Token };

interface Asked {
  close: () => void;
  done: () => void;
}

function AddUser({ close, done }: Asked) {
  const [draft, set] = useState({ name: "", password: "", roles: ["viewer"] });
  const send = (): Promise<void> => addUser(draft).then(done);
  return (
    <Dialog title="Add a user" verb="Add" close={close} send={send}>
      <label>
        Name
        <input {...name} value={draft.name} onInput={(event) => set({ ...draft, name: event.currentTarget.value })} />
      </label>
      <Secret label="Password" value={draft.password} set={(password) => set({ ...draft, password })}>
        At least 12 characters. Who is added can set another one.
      </Secret>
      <Roles value={draft.roles} set={(chosen) => set({ ...draft, roles: chosen })} />
    </Dialog>
  );
}

function ChangeRoles({ user, close, done }: Asked & { user: User }) {
  const [chosen, set] = useState<string[]>(user.roles);
  return (
    <Dialog title={`Roles of ${visible(user.name)}`} verb="Set" close={close} send={() => setRoles(user.name, chosen).then(done)}>
      <Roles value={chosen} set={set} />
      <p class="none">
        They count from the next request on. Who is no admin any more loses the tokens that were made under the name.
      </p>
    </Dialog>
  );
}

function ChangePassword({ user, close, done }: Asked & { user: User }) {
  const [password, set] = useState("");
  return (
    <Dialog title={`Password of ${visible(user.name)}`} verb="Set" close={close} send={() => setPassword(user.name, password).then(done)}>
      <Secret label="New password" value={password} set={set}>
        At least 12 characters. It ends the user's sessions.
      </Secret>
    </Dialog>
  );
}

function Copy({ text }: { text: string }) {
  const [said, say] = useState("Copy");
  return (
    <button
      type="button"
      class="button"
      onClick={() => void navigator.clipboard.writeText(text).then(() => say("Copied"), () => say("Select it, and copy it by hand"))}
    >
      {said}
    </button>
  );
}

/** What is shown of a new token: nobody has its secret but who looks at this. */
function Made({ token, close }: { token: MadeToken; close: () => void }) {
  const shown = useRef<HTMLElement>(null);
  return (
    <Dialog title={`The token ${visible(token.name)}`} verb="I have it" only close={close} send={() => Promise.resolve()}>
      <p>It is shown this once: only its hash is kept. It is good until {date(token.expires)}.</p>
      <p class="secret">
        <code ref={shown} tabIndex={0} aria-label="The token" onFocus={() => shown.current && getSelection()?.selectAllChildren(shown.current)}>
          {token.token}
        </code>
        <Copy text={token.token} />
      </p>
    </Dialog>
  );
}

function MakeToken({ close, done }: Asked) {
  const [draft, set] = useState({ name: "", roles: ["viewer"], expires: "90d" });
  const [made, setMade] = useState<MadeToken | null>(null);
  if (made !== null) {
    return <Made key="made" token={made} close={close} />;
  }
  const send = async (): Promise<"stays"> => {
    setMade(await makeToken(draft));
    done();
    return "stays";
  };
  return (
    <Dialog key="make" title="Make a token" verb="Make" close={close} send={send}>
      <label>
        For what
        <input {...name} placeholder="prometheus" value={draft.name} onInput={(event) => set({ ...draft, name: event.currentTarget.value })} />
      </label>
      <label>
        Good for
        <select value={draft.expires} onChange={(event) => set({ ...draft, expires: event.currentTarget.value })}>
          {lives.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      </label>
      <Roles value={draft.roles} set={(chosen) => set({ ...draft, roles: chosen })} />
    </Dialog>
  );
}

function Question({ asking, close, done }: Asked & { asking: Asking }) {
  switch (asking.what) {
    case "add":
      return <AddUser close={close} done={done} />;
    case "roles":
      return <ChangeRoles user={asking.user} close={close} done={done} />;
    case "password":
      return <ChangePassword user={asking.user} close={close} done={done} />;
    case "remove":
      return (
        <Dialog title={`Remove ${visible(asking.user.name)}?`} verb="Remove" grave close={close} send={() => removeUser(asking.user.name).then(done)}>
          <p>Sessions end at once, and so do the tokens that were made under this name.</p>
        </Dialog>
      );
    case "make":
      return <MakeToken close={close} done={done} />;
    case "revoke":
      return (
        <Dialog title={`Revoke ${visible(asking.token.name)}?`} verb="Revoke" grave close={close} send={() => revokeToken(asking.token.id).then(done)}>
          <p>What uses it is refused from its next request on. Tokens that were made with it end too.</p>
        </Dialog>
      );
  }
}

function UserRow({ user, ask }: { user: User; ask: (asking: Asking) => void }) {
  const me = who.get();
  const mine = typeof me === "object" && me.name === user.name;
  return (
    <tr>
      <td>
        <strong>
          <Name text={user.name} />
        </strong>{" "}
        {mine && <small>you</small>}
        <RoleMarks value={user.roles} narrow />
      </td>
      <td class="wide-only">
        <RoleMarks value={user.roles} />
      </td>
      <td class="wide-only">
        <time dateTime={user.created}>{date(user.created)}</time>
      </td>
      <td class="wide-only">
        <time dateTime={user.changed}>{date(user.changed)}</time>
      </td>
      <td class="number">
        {mine ? (
          <a class="quiet" href={hrefOf("account")}>
            Your own
          </a>
        ) : (
          (["roles", "password", "remove"] as const).map((what) => (
            <button key={what} type="button" class="quiet" aria-label={`${what} of ${visible(user.name)}`} onClick={() => ask({ what, user })}>
              {what}
            </button>
          ))
        )}
      </td>
    </tr>
  );
}

function TokenRow({ token, ask }: { token: Token; ask: (asking: Asking) => void }) {
  const days = Math.ceil((Date.parse(token.expires) - Date.now()) / 86_400_000);
  return (
    <tr>
      <td>
        <strong>
          <Name text={token.name} />
        </strong>
        <small class="subject">
          <code>{token.id}</code>
        </small>
        <RoleMarks value={token.roles} narrow />
      </td>
      <td class="wide-only">
        <RoleMarks value={token.roles} />
      </td>
      <td class="wide-only">
        <Name text={token.creator} />
      </td>
      <td class="wide-only">
        <time dateTime={token.created}>{date(token.created)}</time>
      </td>
      <td>
        <time dateTime={token.expires}>{date(token.expires)}</time>
        <small class={days <= 7 ? "subject soon" : "subject"}>{days <= 0 ? "over" : `in ${plural(days, "day")}`}</small>
      </td>
      <td class="number">
        <button type="button" class="quiet" aria-label={`revoke ${visible(token.name)}`} onClick={() => ask({ what: "revoke", token })}>
          revoke
        </button>
      </td>
    </tr>
  );
}

function Table({ head, wide, children }: { head: readonly string[]; wide: readonly string[]; children: ComponentChildren }) {
  return (
    <table class="grid access">
      <thead>
        <tr>
          {head.map((title) => (
            <th key={title} scope="col" class={wide.includes(title) ? "wide-only" : undefined}>
              {title}
            </th>
          ))}
          <th scope="col">
            <span class="visually-hidden">To do</span>
          </th>
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  );
}

const fetchBoth = async (): Promise<{ users: User[]; tokens: Token[] }> => {
  const [users, tokens] = await Promise.all([fetchUsers(), fetchTokens()]);
  return { users, tokens };
};

export function AccessScreen({ place }: { place: Place }) {
  const section = useRef<HTMLElement>(null);
  useKeptFocus(section, ".found-head .button"); // what one was asked about may be gone with its row
  const tokens = place.rest[0] === "tokens";
  useTitle(tokens ? "Tokens" : "Users");
  const { value, trouble, again } = useAsked(useCallback(fetchBoth, []), 30_000);
  const [asking, ask] = useState<Asking | null>(null);
  const switchTo = (here: boolean, href: string, text: string, n: number | undefined) => (
    <a class="choice" href={href} aria-current={here ? "page" : undefined}>
      {text}
      {n !== undefined && <span class="dim"> {n}</span>}
    </a>
  );
  return (
    <section class="found" aria-labelledby="access-title" ref={section}>
      <div class="found-head">
        <h2 id="access-title">Access</h2>
        <nav class="choices" aria-label="Of whom">
          {switchTo(!tokens, hrefOf("access"), "Users", value?.users.length)}
          {switchTo(tokens, hrefOf("access", ["tokens"]), "Tokens", value?.tokens.length)}
        </nav>
        <button type="button" class="button main end" onClick={() => ask({ what: tokens ? "make" : "add" })}>
          {tokens ? "Make a token" : "Add a user"}
        </button>
      </div>
      <div class="scroller" role="group" aria-labelledby="access-title" tabIndex={0}>
        <Lacking value={value} trouble={trouble} what="users and tokens" />
        {value !== null && !tokens && value.users.length === 0 && (
          <Empty title="There is no user yet">Who is here came with the configured token, a certificate, or to a demo.</Empty>
        )}
        {value !== null && !tokens && value.users.length > 0 && (
          <Table head={["Name", "Roles", "Added", "Password set"]} wide={["Roles", "Added", "Password set"]}>
            {value.users.map((user) => (
              <UserRow key={user.name} user={user} ask={ask} />
            ))}
          </Table>
        )}
        {value !== null && tokens && value.tokens.length === 0 && (
          <Empty title="There is no token yet">A program, such as Prometheus, is known by one.</Empty>
        )}
        {value !== null && tokens && value.tokens.length > 0 && (
          <Table head={["For what", "Roles", "Made by", "Made", "Good until"]} wide={["Roles", "Made by", "Made"]}>
            {value.tokens.map((token) => (
              <TokenRow key={token.id} token={token} ask={ask} />
            ))}
          </Table>
        )}
      </div>
      {asking !== null && <Question asking={asking} close={() => ask(null)} done={again} />}
    </section>
  );
}
