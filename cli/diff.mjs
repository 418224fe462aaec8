// What two documents differ in, place by place: the words of `GET /config/diff`, for what is not a version yet.

import { visible } from "./output.mjs";

/** @typedef {{ path: string, from?: unknown, to?: unknown }} Change */

/** A place where there is nothing; `null` is something. */
const NOTHING = undefined;

/**
 * @param {unknown} from
 * @param {unknown} to
 * @returns {Change[]} members in the order of their names, items in their own
 */
export function changes(from, to, path = "") {
  if (isObject(from) && isObject(to)) {
    const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
    return keys.flatMap((key) => changes(own(from, key), own(to, key), below(path, key)));
  }
  if (Array.isArray(from) && Array.isArray(to)) {
    const places = Array.from({ length: Math.max(from.length, to.length) }, (_, at) => at);
    return places.flatMap((at) => changes(from[at], to[at], `${path}[${at}]`));
  }
  if (from === to) return [];
  return [{ path, ...(from === NOTHING ? {} : { from }), ...(to === NOTHING ? {} : { to }) }];
}

/**
 * @param {Change[]} changes
 * @param {(colour: import("./output.mjs").Colour, text: string) => string} paint
 * @returns {string} a line for each; `(nothing)` where there is none
 */
export function told(changes, paint) {
  const lines = changes.map((change) => {
    const path = visible(change.path || "(all)");
    const [had, has] = ["from" in change, "to" in change];
    if (had && has) return paint("yellow", `~ ${path}: ${json(change.from)} -> ${json(change.to)}`);
    return has ? paint("green", `+ ${path}: ${json(change.to)}`) : paint("red", `- ${path}: ${json(change.from)}`);
  });
  return lines.join("\n") || "nothing changes";
}

/** @param {unknown} value */
const json = (value) => visible(JSON.stringify(value));

/** @param {unknown} value @returns {value is Record<string, unknown>} */
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

/** @param {Record<string, unknown>} object @param {string} key */
const own = (object, key) => (Object.hasOwn(object, key) ? object[key] : NOTHING);

/** @param {string} path @param {string} key one that could be mistaken stands in brackets and quotes */
function below(path, key) {
  if (!/^[A-Za-z0-9_-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}
