// A viewer who checks every byte of an answer as it comes and keeps none: whole bodies, ranges, and each part of
// several ranges, against what content.mjs knows. May read slowly, stop for a while, or leave.

import assert from "node:assert/strict";
import { Check } from "./content.mjs";
import { open } from "./viewer.mjs";

/** Of an answer that is no video, this much is kept. */
const TEXT_BYTES_MAX = 64 * 1024;

/** How often a slow reader reads on. */
const TICK_MS = 20;

/**
 * @typedef {object} Span bytes that belong together
 * @property {number} first where in the whole body they begin
 * @property {number} length how many were promised; NaN where nothing was
 * @property {number} total of the whole body; NaN where nothing says it
 * @property {Check} check of those that came
 *
 * @typedef {object} Read
 * @property {number} status 0 when the connection ended before an answer began
 * @property {import("node:http").IncomingHttpHeaders} headers
 * @property {Span[]} spans one of a whole body or a range, several of several ranges, none of another answer
 * @property {string} text the body of an answer that is neither 200 nor 206
 * @property {number} bytes that came, with all that is around parts
 * @property {boolean} broken whether the connection ended before the answer did
 * @property {boolean} left whether it was the reader who ended it
 * @property {string} malformed what is wrong with the form of a multipart body; empty when nothing is
 * @property {number} firstByteMs until the first byte of the body, or the end of an answer without one
 * @property {number} wholeMs until its end
 *
 * @typedef {object} Reading
 * @property {string} [method]
 * @property {Record<string, string>} [headers]
 * @property {number} [seed] whose bytes they must be; needed only for ranges of fewer than 15 bytes
 * @property {number} [leavesAt] leaves once so many bytes of the body came
 * @property {number} [pausesAt] reads nothing for `pauseMs` once so many bytes of the body came
 * @property {number} [pauseMs]
 * @property {number} [bytesPerS] no faster than this
 */

/**
 * Asks, and checks the answer to its end.
 *
 * @param {string} url
 * @param {Reading} [reading]
 * @returns {Promise<Read>}
 */
export async function read(url, { method = "GET", headers, seed, leavesAt, pausesAt, pauseMs = 0, bytesPerS } = {}) {
  const began = performance.now();
  const since = () => performance.now() - began;
  const response = await open(url, { method, headers }).catch((error) => {
    if (error.code !== "ECONNRESET") throw error;
  });
  /** @type {Read} */
  const result = {
    status: response?.statusCode ?? 0,
    headers: response?.headers ?? {},
    spans: [],
    text: "",
    bytes: 0,
    broken: true,
    left: false,
    malformed: "",
    firstByteMs: Number.NaN,
    wholeMs: 0,
  };
  if (!response) return { ...result, firstByteMs: since(), wholeMs: since() };

  const body = bodyOf(result, seed);
  let paused = false;
  try {
    for await (const piece of response) {
      if (result.bytes === 0) result.firstByteMs = since();
      result.bytes += piece.length;
      body.take(piece);
      if (leavesAt !== undefined && result.bytes >= leavesAt) {
        result.left = true;
        break; // which closes the connection
      }
      if (pausesAt !== undefined && !paused && result.bytes >= pausesAt) {
        paused = true;
        await sleep(pauseMs);
      }
      while (bytesPerS && since() < (result.bytes / bytesPerS) * 1000) await sleep(TICK_MS);
    }
  } catch {
    // It broke off: `complete` says so.
  }
  for (const { check } of result.spans) check.end();
  if (!result.left && response.complete && method !== "HEAD") body.end();
  result.broken = !result.left && !response.complete;
  result.wholeMs = since();
  if (Number.isNaN(result.firstByteMs)) result.firstByteMs = result.wholeMs;
  return result;
}

const sleep = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * What takes the pieces of an answer's body.
 *
 * @param {Read} result
 * @param {number} [seed]
 */
function bodyOf(result, seed) {
  const { status, headers } = result;
  const boundary = String(headers["content-type"]).match(/^multipart\/byteranges; *boundary="?([^";]+)"?$/)?.[1];
  const length = Number(headers["content-length"]);
  if (status === 206 && boundary !== undefined) return new Parts(result, boundary, seed);
  if (status !== 200 && status !== 206) {
    return {
      take: (/** @type {Buffer} */ piece) => {
        if (result.text.length < TEXT_BYTES_MAX) result.text += piece.toString("utf8");
      },
      end: () => {},
    };
  }
  const span = status === 200 ? { first: 0, length, total: length } : contentRange(String(headers["content-range"]));
  const check = new Check(span.first, seed);
  result.spans.push({ ...span, check });
  return { take: (/** @type {Buffer} */ piece) => check.take(piece), end: () => {} };
}

/** @param {string} value */
function contentRange(value) {
  const [, first, last, total] = value.match(/^bytes (\d+)-(\d+)\/(\d+|\*)$/)?.map(Number) ?? [];
  if (first === undefined) return { first: 0, length: Number.NaN, total: Number.NaN };
  return { first, length: last - first + 1, total };
}

