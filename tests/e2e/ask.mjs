// HTTP as it is on the wire: nothing is added to a request, followed, cached or decoded. `fetch` would do all four.

import { createHash } from "node:crypto";
import { request } from "node:http";
import { parseList } from "./structured-fields.mjs";

/** The shipped sample: real video, 5 s of 1280x720 with sound. */
export const SAMPLE = "/videos/big-buck-bunny-720p-5s.mp4";

/** No answer takes this long, not even one that waits for ffmpeg on a busy machine. */
const ANSWER_MS = 60_000;

/** What happens after an answer happens within this; a busy machine is given time. */
const EVENTUALLY_MS = 20_000;
const POLL_MS = 25;

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {Record<string, string>} headers by lower-case name; several lines of one name are joined by ", "
 * @property {[string, string][]} lines every header line as it came, its name in lower case
 * @property {Buffer} body
 */

/**
 * Sends one request on a connection of its own.
 * A body that ends early is an error, and so is one longer or shorter than its `Content-Length`.
 *
 * @param {string} url its path and query are sent as written: `..` and bad escapes reach the server
 * @param {object} [options]
 * @param {string} [options.method]
 * @param {Record<string, string | string[]>} [options.headers] a list is sent as several lines
 * @param {string | Buffer} [options.body]
 * @returns {Promise<Answer>}
 */
export function ask(url, { method = "GET", headers = {}, body } = {}) {
  const [, host, port, path] = url.match(/^http:\/\/([^/:]+):(\d+)(.*)$/) ?? [];
  return new Promise((resolve, reject) => {
    const outgoing = request({ host, port, path: path || "/", method, headers, agent: false });
    outgoing.setTimeout(ANSWER_MS, () => outgoing.destroy(new Error(`no answer to ${method} ${url}`)));
    outgoing.on("error", reject);
    outgoing.on("response", (incoming) => {
      /** @type {Buffer[]} */
      const chunks = [];
      incoming.on("data", (chunk) => chunks.push(chunk));
      incoming.on("error", reject);
      incoming.on("end", () => {
        const answer = { status: incoming.statusCode ?? 0, ...read(incoming.rawHeaders), body: Buffer.concat(chunks) };
        const wrong = lengthIsWrong(method, answer);
        if (wrong) reject(new Error(`${method} ${url}: ${wrong}`));
        else resolve(answer);
      });
    });
    outgoing.end(body);
  });
}

/** @param {string[]} raw names and values in turn */
function read(raw) {
  /** @type {[string, string][]} */
  const lines = [];
  for (let at = 0; at < raw.length; at += 2) lines.push([raw[at].toLowerCase(), raw[at + 1]]);
  /** @type {Record<string, string>} */
  const headers = {};
  for (const [name, value] of lines) headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  return { headers, lines };
}

/** @param {string} method @param {Answer} answer */
function lengthIsWrong(method, { status, headers, body }) {
  const promised = headers["content-length"];
  if (method === "HEAD" || status === 304 || promised === undefined || Number(promised) === body.length) return "";
  return `Content-Length is ${promised}, and ${body.length} bytes came`;
}

/** @param {Buffer} bytes @returns {string} their SHA-256: failures then print one line, not a video */
export const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** @param {Answer} answer @returns {any} the document of a problem, or any other JSON */
export const json = (answer) => JSON.parse(answer.body.toString("utf8"));

/**
 * What `Cache-Status` says of each tier. Fails when it is not the list that RFC 9211 describes.
 *
 * @param {Answer} answer
 * @returns {{ edge?: Record<string, any>, kv?: Record<string, any> }}
 */
export function tiers(answer) {
  const members = parseList(answer.headers["cache-status"] ?? "");
  const of = (/** @type {string} */ name) => members.find(({ item }) => item === `video-resizer-${name}`)?.parameters;
  return { edge: of("edge"), kv: of("kv") };
}

/**
 * Where an answer came from.
 *
 * @param {Answer} answer
 * @returns {"edge" | "kv" | "made" | "nowhere"}
 */
export function tierOf(answer) {
  const { edge, kv } = tiers(answer);
  if (edge?.hit) return "edge";
  if (kv?.hit) return "kv";
  return kv?.["fwd-status"] === 200 || edge?.["fwd-status"] === 200 ? "made" : "nowhere";
}

/**
 * Asks until it is so, and returns what it then was: a value that is not falsy, from a check that did not throw.
 * Fails after a bounded time with the last failure.
 *
 * @template T
 * @param {() => Promise<T> | T} check
 * @param {string} what for the failure: what was waited for
 * @param {number} [deadlineMs]
 * @returns {Promise<NonNullable<T>>}
 */
export async function eventually(check, what, deadlineMs = EVENTUALLY_MS) {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    /** @type {unknown} */
    let failure = "it is not so";
    try {
      const found = await check();
      if (found) return found;
    } catch (error) {
      failure = error;
    }
    if (Date.now() > deadline) {
      const why = failure instanceof Error ? failure.message : failure;
      throw new Error(`${what}: not within ${deadlineMs / 1000} s: ${why}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
