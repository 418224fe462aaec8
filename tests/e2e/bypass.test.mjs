// Ways around the caches: what each does to each tier, and who may take it. An open one spends somebody's money.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually, sha256, tierOf, tiers } from "./ask.mjs";
import { openStage, OPERATOR, sampleFor } from "./stage.mjs";

/** Small and short: ffmpeg makes it once for all of them. */
const QUERY = "width=160&height=90&duration=1s";

/** @type {import("./stage.mjs").Stage} */
let stage;

before(async () => {
  stage = await openStage();
});

after(() => stage?.stop());

/**
 * A way: what is added to the query and the headers of a request.
 *
 * @typedef {{ query?: string, headers?: Record<string, string> }} Way
 */

/** @type {Record<string, Way[]>} */
const WAYS = {
  refresh: [
    { query: "nocache" },
    { query: "nocache=1" },
    { headers: { "x-bypass-cache": "refresh" } },
    { headers: { "cache-control": "no-cache" } },
    { headers: { "cache-control": "max-age=0" } },
  ],
  around: [{ query: "bypass=true" }, { headers: { "x-bypass-cache": "around" } }, { headers: { "cache-control": "no-store" } }],
  "around-kv": [{ query: "no-kv-cache" }, { headers: { "x-bypass-cache": "around-kv" } }],
  "around-edge": [{ query: "no-edge-cache" }, { headers: { "X-Bypass-Cache": " Around-Edge " } }],
};

