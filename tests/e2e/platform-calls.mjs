// Counts what the worker really asks of the platform: not what it says of itself, but the calls as they arrive.
// A module around the worker's own hands it the real namespaces, cache and limiter, each behind a counter.

/** For `startWorld({ around })`: every call becomes one line of the worker's log, with the tags of what is put at the edge. */
export const COUNTING = `
import worker from "./index.js";

const NAMESPACE = "VIDEO_TRANSFORMATIONS_CACHE";
const log = (call, of, tags) => console.log(JSON.stringify({ call, of, tags }));

const counted = (target, name, of) =>
  new Proxy(target, {
    get(object, method) {
      const value = object[method];
      if (typeof value !== "function") return value;
      return (...args) => {
        // An isolate looks for purges by the clock, for no request.
        if (of(args) !== "purges") log(name + "." + String(method), of(args), args[1]?.headers?.get("cache-tag"));
        return value.apply(object, args);
      };
    },
  });

const text = ([first]) => (typeof first === "string" ? first : first.url);
const cache = counted(caches.default, "cache", text);
Object.defineProperty(caches, "default", { get: () => cache });

const fetched = globalThis.fetch;
globalThis.fetch = (...args) => {
  log("fetch", (typeof args[0] === "string" ? "GET" : args[0].method) + " " + text(args));
  return fetched(...args);
};

const watched = (env) => ({
  ...env,
  [NAMESPACE]: counted(env[NAMESPACE], "kv", text),
  MISS_LIMIT: counted(env.MISS_LIMIT, "limiter", ([{ key }]) => key),
});

export default {
  fetch: (request, env, context) => worker.fetch(request, watched(env), context),
  scheduled: (event, env, context) => worker.scheduled(event, watched(env), context),
};
`;

/**
 * The calls since `forgetLogs()`, oldest first, as in `["cache.match", "kv.getWithMetadata"]`.
 *
 * @param {{ logs: () => Record<string, any>[] }} world
 * @returns {string[]}
 */
export const calls = ({ logs }) => logs().flatMap(({ call }) => (call ? [call] : []));
