// `explain`: what a request would do, and why.

import { DONE, misuse } from "../ending.mjs";
import { outline } from "../output.mjs";

/** @type {import("../usage.mjs").Command} */
export const explain = {
  name: "explain",
  kind: "api",
  does: "Say what a request would do and why; nothing is made, asked or kept.",
  usage: ["explain <url> [--header <line>]..."],
  says: ["A URL may be only its path and query."],
  operands: [1, 1],
  options: {
    header: { type: "string", multiple: true, value: "<line>", does: "a header of the request: 'Name: value'" },
  },
  examples: [
    ["video-resizer explain '/clips/a.mp4?width=640'", "recipe, key, tiers, lifetimes, sources"],
    ["video-resizer explain /clips/a.mp4 --header 'Save-Data: on'", "the same for another viewer"],
  ],
  run: async ({ api, operands, values, show }) => {
    const [url] = operands;
    const headers = (values.header ?? []).map((/** @type {string} */ line) => {
      const [, name, value] = line.match(/^([^\s:]+):[ \t]*(.*?)[ \t]*$/) ?? [];
      if (name === undefined) throw misuse(`--header takes 'Name: value', not "${line}"`);
      return /** @type {[string, string]} */ (["header", `${name}:${value}`]);
    });
    const answer = await api.get("/explain", { query: [["url", url], ...headers] });
    show(answer, () => outline(answer.json));
    return DONE;
  },
};
