// One rendition, asked for in every way there is, answers the same from wherever it comes: made for the request, at
// the edge, in KV as one value and in KV in chunks; and what it answers is what a slice of its bytes would.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask, sha256, tierOf } from "./ask.mjs";
import { content } from "./content.mjs";
import { holdParts, lasting } from "./hold.mjs";
import { OTHER, ROWS } from "./http-table.mjs";
import { dice, openStore, SMALLEST } from "./store.mjs";

/** Four whole chunks and a little. */
const TOTAL = 4 * SMALLEST + 1_234;

/** As many ranges as are answered in parts. */
const RANGES_MAX = 8;

/** @typedef {import("./http-table.mjs").Row} Row */

/** @type {import("./store.mjs").Store} */
let store;
before(async () => {
  // Without jitter, what is asked under another name has the same lifetime.
  store = await openStore({ singleBytesMax: SMALLEST, chunkBytes: SMALLEST, jitterPercent: 0 });
});
after(() => store?.stop());

/**
 * What a slice of the bytes would answer to these ranges, last first or open or a suffix as they may be.
 *
 * @param {{ first?: number, last?: number }[]} specs without a first, `last` is the length of a suffix
 * @returns {import("./http-table.mjs").Expected}
 */
function sliced(specs) {
  const satisfiable = specs.flatMap(({ first, last }) => {
    if (first === undefined) return last ? [{ first: Math.max(0, TOTAL - last), last: TOTAL - 1 }] : [];
    return first < TOTAL ? [{ first, last: Math.min(last ?? TOTAL - 1, TOTAL - 1) }] : [];
  });
  const ascend = satisfiable.every(({ first }, at) => at === 0 || satisfiable[at - 1].last < first);
  if (specs.length > RANGES_MAX || specs.some(({ first = 0, last = Infinity }) => first > last)) return { status: 200 };
  if (satisfiable.length === 0) return { status: 416 };
  if (!ascend) return { status: 200 };
  const parts = satisfiable.map((part) => /** @type {const} */ ({ status: 206, ...part }));
  return parts.length === 1 ? parts[0] : { status: 206, parts };
}

/**
 * Requests that nobody thought of: one to ten ranges anywhere, most often near where a chunk ends, with any condition.
 *
 * @param {number} count
 * @returns {Row[]}
 */
function random(count) {
  const roll = dice(20_261_122);
  const pick = (/** @type {any[]} */ from) => from[roll(from.length)];
  const near = () => Math.max(0, pick([0, 1, 2, 3, 4]) * SMALLEST + roll(9) - 4);
  const anywhere = () => (roll(3) > 0 ? near() : roll(TOTAL + 1000));
  const spec = () => {
    if (roll(8) === 0) return { last: pick([0, 1, 1_234, 1_235, SMALLEST, TOTAL, TOTAL + 1]) };
    const first = anywhere();
    return { first, last: pick([first, first + roll(5), first + roll(2 * SMALLEST), roll(9) === 0 ? 0 : undefined]) };
  };
  return Array.from({ length: count }, (_, n) => {
    let specs = Array.from({ length: pick([0, 1, 1, 1, 2, 3, 5, 8, 10]) }, spec);
    // By themselves many ranges seldom ascend.
    if (roll(4) > 0) specs = specs.sort((a, b) => (a.first ?? Infinity) - (b.first ?? Infinity));
    const range = specs.map(({ first = "", last = "" }) => `${first}-${last}`).join(pick([",", ", "]));
    const tag = pick(["mine", "mine", "other", "none", "none", "none"]);
    const condition = pick(["if-range", "if-match", "if-none-match"]);
    const [isMine, hasTag] = [tag === "mine", tag !== "none"];
    const headers = (/** @type {import("./http-table.mjs").Known} */ { etag }) => ({
      ...(specs.length > 0 && { range: `bytes=${range}` }),
      ...(hasTag && { [condition]: isMine ? etag : OTHER }),
    });
    const expect = () => {
      if (hasTag && condition === "if-match" && !isMine) return /** @type {const} */ ({ status: 412 });
      if (hasTag && condition === "if-none-match" && isMine) return /** @type {const} */ ({ status: 304 });
      const ignored = specs.length === 0 || (hasTag && condition === "if-range" && !isMine);
      return ignored ? /** @type {const} */ ({ status: 200 }) : sliced(specs);
    };
    return { name: `random ${n}: ${range || "no range"}, ${hasTag ? `${condition} ${tag}` : "no condition"}`, headers, expect, needsTag: isMine && hasTag };
  });
}

const REQUESTS = [...ROWS, ...random(120)];

