// Builds the worker into build/: `npm run build`, and the build command of wrangler.jsonc.
// With nothing changed since the last build it does nothing, so wrangler may call it as often as it likes.

import { buildWorker } from "./worker-build.mjs";
import { script } from "./process.mjs";

await script(async () => {
  await buildWorker();
});
