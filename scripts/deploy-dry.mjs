// `npm run deploy:dry`: everything a deployment does, except for the upload.

import { fromRoot } from "./layout.mjs";
import { run, script } from "./process.mjs";

await script(async () => {
  await run("wrangler", ["deploy", "--dry-run", "--outdir", fromRoot(".wrangler", "dry-run")], {
    cwd: fromRoot(),
    env: { CI: "1", WRANGLER_SEND_METRICS: "false" },
    failure: "the worker is not ready to deploy: see above",
  });
});
