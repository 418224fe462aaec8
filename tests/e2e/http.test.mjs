// HTTP on every tier: the same table of requests asked of a rendition that is made for them, that lies at the
// edge, and that lies in KV. The ids are those of two checklists: R1 to R25 of ranges (RFC 9110, 14), V, M, F, N
// and H of everything else (RFC 9110, 9111, 9211, Fetch).
//
// What of them does not apply here, and why:
// - R12, R13: several ranges are answered whole, which is documented; there is never a multipart.
// - R14: follows from R12: of several ranges none is dropped to leave one.
// - R16: a rendition without bytes is never served (the tests of faults order one).
// - R21, R24: a transformer without a length, and a viewer who leaves, are among the tests of faults.
// - R22: two generations of one source; here If-Range with another tag stands for it.
// - V7, F7, F8: nothing is revalidated and nothing has a heuristic lifetime: a rendition is fresh or made anew.
// - F2, F3, F9: what the transformer says about keeping, and stale answers, are among the tests of faults.
// - N3: `Accept` chooses nothing.  H9: no digests are asked for.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ask, eventually, json, SAMPLE, sha256, tierOf, tiers } from "./ask.mjs";
import { parseList } from "./structured-fields.mjs";
import { openStage, OPERATOR, sampleFor } from "./stage.mjs";

/** Small and short: ffmpeg makes it once for the whole table. */
const QUERY = "width=160&height=90&duration=1s&loop=true&muted=true&filename=clip.mp4";

/** @type {import("./stage.mjs").Stage} */
let stage;
/** The rendition that every row is about, from a request of its own. @type {Buffer} */
let bytes;

/**
 * What a row may refer to. Nothing is known of a rendition that is made for the row itself,
 * except for its bytes: the same source makes the same.
 *
 * @typedef {object} Known
 * @property {number} total
 * @property {string} etag
 * @property {string} modified
 *
 * @typedef {object} Row
 * @property {string} name begins with its id
 * @property {string} [method]
 * @property {(known: Known) => Record<string, string | string[]>} [headers]
 * @property {(known: Known) => Expected} expect
 * @property {boolean} [needsTag] it is about a tag or date that a viewer has from before: not for a cold miss
 *
 * @typedef {{ status: 200 } | { status: 206, first: number, last: number } | { status: 304 | 412 | 416 }} Expected
 */

const whole = () => /** @type {const} */ ({ status: 200 });
const part = (/** @type {number} */ first, /** @type {number} */ last) => /** @type {const} */ ({ status: 206, first, last });
const range = (/** @type {string} */ value) => () => ({ range: value });
const later = (/** @type {string} */ date, /** @type {number} */ seconds) =>
  new Date(Date.parse(date) + seconds * 1000).toUTCString();

/** A tag that no rendition here ever had. */
const OTHER = '"00000000000000000000000000000000"';

