// The operator's API as a stub: it speaks the words of the contract, and is late, rude or gone when it is told so.

import { once } from "node:events";
import { createServer } from "node:http";

/** Long enough to count as a token; no output may ever have it. */
export const TOKEN = "token-of-an-operator-7c1f";

/**
 * @typedef {object} Said
 * @property {number} [status] 200 by default
 * @property {unknown} [json]
 * @property {string} [text] instead of `json`
 * @property {Record<string, string>} [headers]
 * @property {number} [afterMs]
 * @property {"unread" | "half"} [drop] the connection is cut: without an answer, or in the middle of one
 */

/** @typedef {{ method: string, path: string, query: [string, string][], headers: Record<string, any>, body: string, atMs: number }} Asked */

/** Starts it on a free port; answers are ordered with `say`, and what was asked is in `asked`. */
export async function startApi() {
  /** @type {Map<string, Said[]>} */
  const said = new Map();
  /** @type {Asked[]} */
  const asked = [];

  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const url = new URL(request.url ?? "/", "http://stub");
    const { method = "", headers } = request;
    const path = url.pathname.replace(/^\/_resizer/, "");
    asked.push({
      method,
      path,
      query: [...url.searchParams],
      headers,
      body: Buffer.concat(chunks).toString(),
      atMs: performance.now(),
    });
    const answers = said.get(`${method} ${path}`) ?? [
      { status: 404, json: problem(404, "not-found", "nothing is served at this path") },
    ];
    // The last answer stays.
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    await new Promise((resolve) => setTimeout(resolve, answer?.afterMs ?? 0).unref());
    const { status = 200, json, text, headers: more = {}, drop } = /** @type {Said} */ (answer);
    if (drop === "unread") return void request.socket.destroy();
    const body = text ?? JSON.stringify(json);
    const type = status >= 400 ? "application/problem+json" : "application/json";
    response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body), ...more });
    if (drop === "half") {
      response.write(body.slice(0, body.length / 2), () => request.socket.destroy());
      return;
    }
    response.end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());

  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    /** @param {string} call `GET /health` @param {Said[]} answers one after the other */
    say: (call, ...answers) => void said.set(call, answers),
    /** @param {string} call @returns {Asked[]} */
    askedFor: (call) => asked.filter(({ method, path }) => `${method} ${path}` === call),
    forget: () => {
      said.clear();
      asked.length = 0;
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/**
 * @param {number} status
 * @param {string} code
 * @param {string} detail
 * @param {{ at: string, detail: string }[]} [errors]
 */
export const problem = (status, code, detail, errors) => ({
  type: `tag:video-resizer,2026:${code}`,
  title: `Title of ${code}`,
  status,
  detail,
  code,
  request_id: "r1",
  ...(errors ? { errors } : {}),
});

/** A receipt; what is pending is told by `complete`. @param {string} id */
export const receipt = (id, complete = true) => ({
  id,
  number: Number(id.slice(1)),
  at: "2026-11-23T10:00:00Z",
  by: "ann",
  note: "late\u001b[2J",
  via: "api",
  mode: "hard",
  targets: { tags: ["campaign-7"], paths: ["/clips/a.mp4"], prefixes: [], urls: [], hosts: [], everything: false },
  tiers: {
    ledger: { state: "done", at: "2026-11-23T10:00:00Z" },
    isolates: { state: complete ? "done" : "pending", heard_everywhere_by: "2026-11-23T10:01:30Z" },
    zone: {
      state: complete ? "done" : "failing",
      requests: 2,
      done: complete ? 2 : 1,
      last_error: complete ? null : "429",
    },
    transformation: { state: "done", version: "17" },
    deletion: { state: complete ? "done" : "pending", deleted: 12 },
  },
  complete,
  complete_at: complete ? "2026-11-23T10:02:00Z" : null,
});

/** @param {string} key */
export const variant = (key) => ({
  key,
  source: "clips/a.mp4",
  state: "fresh",
  status: 200,
  reason: null,
  bytes: 1_234_567,
  created: "2026-11-23T10:00:00Z",
  fresh_until: "2026-11-24T10:00:00Z",
});

/** @param {number} version @param {unknown} active */
export const stored = (version, active) => ({
  active,
  version,
  effective_name: "prod",
  versions: [{ version, at: "2026-11-23T10:00:00Z", by: "ann", note: "", bytes: 120 }],
});

/** @param {string} id @param {number} done @param {number} failed @param {number} total */
export const job = (id, done, failed, total) => ({
  id,
  at: "2026-11-23T10:00:00Z",
  by: "ann",
  total,
  done,
  failed,
  state: done + failed < total ? "running" : "finished",
  items: [
    { url: "/clips/a.mp4?width=640", state: failed > 0 ? "failed" : "made", detail: failed > 0 ? "no source" : null },
  ],
});
