// One call of a command: what it was given, and what it may use.

import { address, connect, tokenFrom } from "./api.mjs";
import { duration, lists } from "./given.mjs";

/** How long one call of the API may take when nobody says. */
const TIMEOUT_DEFAULT = "30s";

/**
 * @typedef {object} Call
 * @property {Record<string, any>} values its options
 * @property {string[]} operands
 * @property {import("./output.mjs").Output} out
 * @property {import("./api.mjs").Api} api only for commands of the API
 * @property {Record<string, string | undefined>} env
 * @property {NodeJS.ReadStream} stdin
 * @property {() => number} nowMs
 * @property {ReturnType<typeof lists>} lists
 * @property {string | undefined} by who does it
 * @property {(answer: import("./api.mjs").Answer, text: () => string) => void} show prints an answer as it came with
 *   `--json`, and else as `text`
 * @property {(words: string) => void} lastWords what is said when it is interrupted from now on
 */

/**
 * @param {import("./usage.mjs").Command} command
 * @param {{ values: Record<string, any>, operands: string[] }} given
 * @param {object} host
 * @param {import("./output.mjs").Output} host.out
 * @param {Record<string, string | undefined>} host.env
 * @param {NodeJS.ReadStream} host.stdin
 * @param {() => number} host.nowMs
 * @param {(words: string) => void} host.lastWords
 * @returns {Call}
 */
export function call(command, { values, operands }, { out, env, stdin, nowMs, lastWords }) {
  const api = command.kind === "api" ? reach(values, env, out) : /** @type {any} */ (undefined);
  return {
    values,
    operands,
    out,
    api,
    env,
    stdin,
    nowMs,
    lists: lists(stdin),
    by: values.by ?? (env.VIDEO_RESIZER_BY || env.USER || undefined),
    show: (answer, text) => out.print(values.json ? answer.text : text()),
    lastWords,
  };
}

/**
 * @param {Record<string, any>} values
 * @param {Record<string, string | undefined>} env
 * @param {import("./output.mjs").Output} out
 */
function reach(values, env, out) {
  const base = address(values.at ?? env.VIDEO_RESIZER_URL, values.insecure === true);
  const timeoutMs = duration("timeout", values.timeout ?? TIMEOUT_DEFAULT);
  const token = tokenFrom(values["token-file"], env);
  out.hide(token);
  return connect({ base, token, timeoutMs });
}
