// Every command, once.

import { config } from "./commands/config.mjs";
import { explain } from "./commands/explain.mjs";
import { health } from "./commands/health.mjs";
import { openapi } from "./commands/openapi.mjs";
import { purge } from "./commands/purge.mjs";
import { sign } from "./commands/sign.mjs";
import { variants } from "./commands/variants.mjs";
import { warm } from "./commands/warm.mjs";

/** @type {import("./usage.mjs").Command} */
export const root = {
  name: "video-resizer",
  does: "The operator's commands of video-resizer.",
  usage: ["<command> [options]", "--version"],
  options: { version: { type: "boolean", does: "print the version" } },
  commands: [purge, variants, explain, warm, config, sign, health, openapi],
  examples: [
    ["export VIDEO_RESIZER_URL=https://videos.example.com", "where the worker is"],
    [
      "read -rs VIDEO_RESIZER_TOKEN && export VIDEO_RESIZER_TOKEN",
      "who asks: ADMIN_TOKEN, or ADMIN_READ_TOKEN to look",
    ],
    ["video-resizer purge --tag campaign-7 --wait", "and then"],
  ],
};
