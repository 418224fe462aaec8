// Warming in workerd: a job is begun, goes on by itself, and what it warmed is in KV and was made once.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask, eventually, json, tierOf } from "./ask.mjs";
import { ADMIN_TOKEN, OPERATOR, openStage, sampleFor } from "./stage.mjs";

/** @type {import("./stage.mjs").Stage} */
let stage;

before(async () => {
  stage = await openStage({
    config: () => ({ presets: { mobile: { width: 160 }, poster: { mode: "frame", width: 96, time: "1s" } } }),
  });
});
after(() => stage?.stop());

/** @param {unknown} order @param {Record<string, string>} [headers] */
function begin(order, headers = OPERATOR) {
  const body = JSON.stringify(order);
  const all = { ...headers, "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) };
  return stage.ask("/_resizer/warm", { method: "POST", headers: all, body });
}

/** @param {string} id */
const look = async (id) => json(await stage.ask(`/_resizer/warm/${id}`, { headers: OPERATOR }));

/** @param {string} id @returns {Promise<any>} */
const finished = (id) =>
  eventually(
    async () => {
      const job = await look(id);
      return job.state === "finished" && job;
    },
    `job ${id} is finished`,
    120_000,
  );

/** @param {any} job */
const states = (job) => job.items.map((/** @type {any} */ item) => item.state);

test("six renditions are warmed with progress, and viewers then get them from KV", async () => {
  await stage.origin.forget();
  const urls = [64, 80, 96, 112, 128, 144].map((width) => stage.url(sampleFor("warm-six", `width=${width}&duration=1s`)));
  const begun = await begin({ urls, by: "the tests" });
  assert.equal(begun.status, 202, begun.body.toString());
  const job = json(begun);
  assert.match(job.id, /^[0-9a-f]{32}$/);
  assert.equal(begun.headers.location, `/_resizer/warm/${job.id}`);
  assert.equal(begun.headers["cache-control"], "no-store");
  assert.deepEqual([job.by, job.total, job.state], ["the tests", 6, "running"]);
  assert.deepEqual(job.items.map((/** @type {any} */ item) => item.url), urls);

  await eventually(async () => {
    const { done, state } = await look(job.id);
    return done > 0 && done < 6 && state === "running";
  }, "some are done and others are not");
  const end = await finished(job.id);
  assert.deepEqual(states(end), Array(6).fill("made"), JSON.stringify(end));
  assert.deepEqual([end.done, end.failed], [6, 0]);

  const warmed = await stage.origin.bill();
  assert.equal(warmed.requests, 6, "each was ordered once");
  for (const url of urls) {
    const answer = await ask(url);
    assert.equal(answer.status, 200);
    assert.equal(tierOf(answer), "kv", "the Cache API here has nothing of it");
    assert.ok(answer.body.length > 1000);
  }
  assert.deepEqual(await stage.origin.bill(), warmed, "viewers cost nothing");

  const again = await finished(json(await begin({ urls })).id);
  assert.deepEqual(states(again), Array(6).fill("already"));
  assert.deepEqual(await stage.origin.bill(), warmed, "and neither does warming what is warm");
});

test("a bad source fails with its reason while others go on", async () => {
  const missing = "/case/warm-bad/videos/there-is-none.mp4";
  const sources = [missing, sampleFor("warm-bad")];
  const begun = await begin({ sources, presets: ["mobile", "poster"] });
  assert.equal(begun.status, 202, begun.body.toString());
  const job = await finished(json(begun).id);
  assert.deepEqual(states(job), ["failed", "failed", "made", "made"], JSON.stringify(job));
  assert.deepEqual([job.done, job.failed], [2, 2]);
  assert.match(job.items[0].detail, /^(transform-error|status) \d+$/);
  assert.equal(job.items[2].detail, null);
});

test("a rendition in many spellings is one item and costs once", async () => {
  await stage.origin.forget();
  const spellings = ["width=72&height=40&duration=1s", "h=40&w=72&duration=1", "duration=1000ms&height=40&width=72&loop=true"];
  const urls = spellings.map((query) => sampleFor("warm-same", query));
  const job = await finished(json(await begin({ urls })).id);
  assert.deepEqual(states(job), ["made"]);
  assert.equal((await stage.origin.bill()).requests, 1);
});

test("a job whose worker is restarted midway finishes", async () => {
  await stage.origin.forget();
  const urls = [66, 82, 98, 114, 130, 146].map((width) => sampleFor("warm-restart", `width=${width}&duration=1s`));
  const { id } = json(await begin({ urls }));
  await eventually(async () => (await look(id)).done > 0, "it has begun");
  await stage.restart();
  const job = await finished(id);
  assert.equal(job.failed, 0, JSON.stringify(job));
  assert.equal(job.done, 6);
  for (const url of urls) assert.equal(tierOf(await stage.ask(url)), "kv");
  const { unique } = await stage.origin.bill();
  assert.equal(unique.length, 6, "nothing else was made");
});

test("nothing is begun where anything is wrong, and everything wrong is named", async () => {
  await stage.origin.forget();
  const good = sampleFor("warm-wrong", "width=64");
  const answer = await begin({ urls: [good, `${good}0000`, "/page.html", good, "ftp://x/a.mp4"] });
  assert.equal(answer.status, 400);
  const problem = json(answer);
  assert.equal(problem.code, "invalid");
  assert.deepEqual(problem.errors.map((/** @type {any} */ error) => error.at), ["/urls/1", "/urls/2", "/urls/4"]);
  assert.equal((await stage.origin.bill()).requests, 0);
});

test("only the operator begins a job, and an unknown one is not found", async () => {
  const order = { urls: [sampleFor("warm-who", "width=64")] };
  assert.equal((await begin(order, {})).status, 401);
  assert.equal((await begin(order, { authorization: `Bearer ${ADMIN_TOKEN}x` })).status, 401);
  for (const id of ["0".repeat(32), "7", "x".repeat(32)]) {
    assert.equal((await stage.ask(`/_resizer/warm/${id}`, { headers: OPERATOR })).status, 404, id);
  }
  assert.equal((await stage.ask("/_resizer/warm", { headers: OPERATOR })).status, 405);
});
