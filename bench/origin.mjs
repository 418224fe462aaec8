// The media origin of the benches: answers at once, with as many bytes as the address says, for `/cdn-cgi/media` as
// for the source. A process of its own, so that its work is nobody else's.
//
// Usage: node bench/origin.mjs; it prints its URL.

import http from "node:http";

/** More than any bench asks. */
const BYTES_MAX = 32 * 1024 * 1024;

/** What a source says of its length: no rendition is as long, so none is taken for it. */
const SOURCE_BYTES = 1;

const bytes = Buffer.alloc(BYTES_MAX, "0123456789abcdef");

const server = http.createServer(({ method, url = "" }, response) => {
  const length = Number(url.match(/\/(\d+)\.mp4/)?.[1]);
  if (!(length <= BYTES_MAX)) return void response.writeHead(404).end();
  const announced = method === "HEAD" ? SOURCE_BYTES : length;
  response.writeHead(200, { "content-type": "video/mp4", "content-length": announced });
  response.end(method === "HEAD" ? undefined : bytes.subarray(0, length));
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  console.log(`ready at http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}`);
});
