// One call purges every tier: what was made before is gone at the edge, in KV and at the transformation, here and in
// every other data centre; what was being made meanwhile is not served afterwards.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { ask, eventually, json, sample, sha256, tiers } from "./ask.mjs";
import { OPERATOR, openStage } from "./stage.mjs";

/** @type {import("./stage.mjs").Stage} */
let stage;
before(async () => {
  stage = await openStage({ config: () => ({ purge: { refreshMs: 1000 } }) });
});
after(() => stage?.stop());
beforeEach(() => stage.drainLogs());

/** Orders a purge. @param {Record<string, unknown>} order @param {Record<string, string>} [headers] */
const purge = (order, headers = {}) =>
  stage.ask("/_resizer/purge", {
    method: "POST",
    headers: { ...OPERATOR, "content-type": "application/json", ...headers },
    body: JSON.stringify(order),
  });

/** A purge that is recorded. @param {Record<string, unknown>} order @returns {Promise<any>} */
async function purged(order) {
  const answer = await purge(order);
  assert.equal(answer.status, 202, answer.body.toString());
  return json(answer);
}

/** @param {string} id @returns {Promise<any>} */
const receipt = async (id) => json(await stage.ask(`/_resizer/purge/${id}`, { headers: OPERATOR }));

/** A rendition of a source of this test's own. @param {string} name */
const video = (name) => `${sample(`purge-${name}`)}?width=64&height=36&mode=frame&time=1s`;

/** @param {string} target */
async function made(target) {
  const answer = await stage.warm(target);
  assert.equal(answer.status, 200);
  return answer;
}

/** Both tiers had something, and neither gave it. @param {import("./ask.mjs").Answer} answer */
function assertMadeAnew(answer) {
  const { edge, kv } = tiers(answer);
  assert.equal(answer.status, 200);
  assert.notEqual(edge?.hit, true, answer.headers["cache-status"]);
  assert.notEqual(kv?.hit, true, answer.headers["cache-status"]);
}

for (const [kind, order] of /** @type {[string, (target: string) => Record<string, unknown>][]} */ ([
  ["tag", (target) => ({ tags: [`asset:${path(target).slice(1)}`] })],
  ["path", (target) => ({ paths: [path(target)] })],
  ["prefix", (target) => ({ prefixes: [path(target).slice(0, -6)] })],
  ["url", (target) => ({ urls: [stage.url(target)] })],
  ["host", () => ({ hosts: [new URL(stage.url("/")).host] })],
  ["everything", () => ({ everything: true })],
])) {
  test(`after a purge by ${kind} the next request is a miss on every tier, and is new`, async () => {
    const target = video(`by-${kind}`);
    const old = await made(target);
    assert.equal(tiers(await stage.ask(target)).edge?.hit, true);

    const { id, number, mode, complete } = await purged({ ...order(target), by: "ann" });
    assert.deepEqual([mode, id, complete], ["hard", `p${number}`, false]);

    const again = await stage.ask(target);
    assertMadeAnew(again);
    assert.notEqual(again.headers.etag, old.headers.etag);
    await eventually(async () => (await stage.kept(target)).kv, "it is kept again");
    const hit = await stage.ask(target);
    assert.equal(hit.headers.etag, again.headers.etag);
  });
}

/** @param {string} target */
const path = (target) => target.slice(0, target.indexOf("?"));
