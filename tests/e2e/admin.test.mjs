// The admin API in workerd: who gets in, configuration with versions, what is stored, what a request would do, health.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startWorld } from "../../scripts/world.mjs";
import { openContract } from "./api-contract.mjs";
import { ask, eventually, json, SAMPLE } from "./ask.mjs";
import { ADMIN_TOKEN, openStage, OPERATOR, sampleFor } from "./stage.mjs";

const READ_TOKEN = "the-looker-of-these-tests";
const LOOKER = { authorization: `Bearer ${READ_TOKEN}` };
const SMALL = "width=160&height=90&duration=1s";

/** KV lags by a minute, and isolates look every 15 s. */
const ACTIVE_MS = 90_000;

/** @type {import("./stage.mjs").Stage} */
let stage;
/** @type {Awaited<ReturnType<typeof openContract>>} */
let contract;

before(async () => {
  stage = await openStage({ vars: { ADMIN_READ_TOKEN: READ_TOKEN } });
  contract = await openContract(`${stage.worker}/_resizer`, READ_TOKEN);
});

after(() => stage?.stop());

/**
 * A call, held to what the document promises of it.
 *
 * @param {string} method
 * @param {string} target path and query below the prefix
 * @param {{ headers?: Record<string, string>, body?: unknown }} [options] a body is sent as JSON, a text as it is
 */
async function call(method, target, { headers = OPERATOR, body } = {}) {
  const sent = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
  const type = sent === undefined ? {} : { "content-type": "application/json" };
  const answer = await stage.ask(`/_resizer${target}`, { method, headers: { ...type, ...headers }, body: sent });
  return contract.judge(method, target.split("?")[0], answer);
}

/** @param {string} target @param {Parameters<typeof call>[2]} [options] */
const get = (target, options) => call("GET", target, options);

/** @param {unknown} body @param {string} [query] @param {Record<string, string>} [headers] */
const put = (body, query = "", headers = {}) => call("PUT", `/config${query}`, { body, headers: { ...OPERATOR, ...headers } });

describe("the document", () => {
  test("keeps its own promises in every example", () => {
    assert.ok(contract.examples() >= 25);
  });

  test("names the server that was asked", () => {
    assert.deepEqual(contract.document.servers, [{ url: `${stage.worker}/_resizer` }]);
  });
});

describe("the door", () => {
  test("is not there without a token to have", async () => {
    const world = await startWorld();
    try {
      for (const headers of [{}, OPERATOR]) {
        for (const path of ["/config", "/health", "/nowhere", ""]) {
          const answer = await ask(`${world.worker}/_resizer${path}`, { headers });
          assert.deepEqual([answer.status, json(answer).code], [404, "not-found"]);
        }
      }
    } finally {
      await world.stop();
    }
  });

  test("asks strangers for a token, on every path", async () => {
    for (const [path, methods] of Object.entries(/** @type {Record<string, any>} */ (contract.document.paths))) {
      for (const method of Object.keys(methods)) {
        for (const headers of [{}, { authorization: "Bearer of-nobody-at-all-here" }]) {
          const target = path.replace(/\{[^}]+\}/, "1");
          const answer = await call(method.toUpperCase(), target, { headers });
          assert.equal(answer.status, 401, `${method} ${path}`);
          assert.equal(answer.headers["www-authenticate"], "Bearer");
        }
      }
    }
  });

  test("lets who may look look, and write nothing", async () => {
    assert.equal((await get("/config", { headers: LOOKER })).status, 200);
    assert.equal((await call("PUT", "/config", { headers: LOOKER, body: {} })).status, 403);
    assert.equal((await call("POST", "/config/rollback", { headers: LOOKER, body: { version: 1 } })).status, 403);
    assert.equal((await call("PUT", "/config?dry_run=true", { headers: LOOKER, body: {} })).status, 200);
    const view = await stage.ask(sampleFor("looker", `${SMALL}&debug=view`), { headers: LOOKER });
    assert.equal(view.headers["content-type"], "application/json");
  });

  test("does not read what a stranger sends", async () => {
    // Without an answer before its end, this would be read to its end.
    const answer = await stage.ask("/_resizer/config", { method: "PUT", headers: { "content-type": "application/json" }, body: "x".repeat(1_000_000) });
    assert.equal(answer.status, 401);
  });

  test("refuses what is too long, of another type, or no JSON", async () => {
    assert.equal((await put("x".repeat(300_000))).status, 413);
    assert.equal((await put("{", "", { "content-type": "text/plain" })).status, 415);
    assert.equal((await put("{")).status, 400);
    assert.equal((await stage.ask("/_resizer/config", { method: "DELETE", headers: OPERATOR })).headers.allow, "GET, PUT, HEAD");
    const head = await stage.ask("/_resizer/health", { method: "HEAD", headers: OPERATOR });
    assert.deepEqual([head.status, head.body.length], [200, 0]);
  });
});

