// The floor: what a bare worker does that has the same caches and makes the same calls of the platform, and nothing else.
// Each export is a worker of its own.

/** @typedef {{ KV: any, ORIGIN: string }} Env */

/** The Cache API, as it comes: the platform answers ranges and conditions. */
export const edge = {
  /** @param {Request} request */
  fetch: (request) => caches.default.match(request),
};

/** A 304 of one's own: an entry is found, its body is let go. */
export const unchanged = {
  /** @param {Request} request */
  async fetch(request) {
    const found = await caches.default.match(request.url);
    const etag = found.headers.get("etag");
    if (request.headers.get("if-none-match") !== etag) return found;
    await found.body.cancel();
    return new Response(null, { status: 304, headers: { etag } });
  },
};

/** Workers KV: the stream goes on as it comes, with the length that it has. */
export const kv = {
  /** @param {Request} request @param {Env} env */
  async fetch(request, env) {
    const { value, metadata } = await env.KV.getWithMetadata(keyOf(request), "stream");
    return new Response(value, { headers: metadata });
  },
};

/** Neither has it: it is fetched, sent, and put into both. */
export const miss = {
  /** @param {Request} request @param {Env} env @param {ExecutionContext} context */
  async fetch(request, env, context) {
    const found = await caches.default.match(request);
    if (found) return found;
    const kept = await env.KV.getWithMetadata(keyOf(request), "stream");
    if (kept.value) return new Response(kept.value, { headers: kept.metadata });
    return fill(request, env, context);
  },
};

export default miss;

/** @param {Request} request @param {Env} env @param {ExecutionContext} context */
async function fill(request, env, context) {
  const made = await fetch(env.ORIGIN + new URL(request.url).pathname);
  const length = Number(made.headers.get("content-length"));
  const headers = { "content-type": "video/mp4", "cache-control": "public, max-age=86400", etag: '"floor"' };
  const [viewers, copies] = made.body.tee();
  const [edges, kvs] = copies.tee();
  const put = caches.default.put(request.url, new Response(measured(edges, length), { headers }));
  context.waitUntil(Promise.all([put, env.KV.put(keyOf(request), measured(kvs, length), { metadata: headers })]));
  return new Response(measured(viewers, length), { headers });
}

/** @param {ReadableStream} body @param {number} length */
const measured = (body, length) => body.pipeThrough(new FixedLengthStream(length));

/** @param {Request} request */
const keyOf = (request) => `floor:${new URL(request.url).pathname}`;
