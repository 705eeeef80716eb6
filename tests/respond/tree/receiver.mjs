// SPDX-License-Identifier: Apache-2.0
// A receiver of security events (RFC 8935) that takes nothing on trust: jose verifies the signature, the rest is checked
// claim by claim. First it says where it is, then it answers lines:
//   refuse CODE   the next event is refused with this code, or status
//   events        what was taken: header and claims of each, as JSON
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { importSPKI, jwtVerify } from "jose";

const [, , file] = process.argv;
const pem = await readFile(file, "utf8");
const algorithm = pem.length > 300 ? "RS256" : "ES256"; // by its size: a key of RSA is longer than one of P-256
const key = await importSPKI(pem, algorithm);
const taken = [];
let refusal = null;

async function body(request) {
  const chunks = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function fail(code, description) {
  throw Object.assign(new Error(description), { code });
}

async function take(request) {
  if (request.method !== "POST" || request.headers["content-type"] !== "application/secevent+jwt") {
    fail("invalid_request", "no security event");
  }
  if (request.headers.accept !== "application/json") {
    fail("invalid_request", "errors would be JSON");
  }
  const { payload, protectedHeader } = await jwtVerify(await body(request), key, {
    algorithms: [algorithm],
    typ: "secevent+jwt",
    issuer: "https://invigil.internal/",
    audience: "https://idp.internal/",
    requiredClaims: ["iat", "jti", "events", "sub_id"],
    currentDate: new Date("2026-01-01T00:00:04Z"),
  });
  if ("sub" in payload || "exp" in payload || Object.keys(payload.events).length !== 1) {
    fail("invalid_request", "RFC 8417 and SSF: sub_id, one event, no sub and no exp");
  }
  taken.push({ header: protectedHeader, claims: payload });
}

const server = createServer(async (request, response) => {
  if (refusal !== null && /^\d+$/.test(refusal)) {
    response.writeHead(Number(refusal)).end();
    refusal = null;
    return;
  }
  try {
    await take(request);
    if (refusal !== null) {
      fail(refusal, "as asked for");
    }
    response.writeHead(202).end();
  } catch (error) {
    refusal = null;
    response.writeHead(400, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ err: /^[a-z_]+$/.test(error.code) ? error.code : "invalid_request", description: error.message }));
  }
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
console.log(`http://127.0.0.1:${server.address().port}`);
for await (const line of createInterface({ input: process.stdin })) {
  const [command, argument] = line.split(" ");
  if (command === "refuse") {
    refusal = argument;
  }
  console.log(command === "events" ? JSON.stringify(taken) : "");
}
process.exit(0);