describe("the configuration", () => {
  const version = async () => json(await get("/config")).version;

  test("that is put is active at once where it was put, in KV, and a version", async () => {
    const before = await version();
    const answer = await put({ headers: { set: { "X-Release": "first" } } }, "?by=ann&note=a%20release");
    assert.deepEqual(json(answer), { version: before + 1, stored: true, active_within_s: 60 });
    const seen = await stage.ask(sampleFor("release", SMALL));
    assert.equal(seen.headers["x-release"], "first");
    assert.deepEqual(await stage.kv.config.get("worker-config", "json"), { headers: { set: { "X-Release": "first" } } });
    const listed = await get("/config");
    assert.equal(listed.headers.etag, `"${before + 1}"`);
    const [newest] = json(listed).versions;
    assert.deepEqual([newest.version, newest.by, newest.note], [before + 1, "ann", "a release"]);
  });

  test("is what another isolate starts with", async () => {
    await put({ headers: { set: { "X-Release": "second" } } });
    await stage.restart();
    assert.equal((await stage.ask(sampleFor("release", SMALL))).headers["x-release"], "second");
    assert.equal(json(await get("/config")).drift, false);
  });

  test("is compared, and put back", async () => {
    const now = await version();
    const diff = json(await get(`/config/diff?from=${now - 1}`));
    assert.deepEqual(diff, { changes: [{ path: "headers.set.X-Release", from: "first", to: "second" }] });
    const back = await call("POST", "/config/rollback", { body: { version: now - 1, by: "bob" } });
    assert.equal(json(back).version, now + 1);
    assert.equal((await stage.ask(sampleFor("release", SMALL))).headers["x-release"], "first");
    const old = await get(`/config/versions/${now}`);
    assert.deepEqual(json(old), { headers: { set: { "X-Release": "second" } } });
    assert.equal((await get("/config/versions/999")).status, 404);
    assert.equal((await get("/config/diff?from=999")).status, 400);
  });

  test("that is bad is refused with all its errors and changes nothing", async () => {
    const before = await version();
    const bad = { ttl: { ok: -1 }, cache: { enableKVCache: true } };
    for (const query of ["", "?dry_run=true"]) {
      const answer = await put(bad, query);
      assert.equal(answer.status, 422);
      assert.deepEqual(json(answer).errors.map((/** @type {any} */ error) => error.at), ["ttl.ok", "cache.enableKVCache"]);
    }
    assert.equal(await version(), before);
  });

  test("loses none of those who put at once, and KV has the newest", async () => {
    const before = await version();
    const answers = await Promise.all([...Array(8).keys()].map((at) => put({ version: `of-many-${at}` })));
    const numbers = answers.map((answer) => json(answer).version).sort((a, b) => a - b);
    assert.deepEqual(numbers, [...Array(8).keys()].map((at) => before + 1 + at));
    const { active, versions, drift } = json(await get("/config"));
    assert.equal(drift, false);
    const newest = json(await get(`/config/versions/${versions[0].version}`));
    assert.deepEqual(active, newest);
  });

  test("of those who have seen the same, lets one replace it", async () => {
    const etag = (await get("/config")).headers.etag;
    const answers = await Promise.all([...Array(4).keys()].map((at) => put({ version: `one-${at}` }, "", { "if-match": etag })));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 412, 412, 412]);
  });

  test("that was put by hand is noticed, and kept as a version before it is replaced", async () => {
    const before = await version();
    await stage.kv.config.put("worker-config", JSON.stringify({ version: "by-hand" }));
    const seen = await eventually(async () => {
      const answer = await get("/config");
      return json(answer).drift && answer;
    }, "the drift is seen", ACTIVE_MS);
    assert.deepEqual(json(seen).active, { version: "by-hand" });
    assert.equal((await put({}, "", { "if-match": `"${before}"` })).status, 412);
    assert.equal(json(await put({}, "", { "if-match": seen.headers.etag })).version, before + 2);
    assert.deepEqual(json(await get(`/config/versions/${before + 1}`)), { version: "by-hand" });
  });
});

