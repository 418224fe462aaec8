// Builds the worker into build/: `npm run build`, and the build command of wrangler.jsonc.
// With nothing changed since the last build it does nothing, so wrangler may call it as often as it likes.

import { script } from "./process.mjs";
import { buildWorker } from "./worker-build.mjs";
import { sizeLine } from "./worker-size.mjs";

await script(async () => {
  await buildWorker();
  console.log(`build: build/ is up to date: ${sizeLine()}`);
});
