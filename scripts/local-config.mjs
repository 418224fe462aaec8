// The worker's configuration in the local world: what RESIZER_CONFIG is under `npm start` and in the tests.

/**
 * @param {string} media the URL of the local media origin, without a trailing slash
 * @param {Record<string, unknown>} [overrides] top-level keys that replace ours
 * @returns {Record<string, unknown>}
 */
export function localConfig(media, overrides = {}) {
  return {
    transformer: { baseUrl: `${media}/cdn-cgi/media` },
    origins: [{ name: "default", pattern: "^/(.+)$", sources: [{ url: `${media}/$1` }] }],
    passThrough: { url: media },
    debug: { enabled: true },
    ...overrides,
  };
}