/**
 * Holds an answer to the bytes, and gives back all of it that is to be the same everywhere.
 *
 * @param {import("./ask.mjs").Answer} answer
 * @param {Row} row
 * @param {Buffer} bytes
 */
function held(answer, row, bytes) {
  const { status, headers, body } = answer;
  const expected = row.expect({ total: TOTAL, etag: headers.etag, modified: headers["last-modified"] });
  assert.equal(status, expected.status);
  const hasBody = row.method !== "HEAD" && (status === 200 || status === 206);
  if ("parts" in expected) {
    holdParts(answer, expected.parts, bytes);
  } else {
    const [first, last] = expected.status === 206 ? [expected.first, expected.last] : [0, TOTAL - 1];
    assert.equal(sha256(body), sha256(hasBody ? bytes.subarray(first, last + 1) : Buffer.alloc(0)), "the bytes");
    const contentRange = { 206: `bytes ${first}-${last}/${TOTAL}`, 416: `bytes */${TOTAL}` };
    assert.equal(headers["content-range"], contentRange[/** @type {206} */ (status)]);
    if (status === 200 || status === 206) assert.equal(headers["content-length"], String(last - first + 1));
  }
  return { status, headers: lasting(answer), body: sha256(body) };
}

/** One entry of KV in another form: the same generation and the same bytes, in one value. @param {string} key @param {any} metadata @param {Buffer} bytes */
async function asOneValue(key, { k, ...metadata }, bytes) {
  await store.kv.cache.put(key, bytes, { metadata, expirationTtl: 3600 });
}

test("the same answer from the edge, from one value of KV and from chunks, to every request of the table and to random ones", async () => {
  const it = store.video(TOTAL);
  const { seed, metadata } = await store.keep(it);
  assert.equal((await store.chunksOf(metadata)).length, 5);
  const bytes = content(seed, 0, TOTAL);
  const head = await ask(it.url, { method: "HEAD" });
  const known = { total: TOTAL, etag: head.headers.etag, modified: head.headers["last-modified"] };
  // A date is as strong as a tag only once its second is over (RFC 9110, 8.8.2.2).
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, Date.parse(known.modified) + 2_000 - Date.now())));

  const answers = async (/** @type {"edge" | "kv"} */ tier) => {
    const found = new Map();
    for (const row of REQUESTS) {
      const answer = await ask(it.url, { method: row.method, headers: row.headers?.(known) });
      try {
        assert.equal(tierOf(answer), tier);
        found.set(row.name, held(answer, row, bytes));
      } catch (error) {
        throw new Error(`${row.name}, from ${tier}: ${error instanceof Error ? error.message : error}`);
      }
    }
    return found;
  };
  const atEdge = await answers("edge");
  // From here on the edge says it keeps a copy, and does not.
  const { withdraw } = await store.sky.order({ on: "edge.put", misses: true });
  await store.clearEdge();
  const inChunks = await answers("kv");
  await store.quiet();
  await asOneValue(it.key, metadata, bytes);
  await store.sky.forget();
  const inOneValue = await answers("kv");
  assert.ok((await store.quiet()).every(({ key }) => !key.startsWith("chunk:")), "nothing more is known of chunks");
  await withdraw();
  for (const { name } of REQUESTS) {
    assert.deepEqual(inChunks.get(name), atEdge.get(name), `${name}: chunks and the edge`);
    assert.deepEqual(inOneValue.get(name), atEdge.get(name), `${name}: one value and the edge`);
  }
  assert.equal(store.transformer.runs(it.path).length, 1);
  assert.deepEqual(store.undone(it), []);
});

test("a cold miss answers like the entry it leaves", async () => {
  const rows = REQUESTS.filter(({ needsTag }) => !needsTag).filter((_, at) => at < 60 || at % 3 === 0);
  for (const row of rows) {
    const it = store.video(TOTAL);
    const headers = row.headers?.({ total: TOTAL, etag: OTHER, modified: "" });
    const cold = await ask(it.url, { method: row.method, headers });
    const [{ seed }] = store.transformer.runs(it.path);
    const bytes = content(seed, 0, TOTAL);
    const warm = await (async () => {
      await store.quiet();
      return ask(it.url, { method: row.method, headers });
    })();
    try {
      assert.notEqual(tierOf(cold), "edge");
      assert.equal(tierOf(warm), "edge");
      assert.deepEqual(held(cold, row, bytes), held(warm, row, bytes));
    } catch (error) {
      throw new Error(`${row.name}: ${error instanceof Error ? error.message : error}`);
    }
  }
});
