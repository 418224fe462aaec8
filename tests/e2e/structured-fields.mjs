// Lists of structured fields (RFC 9651), strictly: a header that `Cache-Status` readers would drop is an error here.

/**
 * @typedef {{ item: string | number | boolean, parameters: Record<string, string | number | boolean> }} Member
 */

const KEY = /^[a-z*][a-z0-9_\-.*]*/;
const INTEGER = /^-?\d{1,15}(?![\d.])/;
const TOKEN = /^[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*/;
const STRING = /^"(?:[ !#-[\]-~]|\\["\\])*"/;
const BOOLEAN = /^\?[01]/;

/**
 * @param {string} text
 * @returns {Member[]}
 */
export function parseList(text) {
  let rest = text.trim();
  /** @type {Member[]} */
  const members = [];
  const take = (/** @type {RegExp} */ pattern) => {
    const found = rest.match(pattern)?.[0];
    if (found !== undefined) rest = rest.slice(found.length);
    return found;
  };
  const bare = () => {
    const integer = take(INTEGER);
    if (integer !== undefined) return Number(integer);
    const string = take(STRING);
    if (string !== undefined) return string.slice(1, -1).replace(/\\(.)/g, "$1");
    const boolean = take(BOOLEAN);
    if (boolean !== undefined) return boolean === "?1";
    const token = take(TOKEN);
    if (token !== undefined) return token;
    throw new Error(`"${text}" is no list of structured fields: nothing fits at "${rest}"`);
  };
  while (rest) {
    /** @type {Member} */
    const member = { item: bare(), parameters: {} };
    while (take(/^;/)) {
      take(/^ */);
      const key = take(KEY);
      if (key === undefined) throw new Error(`"${text}": no key at "${rest}"`);
      member.parameters[key] = take(/^=/) ? bare() : true;
    }
    members.push(member);
    take(/^[ \t]*/);
    if (!rest) break;
    if (!take(/^,[ \t]*/) || !rest) throw new Error(`"${text}": no list at "${rest}"`);
  }
  return members;
}
