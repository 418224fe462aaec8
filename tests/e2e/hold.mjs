// What an answer has to be, whatever test asked for it.

import assert from "node:assert/strict";
import { json, sha256 } from "./ask.mjs";
import { partsOf } from "./multipart.mjs";

/** Headers that are about one answer and not about the rendition. */
const OF_ONE_ANSWER = ["date", "age", "x-request-id", "cache-status", "server-timing", "connection"];

/** @param {import("./ask.mjs").Answer} answer */
export const lasting = ({ headers }) => Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_ONE_ANSWER.includes(name)));

/**
 * Holds an answer to its row: status, headers and bytes.
 *
 * @param {import("./ask.mjs").Answer} answer
 * @param {import("./http-table.mjs").Row} row
 * @param {import("./http-table.mjs").Known} known
 * @param {Buffer} bytes of the whole rendition
 */
export function hold(answer, row, known, bytes) {
  const { headers, lines, status } = answer;
  const expected = row.expect(known);
  assert.equal(status, expected.status);
  assert.equal(headers["accept-ranges"], expected.status === 304 || expected.status === 412 ? undefined : "bytes");
  const hasBody = row.method !== "HEAD" && (expected.status === 200 || expected.status === 206);
  if ("parts" in expected) {
    holdParts(answer, expected.parts, bytes);
  } else {
    const [first, last] = expected.status === 206 ? [expected.first, expected.last] : [0, known.total - 1];
    assert.equal(sha256(answer.body), sha256(hasBody ? bytes.subarray(first, last + 1) : Buffer.alloc(0)), "the bytes");

    const contentRange = { 206: `bytes ${first}-${last}/${known.total}`, 416: `bytes */${known.total}` };
    assert.equal(headers["content-range"], contentRange[/** @type {206 | 416} */ (expected.status)]);
    const length = { 200: known.total, 206: last - first + 1, 412: 0, 416: 0 }[/** @type {200} */ (expected.status)];
    assert.equal(headers["content-length"], length === undefined ? undefined : String(length));
  }

  if (expected.status === 412 || expected.status === 416) {
    assert.equal(headers["cache-control"], "no-store");
    assert.equal(headers.etag, undefined);
  } else {
    assert.equal(headers["cache-control"], "public, max-age=7200, no-transform");
    assert.match(headers.etag, /^"[0-9a-f]{32}"$/, "V1 a strong tag");
    assert.match(headers.age, /^\d+$/);
    assert.ok(Date.parse(headers["last-modified"]) <= Date.parse(headers.date), "V8 not modified in the future");
    if (!("parts" in expected)) assert.equal(headers["content-type"], expected.status === 304 ? undefined : "video/mp4");
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

/**
 * R12: every part says its type and range, the answer says neither, and the boundary is that of the rendition.
 *
 * @param {import("./ask.mjs").Answer} answer
 * @param {import("./http-table.mjs").Part[]} expected
 * @param {Buffer} bytes of the whole rendition
 */
export function holdParts(answer, expected, bytes) {
  const { headers } = answer;
  assert.equal(headers["content-type"], `multipart/byteranges; boundary=${headers.etag.slice(1, -1)}`);
  assert.equal(headers["content-range"], undefined);
  assert.equal(headers["content-length"], String(answer.body.length));
  const parts = partsOf(answer).map(({ headers, body }) => ({ headers, bytes: sha256(body) }));
  assert.deepEqual(parts, expected.map(({ first, last }) => ({
    headers: { "content-type": "video/mp4", "content-range": `bytes ${first}-${last}/${bytes.length}` },
    bytes: sha256(bytes.subarray(first, last + 1)),
  })));
}

/** @param {Record<string, string>} headers */
const answerKey = (headers) => headers["x-cache-key"]?.match(/^video:case\/[a-z0-9-]+\/videos\/big-buck-bunny-720p-5s\.mp4:w=160:h=90:f=mp4:d=1s$/)?.[0];

/**
 * What every answer of the worker's own carries, whatever its status.
 *
 * @param {import("./ask.mjs").Answer} answer
 */
export function onEveryAnswer({ headers }) {
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

/**
 * H4: an error is a problem document (RFC 9457) that says which request it is about.
 *
 * @param {import("./ask.mjs").Answer} answer
 * @param {Record<string, unknown>} members
 */
export function holdProblem(answer, members) {
  const { headers, status } = answer;
  assert.equal(headers["content-type"], "application/problem+json");
  assert.equal(headers["content-length"], String(answer.body.length));
  const document = json(answer);
  const { type, title, detail, request_id: requestId } = document;
  assert.deepEqual({ status: document.status, type }, { status, type: `tag:video-resizer,2026:${document.code}` });
  assert.ok(title && detail);
  assert.equal(requestId, headers["x-request-id"]);
  for (const [name, value] of Object.entries(members)) assert.deepEqual(document[name], value, name);
  assert.equal(headers.etag, undefined);
  onEveryAnswer(answer);
}