/** @type {Row[]} */
const ROWS = [
  { name: "R1 without Range", expect: whole },
  { name: "R2 the probe of Safari", headers: range("bytes=0-1"), expect: () => part(0, 1) },
  { name: "R3 the first request of Chrome", headers: range("bytes=0-"), expect: ({ total }) => part(0, total - 1) },
  { name: "R4 a part inside", headers: range("bytes=100-20099"), expect: () => part(100, 20099) },
  { name: "R4 one byte", headers: range("bytes=4097-4097"), expect: () => part(4097, 4097) },
  { name: "R4 the last byte", headers: ({ total }) => ({ range: `bytes=${total - 1}-${total - 1}` }), expect: ({ total }) => part(total - 1, total - 1) },
  { name: "R4 from the middle to the end", headers: range("bytes=20000-"), expect: ({ total }) => part(20000, total - 1) },
  { name: "R5 beyond the end", headers: range("bytes=1000-99999999999"), expect: ({ total }) => part(1000, total - 1) },
  { name: "R6 the last bytes", headers: range("bytes=-500"), expect: ({ total }) => part(total - 500, total - 1) },
  { name: "R6 a suffix of the whole", headers: ({ total }) => ({ range: `bytes=-${total}` }), expect: ({ total }) => part(0, total - 1) },
  { name: "R6 a suffix longer than the whole", headers: ({ total }) => ({ range: `bytes=-${total + 1}` }), expect: ({ total }) => part(0, total - 1) },
  { name: "R7 a suffix of nothing", headers: range("bytes=-0"), expect: () => ({ status: 416 }) },
  { name: "R8 from the end on", headers: ({ total }) => ({ range: `bytes=${total}-` }), expect: () => ({ status: 416 }) },
  { name: "R8 behind the end", headers: ({ total }) => ({ range: `bytes=${total}-${total + 5}` }), expect: () => ({ status: 416 }) },
  ...["bytes=5-2", "bytes=abc", "bytes=1-2-3", "bytes 0-1", "bytes=", "bytes=-"].map((value) => ({
    name: `R9 not a range: ${value}`,
    headers: range(value),
    expect: whole,
  })),
  { name: "R10 another unit", headers: range("items=0-5"), expect: whole },
  { name: "R11 the unit in capitals", headers: range("BYTES=0-1"), expect: () => part(0, 1) },
  { name: "R11 an empty element and spaces around it", headers: range("bytes= , 0-1 ,"), expect: () => part(0, 1) },
  { name: "R12 two ranges", headers: range("bytes=0-1,10-11"), expect: whole },
  { name: "R13 overlapping ranges", headers: range("bytes=0-100,50-150"), expect: whole },
  { name: "R13 many ranges", headers: range(`bytes=${Array.from({ length: 50 }, (_, at) => `${at * 10}-${at * 10 + 1}`).join(",")}`), expect: whole },
  { name: "R15 numbers beyond 64 bits", headers: range("bytes=0-99999999999999999999999"), expect: whole },
  { name: "R15 a Range of 10 kB", headers: range(`bytes=0-${"1".repeat(10_000)}`), expect: whole },
  { name: "R15 two Range lines", headers: () => ({ range: ["bytes=0-1", "bytes=2-3"] }), expect: whole },
  { name: "R23 Range with Accept-Encoding", headers: () => ({ range: "bytes=0-1", "accept-encoding": "gzip, br" }), expect: () => part(0, 1) },
  { name: "V2 If-None-Match with the tag", headers: ({ etag }) => ({ "if-none-match": etag }), expect: () => ({ status: 304 }), needsTag: true },
  { name: "V2 If-None-Match with the tag made weak", headers: ({ etag }) => ({ "if-none-match": `W/${etag}` }), expect: () => ({ status: 304 }), needsTag: true },
  { name: "V2 If-None-Match with the tag in a list", headers: ({ etag }) => ({ "if-none-match": `${OTHER}, ${etag}` }), expect: () => ({ status: 304 }), needsTag: true },
  { name: "V2 If-None-Match with any tag", headers: () => ({ "if-none-match": "*" }), expect: () => ({ status: 304 }) },
  { name: "V2 If-None-Match with another tag", headers: () => ({ "if-none-match": OTHER }), expect: whole },
  { name: "V2 If-None-Match with junk", headers: () => ({ "if-none-match": "junk" }), expect: whole },
  { name: "V3 If-Modified-Since, the same second", headers: ({ modified }) => ({ "if-modified-since": modified }), expect: () => ({ status: 304 }), needsTag: true },
  { name: "V3 If-Modified-Since, a second before", headers: ({ modified }) => ({ "if-modified-since": later(modified, -1) }), expect: whole, needsTag: true },
  { name: "V3 If-Modified-Since, no date", headers: () => ({ "if-modified-since": "yesterday" }), expect: whole },
  { name: "V3 If-Modified-Since beside If-None-Match", headers: ({ modified }) => ({ "if-modified-since": modified, "if-none-match": OTHER }), expect: whole, needsTag: true },
  { name: "V4 If-Match with the tag", headers: ({ etag }) => ({ "if-match": etag }), expect: whole, needsTag: true },
  { name: "V4 If-Match with any tag", headers: () => ({ "if-match": "*" }), expect: whole },
  { name: "V4 If-Match with another tag", headers: () => ({ "if-match": OTHER }), expect: () => ({ status: 412 }) },
  { name: "V4 If-Match with the tag made weak", headers: ({ etag }) => ({ "if-match": `W/${etag}` }), expect: () => ({ status: 412 }), needsTag: true },
  { name: "V4 If-Unmodified-Since, long ago", headers: () => ({ "if-unmodified-since": "Thu, 01 Jan 2015 00:00:00 GMT" }), expect: () => ({ status: 412 }) },
  { name: "V4 If-Unmodified-Since, the same second", headers: ({ modified }) => ({ "if-unmodified-since": modified }), expect: whole, needsTag: true },
  { name: "V5 If-Range with the tag", headers: ({ etag }) => ({ range: "bytes=0-9", "if-range": etag }), expect: () => part(0, 9), needsTag: true },
  { name: "V5 R22 If-Range with another tag", headers: () => ({ range: "bytes=0-9", "if-range": OTHER }), expect: whole },
  { name: "V5 If-Range with the tag made weak", headers: ({ etag }) => ({ range: "bytes=0-9", "if-range": `W/${etag}` }), expect: whole, needsTag: true },
  { name: "V5 If-Range with a date that is too young to tell versions apart", headers: ({ modified }) => ({ range: "bytes=0-9", "if-range": modified }), expect: whole, needsTag: true },
  { name: "V5 If-Range with another date", headers: () => ({ range: "bytes=0-9", "if-range": "Thu, 01 Jan 2015 00:00:00 GMT" }), expect: whole },
  { name: "V6 If-None-Match before Range", headers: ({ etag }) => ({ range: "bytes=0-9", "if-none-match": etag }), expect: () => ({ status: 304 }), needsTag: true },
  { name: "V6 If-Match before If-None-Match", headers: ({ etag }) => ({ "if-match": OTHER, "if-none-match": etag }), expect: () => ({ status: 412 }), needsTag: true },
  { name: "V6 If-Match, then Range", headers: ({ etag }) => ({ range: "bytes=0-9", "if-match": etag }), expect: () => part(0, 9), needsTag: true },
  { name: "M1 HEAD", method: "HEAD", expect: whole, needsTag: true },
  { name: "R17 HEAD with Range", method: "HEAD", headers: range("bytes=0-1"), expect: whole, needsTag: true },
  { name: "V2 HEAD with If-None-Match", method: "HEAD", headers: ({ etag }) => ({ "if-none-match": etag }), expect: () => ({ status: 304 }), needsTag: true },
];

