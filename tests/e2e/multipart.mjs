// Reads a `multipart/byteranges` answer as RFC 2046, 5.1 describes it: by its delimiters, whatever the bytes are.

import assert from "node:assert/strict";

/**
 * @typedef {object} Part
 * @property {Record<string, string>} headers by lower-case name
 * @property {Buffer} body
 */

/**
 * The parts of a multipart answer. Fails where it is not well-formed to its last byte.
 *
 * @param {import("./ask.mjs").Answer} answer
 * @returns {Part[]}
 */
export function partsOf({ headers, body }) {
  const [, boundary] = headers["content-type"].match(/^multipart\/byteranges; boundary=([0-9a-z]{1,70})$/i) ?? [];
  assert.ok(boundary, `the type ${headers["content-type"]}`);
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  // A preamble is allowed (RFC 9110, 14.6), but none is expected.
  assert.equal(body.indexOf(delimiter), 0, "the first delimiter is the beginning");
  /** @type {Part[]} */
  const parts = [];
  let at = delimiter.length;
  while (body.subarray(at, at + 2).toString() === "\r\n") {
    const end = body.indexOf(delimiter, at);
    const head = body.indexOf("\r\n\r\n", at);
    assert.ok(head !== -1 && head < end, "headers that end, and a delimiter behind the bytes");
    const lines = body.subarray(at + 2, head).toString("latin1").split("\r\n");
    parts.push({
      headers: Object.fromEntries(lines.map((line) => [line.split(": ", 1)[0].toLowerCase(), line.slice(line.indexOf(": ") + 2)])),
      body: body.subarray(head + 4, end),
    });
    at = end + delimiter.length;
  }
  assert.equal(body.subarray(at).toString("latin1"), "--\r\n", "behind the last delimiter");
  return parts;
}
