// SPDX-License-Identifier: Apache-2.0
// Letting a run pass that waits, or denying it: what is signed is shown first.
import { useRef, useState } from "preact/hooks";
import type { ExecutionDetail, StatedStep, Statement } from "./api";
import { approve, fetchStatement, messageOf } from "./api";
import { when } from "./format";
import { Name, Written, visible } from "./marks";
import { binds, canSign, keyOf, says, signatureOf } from "./sign";
import { may } from "./session";

interface Draft {
  decision: "approve" | "deny";
  role: string;
  id: string;
  reason: string;
}

const of = (count: number, roles: string[]): string =>
  `${count === 1 ? "one approval" : `${count} approvals`} of ${roles.join(" or ")}`;

/** For who cannot sign here: the same on the monitor's machine. */
function CommandLine({ execution, draft }: { execution: string; draft: Draft }) {
  const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
  const words = [
    `invigil respond ${draft.decision} ${execution} --key FILE`,
    `--id ${draft.id === "" ? "ID" : quoted(draft.id)}`,
    draft.role === "" ? "" : `--role ${quoted(draft.role)}`,
    draft.reason === "" ? "" : `--reason ${quoted(draft.reason)}`,
  ];
  return (
    <details>
      <summary>On the command line</summary>
      <pre tabIndex={0}>
        <Written text={words.filter((word) => word !== "").join(" ")} />
      </pre>
    </details>
  );
}

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}

/** What is signed, and the requests and terms that its `parameters` are the digest of. */
function Stated({ statement, steps }: { statement: string; steps: readonly StatedStep[] }) {
  return (
    <>
      <pre tabIndex={0} aria-label="What is signed">
        <Written text={pretty(statement)} />
      </pre>
      <p class="none">Its parameters are the digest of {steps.length === 1 ? "this request and its terms" : "these requests and their terms, in this order"}:</p>
      <ol class="stated" aria-label="Requests that are signed">
        {steps.map((step, i) => (
          <li key={i}>
            <strong>
              <Name text={step.name} />
            </strong>{" "}
            <code>
              <Name text={step.kind} />
            </code>
            <pre tabIndex={0} aria-label={`Request ${i + 1}`}>
              <Written text={pretty(step.request)} />
            </pre>
            <pre tabIndex={0} aria-label={`Terms ${i + 1}`}>
              <Written text={pretty(step.terms)} />
            </pre>
          </li>
        ))}
      </ol>
    </>
  );
}

function useSigning(execution: string, draft: Draft, done: () => void) {
  const [statement, setStatement] = useState<Statement | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const { decision, role, id, reason } = draft;
  const asks = useRef(0); // the answer to an earlier draft comes too late
  const isDrafted = (text: string): void => {
    if (!says(text, { execution, decision, role, key: id, reason })) {
      throw new Error("the server's statement says something else than what was asked for");
    }
  };
  const ask = async (): Promise<void> => {
    const mine = ++asks.current;
    const stated = fetchStatement(execution, { decision, role, key_id: id, reason }).then(async (answer) => {
      isDrafted(answer.statement);
      if (canSign() && !(await binds(answer.statement, answer.steps))) {
        throw new Error("the server's statement is about other requests than those that it shows");
      }
      return answer;
    });
    const [answer, said] = await stated.then(
      (told) => [told, null] as const,
      (error: unknown) => [null, messageOf(error)] as const,
    );
    if (mine === asks.current) {
      setStatement(answer);
      setTrouble(said);
    }
  };
  const sign = async (file: File): Promise<void> => {
    try {
      const { statement: text, at } = statement!;
      isDrafted(text);
      const signature = await signatureOf(await keyOf(file), text);
      await approve(execution, { decision, role, key: id, at, reason, signature });
      setStatement(null);
      setTrouble(null);
      done();
    } catch (error) {
      setTrouble(messageOf(error));
    }
  };
  const forget = (): void => {
    asks.current++;
    setStatement(null);
  };
  return { statement, trouble, ask, sign, forget };
}

export function Approval({ detail, done }: { detail: ExecutionDetail; done: () => void }) {
  const { waits } = detail;
  const { key } = detail.execution;
  const [draft, setDraft] = useState<Draft>({ decision: "approve", role: waits?.roles[0] ?? "", id: "", reason: "" });
  const [file, setFile] = useState<File | null>(null);
  const { statement, trouble, ask, sign, forget } = useSigning(key, draft, done);
  if (waits === null) {
    return null;
  }
  const missing = waits.needs.filter((need) => need.missing > 0);
  const set = (part: Partial<Draft>): void => {
    forget();
    setDraft({ ...draft, ...part });
  };
  return (
    <section class="approval" aria-labelledby="approval-title">
      <h3 id="approval-title">Waits for approval</h3>
      <p class="none">
        Needs {waits.needs.map((need) => of(need.approvals, need.roles)).join(" and ")}, until {when(waits.until)}
      </p>
      {waits.needs.some((need) => need.missing < need.approvals) && (
        <p class="none">Missing: {missing.map((need) => of(need.missing, need.roles)).join(" and ")}</p>
      )}
      {may("respond") && (
        <form
          class="desk"
          onSubmit={(event) => {
            event.preventDefault();
            void (statement === null ? ask() : file !== null && sign(file));
          }}
        >
          <div class="choices" role="group" aria-label="Decision">
            {(["approve", "deny"] as const).map((decision) => (
              <button
                key={decision}
                type="button"
                class="choice"
                aria-pressed={draft.decision === decision}
                onClick={() => set({ decision })}
              >
                {decision}
              </button>
            ))}
          </div>
          <div class="pair-of-fields">
            <label>
              As
              <select value={draft.role} onChange={(event) => set({ role: event.currentTarget.value })}>
                {waits.roles.map((role) => (
                  <option key={role} value={role}>
                    {visible(role)}
                  </option>
                ))}
              </select>
            </label>
            <label>
              Key's id in the baseline
              <input required maxLength={128} value={draft.id} onInput={(event) => set({ id: event.currentTarget.value })} />
            </label>
          </div>
          <label>
            Why (if any)
            <input maxLength={256} value={draft.reason} onInput={(event) => set({ reason: event.currentTarget.value })} />
          </label>
          {statement !== null && (
            <>
              <Stated {...statement} />
              {canSign() ? (
                <label>
                  Private key (PEM, Ed25519): it stays in this browser
                  <input
                    type="file"
                    required
                    onChange={(event) => setFile(event.currentTarget.files?.[0] ?? null)}
                  />
                </label>
              ) : (
                <p class="none">This browser cannot sign.</p>
              )}
            </>
          )}
          <p class="verbs">
            <button type="submit" class={draft.decision === "deny" ? "button grave" : "button main"} disabled={statement !== null && !canSign()}>
              {statement === null ? "Show what is signed" : `Sign and ${draft.decision}`}
            </button>
          </p>
          {trouble !== null && (
            <p class="said" role="alert">
              {trouble}
            </p>
          )}
          <CommandLine execution={key} draft={draft} />
        </form>
      )}
    </section>
  );
}
