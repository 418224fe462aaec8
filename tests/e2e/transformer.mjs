// A transformer without ffmpeg: bodies of exactly the length that their address says, up to hundreds of MiB, whose
// every byte content.mjs knows, told by the test how slow and how broken to be; and the sources it makes them from.

import http from "node:http";
import { content, seedOf } from "./content.mjs";

/** A body is written in pieces of this size. */
const PIECE_BYTES = 64 * 1024;

/** How often a body that is dripped goes on, and one that is held looks whether it may. */
const TICK_MS = 20;

/** Whose bytes a source is: no run has this number. */
const SOURCE_SEED = seedOf(-2);

/** What a source says of its length unless the test has it say more: no rendition is as long, so none is taken for it. */
const SOURCE_BYTES = 1;

/**
 * What becomes of the transformations that an order is for. Without any: announced, at once, whole.
 *
 * @typedef {object} Manner
 * @property {boolean} [announced] `false` leaves out `Content-Length`
 * @property {number} [startMs] until the head of the answer
 * @property {number} [bodyMs] from there to its first byte
 * @property {number} [bytesPerS] no faster than this
 * @property {number} [breaksAt] the connection ends at this byte
 * @property {number} [stallsAt] nothing comes from this byte on until the order is taken back
 * @property {number} [status] this status, and no body
 * @property {Record<string, string>} [headers] beside the usual ones
 * @property {number} [times] only for so many transformations: then the order is used up
 *
 * @typedef {object} Run one transformation
 * @property {number} seed of its bytes: no two runs make the same
 * @property {string} path of the source
 * @property {string} options as in `mode=video,width=640`
 * @property {number} sent bytes so far
 * @property {"under way" | "whole" | "broken" | "left"} end `left` is when the worker let go of it
 *
 * @typedef {object} SourceRequest
 * @property {string} method
 * @property {string} path
 * @property {http.IncomingHttpHeaders} headers
 * @property {number} status what it was answered
 *
 * @typedef {object} Source what the source of a path says of itself
 * @property {number} [length]
 * @property {string} [etag]
 * @property {string} [lastModified] an HTTP date
 * @property {number} [status] of its every answer, when it is not well
 */

/** @typedef {Awaited<ReturnType<typeof startTransformer>>} Transformer */

/**
 * Answers every transformation with `video/mp4` of as many bytes as the source's name says: `/videos/1024.mp4`, or
 * `/videos/any/name/1024.mp4`. Where `no-length` is in its path, the length is not announced.
 */
