// Configuration as an operator lives with it: layers, a new document under way, a bad one, and what it switches.
// The worker looks for a new document every 15 s, so few tests wait for it to look; the others start it anew.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually, json, SAMPLE, tierOf, tiers } from "./ask.mjs";
import { anywhere, ADMIN_TOKEN, openStage, OPERATOR, sampleFor } from "./stage.mjs";

const SMALL = "width=160&height=90&duration=1s";

/** A document reaches every running isolate within this. */
const ACTIVE_MS = 60_000;

const SECRETS = { SOURCE_RELAY_KEY: "the-key-of-relayed-addresses", ORIGIN_TOKEN: "local-secret" };

/** @type {import("./stage.mjs").Stage} */
let stage;

before(async () => {
  stage = await openStage({
    vars: SECRETS,
    config: ({ media }) => ({
      version: "deployed",
      ttl: { ok: 7200 },
      cache: { jitterPercent: 0 },
      headers: { set: { "X-Deployed": "yes", "X-Release": "deployed" } },
      origins: [
        {
          name: "members",
          pattern: "^/members/(.+)$",
          sources: [{ url: `${media}/private/bearer/$1`, auth: { type: "bearer", secret: "ORIGIN_TOKEN" } }],
        },
        anywhere(media),
      ],
    }),
  });
});

after(() => stage?.stop());

/** @param {unknown} document text is stored as it is */
const store = (document) => stage.kv.config.put("worker-config", typeof document === "string" ? document : JSON.stringify(document));

/** Stores a document and starts the worker anew with it. @param {unknown} document */
async function restartWith(document) {
  await store(document);
  await stage.drainLogs();
  await stage.restart();
}

/** @returns {Promise<Record<string, string>>} the headers of a rendition that is there */
const headers = async () => (await stage.ask(sampleFor("configuration", SMALL))).headers;

/** What the log says is wrong with the configuration. */
const refusals = () => stage.logs().flatMap(({ level, error }) => (level === "error" && error ? [error] : []));

describe("a running worker", () => {
  test("takes a new document from KV within a minute, over the deployment's own, key by key", async () => {
    assert.equal((await headers())["x-release"], "deployed");
    await store({ ttl: { ok: 600 }, headers: { set: { "X-Release": "stored" } }, cache: { kv: false } });
    await eventually(async () => (await headers())["x-release"] === "stored", "the document is active", ACTIVE_MS);
    assert.equal((await headers())["x-deployed"], "yes", "what the document does not say stays");

    const made = await stage.ask(sampleFor("new-document", SMALL));
    assert.equal(made.headers["cache-control"], "public, max-age=600, no-transform");
    assert.equal(tiers(made).kv?.detail, "off", "KV is switched off by it");
    await stage.clearEdge();
    assert.equal(tierOf(await stage.ask(sampleFor("configuration", SMALL))), "made", "KV is not read either");
  });

  test("never lets a bad document become active, and says all that is wrong with it", async () => {
    await stage.drainLogs();
    await store({
      ttl: { ok: -1 },
      headers: { set: { "X-Release": "bad" } },
      cache: { enableKVCache: true },
      origins: [
        {
          name: "x",
          pattern: "^/(.+)$",
          sources: [{ url: "https://media.example.com/$1", auth: { type: "bearer", secret: "hunter2 is my password" } }],
        },
      ],
    });
    const errors = await eventually(async () => {
      assert.equal((await headers())["x-release"], "stored", "the bad document is active");
      return refusals().length >= 3 && refusals();
    }, "the log tells of it", ACTIVE_MS);
    const of = (/** @type {string} */ key) => errors.find((error) => error.startsWith(`${key}: `)) ?? assert.fail(`nothing of ${key} in ${errors.join("\n")}`);
    assert.match(of("ttl.ok"), /-1 is not a whole number from 0 to 31536000/);
    assert.match(of("cache.enableKVCache"), /use cache\.kv/);
    assert.match(of("origins[0].sources[0].auth.secret"), /name of a secret/);
    assert.ok(!errors.join("\n").includes("hunter2"), "a credential is repeated in the log");
    assert.equal((await headers())["x-release"], "stored");
  });
});

