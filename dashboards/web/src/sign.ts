// SPDX-License-Identifier: Apache-2.0
// Signing what the server says is to be signed, with a key that never leaves the browser.
import type { StatedStep } from "./model";

const pem = /-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----/;

export const canSign = (): boolean => typeof crypto === "object" && typeof crypto.subtle === "object";

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64.replace(/\s/g, ""));
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** A PKCS #8 key as `openssl genpkey -algorithm ed25519` writes it. */
export async function keyOf(file: File): Promise<CryptoKey> {
  const found = file.size > 4096 ? null : pem.exec(await file.text());
  if (found?.[1] === undefined) {
    throw new Error(`${file.name} is no PEM file with an unencrypted private key`);
  }
  try {
    return await crypto.subtle.importKey("pkcs8", bytesOf(found[1]), { name: "Ed25519" }, false, ["sign"]);
  } catch (error) {
    const cannot = error instanceof DOMException && error.name === "NotSupportedError";
    throw new Error(cannot ? "this browser cannot sign with Ed25519" : `${file.name} has no Ed25519 key`);
  }
}

export async function signatureOf(key: CryptoKey, statement: string): Promise<string> {
  const bytes = await crypto.subtle.sign({ name: "Ed25519" }, key, new TextEncoder().encode(statement));
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}

/** In its canonical form, and saying what was asked for: else it is not what is read here, and is not signed. */
export function says(statement: string, asked: Record<string, string>): boolean {
  const said: unknown = JSON.parse(statement);
  return (
    typeof said === "object" &&
    said !== null &&
    JSON.stringify(said) === statement &&
    Object.entries(asked).every(([name, value]) => ((said as Record<string, unknown>)[name] ?? "") === value)
  );
}

/** Whether these are the requests, and the terms, that the statement binds the decision to. */
export async function binds(statement: string, steps: readonly StatedStep[]): Promise<boolean> {
  const text = steps.map(({ name, kind, request, terms }) => `${name}\0${kind}\0${request}\0${terms}\0`).join("");
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  const hex = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return (JSON.parse(statement) as { parameters?: string }).parameters === hex;
}