/** The body of several ranges (RFC 9110, 14.6; RFC 2046, 5.1.1), taken apart as it comes. */
class Parts {
  #result;
  #delimiter;
  #seed;
  /** What came and could not be read yet: never more than the head of a part. */
  #held = Buffer.alloc(0);
  /** Bytes that the part still owes. */
  #owed = 0;
  #closed = false;

  /** @param {Read} result @param {string} boundary @param {number} [seed] */
  constructor(result, boundary, seed) {
    this.#result = result;
    this.#delimiter = `--${boundary}`;
    this.#seed = seed;
  }

  /** @param {Buffer} piece */
  take(piece) {
    if (this.#result.malformed) return;
    let rest = this.#held.length > 0 ? Buffer.concat([this.#held, piece]) : piece;
    this.#held = Buffer.alloc(0);
    while (rest.length > 0) {
      if (this.#owed > 0) {
        const bytes = Math.min(this.#owed, rest.length);
        this.#result.spans.at(-1)?.check.take(rest.subarray(0, bytes));
        this.#owed -= bytes;
        rest = rest.subarray(bytes);
        continue;
      }
      const head = this.#head(rest);
      if (head === undefined) return void (this.#held = Buffer.from(rest));
      if (this.#result.malformed) return;
      rest = rest.subarray(head);
    }
  }

  /** @param {Buffer} rest @returns {number | undefined} bytes of the delimiter and what is with it; none yet */
  #head(rest) {
    const text = rest.toString("latin1");
    if (this.#closed) return this.#refuse(`${text.length} bytes after the end`);
    // Before the first delimiter a line may end that is empty (RFC 2046, 5.1.1).
    const opening = (this.#result.spans.length > 0 || text.startsWith("\r") ? "\r\n" : "") + this.#delimiter;
    const known = text.slice(0, opening.length);
    if (!opening.startsWith(known)) return this.#refuse(`no delimiter, but ${JSON.stringify(known)}`);
    const closing = `${opening}--`;
    if (text.startsWith(closing)) {
      this.#closed = true;
      return closing.length + (text.startsWith("\r\n", closing.length) ? 2 : 0);
    }
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) return rest.length > TEXT_BYTES_MAX ? this.#refuse("a part without an end of its head") : undefined;
    const lines = text.slice(opening.length + 2, end).split("\r\n").map((line) => line.split(/: */));
    const fields = Object.fromEntries(lines.map(([name, value]) => [name.toLowerCase(), value]));
    const span = contentRange(fields["content-range"] ?? "");
    if (Number.isNaN(span.length)) return this.#refuse("a part without Content-Range");
    if (fields["content-type"] !== "video/mp4") return this.#refuse(`a part of type ${fields["content-type"]}`);
    this.#result.spans.push({ ...span, check: new Check(span.first, this.#seed) });
    this.#owed = span.length;
    return end + 4;
  }

  end() {
    if (!this.#closed) this.#refuse("no closing delimiter");
  }

  /** @param {string} why */
  #refuse(why) {
    this.#result.malformed ||= why;
    return 0;
  }
}

/**
 * Why an answer is not exactly these bytes of this body; empty when it is.
 *
 * @param {Read} answer
 * @param {{ total: number, seed?: number, ranges?: [number, number][] }} expected `ranges` are first and last byte of
 *   each; without them it is the whole body
 * @returns {string}
 */
export function inexact(answer, { total, seed, ranges }) {
  const { status, broken, left, malformed, spans, text, bytes } = answer;
  if (status !== (ranges ? 206 : 200)) return `status ${status} ${text.slice(0, 200)}`;
  const wrong = spans.map(({ check }) => check.wrong).find(Boolean);
  if (wrong) return wrong;
  if (broken || left) return `${broken ? "it broke off" : "the reader left"} after ${bytes} bytes`;
  if (malformed) return malformed;
  const wanted = (ranges ?? [[0, total - 1]]).map(([first, last]) => `${first}-${last}/${total}`);
  const came = spans.map(({ first, check, total: said }) => `${first}-${first + check.bytes - 1}/${ranges ? said : total}`);
  if (came.join() !== wanted.join()) return `bytes ${came} came, not ${wanted}`;
  const whose = [...new Set(spans.map(({ check }) => check.seed))];
  if (whose.length > 1) return `bytes of several bodies: ${whose}`;
  if (seed !== undefined && whose[0] !== seed) return `bytes of the body ${whose[0]}, not of ${seed}`;
  return "";
}

/**
 * @param {Read} answer
 * @param {Parameters<typeof inexact>[1]} expected
 * @returns {number} the seed of the body it is of
 */
export function assertExact(answer, expected) {
  assert.equal(inexact(answer, expected), "");
  return /** @type {number} */ (answer.spans[0]?.check.seed);
}
