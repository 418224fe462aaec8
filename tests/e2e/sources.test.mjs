// Where a video comes from: private sources through the signed relay, fallbacks, loops, and what is no video.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ask, eventually, json, SAMPLE, sha256, tierOf } from "./ask.mjs";
import { openStage } from "./stage.mjs";

const RELAY_KEY = "the-key-of-relayed-addresses";
const SECRETS = {
  SOURCE_RELAY_KEY: RELAY_KEY,
  BEARER_SECRET: "local-secret",
  BASIC_SECRET: "local:secret",
  HEADER_SECRET: "local-secret",
  WRONG_SECRET: "not-the-secret",
};
const SMALL = "width=160&height=90&duration=1s";
const FILE = "big-buck-bunny-720p-5s.mp4";

/** @param {{ media: string, worker: string }} at */
const config = ({ media, worker }) => {
  const only = (/** @type {string} */ name, /** @type {string} */ url, /** @type {unknown} */ auth) => ({
    name,
    pattern: `^/${name}/(.+)$`,
    sources: [{ url, ...(auth ? { auth } : {}) }],
  });
  return {
    origins: [
      only("bearer", `${media}/private/bearer/$1`, { type: "bearer", secret: "BEARER_SECRET" }),
      only("basic", `${media}/private/basic/$1`, { type: "basic", secret: "BASIC_SECRET" }),
      only("header", `${media}/private/header/$1`, { type: "header", header: "X-Origin-Key", secret: "HEADER_SECRET" }),
      only("wrong", `${media}/private/bearer/$1`, { type: "bearer", secret: "WRONG_SECRET" }),
      only("unset", `${media}/private/bearer/$1`, { type: "bearer", secret: "SECRET_NOBODY_SET" }),
      {
        name: "second",
        pattern: "^/second/(.+)$",
        sources: [
          { url: `${media}/videos/$1`, priority: 2 },
          { url: `${media}/videos/nowhere/$1`, priority: 1 },
        ],
      },
      only("loop", `${worker}/loop/$1`, undefined),
      only("other-name", `${worker.replace("127.0.0.1", "localhost")}/other-name/$1`, undefined),
      { name: "default", pattern: "^/videos/(.+)$", sources: [{ url: `${media}/videos/$1` }] },
    ],
  };
};

/** @type {import("./stage.mjs").Stage} */
let stage;
/** The shipped sample as the media origin serves it. @type {Buffer} */
let original;

before(async () => {
  stage = await openStage({ config, vars: SECRETS });
  original = (await ask(`${stage.media}${SAMPLE}`)).body;
});

after(() => stage?.stop());

/** @returns {Promise<string>} the last relayed address that the transformer was given, as a path */
async function relayedAddress() {
  const paths = (await stage.origin.journal()).map(({ path }) => path);
  const order = paths.findLast((path) => path.includes("/_resizer/source/"));
  return order?.match(/\/_resizer\/source\/.*$/)?.[0] ?? assert.fail(`nothing was relayed: ${paths.join("\n")}`);
}

