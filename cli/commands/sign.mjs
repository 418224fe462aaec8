// `sign`: a URL that may be asked although its origin wants a signature.

import { DONE, misuse } from "../ending.mjs";
import { all, duration, secret, SECRET_CHARS_MIN } from "../given.mjs";
import { sign as signed } from "../sign.mjs";

/** The first number that is taken for a moment: a smaller one is a span without its unit. */
const UNIX_MIN = 1_000_000_000;

/** @type {import("../usage.mjs").Command} */
export const sign = {
  name: "sign",
  kind: "local",
  does: "Sign URLs, on this machine: nothing is sent.",
  usage: ["sign <url>... --kid <id> [--key-env <name>] [--expires <when>]"],
  says: [
    "The key is read from standard input, or from the environment with --key-env; it is never an argument.\nWith --key-env, URLs can be read from standard input, one a line: sign - --key-env <name>",
  ],
  operands: [1, Infinity],
  options: {
    kid: { type: "string", value: "<id>", does: "which key of signing.keys it is" },
    "key-env": { type: "string", value: "<name>", does: "the environment variable that holds the key" },
    expires: { type: "string", value: "<when>", does: "a time from now, as in 1h, or seconds since 1970; else never" },
    json: { type: "boolean", does: "print JSON, a line for each URL" },
  },
  examples: [
    ["video-resizer sign 'https://videos.example.com/a.mp4?width=640' --kid k1 --expires 1h < key.txt", "for an hour"],
    ["URL_KEY=$(pass show url-key) video-resizer sign - --kid k1 --key-env URL_KEY < urls.txt", "many"],
  ],
  run: async ({ values, operands, stdin, env, lists, out, nowMs }) => {
    const { kid, "key-env": name } = values;
    if (!kid) throw misuse("say whose key it is, with --kid");
    const expires = values.expires === undefined ? undefined : ends(values.expires, nowMs());
    if (name === undefined && operands.includes("-"))
      throw misuse("standard input holds the key; for URLs from there give --key-env");
    if (name === undefined && stdin.isTTY) throw misuse("give the key on standard input, or with --key-env");
    if (name !== undefined && !env[name]) throw misuse(`${name} is not set`);
    const key = secret(name === undefined ? await all(stdin) : (env[name] ?? ""));
    if (key.length >= SECRET_CHARS_MIN) out.hide(key);
    const urls = await lists.read(operands);
    const lines = urls.map((url) => {
      const text = signedOrMisused(url, { key, kid, expires });
      return values.json ? JSON.stringify({ url: text, kid, expires: expires ?? null }) : text;
    });
    if (lines.length > 0) out.print(lines.join("\n"));
    return DONE;
  },
};

/** @param {string} url @param {{ key: string, kid: string, expires?: number }} by */
function signedOrMisused(url, by) {
  try {
    return signed(url, by);
  } catch (error) {
    throw misuse(`${url} cannot be signed: ${/** @type {Error} */ (error).message}`);
  }
}

/** @param {string} text @param {number} nowMs @returns {number} seconds since 1970 */
function ends(text, nowMs) {
  if (!/^\d+$/.test(text)) return Math.floor((nowMs + duration("expires", text)) / 1_000);
  const moment = Number(text);
  if (moment < UNIX_MIN || !Number.isSafeInteger(moment)) {
    throw misuse(`--expires ${text} is no moment of ours: a span has a unit, as in ${text}s`);
  }
  if (moment * 1_000 <= nowMs) throw misuse(`--expires ${text} is over`);
  return moment;
}
