// Signs URLs for origins that ask for it: the same words as src/guard/signature.rs, held to the same vectors.
// Needs nothing but Node's crypto, reads no environment and no clock: a pure function.

import { createHmac } from "node:crypto";

/** A shorter key is none; so is it for the worker. */
const KEY_BYTES_MIN = 16;

/** First line of what is signed. */
const DOMAIN = "video-resizer url 1";

/** Written by us; those that a URL has already are replaced. */
const OURS = ["exp", "kid", "sig"];

/** Not signed: the signature itself, and what has a guard of its own. */
const UNSIGNED = ["sig", "debug"];

/**
 * The same URL with `exp`, `kid` and `sig`: whoever has it may ask exactly this until it ends.
 * Only path and query are signed, so host and fragment may be anything or nothing.
 * Throws on what no worker would take: a short key, a path with dot segments, an escape that cannot be decoded.
 *
 * @param {string} url `https://videos.example.com/a.mp4?width=640`, or only its path and query
 * @param {object} by
 * @param {string} by.key what the secret holds: at least 16 bytes
 * @param {string} by.kid the key's id in `signing.keys`
 * @param {number} [by.expires] whole seconds since 1970; without it the URL never ends, where the worker allows that
 * @returns {string}
 */
export function sign(url, { key, kid, expires }) {
  if (Buffer.byteLength(key) < KEY_BYTES_MIN) throw new TypeError(`a key has at least ${KEY_BYTES_MIN} bytes`);
  if (!/^[a-z0-9-]{1,32}$/.test(kid)) throw new TypeError("a key id has 1 to 32 of a-z, 0-9 and -");
  if (expires !== undefined && !(Number.isSafeInteger(expires) && expires >= 0)) {
    throw new TypeError("expires is a whole number of seconds since 1970");
  }
  const { before, path, query, fragment } = taken(url);
  const kept = parts(query).filter((part) => !OURS.includes(nameOf(part)));
  const ends = expires === undefined ? [] : [`exp=${expires}`];
  const unsigned = [...kept, ...ends, `kid=${kid}`].join("&");
  const sig = createHmac("sha256", key).update(canonical(path, unsigned)).digest("base64url");
  return `${before}${canonicalPath(path)}?${visible(unsigned)}&sig=${sig}${fragment}`;
}

/**
 * What is signed of a path and a query: two URLs that mean the same have the same.
 *
 * @param {string} path
 * @param {string} query without its `?`
 * @returns {string}
 */
export function canonical(path, query) {
  const pairs = parts(query).flatMap((part) => {
    const name = nameOf(part);
    if (UNSIGNED.includes(name)) return [];
    const [, value] = split(part);
    return [`${encoded(name)}=${encoded(decoded(value))}`];
  });
  return `${DOMAIN}\n${canonicalPath(path)}\n${pairs.sort().join("&")}`;
}

/** @param {string} url */
function taken(url) {
  const [, before, path, query, fragment] =
    url.match(/^((?:https?:\/\/[^/?#]*)?)([^?#]*)(?:\?([^#]*))?(#.*)?$/s) ?? [];
  if (!path?.startsWith("/")) throw new TypeError(`a URL, or a path that begins with a slash, not ${url}`);
  return { before, path, query: query ?? "", fragment: fragment ?? "" };
}

/** @param {string} query */
const parts = (query) => query.split("&").filter((part) => part !== "");

/** @param {string} part @returns {[string, string]} name and value as they stand */
function split(part) {
  const at = part.indexOf("=");
  return at < 0 ? [part, ""] : [part.slice(0, at), part.slice(at + 1)];
}

/** @param {string} part its name in lower case; only that of ASCII letters changes */
const nameOf = (part) => decoded(split(part)[0]).replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** @param {string} text as forms are encoded: `+` is a space; throws on broken escapes and on what is no UTF-8 */
const decoded = (text) => decodeURIComponent(text.replaceAll("+", " "));

/** @param {string} text every byte but the unreserved characters of RFC 3986 escaped */
const encoded = (text) => encodeURIComponent(text).replace(/[!'()*]/g, hex);

/** @param {string} character @returns {string} */
const hex = (character) => [...Buffer.from(character)].map(escape).join("");

/** @param {string} query as it may stand in a URL */
const visible = (query) => query.replace(/[^!-~]/gu, hex);

/** @param {number} byte */
const escape = (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;

/**
 * The path in its one spelling (RFC 3986 2.2 and 2.3): escapes that change nothing are decoded, the others stay.
 *
 * @param {string} path
 */
function canonicalPath(path) {
  const plain = decodeURIComponent(path);
  if (/[\\\u0000-\u001f\u007f-\u009f]/.test(plain) || plain.split("/").some((segment) => /^\.\.?$/.test(segment))) {
    throw new TypeError(`no worker serves the path ${JSON.stringify(path)}`);
  }
  return path.replace(/%([0-9a-f]{2})|[^A-Za-z0-9\-._~/!$&'()*+,;=:@]/giu, (found, digits) => {
    if (digits === undefined) return hex(found);
    const character = String.fromCharCode(Number.parseInt(digits, 16));
    return /[A-Za-z0-9\-._~]/.test(character) ? character : found.toUpperCase();
  });
}