/** Each row has an entry of its own, so that no row sees what another did to a tier. @param {number} at */
const targetOf = (at) => sampleFor(`row-${at}`, QUERY);

/** What each row was first answered with, when its rendition was made. @type {Map<number, import("./ask.mjs").Answer>} */
const made = new Map();

before(async () => {
  stage = await openStage({ config: () => ({ cache: { jitterPercent: 0 }, ttl: { ok: 7200 } }) });
  bytes = (await stage.warm(sampleFor("reference", QUERY))).body;
});

after(() => stage?.stop());

/** Headers that are about one answer and not about the rendition. */
const OF_ONE_ANSWER = ["date", "age", "x-request-id", "cache-status", "server-timing", "connection"];

/** @param {import("./ask.mjs").Answer} answer */
const lasting = ({ headers }) => Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_ONE_ANSWER.includes(name)));

/**
 * Holds an answer to its row: status, headers and bytes.
 *
 * @param {import("./ask.mjs").Answer} answer
 * @param {Row} row
 * @param {Known} known
 */
function hold(answer, row, known) {
  const { headers, lines, status } = answer;
  const expected = row.expect(known);
  assert.equal(status, expected.status);
  assert.equal(headers["accept-ranges"], expected.status === 304 || expected.status === 412 ? undefined : "bytes");
  const hasBody = row.method !== "HEAD" && (expected.status === 200 || expected.status === 206);
  const [first, last] = expected.status === 206 ? [expected.first, expected.last] : [0, known.total - 1];
  assert.equal(sha256(answer.body), sha256(hasBody ? bytes.subarray(first, last + 1) : Buffer.alloc(0)), "the bytes");

  const contentRange = { 206: `bytes ${first}-${last}/${known.total}`, 416: `bytes */${known.total}` };
  assert.equal(headers["content-range"], contentRange[/** @type {206 | 416} */ (expected.status)]);
  const length = { 200: known.total, 206: last - first + 1, 412: 0, 416: 0 }[/** @type {200} */ (expected.status)];
  assert.equal(headers["content-length"], length === undefined ? undefined : String(length));

  if (expected.status === 412 || expected.status === 416) {
    assert.equal(headers["cache-control"], "no-store");
    assert.equal(headers.etag, undefined);
  } else {
    assert.equal(headers["cache-control"], "public, max-age=7200, no-transform");
    assert.match(headers.etag, /^"[0-9a-f]{32}"$/, "V1 a strong tag");
    assert.match(headers.age, /^\d+$/);
    assert.ok(Date.parse(headers["last-modified"]) <= Date.parse(headers.date), "V8 not modified in the future");
    assert.equal(headers["content-type"], expected.status === 304 ? undefined : "video/mp4");
    assert.equal(headers["content-disposition"], expected.status === 304 ? undefined : 'inline; filename="clip.mp4"');
    assert.equal(headers["x-cache-key"], answerKey(headers), "X-Cache-Key");
    assert.equal(headers["x-origin"], "default");
    assert.equal(headers["x-source-type"], "remote");
    assert.deepEqual([headers["x-resolved-width"], headers["x-resolved-height"]], ["160", "90"]);
    assert.deepEqual([headers["x-playback-loop"], headers["x-playback-muted"]], ["true", "true"]);
  }
  onEveryAnswer(answer);
  assert.equal(new Set(lines.map(([name]) => name)).size, lines.length, "H12 no header comes twice");
}

