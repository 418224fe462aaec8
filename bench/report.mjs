// What every bench writes down: the machine, and its lines between the marks of its command in a page of docs/.

import { readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";

/** The sentence that names the machine. */
export const machine = () =>
  `Machine: ${cpus().length} × ${cpus()[0]?.model.trim()}, load average ${loadavg()[0].toFixed(1)} at the start, shared with the client.`;

/** @param {number[]} values @param {number} share between 0 and 1 */
export const quantile = (values, share) => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
};

/**
 * Replaces what the command wrote into the page before.
 *
 * @param {string} page
 * @param {string} command as the page's marks name it
 * @param {string[]} lines
 */
export function record(page, command, lines) {
  const [begin, end] = [`<!-- measured by ${command} -->`, `<!-- end of what ${command} measured -->`];
  const [head, rest] = readFileSync(page, "utf8").split(begin);
  const tail = rest?.split(end)[1];
  if (tail === undefined) throw new Error(`${page} lacks the lines ${begin} and ${end}`);
  writeFileSync(page, `${head}${begin}\n\n${lines.join("\n")}\n\n${end}${tail}`);
}
