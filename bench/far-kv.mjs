// Workers KV in a process of its own, at the other end of HTTP, as it is in production. The simulation of Miniflare
// lives in the worker's process and takes every byte through a script of its own, so it can tell nothing of memory.

import http from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** How Miniflare hands over what was asked of a remote binding. */
const PROXIED = { url: "mf-url", header: (/** @type {string} */ name) => `mf-header-${name}` };

/** Values are kept as they came, in memory; nothing expires. */
export async function startFarKv() {
  /** @type {Map<string, { pieces: Buffer[], metadata?: string }>} */
  const values = new Map();

  /** @type {Record<string, (key: string, request: http.IncomingMessage, response: http.ServerResponse) => Promise<void>>} */
  const methods = {
    GET: async (key, _, response) => {
      const found = values.get(key);
      if (!found) return void response.writeHead(404).end();
      const length = found.pieces.reduce((sum, piece) => sum + piece.length, 0);
      response.writeHead(200, { "content-length": length, ...(found.metadata && { "cf-kv-metadata": found.metadata }) });
      await pipeline(Readable.from(found.pieces), response);
    },
    PUT: async (key, request, response) => {
      const pieces = [];
      for await (const piece of request) pieces.push(piece);
      const metadata = request.headers[PROXIED.header("cf-kv-metadata")];
      values.set(key, { pieces, ...(metadata && { metadata: String(metadata) }) });
      response.writeHead(200).end();
    },
    DELETE: async (key, _, response) => {
      values.delete(key);
      response.writeHead(200).end();
    },
  };
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(String(request.headers[PROXIED.url]));
    const method = methods[String(request.method)];
    if (!method) return void response.writeHead(405).end();
    method(decodeURIComponent(pathname.slice(1)), request, response).catch(() => response.destroy());
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${address.port}`,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
