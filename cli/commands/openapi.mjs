// `openapi`: the API's description of itself.

import { DONE } from "../ending.mjs";

/** @type {import("../usage.mjs").Command} */
export const openapi = {
  name: "openapi",
  kind: "api",
  does: "Print the OpenAPI 3.1 description of the API.",
  usage: ["openapi"],
  examples: [["video-resizer openapi > openapi.json", "for a generator of clients"]],
  run: async ({ api, show }) => {
    const answer = await api.get("/openapi.json", { has: ["openapi"] });
    show(answer, () => answer.text);
    return DONE;
  },
};