describe("a worker that starts", () => {
  test("with a bad document runs on the deployment's own, and says why", async () => {
    for (const bad of ["{ this is no JSON", "[]", JSON.stringify({ nonsense: 1 })]) {
      await restartWith(bad);
      assert.equal((await headers())["x-release"], "deployed", bad);
      await eventually(() => refusals().length > 0, "the log tells of it");
    }
  });

  test("without a document runs on the deployment's own, and says nothing", async () => {
    await stage.kv.config.delete("worker-config");
    await stage.drainLogs();
    await stage.restart();
    const answer = await stage.ask(sampleFor("configuration", SMALL));
    assert.equal(answer.headers["x-release"], "deployed");
    await stage.lineOf(answer);
    assert.deepEqual(stage.logs().filter(({ level }) => level === "error" || level === "warn"), []);
  });

  test("with another cache version has forgotten everything", async () => {
    await stage.warm(sampleFor("version", SMALL));
    await restartWith({ cache: { version: 7 } });
    const made = await stage.ask(sampleFor("version", SMALL));
    assert.equal(tierOf(made), "made");
    assert.match(made.headers["x-cache-key"], /:v=7$/);
  });

  test("sends the headers it is told to, and those of its predecessors unless it is told not to", async () => {
    await restartWith({ headers: { browserMaxAge: 30, predecessors: false, set: { "X-Release": null, "Strict-Transport-Security": "max-age=1" } } });
    const sent = await headers();
    const age = Number(sent.age);
    assert.equal(sent["cache-control"], `public, max-age=${Math.min(7200, age + 30)}, no-transform`);
    assert.equal(sent["strict-transport-security"], "max-age=1");
    for (const name of ["x-release", "x-cache-key", "x-origin", "x-source-type", "x-resolved-width"]) {
      assert.equal(sent[name], undefined, name);
    }
  });

  test("refuses every other path where it is told to", async () => {
    await restartWith({ passThrough: { enabled: false } });
    await stage.origin.forget();
    const answer = await stage.ask("/page.html");
    assert.equal(answer.status, 404);
    assert.equal(answer.headers["content-type"], "application/problem+json");
    assert.deepEqual(await stage.origin.journal(), []);
  });

  test("pays for HEAD only where it is told to", async () => {
    await restartWith({ cache: { fillOnHead: true } });
    const target = sampleFor("fill-on-head", SMALL);
    const head = await stage.ask(target, { method: "HEAD" });
    assert.equal(tierOf(head), "made");
    await eventually(async () => (await stage.kept(target)).edge, "HEAD filled the edge");
    const got = await stage.ask(target);
    assert.equal(tierOf(got), "edge");
    assert.equal(head.headers["content-length"], String(got.body.length));
    assert.equal(head.headers.etag, got.headers.etag);
  });

  test("is silent where it is told to be", async () => {
    await restartWith({ log: { level: "off" } });
    await headers();
    assert.equal((await stage.ask(`${SAMPLE}?width=5`)).status, 400);
    // Lines come in order: when the next worker's first is here, nothing of the silent one is under way.
    await store({});
    await stage.restart();
    const spoken = await stage.ask(sampleFor("spoken", SMALL));
    await stage.lineOf(spoken);
    const requests = stage.logs().filter(({ message }) => message === "request");
    assert.deepEqual(requests.map(({ request_id: id }) => id), [spoken.headers["x-request-id"]]);
  });
});