describe("private sources", () => {
  for (const scheme of ["bearer", "basic", "header"]) {
    test(`a source behind ${scheme} credentials becomes a rendition, and the transformer never sees them`, async () => {
      await stage.origin.forget();
      const made = await stage.warm(`/${scheme}/${FILE}?${SMALL}`);
      assert.deepEqual([made.status, tierOf(made)], [200, "made"]);
      assert.equal(tierOf(await stage.ask(`/${scheme}/${FILE}?${SMALL}`)), "edge");
      const journal = await stage.origin.journal();
      const [order] = journal.filter(({ path }) => path.startsWith("/cdn-cgi/media/"));
      assert.equal(Boolean(order.authorization), false);
      assert.ok(order.path.endsWith(await relayedAddress()));
      for (const secret of Object.values(SECRETS)) assert.ok(!order.path.includes(secret), order.path);
      const fetched = journal.filter(({ path }) => path.startsWith(`/private/${scheme}/`));
      assert.ok(fetched.some(({ method, range, status }) => method === "GET" && range === "bytes=0-" && status === 206));
    });
  }

  test("wrong credentials, or none, are an honest error that names no secret", async () => {
    for (const name of ["wrong", "unset"]) {
      const answer = await stage.ask(`/${name}/${FILE}?${SMALL}`);
      assert.equal(answer.status, 502, name);
      assert.equal(answer.headers["content-type"], "application/problem+json");
      assert.doesNotMatch(answer.body.toString(), /secret|SECRET/i);
    }
  });

  test("what a viewer sends of their own goes to no source", async () => {
    await stage.origin.forget();
    const headers = { authorization: "Bearer the viewer's own", cookie: "session=1" };
    const answer = await stage.ask(`/videos/${FILE}?${SMALL}`, { headers });
    assert.equal(answer.status, 200);
    const journal = await stage.origin.journal();
    assert.ok(journal.length > 0);
    assert.deepEqual(journal.filter(({ authorization }) => authorization), []);
  });

  test("a genuine relayed address gives the original, whole and in part, and reads only", async () => {
    await stage.ask(`/bearer/${FILE}?mode=frame&width=160`);
    const address = await relayedAddress();
    const whole = await stage.ask(address);
    assert.equal(sha256(whole.body), sha256(original));
    const part = await stage.ask(address, { headers: { range: "bytes=10-19" } });
    assert.equal(part.status, 206);
    assert.deepEqual(part.body, original.subarray(10, 20));
    for (const method of ["POST", "PUT", "DELETE"]) {
      assert.equal((await stage.ask(address, { method })).status, 404, method);
    }
  });

  test("a forged relayed address is nothing, and nothing is fetched for it", async () => {
    const address = await relayedAddress();
    const [, prefix, mac, rest] = address.match(/^(\/_resizer\/source\/)([^/]+)\/(.*)$/) ?? assert.fail(address);
    await stage.origin.forget();
    const other = mac[0] === "A" ? "B" : "A";
    for (const forged of [
      `${prefix}${other}${mac.slice(1)}/${rest}`,
      `${prefix}${mac}/${rest.replace(FILE, "another.mp4")}`,
      `${prefix}${mac}/${rest.replace("bearer/0", "basic/0")}`,
      `${prefix}${mac}/${rest.replace("/0/", "/1/")}`,
      `${prefix}${rest}`,
      `${prefix}`,
    ]) {
      const answer = await stage.ask(forged);
      assert.equal(answer.status, 404, forged);
      assert.equal(json(answer).code, "not-found");
    }
    // Beside it is the operator's API, which asks strangers for a token.
    for (const beside of ["/_resizer/source", "/_resizer/anything.mp4"]) {
      assert.equal((await stage.ask(beside)).status, 401, beside);
    }
    assert.deepEqual(await stage.origin.journal(), []);
  });
});

