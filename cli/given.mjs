// What is given to a command, read strictly: times, numbers, lists, files.

import { readFileSync } from "node:fs";
import { misuse } from "./ending.mjs";

/** More than any call takes. */
const STDIN_BYTES_MAX = 8 * 1024 * 1024;

/** A configuration has at most a hundredth of it. */
const FILE_BYTES_MAX = 32 * 1024 * 1024;

/** A shorter token or key counts for nothing, here and for the worker. */
export const SECRET_CHARS_MIN = 16;

/** @type {Record<string, number>} */
const MILLISECONDS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Longer waits than a timer can have are nobody's. */
const DURATION_MS_MAX = 10 * 366 * MILLISECONDS.d;

/**
 * @param {string} name of the option, for the message
 * @param {string} text `30s`, `1.5h`
 * @returns {number} milliseconds
 */
export function duration(name, text) {
  const [, amount, unit] = text.match(/^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/) ?? [];
  const ms = Math.round(Number(amount) * MILLISECONDS[unit]);
  if (!(ms > 0 && ms <= DURATION_MS_MAX))
    throw misuse(`--${name} takes a time, as in 500ms, 30s, 10m, 1h, 7d, not "${text}"`);
  return ms;
}

/**
 * @param {string} name of the option or operand, for the message
 * @param {string} text
 * @param {number} [min]
 * @returns {number} a whole number
 */
export function number(name, text, min = 1) {
  if (!/^(0|[1-9]\d{0,14})$/.test(text) || Number(text) < min) {
    throw misuse(`${name} takes a whole number from ${min}, not "${text}"`);
  }
  return Number(text);
}

/** Lists that may be given on standard input, where one of them is `-`. @param {NodeJS.ReadableStream} stdin */
export function lists(stdin) {
  let taken = false;
  return {
    /**
     * The same list with its `-` replaced by the lines of standard input, without empty ones.
     *
     * @param {string[] | undefined} items
     * @returns {Promise<string[]>}
     */
    read: async (items = []) => {
      const at = items.indexOf("-");
      if (at < 0) return items;
      if (taken || items.lastIndexOf("-") !== at) throw misuse("only one list can be read from standard input");
      taken = true;
      const lines = (await all(stdin)).split("\n").map((line) => line.trim());
      return items.toSpliced(at, 1, ...lines.filter((line) => line !== ""));
    },
  };
}

/** @param {NodeJS.ReadableStream} stdin @returns {Promise<string>} everything there is */
export async function all(stdin) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    const piece = Buffer.from(chunk);
    bytes += piece.length;
    if (bytes > STDIN_BYTES_MAX) throw misuse(`standard input has over ${STDIN_BYTES_MAX} bytes`);
    chunks.push(piece);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** @param {string} text @returns {string} without the newline that an editor leaves at the end of a secret */
export const secret = (text) => text.replace(/\r?\n$/, "");

/**
 * @param {string} path
 * @returns {string}
 */
export function file(path) {
  try {
    const bytes = readFileSync(path);
    if (bytes.length > FILE_BYTES_MAX) throw new Error(`over ${FILE_BYTES_MAX} bytes`);
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw misuse(`${path} cannot be read: ${/** @type {Error} */ (error).message}`);
  }
}

/**
 * @param {string} name of where it came from
 * @param {string} text
 * @returns {unknown}
 */
export function document(name, text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw misuse(`${name} is no JSON: ${/** @type {Error} */ (error).message}`);
  }
}
