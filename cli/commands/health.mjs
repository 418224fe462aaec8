// `health`: whether everything that the deployment needs is there and answers.

import { DONE, UNREACHABLE } from "../ending.mjs";
import { outline } from "../output.mjs";

/** @type {import("../usage.mjs").Command} */
export const health = {
  name: "health",
  kind: "api",
  does: "Say whether all that the deployment needs is there and answers; if not, exit code 3.",
  usage: ["health"],
  examples: [["video-resizer health || echo 'look into it'", "for a deployment script"]],
  run: async ({ api, show }) => {
    const answer = await api.get("/health", { takes: [503], has: ["healthy"] });
    show(answer, () => outline(answer.json));
    return answer.json.healthy === true ? DONE : UNREACHABLE;
  },
};
