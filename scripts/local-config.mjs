// The worker's configuration in the local world: what RESIZER_CONFIG is under `npm start` and in the tests.

/**
 * @param {string} media the URL of the local media origin, without a trailing slash
 * @param {Record<string, any>} [overrides] top-level keys that replace ours; `sources` is added to
 * @returns {Record<string, unknown>}
 */
export function localConfig(media, overrides = {}) {
  return {
    transformer: { baseUrl: `${media}/cdn-cgi/media` },
    origins: [{ name: "default", pattern: "^/(.+)$", sources: [{ url: `${media}/$1` }] }],
    passThrough: { url: media },
    debug: { enabled: true },
    ...overrides,
    // Everything is on 127.0.0.1.
    sources: { allowPrivate: true, ...overrides.sources },
  };
}