export async function startTransformer() {
  /** @type {Run[]} */
  const runs = [];
  /** @type {SourceRequest[]} */
  const asked = [];
  /** @type {Map<string, Source>} */
  const sources = new Map();
  /** @type {Set<{ match: string, manner: Manner, left: number }>} */
  const orders = new Set();
  /** @type {Map<Run, http.ServerResponse>} */
  const underWay = new Map();

  const server = http.createServer((request, response) => {
    const [, options, path] = request.url?.match(/^\/cdn-cgi\/media\/([^/]*)\/https?:\/\/[^/]+(\/[^?]*)/) ?? [];
    if (path === undefined) return source(request, response);
    const run = { seed: seedOf(runs.length), path, options, sent: 0, end: /** @type {Run["end"]} */ ("under way") };
    runs.push(run);
    underWay.set(run, response);
    response.on("close", () => {
      underWay.delete(run);
      if (run.end === "under way") run.end = response.writableFinished ? "whole" : "left";
    });
    void send(run, response, mannerOf(`${options}${path}`));
  });

  /** @param {string} address */
  function mannerOf(address) {
    const found = [...orders].findLast(({ match, left }) => left > 0 && address.includes(match));
    if (found) found.left -= 1;
    return { ...found?.manner, stands: () => found !== undefined && orders.has(found) };
  }

  /** @param {http.IncomingMessage} request @param {http.ServerResponse} response */
  function source({ method = "GET", url = "/", headers }, response) {
    const [path] = url.split("?");
    const { length = SOURCE_BYTES, etag, lastModified, status: unwell } = sources.get(path) ?? {};
    const noneMatch = headers["if-none-match"];
    const isSame = noneMatch ? noneMatch === etag : lastModified && headers["if-modified-since"] === lastModified;
    const status = unwell ?? (isSame ? 304 : 200);
    asked.push({ method, path, headers, status });
    const said = { ...(etag && { etag }), ...(lastModified && { "last-modified": lastModified }) };
    response.writeHead(status, status === 200 ? { ...said, "content-type": "video/mp4", "content-length": length } : said);
    response.end(status === 200 && method === "GET" ? content(SOURCE_SEED, 0, length) : undefined);
  }

  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : undefined}`;
  return {
    /** What makes a worker use it: top-level keys of its configuration. */
    config: {
      transformer: { baseUrl: `${url}/cdn-cgi/media` },
      origins: [{ name: "default", pattern: "^/(.+)$", sources: [{ url: `${url}/$1` }] }],
    },

    /**
     * The transformations so far, oldest first.
     *
     * @param {string} [match] only of sources or options that contain it
     */
    runs: (match = "") => runs.filter(({ options, path }) => `${options}${path}`.includes(match)),

    /**
     * What was asked of the sources themselves, oldest first.
     *
     * @param {string} [match] only of paths that contain it
     */
    sourceRequests: (match = "") => asked.filter(({ path }) => path.includes(match)),

    /**
     * What a source says of itself from now on.
     *
     * @param {string} path
     * @param {Source} said
     */
    source: (path, said) => void sources.set(path, said),

    /**
     * @param {string} match part of a source's path or of the options; the youngest order that matches counts
     * @param {Manner} manner
     * @returns {() => void} takes it back
     */
    order: (match, manner) => {
      const order = { match, manner, left: manner.times ?? Infinity };
      orders.add(order);
      return () => void orders.delete(order);
    },

    /**
     * Ends the connections of transformations that are under way.
     *
     * @param {string} [match]
     */
    cut: (match = "") => {
      for (const [run, response] of underWay) {
        if (!`${run.options}${run.path}`.includes(match)) continue;
        run.end = "broken";
        response.destroy();
      }
    },

    stop: () => {
      orders.clear();
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Keeps no test from ending. */
const sleep = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms).unref());

/** @param {Run} run @param {http.ServerResponse} response @param {Manner & { stands: () => boolean }} manner */
async function send(run, response, manner) {
  const { announced = true, startMs = 0, bodyMs = 0, bytesPerS = Infinity, breaksAt, stallsAt, status, headers, stands } = manner;
  const [, name] = run.path.match(/\/(\d+)\.mp4$/) ?? [];
  const length = Number(name);
  const quiet = !announced || run.path.includes("/no-length/");
  if (startMs > 0) await sleep(startMs);
  if (status !== undefined || !name) return void response.writeHead(status ?? 404, headers).end();
  response.writeHead(200, { "content-type": "video/mp4", ...headers, ...(!quiet && { "content-length": length }) });
  response.flushHeaders();
  if (bodyMs > 0) await sleep(bodyMs);

  const began = performance.now();
  while (run.sent < length && !response.destroyed) {
    if (run.sent === stallsAt) while (stands() && !response.destroyed) await sleep(TICK_MS);
    if (run.sent === breaksAt) {
      run.end = "broken";
      // What was written is sent before the connection ends.
      response.write("", () => response.destroy());
      return;
    }
    const due = ((performance.now() - began) / 1000) * bytesPerS;
    const next = Math.min(...[length, breaksAt, stallsAt].filter((at) => at !== undefined && at > run.sent).map(Number));
    const bytes = Math.floor(Math.min(PIECE_BYTES, next - run.sent, bytesPerS === Infinity ? PIECE_BYTES : due - run.sent));
    if (bytes <= 0) {
      await sleep(TICK_MS);
      continue;
    }
    const piece = content(run.seed, run.sent, bytes);
    run.sent += bytes;
    if (!response.write(piece)) await drained(response);
  }
  if (!response.destroyed) response.end();
}

/** @param {http.ServerResponse} response */
const drained = (response) =>
  new Promise((resolve) => {
    const go = () => {
      response.off("drain", go).off("close", go);
      resolve(undefined);
    };
    response.on("drain", go).on("close", go);
  });