describe("loops", () => {
  test("a request that says it has been here before is refused, and so is one of a stranger who says so", async () => {
    await stage.origin.forget();
    const host = stage.worker.replace("http://", "");
    for (const headers of [
      { "cdn-loop": `${host}; by=video-resizer` },
      { "cdn-loop": `cloudflare, ${host}; by=video-resizer` },
      { "cdn-loop": `${host}; BY=Video-Resizer` },
      { via: `1.1 ${host} (video-resizer)` },
      { via: `1.1 elsewhere, 1.1 ${host} (video-resizer)` },
    ]) {
      for (const target of [`/videos/${FILE}?${SMALL}`, "/page.html"]) {
        const answer = await stage.ask(target, { headers });
        assert.equal(answer.status, 508, JSON.stringify(headers));
        assert.equal(json(answer).code, "loop");
      }
    }
    assert.deepEqual(await stage.origin.journal(), []);
  });

  test("the marks of others mean nothing, and are handed on with ours", async () => {
    await stage.origin.forget();
    const mark = "cloudflare; loops=1, elsewhere.example; by=video-resizer";
    const answer = await stage.ask(`/videos/${FILE}?mode=frame&width=162`, { headers: { "cdn-loop": mark } });
    assert.equal(answer.status, 200);
    const marks = (await stage.origin.journal()).flatMap(({ cdn_loop: sent }) => (sent ? [sent] : []));
    assert.ok(marks.length > 0);
    const host = stage.worker.replace("http://", "");
    for (const sent of marks) assert.equal(sent, `${mark}, ${host}; by=video-resizer`);
    const vias = (await stage.origin.journal()).flatMap(({ via, cdn_loop: ours }) => (ours ? [via] : []));
    for (const sent of vias) assert.equal(sent, `1.1 ${host} (video-resizer)`);
  });

  for (const [name, host] of [["loop", "its own"], ["other-name", "another name of its own"]]) {
    test(`a source that leads back to the worker by ${host} host ends in an error, soon`, async () => {
      await stage.origin.forget();
      const answer = await stage.ask(`/${name}/${FILE}?${SMALL}`);
      assert.ok([502, 508].includes(answer.status), String(answer.status));
      assert.equal(answer.headers["content-type"], "application/problem+json");
      assert.ok((await stage.origin.bill()).requests <= 2, "it went round");
      assert.deepEqual(await stage.kept(`/${name}/${FILE}?${SMALL}`).then(({ kv }) => kv), false);
    });
  }
});

describe("when something is missing or broken", () => {
  test("the second source is used where the first has no such video, and its rendition is kept", async () => {
    const target = `/second/${FILE}?${SMALL}`;
    await stage.origin.forget();
    const made = await stage.warm(target);
    assert.equal(made.status, 200);
    assert.equal(made.headers["x-source-type"], "fallback");
    const orders = (await stage.origin.bill()).requests;
    assert.equal(orders, 2);
    const { metadata } = await stage.kv.cache.getWithMetadata(made.headers["x-cache-key"]);
    assert.equal(metadata.s, 200);
    await stage.clearEdge();
    const inKv = await stage.ask(target);
    assert.deepEqual([tierOf(inKv), inKv.headers["x-source-type"]], ["kv", "fallback"]);
    assert.equal(sha256(inKv.body), sha256(made.body));
  });

  test("without a rendition the viewer gets the original, which is kept by nobody", async () => {
    const target = `/videos/${FILE}?width=164&height=92`;
    await stage.origin.order({ match: "width=164,", on: "transform", fault: { kind: "status", status: 500 } });
    for (const round of ["when it breaks", "while that is remembered"]) {
      const answer = await stage.ask(target);
      assert.equal(answer.status, 200, round);
      assert.equal(sha256(answer.body), sha256(original), round);
      assert.equal(answer.headers["cache-control"], "no-store", round);
      assert.equal(answer.headers["x-source-type"], "passthrough", round);
      assert.equal(answer.headers["access-control-allow-origin"], "*", round);
    }
    const part = await stage.ask(target, { headers: { range: "bytes=100-199" } });
    assert.equal(part.status, 206);
    assert.equal(part.headers["content-range"], `bytes 100-199/${original.length}`);
    assert.deepEqual(part.body, original.subarray(100, 200));
    const head = await stage.ask(target, { method: "HEAD" });
    assert.equal(head.headers["content-length"], String(original.length));
    const { keys } = await stage.kv.cache.list({ prefix: `video:videos/${FILE}:w=164` });
    assert.deepEqual(keys, []);

    await stage.origin.takeBackFaults();
    await stage.clearEdge();
    // The gate tells of the failure for as long as it is remembered, wherever it was not heard of yet.
    const made = await eventually(async () => {
      const answer = await stage.ask(target);
      return answer.headers["x-source-type"] !== "passthrough" && answer;
    }, "the failure is forgotten");
    assert.equal(tierOf(made), "made");
    assert.notEqual(sha256(made.body), sha256(original));
  });

  test("a picture has no original to fall back to: the error says what went wrong", async () => {
    await stage.origin.order({ match: "mode=frame,width=166/", on: "transform", fault: { kind: "error_in_200", code: 9517 } });
    const answer = await stage.ask(`/videos/${FILE}?mode=frame&width=166`);
    assert.equal(answer.status, 502);
    const { code, reason, upstream_code: upstream, request_id: id, detail } = json(answer);
    assert.deepEqual([code, reason, upstream], ["rendition-failed", "transform-error", 9517]);
    assert.equal(id, answer.headers["x-request-id"]);
    assert.ok(!detail.includes("127.0.0.1"), "nothing of the inside is told");
    await stage.origin.takeBackFaults();
  });

  test("a path of no origin is nobody's, and nothing is asked", async () => {
    await stage.origin.forget();
    const answer = await stage.ask("/elsewhere/a.mp4?width=160");
    assert.equal(answer.status, 404);
    assert.equal(json(answer).code, "no-origin");
    assert.deepEqual(await stage.origin.journal(), []);
  });
});