describe("secrets", () => {
  before(async () => {
    await stage.kv.config.delete("worker-config");
    await stage.drainLogs();
    await stage.restart();
  });

  test("are in no log line, no debug view and no answer", async () => {
    const member = `/members/${SAMPLE.split("/").at(-1)}`;
    const said = [];
    for (const target of [
      `${member}?${SMALL}`,
      `${member}?${SMALL}&token=query-token-of-a-viewer`,
      `${member}?${SMALL}&debug=view`,
      `${member}?${SMALL}&bypass`,
      `${member}?width=5&token=query-token-of-a-viewer`,
      "/members/not-there.mp4?width=160&token=query-token-of-a-viewer",
      `/_resizer/source/forged/members/0${member}`,
    ]) {
      const answer = await stage.ask(target, { headers: { ...OPERATOR, cookie: "session=cookie-of-a-viewer" } });
      const text = /json|text/.test(answer.headers["content-type"] ?? "") ? answer.body.toString() : "";
      said.push(JSON.stringify(answer.headers), text);
      await stage.lineOf(answer);
    }
    const everything = [...said, ...stage.logs().map((line) => JSON.stringify(line))].join("\n");
    assert.ok(everything.includes("members"), "the right lines are searched");
    for (const secret of [ADMIN_TOKEN, ...Object.values(SECRETS), "query-token-of-a-viewer", "cookie-of-a-viewer"]) {
      assert.ok(!everything.includes(secret), `"${secret}" is told`);
    }
  });

  test("a log line has what an operator needs of a request", async () => {
    const answer = await stage.ask(sampleFor("log", SMALL));
    const line = await stage.lineOf(answer);
    assert.deepEqual(
      {
        id: line.request_id,
        configuration: line.configuration,
        method: line.method,
        path: line.path,
        status: line.status,
        length: line.length,
        phase: line.phase,
        key: line.key,
        cache: line.cache,
        timing: line.timing,
        faults: line.faults,
      },
      {
        id: answer.headers["x-request-id"],
        configuration: "deployed",
        method: "GET",
        path: sampleFor("log"),
        status: 200,
        length: String(answer.body.length),
        phase: "miss",
        key: answer.headers["x-cache-key"],
        cache: answer.headers["cache-status"],
        timing: answer.headers["server-timing"],
        faults: "",
      },
    );
  });
});

describe("the debug view", () => {
  const target = sampleFor("view", `${SMALL}&debug=view`);

  test("is everybody's where debugging is switched on, and makes and asks nothing", async () => {
    await restartWith({});
    await stage.origin.forget();
    const answer = await stage.ask(target);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["content-type"], "application/json");
    assert.equal(answer.headers["cache-control"], "no-store");
    const view = json(answer);
    assert.equal(view.kv_key, "video:case/view/videos/big-buck-bunny-720p-5s.mp4:w=160:h=90:f=mp4:d=1s");
    assert.equal(view.configuration, "deployed");
    assert.deepEqual([view.mode, view.width, view.height, view.origin], ["video", 160, 90, "default"]);
    assert.deepEqual(view.ttl_s, { ok: 7200, client_error: 60, server_error: 10 });
    assert.deepEqual([view.edge, view.kv], [{ on: true, read: true, write: true }, { on: true, read: true, write: true }]);
    assert.ok(view.tags.includes("mode:video"));
    assert.equal(view.sources.length, 1);
    assert.deepEqual(await stage.origin.journal(), []);
    assert.deepEqual(await stage.kept(sampleFor("view", SMALL)), { edge: false, kv: false });
  });

  test("is the operator's alone where it is off: a stranger gets the video", async () => {
    await restartWith({ debug: { enabled: false } });
    for (const headers of [{}, { authorization: "Bearer not-the-operator-of-these" }]) {
      const stranger = await stage.ask(target, { headers });
      assert.equal(stranger.headers["content-type"], "video/mp4");
    }
    const operator = await stage.ask(target, { headers: OPERATOR });
    assert.equal(operator.headers["content-type"], "application/json");
    assert.equal(json(operator).kv_key.split(":")[0], "video");
  });
});
