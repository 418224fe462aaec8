// What is printed, and where: results on standard output, messages and progress on standard error.

/** Characters a terminal would act on, or that turn the order of a line around. */
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

const COLOURS = /** @type {const} */ ({ red: 31, green: 32, yellow: 33, bold: 1 });

/** In place of a secret that somebody else's text repeats. */
const HIDDEN = "[hidden]";

/** @typedef {keyof typeof COLOURS} Colour */
/** @typedef {ReturnType<typeof output>} Output */

/**
 * @param {object} to
 * @param {NodeJS.WriteStream} to.stdout
 * @param {NodeJS.WriteStream} to.stderr
 * @param {Record<string, string | undefined>} to.env
 */
export function output({ stdout, stderr, env }) {
  /** @type {string[]} */
  const secrets = [];
  let shown = "";

  const plain = (/** @type {string} */ text) => secrets.reduce((text, secret) => text.replaceAll(secret, HIDDEN), text);
  const clear = () => {
    if (stderr.isTTY && shown !== "") stderr.write("\r\x1b[K");
    shown = "";
  };
  /** @param {NodeJS.WriteStream} stream */
  const painter = (stream) => {
    // no-color.org: any value but an empty one.
    const on = stream.isTTY && !env.NO_COLOR && env.TERM !== "dumb";
    return (/** @type {Colour} */ colour, /** @type {string} */ text) =>
      on ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text;
  };

  return {
    /** Paints what goes to standard output. */
    paint: painter(stdout),
    /** Paints what goes to standard error. */
    paintNote: painter(stderr),

    /** @param {string} secret never printed from now on, whoever says it */
    hide: (secret) => void secrets.push(secret),

    /** @param {string} text a result; it ends with one newline, and nothing is nothing */
    print: (text) => {
      clear();
      if (text === "") return;
      stdout.write(plain(text.endsWith("\n") ? text : `${text}\n`));
    },

    /** @param {string} text a message */
    note: (text) => {
      clear();
      stderr.write(plain(`${text}\n`));
    },

    /**
     * How far it is: one line that is rewritten on a terminal, else a line for each change.
     *
     * @param {string} text
     */
    progress: (text) => {
      if (text === shown) return;
      if (stderr.isTTY) {
        const room = Math.max(1, (stderr.columns || 80) - 1);
        stderr.write(plain(`\r\x1b[K${text.slice(0, room)}`));
      } else {
        stderr.write(plain(`${text}\n`));
      }
      shown = text;
    },

    clear,
  };
}

/**
 * Somebody else's text as one line that a terminal does not act on.
 *
 * @param {unknown} value nothing becomes `-`
 * @returns {string}
 */
export function visible(value) {
  if (value === null || value === undefined || value === "") return "-";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return text.replace(UNSEEN, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/**
 * Columns under their names; the last one is as wide as it likes.
 *
 * @param {string[]} names
 * @param {unknown[][]} rows
 * @param {number[]} [widths] at least so wide, so that pages of one list stand under each other
 * @returns {string} without a newline at its end; a list that goes on leaves `names` empty
 */
export function table(names, rows, widths = []) {
  const lines = [...(names.length > 0 ? [names] : []), ...rows.map((row) => row.map(visible))];
  const columns = Math.max(0, ...lines.map((line) => line.length));
  const wide = Array.from({ length: columns }, (_, at) =>
    Math.max(widths[at] ?? 0, ...lines.map((line) => line[at]?.length ?? 0)),
  );
  return lines
    .map((line) => line.map((cell, at) => (at === line.length - 1 ? cell : cell.padEnd(wide[at]))).join("  "))
    .join("\n");
}

/**
 * A document for people: a member a line, what is inside it indented.
 *
 * @param {unknown} value
 * @param {string} [indent]
 * @returns {string}
 */
export function outline(value, indent = "") {
  if (Array.isArray(value))
    return value.map((item) => `${indent}- ${outline(item, `${indent}  `).trimStart()}`).join("\n");
  if (value === null || typeof value !== "object") return `${indent}${visible(value)}`;
  return Object.entries(value)
    .map(([key, member]) => {
      const name = `${indent}${visible(key)}:`;
      if (Array.isArray(member) && member.every((item) => item === null || typeof item !== "object")) {
        return `${name} ${member.map(visible).join(", ") || "-"}`;
      }
      const empty = member === null || typeof member !== "object" || Object.keys(member).length === 0;
      return empty ? `${name} ${visible(member)}` : `${name}\n${outline(member, `${indent}  `)}`;
    })
    .join("\n");
}

/** @param {unknown} bytes @returns {string} `1.5 MB`, in powers of 1,000; not a number becomes `-` */
export function size(bytes) {
  if (typeof bytes !== "number") return visible(null);
  const units = ["B", "kB", "MB", "GB", "TB"];
  let [amount, unit] = [bytes, 0];
  while (amount >= 999.95 && unit < units.length - 1) [amount, unit] = [amount / 1000, unit + 1];
  return unit === 0 ? `${amount} B` : `${amount.toFixed(1)} ${units[unit]}`;
}

/** @param {number} count @param {string} one @param {string} [many] @returns {string} `1 entry`, `2 entries` */
export const counted = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
