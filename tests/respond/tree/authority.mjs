// SPDX-License-Identifier: Apache-2.0
// A real authorization server, oidc-provider. First it says where it is, then it answers lines:
//   issue SUBJECT [CLIENT]   a new opaque access token of the subject, under a grant of its own
//   alive TOKEN              what introspection (RFC 7662) says: true or false
//   unwell N                 the next N revocations are answered with 503, Retry-After: 7
//   seen                     how many requests for revocation came, by how their client was authenticated
// oidc-provider has no global revocation: the endpoint below is ours, on the provider's own models.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import Provider from "oidc-provider";

console.info = console.warn = () => {}; // its advice about production is not for the lines below
const [, , secret] = process.argv;
const grants = new Map();
const seen = { client_secret_basic: 0, client_secret_post: 0 };
let unwell = 0;

const server = createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;
const registered = (id, method) => ({
  client_id: id,
  client_secret: secret,
  token_endpoint_auth_method: method,
  grant_types: ["client_credentials"],
  redirect_uris: [],
  response_types: [],
});
const provider = new Provider(issuer, {
  clients: [registered("invigil", "client_secret_basic"), registered("invigil-form", "client_secret_post")],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true, allowedPolicy: () => true },
  },
  cookies: { keys: ["only for trials"] },
});

async function body(request) {
  const chunks = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Global Token Revocation, draft -06: 204 where it has begun, 404 for a subject that is not known. */
async function revokeAll(request, response) {
  const answer = (status) => response.writeHead(status).end();
  if (request.headers.authorization !== `Bearer ${secret}`) {
    return answer(401);
  }
  const { sub_id: subject, ...rest } = JSON.parse(await body(request));
  if (Object.keys(rest).length > 0 || subject?.format !== "iss_sub" || subject.iss !== issuer) {
    return answer(400);
  }
  if (!grants.has(subject.sub)) {
    return answer(404);
  }
  for (const id of grants.get(subject.sub)) {
    await provider.AccessToken.revokeByGrantId(id);
    await provider.Grant.adapter.destroy(id);
  }
  return answer(204);
}

const callback = provider.callback();
provider.on("revocation.error", (ctx, error) => process.stderr.write(`${error.error}: ${error.error_description}\n`));
server.on("request", async (request, response) => {
  const revocation = request.url === "/token/revocation";
  if (revocation && unwell > 0) {
    unwell -= 1;
    return response.writeHead(503, { "Retry-After": "7" }).end();
  }
  if (revocation) {
    seen[request.headers.authorization ? "client_secret_basic" : "client_secret_post"] += 1;
  }
  return request.url === "/global-token-revocation" ? revokeAll(request, response) : callback(request, response);
});

const commands = {
  async issue(subject, clientId = "invigil") {
    const grant = new provider.Grant({ accountId: subject, clientId });
    const grantId = await grant.save();
    grants.set(subject, [...(grants.get(subject) ?? []), grantId]);
    const client = await provider.Client.find(clientId);
    return new provider.AccessToken({ accountId: subject, client, grantId, gty: "password" }).save();
  },
  async alive(token) {
    const headers = { Authorization: `Basic ${btoa(`invigil:${secret}`)}` };
    const answer = await fetch(`${issuer}/token/introspection`, {
      method: "POST",
      headers,
      body: new URLSearchParams({ token }),
    });
    return (await answer.json()).active;
  },
  unwell(n) {
    unwell = Number(n);
    return n;
  },
  seen: () => JSON.stringify(seen),
};

console.log(issuer);
for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...words] = line.split(" ");
  console.log(await commands[command](...words));
}
process.exit(0);
