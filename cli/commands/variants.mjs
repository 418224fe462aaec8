// `variants`: what is stored of a source, or of all.

import { DONE } from "../ending.mjs";
import { number } from "../given.mjs";
import { size, table } from "../output.mjs";
import { PAGING, pages } from "../paging.mjs";

/** @type {import("../usage.mjs").Command} */
export const variants = {
  name: "variants",
  kind: "api",
  does: "List what is stored, of one source or of all.",
  usage: ["variants [<source>] [--limit <n>] [--all]"],
  says: ["A source is a path, as in /clips/a.mp4."],
  operands: [0, 1],
  options: PAGING,
  examples: [
    ["video-resizer variants /clips/a.mp4", "what is stored of one source"],
    ["video-resizer variants --all --json | jq -s 'map(.bytes) | add'", "bytes in all"],
  ],
  run: async (call) => {
    const { values, operands } = call;
    if (values.limit) number("--limit", values.limit);
    const [source] = operands;
    await pages(call, {
      path: "/variants",
      query: [["source", source]],
      member: "variants",
      text: listed,
      none: "nothing is stored",
    });
    return DONE;
  },
};

/** @param {any[]} entries @param {boolean} first */
const listed = (entries, first) =>
  table(
    first ? ["STATE", "STATUS", "BYTES", "CREATED", "FRESH UNTIL", "KEY"] : [],
    entries.map(({ state, status, reason, bytes, created, fresh_until: until, key }) => [
      state,
      reason ? `${status} ${reason}` : status,
      size(bytes),
      created,
      until,
      key,
    ]),
    [10, 6, 8, 24, 24],
  );