describe("what is no video passes through", () => {
  test("a page is the origin's own, headers and query and all", async () => {
    const [direct, through] = [await ask(`${stage.media}/?a=1&a=2`), await stage.ask("/?a=1&a=2")];
    assert.equal(through.status, direct.status);
    assert.equal(sha256(through.body), sha256(direct.body));
    assert.equal(through.headers["content-type"], direct.headers["content-type"]);
    assert.equal(through.headers["cache-status"], undefined);
    assert.equal(through.headers["x-request-id"], undefined, "untouched");
  });

  test("a POST keeps its body and its type", async () => {
    // The media origin's own control is such a path: it reads the body, and answers with what it made of it.
    const order = { match: "nothing-has-this-name", on: "any", fault: { kind: "status", status: 418 } };
    const answer = await stage.ask("/_origin/faults", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(order),
    });
    assert.ok(answer.status < 300, answer.body.toString());
    assert.equal(typeof json(answer).id, "number");
    await stage.origin.takeBackFaults();
  });

  test("PUT, a range, OPTIONS and a missing page are the origin's to answer", async () => {
    const text = "0123456789".repeat(100);
    const put = await stage.ask("/videos/notes.txt", { method: "PUT", body: text });
    assert.ok(put.status < 300, String(put.status));
    const part = await stage.ask("/videos/notes.txt", { headers: { range: "bytes=5-9" } });
    assert.deepEqual([part.status, part.body.toString()], [206, "56789"]);
    for (const [path, method] of [["/videos/notes.txt", "OPTIONS"], ["/videos/missing.txt", "GET"], ["/nothing", "GET"]]) {
      const direct = await ask(`${stage.media}${path}`, { method });
      const through = await stage.ask(path, { method });
      assert.equal(through.status, direct.status, `${method} ${path}`);
      assert.equal(through.headers.allow, direct.headers.allow, `${method} ${path}`);
    }
  });

  test("the mark against loops is sent along", async () => {
    await stage.origin.forget();
    await stage.ask("/nothing");
    const [{ cdn_loop: mark }] = await stage.origin.journal();
    assert.equal(mark, `${stage.worker.replace("http://", "")}; by=video-resizer`);
  });

  test("nothing of it is in any tier", async () => {
    const { keys } = await stage.kv.cache.list();
    assert.deepEqual(keys.filter(({ name }) => /notes|nothing|missing/.test(name)), []);
  });
});

test("without a key to sign with, a private source gives its original and says why in the log", async (t) => {
  const { SOURCE_RELAY_KEY: _, ...vars } = SECRETS;
  const keyless = await openStage({ config, vars });
  t.after(() => keyless.stop());
  const answer = await keyless.ask(`/bearer/${FILE}?${SMALL}`);
  assert.deepEqual([answer.status, answer.headers["cache-control"]], [200, "no-store"]);
  assert.equal(sha256(answer.body), sha256(original));
  assert.equal((await keyless.origin.bill()).requests, 0, "the transformer was asked without an address");
  assert.match((await keyless.lineOf(answer)).timing, /desc=relay-key-missing/);
});