describe("what is stored", () => {
  const source = sampleFor("stored").slice(1);
  const TAG = "tag-of-many";

  before(async () => {
    // Entries as the worker writes them, made of one that it has written.
    await stage.warm(sampleFor("stored", SMALL));
    const [{ name, metadata }] = (await stage.kv.cache.list({ prefix: `video:${source}` })).keys;
    for (let width = 100; width < 135; width += 1) {
      const options = `w=${width}:f=mp4`;
      const copy = { ...metadata, r: options, t: [TAG] };
      await stage.kv.cache.put(`video:${source}:${options}`, "x".repeat(10), { metadata: { ...copy, n: 10 } });
    }
    await stage.kv.cache.put(`video:${source}:w=999`, "nobody's", { metadata: { nothing: "of ours" } });
    await stage.kv.cache.put(`video:${source}.mp4:w=100`, "another's", { metadata });
    assert.ok(name.startsWith("video:"));
  });

  test("is listed page by page, each entry once, with what cannot be read", async () => {
    const keys = [];
    let cursor = "";
    let pages = 0;
    do {
      const page = json(await get(`/variants?source=${source}&limit=10${cursor && `&cursor=${cursor}`}`, { headers: LOOKER }));
      assert.ok(page.variants.length <= 10);
      keys.push(...page.variants);
      cursor = page.cursor ?? "";
      pages += 1;
    } while (cursor);
    assert.ok(pages >= 4);
    assert.equal(new Set(keys.map(({ key }) => key)).size, 37);
    assert.equal(keys.length, 37);
    assert.equal(keys.filter(({ state }) => state === "unreadable").length, 1);
    assert.equal(keys.filter(({ tags }) => tags?.includes(TAG)).length, 35);
    assert.ok(keys.every((variant) => variant.source === source));
    assert.equal((await get("/variants?cursor=nonsense")).status, 400);
  });
});

describe("what a request would do", () => {
  test("is told, and nothing is done", async () => {
    const target = sampleFor("explained", SMALL);
    const explain = async () => json(await get(`/explain?url=${encodeURIComponent(target)}`, { headers: LOOKER }));
    await stage.origin.forget();
    const cold = await explain();
    assert.deepEqual([cold.decision, cold.tiers.edge.state, cold.tiers.kv.state, cold.next], ["render", "absent", "absent", "fill through the gate"]);
    assert.deepEqual(await stage.origin.journal(), [], "the origin was asked");
    assert.deepEqual(await stage.kept(target), { edge: false, kv: false });
    const made = await stage.warm(target);
    assert.equal(made.headers["x-cache-key"], cold.rendition.kv_key);
    const warm = await explain();
    assert.deepEqual([warm.tiers.edge.state, warm.tiers.kv.state, warm.next], ["fresh", "fresh", "edge hit"]);
    assert.ok(made.headers.etag.includes(warm.tiers.edge.generation.slice(0, 8)));
    await stage.clearEdge();
    assert.equal((await explain()).next, "kv hit, copy to the edge");
  });

  test("is told of requests that are no rendition", async () => {
    for (const [url, decision] of [[`${SAMPLE}?width=5`, "refused"], ["/page.html", "pass-through"], ["/_resizer/config", "admin"]]) {
      assert.equal(json(await get(`/explain?url=${encodeURIComponent(url)}`)).decision, decision);
    }
    assert.equal((await get("/explain")).status, 400);
    const hinted = json(await get(`/explain?url=${SAMPLE}&header=Sec-CH-Viewport-Width:400&header=X-Other:1`));
    assert.deepEqual([hinted.rendition.sizing.from, hinted.ignored_headers], ["bucket", ["x-other"]]);
  });
});

describe("health", () => {
  test("is good here, and tells no secret", async () => {
    const answer = await get("/health", { headers: LOOKER });
    assert.equal(answer.status, 200, answer.body.toString());
    const { healthy, checks } = json(answer);
    assert.deepEqual([healthy, checks.kv.answers, checks.gate.bound, checks.config_book.bound], [true, true, true, true]);
    assert.deepEqual(checks.secrets.set, { ADMIN_TOKEN: true, ADMIN_READ_TOKEN: true, SOURCE_RELAY_KEY: false });
    for (const token of [ADMIN_TOKEN, READ_TOKEN]) assert.ok(!answer.body.includes(token));
  });
});

describe("no answer", () => {
  test("is kept by any tier", async () => {
    const names = async () => (await stage.kv.cache.list({})).keys.map((/** @type {any} */ key) => key.name);
    const before = await names();
    const first = await get("/health");
    const second = await get("/health");
    assert.notEqual(first.headers["x-request-id"], second.headers["x-request-id"]);
    assert.deepEqual(await names(), before);
    assert.ok(before.every((/** @type {string} */ name) => !name.includes("_resizer")));
    assert.equal(second.headers.age, undefined);
    assert.equal(second.headers["cf-cache-status"], undefined);
  });

  test("is one that the document does not promise, and every call that is served was judged", () => {
    const served = ["readConfig", "putConfig", "readConfigVersion", "diffConfig", "rollBackConfig", "listVariants", "explain", "readHealth"];
    for (const name of served) assert.ok(contract.seen.has(`${name} 200`), `${name} was never seen to work`);
  });
});
