// Several ranges of bodies that come in many chunks: on their way from the transformer, from the edge and from KV.
// The table of requests, on a body that is small, is in http-table.mjs.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually, sha256, tierOf } from "./ask.mjs";
import { holdParts, lasting } from "./hold.mjs";
import { openStage, OPERATOR } from "./stage.mjs";
import { open, order, watch } from "./viewer.mjs";

/** 14 MB as a rendition: many chunks, and it fits in a KV value. */
const MEDIUM = "/videos/generated/noise-5s-640x360.mp4";

/** The edge is left alone, so that a copy on its way there does not decide where the answer comes from. */
const AROUND_EDGE = { ...OPERATOR, "x-bypass-cache": "around-edge" };

/** @type {import("./stage.mjs").Stage} */
let stage;
/** The rendition, from a request of its own. @type {Buffer} */
let bytes;

/** @param {string} name an entry of its own */
const targetOf = (name, width = 640) => `/case/${name}${MEDIUM}?width=${width}&height=360`;

before(async () => {
  stage = await openStage({ config: () => ({ cache: { jitterPercent: 0 } }) });
  const reference = await stage.warm(targetOf("reference"));
  assert.equal(reference.status, 200);
  bytes = reference.body;
  assert.ok(bytes.length > 5_000_000, `${bytes.length} bytes`);
});

after(() => stage?.stop());

/** @param {[number, number][]} bounds */
const header = (bounds) => ({ range: `bytes=${bounds.map(([first, last]) => `${first}-${last}`).join(", ")}` });
/** @param {[number, number][]} bounds */
const parts = (bounds) => bounds.map(([first, last]) => /** @type {const} */ ({ status: 206, first, last }));

/** @type {Record<string, () => [number, number][]>} */
const LISTS = {
  "single bytes beside each other": () => [[0, 0], [1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [6, 6], [7, 7]],
  "both ends": () => [[0, 0], [bytes.length - 1, bytes.length - 1]],
  "parts within one chunk and across many": () => [
    [10, 19],
    [4_090, 4_101],
    [65_530, 65_540],
    [100_000, 2_100_000],
    [2_100_001, 2_100_001],
    [3_000_000, 3_000_999],
    [bytes.length - 1_000, bytes.length - 1],
  ],
  "all of it in two parts": () => [[0, 2_499_999], [2_500_000, bytes.length - 1]],
};

for (const [at, [name, list]] of Object.entries(LISTS).entries()) {
  describe(name, () => {
    const target = targetOf(`list-${at}`);

    test("is the same parts, byte for byte and header for header, when it is made, at the edge and from KV", async () => {
      const made = await stage.warm(target, { headers: header(list()) });
      const atEdge = await stage.ask(target, { headers: header(list()) });
      const inKv = await stage.ask(target, { headers: { ...header(list()), ...AROUND_EDGE } });
      assert.deepEqual([made, atEdge, inKv].map(tierOf), ["made", "edge", "kv"]);
      for (const answer of [made, atEdge, inKv]) {
        assert.equal(answer.status, 206);
        holdParts(answer, parts(list()), bytes);
        assert.deepEqual(lasting(answer), lasting(made));
        assert.equal(sha256(answer.body), sha256(made.body));
      }
      const whole = await stage.ask(target);
      assert.equal(sha256(whole.body), sha256(bytes), "the whole is kept");
    });
  });
}

test("random lists are answered from the edge and from KV as slices of the bytes say", async () => {
  const target = targetOf("random");
  await stage.warm(target);
  let seed = 3;
  /** A small generator, so that a failure can be had again. @param {number} below */
  const random = (below) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * below);
  };
  for (let round = 0; round < 12; round += 1) {
    const count = 2 + random(7);
    const edges = new Set();
    while (edges.size < 2 * count) edges.add(random(bytes.length));
    const sorted = [...edges].sort((one, other) => one - other);
    const bounds = Array.from({ length: count }, (_, at) => /** @type {[number, number]} */ ([sorted[2 * at], sorted[2 * at + 1]]));
    for (const [tier, headers] of /** @type {const} */ ([["edge", {}], ["kv", AROUND_EDGE]])) {
      const answer = await stage.ask(target, { headers: { ...header(bounds), ...headers } });
      assert.deepEqual([answer.status, tierOf(answer)], [206, tier], header(bounds).range);
      holdParts(answer, parts(bounds), bytes);
    }
  }
});

test("a viewer who leaves between two parts ruins nothing for the fill or for others", async () => {
  const target = targetOf("leaves");
  const leaving = await open(stage.url(target), { headers: header([[0, 0], [1_000_000, bytes.length - 1]]) });
  await new Promise((resolve) => leaving.once("data", resolve));
  leaving.destroy();
  await eventually(async () => (await stage.kept(target)).kv, "the rendition is in KV");
  const inKv = await stage.ask(target, { headers: AROUND_EDGE });
  assert.equal(tierOf(inKv), "kv");
  assert.equal(sha256(inKv.body), sha256(bytes));
});

test("a rendition that breaks off breaks the answer in its parts, and is kept nowhere", async () => {
  const target = targetOf("breaks", 638);
  const withdraw = await order(stage, "transform", "width=638", { kind: "truncate", bytes: 500_000 });
  const answer = await watch(stage.url(target), { headers: header([[0, 9], [400_000, 900_000]]) });
  await withdraw();
  assert.equal(answer.broken, true);
  for (const tier of ["kv", "edge"]) {
    const failed = (/** @type {Record<string, any>} */ line) =>
      line.message === "left undone" && line.tier === tier && line.path?.includes("/case/breaks/");
    await eventually(() => stage.logs().find(failed), `the failed write to ${tier} in the log`);
  }
  assert.deepEqual(await stage.kept(target), { edge: false, kv: false });
});
