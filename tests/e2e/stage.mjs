// A world with its operator: what the tests of this folder stand on beside `startWorld`.

import { ask, eventually, SAMPLE, tiers } from "./ask.mjs";
import { origin } from "./origin.mjs";
import { freePort, startWorld } from "../../scripts/world.mjs";

/** Long enough to count as a token. */
export const ADMIN_TOKEN = "the-operator-of-these-tests";

/** What makes a request the operator's. */
export const OPERATOR = { authorization: `Bearer ${ADMIN_TOKEN}` };

/** An operator who wants to see what is kept, and nothing to happen. */
const PEEK = { ...OPERATOR, "cache-control": "only-if-cached" };

/**
 * @typedef {Awaited<ReturnType<typeof openStage>>} Stage
 */

/**
 * Starts a world whose worker has an operator.
 * Its default origin also answers under `/case/<name>/…`: the same source under another name, so that
 * every test has entries of its own while ffmpeg makes each rendition only once.
 *
 * @param {object} [options]
 * @param {(at: { media: string, worker: string }) => Record<string, unknown>} [options.config] top-level keys
 *   over those of the local world, told where the media origin and the worker will listen
 * @param {Record<string, unknown>} [options.vars]
 * @param {string} [options.around]
 * @param {Record<string, number>} [options.limits] what limiters admit, by binding
 */
export async function openStage({ config = () => ({}), vars = {}, around, limits } = {}) {
  const [port, mediaPort] = [await freePort(0, "PORT"), await freePort(0, "MEDIA_PORT")];
  const [worker, media] = [port, mediaPort].map((port) => `http://127.0.0.1:${port}`);
  const world = await startWorld({
    port,
    mediaPort,
    config: { origins: [anywhere(media)], ...config({ media, worker }) },
    vars: { ADMIN_TOKEN, ...vars },
    around,
    limits,
  });

  /** @param {string} target path and query */
  const url = (target) => `${worker}${target}`;

  /**
   * Which tiers have an entry of their own for this request. Nothing is made, read or kept by asking.
   *
   * @param {string} target
   * @param {Record<string, string>} [headers]
   */
  const kept = async (target, headers = {}) => {
    const look = async (/** @type {string} */ action) =>
      tiers(await ask(url(target), { method: "HEAD", headers: { ...headers, ...PEEK, "x-bypass-cache": action } }));
    const [atEdge, inKv] = [await look("around-kv"), await look("around-edge")];
    return { edge: atEdge.edge?.hit === true, kv: inKv.kv?.hit === true };
  };

  return {
    ...world,
    origin: origin({ media }),
    url,
    /** @param {string} target @param {Parameters<typeof ask>[1]} [options] */
    ask: (target, options) => ask(url(target), options),
    kept,

    /**
     * The log line of an answer, once it is here.
     *
     * @param {import("./ask.mjs").Answer} answer
     */
    lineOf: (answer) => lineOf(world, answer),

    /** Like `forgetLogs`, but what is still under way is forgotten too: lines come in order. */
    drainLogs: async () => {
      await lineOf(world, await ask(url("/drain.mp4?width=0")));
      world.forgetLogs();
    },

    /**
     * Asks once and waits until both tiers have it.
     *
     * @param {string} target
     * @param {Parameters<typeof ask>[1]} [options]
     */
    warm: async (target, options) => {
      const answer = await ask(url(target), options);
      const headers = /** @type {Record<string, string>} */ (options?.headers ?? {});
      await eventually(async () => {
        const { edge, kv } = await kept(target, headers);
        return edge && kv;
      }, `both tiers have ${target}`);
      return answer;
    },
  };
}

/**
 * @param {{ logs: () => Record<string, any>[] }} world
 * @param {import("./ask.mjs").Answer} answer
 * @returns {Promise<Record<string, any>>}
 */
const lineOf = ({ logs }, { headers }) =>
  eventually(() => logs().find(({ request_id: id }) => id === headers["x-request-id"]), "the answer's log line");

/**
 * The origin rule of a stage: every path is a source, with or without `/case/<name>` before it.
 *
 * @param {string} media
 * @param {Record<string, unknown>} [more]
 */
export const anywhere = (media, more = {}) => ({
  name: "default",
  pattern: "^/(?:case/[a-z0-9-]+/)?(.+)$",
  sources: [{ url: `${media}/$1` }],
  ...more,
});

/**
 * The sample under a name of its own.
 *
 * @param {string} name letters, digits and hyphens
 * @param {string} [query]
 */
export const sampleFor = (name, query = "") => `/case/${name}${SAMPLE}${query && `?${query}`}`;