/** @param {Way} way */
const named = ({ query, headers }) => (query ? `?${query}` : Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value.trim()}`)[0]);

/** Every way with its action and a target of its own. */
const EACH = Object.entries(WAYS).flatMap(([action, ways]) =>
  ways.map((way, at) => ({ action, way, target: sampleFor(`${action}-${at}`, QUERY) })),
);

/** @param {string} target @param {Way} way @param {Record<string, string>} [more] */
const take = (target, { query, headers }, more = {}) =>
  stage.ask(query ? `${target}&${query}` : target, { headers: { ...headers, ...more } });

/** The tag of the entry in each tier; a tier that has none has none. @param {string} target */
async function entries(target) {
  const look = async (/** @type {"edge" | "kv"} */ tier) => {
    const action = tier === "edge" ? "around-kv" : "around-edge";
    const answer = await stage.ask(target, { method: "HEAD", headers: { ...OPERATOR, "x-bypass-cache": action } });
    return tierOf(answer) === tier ? answer.headers.etag : undefined;
  };
  return { edge: await look("edge"), kv: await look("kv") };
}

describe("the operator's ways", () => {
  for (const { action, way, target } of EACH) {
    test(`${named(way)} is ${action}`, async () => {
      const old = await stage.warm(target);
      await stage.origin.forget();
      const answer = await take(target, way, OPERATOR);
      assert.equal(answer.status, 200);
      assert.equal(sha256(answer.body), sha256(old.body));
      assert.equal(answer.headers["x-cache-key"], old.headers["x-cache-key"], "a way is no part of the key");
      const { requests } = await stage.origin.bill();
      const now = { edge: old.headers.etag, kv: old.headers.etag };

      if (action === "refresh") {
        assert.equal(tierOf(answer), "made");
        assert.notEqual(answer.headers.etag, old.headers.etag);
        const fresh = { edge: answer.headers.etag, kv: answer.headers.etag };
        await eventually(async () => {
          assert.deepEqual(await entries(target), fresh);
          return true;
        }, "both tiers have the new one");
        assert.equal(requests, 1);
        return;
      }
      if (action === "around") {
        assert.equal(tierOf(answer), "made");
        assert.equal(requests, 1);
        assert.deepEqual([tiers(answer).edge?.detail, tiers(answer).kv?.detail], ["bypass", "bypass"]);
        assert.notEqual(answer.headers.etag, old.headers.etag);
      } else {
        const asked = action === "around-kv" ? "edge" : "kv";
        assert.equal(tierOf(answer), asked);
        assert.equal(requests, 0);
        assert.equal(answer.headers.etag, old.headers.etag);
      }
      assert.deepEqual(await entries(target), now, "an entry was replaced");
    });
  }

  test("around-kv makes and keeps at the edge what only KV has, and KV keeps its own", async () => {
    const target = sampleFor("kv-left-alone", QUERY);
    const old = await stage.warm(target);
    await stage.clearEdge();
    const made = await take(target, { query: "no-kv-cache" }, OPERATOR);
    assert.equal(tierOf(made), "made");
    assert.equal(tiers(made).kv?.detail, "bypass");
    await eventually(async () => {
      assert.deepEqual(await entries(target), { edge: made.headers.etag, kv: old.headers.etag });
      return true;
    }, "the edge has the new one, KV the old one");
  });

  test("around-edge leaves no copy at the edge of what KV gave", async () => {
    const target = sampleFor("edge-left-alone", QUERY);
    const old = await stage.warm(target);
    await stage.clearEdge();
    const answer = await take(target, { query: "no-edge-cache" }, OPERATOR);
    assert.equal(tierOf(answer), "kv");
    assert.deepEqual(tiers(answer).edge, { fwd: "bypass", detail: "bypass" });
    assert.deepEqual(await entries(target), { edge: undefined, kv: old.headers.etag });
  });

  test("a refresh that fails takes nothing away", async () => {
    const target = sampleFor("refresh-fails", QUERY);
    const old = await stage.warm(target);
    await stage.origin.order({ match: "mode=video,width=160,", on: "transform", fault: { kind: "status", status: 503 }, times: 1 });
    const answer = await take(target, { query: "nocache" }, OPERATOR);
    assert.deepEqual([answer.status, answer.headers["x-source-type"]], [200, "passthrough"], "the original instead");
    assert.deepEqual(await entries(target), { edge: old.headers.etag, kv: old.headers.etag });
    await stage.origin.takeBackFaults();
  });

  test("HEAD with a refresh pays for nothing", async () => {
    const target = sampleFor("head", QUERY);
    await stage.warm(target);
    await stage.origin.forget();
    const answer = await stage.ask(`${target}&nocache`, { method: "HEAD", headers: OPERATOR });
    assert.equal(answer.status, 200);
    assert.equal((await stage.origin.bill()).requests, 0);
  });
});

describe("strangers", () => {
  /** @type {[string, Record<string, string>][]} */
  const strangers = [
    ["nobody", {}],
    ["another token", { authorization: "Bearer another-operator-of-tests!" }],
    ["the token under another scheme", { authorization: OPERATOR.authorization.replace("Bearer", "Basic") }],
    ["a part of the token", { authorization: OPERATOR.authorization.slice(0, -1) }],
  ];

  for (const { action, way, target } of EACH.filter(({ way }) => !way.headers?.["cache-control"])) {
    test(`${named(way)} (${action}) does nothing for a stranger but say that it is reserved`, async () => {
      await stage.warm(target);
      await stage.origin.forget();
      for (const [who, headers] of strangers) {
        const answer = await take(target, way, headers);
        assert.equal(tierOf(answer), "edge", who);
        assert.equal(answer.headers["x-param-warnings"], "bypass: it is reserved here", who);
      }
      assert.deepEqual(await stage.origin.journal(), []);
    });
  }
});

describe("who may is configured", () => {
  const configure = async (/** @type {unknown} */ bypass) => {
    await stage.kv.config.put("worker-config", JSON.stringify({ bypass }));
    await stage.restart();
  };

  test("an open way is everybody's", async () => {
    await configure({ access: "open" });
    for (const way of [{ query: "bypass" }, { headers: { "cache-control": "no-store" } }]) {
      const target = sampleFor("open", QUERY);
      await stage.warm(target);
      const answer = await take(target, way);
      assert.equal(tierOf(answer), "made");
      assert.equal(answer.headers["x-param-warnings"], undefined);
    }
  });

  test("a way that is off is nobody's, and Cache-Control still no attempt", async () => {
    await configure({ access: "off" });
    // With every way shut, only the answers tell where they came from.
    const target = sampleFor("refresh-0", QUERY);
    await eventually(async () => tierOf(await stage.ask(target)) === "edge", "the edge has it");
    const asked = await take(target, { query: "bypass" }, OPERATOR);
    assert.deepEqual([tierOf(asked), asked.headers["x-param-warnings"]], ["edge", "bypass: it is reserved here"]);
    const reload = await take(target, { headers: { "cache-control": "no-cache" } }, OPERATOR);
    assert.deepEqual([tierOf(reload), reload.headers["x-param-warnings"]], ["edge", undefined]);
  });

  test("names are configured: a new one leads around, and one that was taken away means nothing", async () => {
    await configure({ parameters: { bypass: null, "my-way": "around" }, header: "X-My-Way", requestCacheControl: false });
    const target = sampleFor("names", QUERY);
    await stage.ask(target);
    await eventually(async () => tierOf(await stage.ask(target)) === "edge", "the edge has it");
    for (const way of [{ query: "my-way" }, { query: "MY-WAY=1" }, { headers: { "x-my-way": "around" } }]) {
      assert.equal(tierOf(await take(target, way, OPERATOR)), "made", named(way));
    }
    for (const way of [{ query: "bypass" }, { headers: { "x-bypass-cache": "around" } }, { headers: { "cache-control": "no-store" } }]) {
      const answer = await take(target, way, OPERATOR);
      assert.deepEqual([tierOf(answer), answer.headers["x-param-warnings"]], ["edge", undefined], named(way));
    }
  });

  test("debugging leads around where it is configured to, and only for those who may debug", async () => {
    await stage.kv.config.put("worker-config", JSON.stringify({ bypass: { debug: "refresh" }, debug: { enabled: false } }));
    await stage.restart();
    const target = sampleFor("debugging", QUERY);
    const old = await stage.warm(target);
    const stranger = await stage.ask(`${target}&debug`);
    assert.deepEqual([tierOf(stranger), stranger.headers.etag], ["edge", old.headers.etag]);
    assert.equal(tierOf(await stage.ask(`${target}&debug`, { headers: OPERATOR })), "made");
  });
});

test("a token that is too short makes nobody an operator", async (t) => {
  const token = "fifteen-bytes-x";
  const weak = await openStage({ vars: { ADMIN_TOKEN: token } });
  t.after(() => weak.stop());
  const target = sampleFor("weak", QUERY);
  await weak.ask(target);
  await eventually(async () => tierOf(await weak.ask(target)) === "edge", "the edge has it");
  const answer = await weak.ask(`${target}&bypass`, { headers: { authorization: `Bearer ${token}` } });
  assert.deepEqual([tierOf(answer), answer.headers["x-param-warnings"]], ["edge", "bypass: it is reserved here"]);
});
