// The table of ranges and conditions: what is asked of a rendition, and how it is answered on every tier.
//
// What of them does not apply here, and why:
// - R16: a rendition without bytes is never served (the tests of faults order one).
// - R21, R24: a transformer without a length, and a viewer who leaves, are among the tests of faults.
// - R22: two generations of one source; here If-Range with another tag stands for it.
// - V7, F7, F8: nothing is revalidated and nothing has a heuristic lifetime: a rendition is fresh or made anew.
// - F2, F3, F9: what the transformer says about keeping, and stale answers, are among the tests of faults.
// - N3: `Accept` chooses nothing.  H9: no digests are asked for.

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
 * @typedef {{ status: 206, first: number, last: number }} Part
 * @typedef {{ status: 206, parts: Part[] }} Parts
 * @typedef {{ status: 200 } | Part | Parts | { status: 304 | 412 | 416 }} Expected
 */

const whole = () => /** @type {const} */ ({ status: 200 });
const part = (/** @type {number} */ first, /** @type {number} */ last) => /** @type {const} */ ({ status: 206, first, last });
const parts = (/** @type {[number, number][]} */ ...bounds) => /** @type {const} */ ({ status: 206, parts: bounds.map(([first, last]) => part(first, last)) });
const range = (/** @type {string} */ value) => () => ({ range: value });
const later = (/** @type {string} */ date, /** @type {number} */ seconds) =>
  new Date(Date.parse(date) + seconds * 1000).toUTCString();

/** A tag that no rendition here ever had. */
export const OTHER = '"00000000000000000000000000000000"';

/** As many ranges as are answered in parts. @type {[number, number][]} */
const EIGHT = Array.from({ length: 8 }, (_, at) => [at * 2000 + 1, at * 2000 + 1000]);

/** @type {Row[]} */
export const ROWS = [
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
  { name: "R12 two ranges", headers: range("bytes=0-1,10-11"), expect: () => parts([0, 1], [10, 11]) },
  { name: "R12 the beginning and the end", headers: range("bytes=0-1023, -1024"), expect: ({ total }) => parts([0, 1023], [total - 1024, total - 1]) },
  { name: "R12 two halves", headers: range("bytes=0-9999,10000-"), expect: ({ total }) => parts([0, 9999], [10000, total - 1]) },
  { name: "R12 eight ranges", headers: range(`bytes=${EIGHT.map(([first, last]) => `${first}-${last}`).join(",")}`), expect: () => parts(...EIGHT) },
  { name: "R13 overlapping ranges", headers: range("bytes=0-100,50-150"), expect: whole },
  { name: "R13 ranges that do not ascend", headers: range("bytes=10-11,0-1"), expect: whole },
  { name: "R13 nine ranges", headers: range(`bytes=${[[0, 0], ...EIGHT].map(([first, last]) => `${first}-${last}`).join(",")}`), expect: whole },
  { name: "R14 of two ranges one does not exist", headers: range("bytes=10-11,99999999-"), expect: () => part(10, 11) },
  { name: "R14 of three ranges one does not exist", headers: range("bytes=10-11,-0,20-21"), expect: () => parts([10, 11], [20, 21]) },
  { name: "R14 of two ranges none exists", headers: range("bytes=99999999-,-0"), expect: () => ({ status: 416 }) },
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
  { name: "V5 R12 If-Range with the tag, and two ranges", headers: ({ etag }) => ({ range: "bytes=0-9,20-29", "if-range": etag }), expect: () => parts([0, 9], [20, 29]), needsTag: true },
  { name: "V5 R12 If-Range with another tag, and two ranges", headers: () => ({ range: "bytes=0-9,20-29", "if-range": OTHER }), expect: whole },
  { name: "V5 R22 If-Range with another tag", headers: () => ({ range: "bytes=0-9", "if-range": OTHER }), expect: whole },
  { name: "V5 If-Range with the tag made weak", headers: ({ etag }) => ({ range: "bytes=0-9", "if-range": `W/${etag}` }), expect: whole, needsTag: true },
  { name: "V5 If-Range with the date, its second being over", headers: ({ modified }) => ({ range: "bytes=0-9", "if-range": modified }), expect: () => part(0, 9), needsTag: true },
  { name: "V5 If-Range with another date", headers: () => ({ range: "bytes=0-9", "if-range": "Thu, 01 Jan 2015 00:00:00 GMT" }), expect: whole },
  { name: "V6 If-None-Match before Range", headers: ({ etag }) => ({ range: "bytes=0-9", "if-none-match": etag }), expect: () => ({ status: 304 }), needsTag: true },
  { name: "V6 If-Match before If-None-Match", headers: ({ etag }) => ({ "if-match": OTHER, "if-none-match": etag }), expect: () => ({ status: 412 }), needsTag: true },
  { name: "V6 If-Match, then Range", headers: ({ etag }) => ({ range: "bytes=0-9", "if-match": etag }), expect: () => part(0, 9), needsTag: true },
  { name: "M1 HEAD", method: "HEAD", expect: whole, needsTag: true },
  { name: "R17 HEAD with Range", method: "HEAD", headers: range("bytes=0-1"), expect: whole, needsTag: true },
  { name: "R17 HEAD with two ranges", method: "HEAD", headers: range("bytes=0-1,10-11"), expect: whole, needsTag: true },
  { name: "V2 HEAD with If-None-Match", method: "HEAD", headers: ({ etag }) => ({ "if-none-match": etag }), expect: () => ({ status: 304 }), needsTag: true },
];