/** @param {Record<string, string>} headers */
const answerKey = (headers) => headers["x-cache-key"]?.match(/^video:case\/[a-z0-9-]+\/videos\/big-buck-bunny-720p-5s\.mp4:w=160:h=90:f=mp4:d=1s$/)?.[0];

/**
 * What every answer of the worker's own carries, whatever its status.
 *
 * @param {import("./ask.mjs").Answer} answer
 */
function onEveryAnswer({ headers }) {
  assert.ok(Math.abs(Date.parse(headers.date) - Date.now()) < 10_000, `F6 Date is ${headers.date}`);
  assert.equal(headers.via, "1.1 video-resizer", "H7");
  assert.match(headers["x-request-id"], /^[0-9a-f]{32}$/);
  assert.equal(headers["x-content-type-options"], "nosniff", "H5");
  assert.equal(headers["access-control-allow-origin"], "*", "M4");
  const exposed = headers["access-control-expose-headers"].toLowerCase().split(", ");
  for (const name of ["accept-ranges", "content-length", "content-range", "etag", "age", "cache-status", "server-timing", "retry-after"]) {
    assert.ok(exposed.includes(name), `M4 ${name} is exposed`);
  }
  assert.equal(headers["timing-allow-origin"], "*");
  assert.equal(headers["cross-origin-resource-policy"], "cross-origin");
  assert.equal(headers["content-encoding"], undefined, "R23");
  for (const name of ["set-cookie", "x-resizer-entry", "cache-tag", "cf-cache-status", "transfer-encoding"]) {
    assert.equal(headers[name], undefined, `H12 ${name} is nobody's business`);
  }
}

describe("a rendition that is made for the request", () => {
  for (const [at, row] of ROWS.entries()) {
    if (row.needsTag) continue;
    test(`${row.name}: when it is made`, async () => {
      const known = { total: bytes.length, etag: "", modified: "" };
      const answer = await stage.ask(targetOf(at), { method: row.method, headers: row.headers?.(known) });
      assert.equal(tierOf(answer), "made");
      hold(answer, row, known);
      made.set(at, answer);
    });
  }

  test("R20 leaves the whole of it in both tiers, whatever part of it was asked", async () => {
    for (const at of ROWS.keys()) {
      // Rows about a tag have asked nothing yet.
      if (!made.has(at)) await stage.ask(targetOf(at));
      await eventually(async () => {
        const { edge, kv } = await stage.kept(targetOf(at));
        return edge && kv;
      }, ROWS[at].name);
    }
    assert.equal((await stage.origin.bill()).transforms, 1);
    assert.equal((await stage.origin.bill()).requests, ROWS.length + 1, "one order a row, and the reference's");
  });
});

for (const tier of /** @type {const} */ (["edge", "kv"])) {
  describe(`a rendition from ${tier === "kv" ? "KV" : "the edge"}`, () => {
    /** @type {Map<number, Known>} */
    const knowledge = new Map();
    before(async () => {
      for (const at of ROWS.keys()) {
        const { headers } = await stage.ask(targetOf(at), { method: "HEAD" });
        knowledge.set(at, { total: bytes.length, etag: headers.etag, modified: headers["last-modified"] });
      }
      if (tier === "kv") await stage.clearEdge();
      await stage.origin.forget();
    });

    for (const [at, row] of ROWS.entries()) {
      test(`${row.name}: from ${tier}`, async () => {
        const known = /** @type {Known} */ (knowledge.get(at));
        const answer = await stage.ask(targetOf(at), { method: row.method, headers: row.headers?.(known) });
        assert.equal(tierOf(answer), tier);
        hold(answer, row, known);
        const before = made.get(at);
        if (before) assert.deepEqual(lasting(answer), lasting(before), "another answer than when it was made");
      });
    }

    test("nothing was made or fetched for any of them", async () => {
      assert.deepEqual(await stage.origin.journal(), []);
    });
  });
}
