// A real browser plays what the worker gives it, with nothing but our answers: video, sound, pictures, and the
// page that `npm start` opens.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { findBrowser } from "../../scripts/layout.mjs";
import { startWorld } from "../../scripts/world.mjs";
import { eventually } from "./ask.mjs";
import { cacheStatus, inKv, transformsOf } from "./viewer.mjs";

const VIDEO = "/videos/big-buck-bunny-720p-5s.mp4";

/** Where screenshots go, for people to look at; none are made without it. */
const { SCREENSHOTS } = process.env;

/** @type {import("../../scripts/world.mjs").World} */
let world;
/** @type {import("playwright-core").Browser} */
let browser;

before(async () => {
  const executablePath = findBrowser();
  assert.ok(executablePath, "no browser is installed: npm test installs one");
  [world, browser] = await Promise.all([
    startWorld(),
    // Chromium's sandbox refuses root, and containers give /dev/shm little room.
    chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required"] }),
  ]);
});
after(() => Promise.all([browser?.close(), world?.stop()]));

/**
 * @typedef {object} Seen
 * @property {string} url
 * @property {number} status
 * @property {string | undefined} range what the browser asked
 * @property {{ edge?: string, kv?: string }} tiers
 */

/**
 * An empty page on the worker's own origin, and what goes on in it.
 *
 * @param {import("node:test").TestContext} t
 * @param {{ width: number, height: number }} [viewport]
 */
async function openPage(t, viewport = { width: 1280, height: 800 }) {
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  t.after(() => context.close());
  /** @type {string[]} */
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  /** @type {Seen[]} */
  const seen = [];
  page.on("response", (response) => {
    seen.push({
      url: response.url(),
      status: response.status(),
      range: response.request().headers().range,
      tiers: cacheStatus({ headers: response.headers() }),
    });
  });
  return { page, errors, seen };
}

/**
 * A page that is nothing but one media element, on the worker's own origin.
 *
 * @param {import("playwright-core").Page} page
 * @param {"video" | "audio" | "img"} tag
 * @param {string} source
 */
async function show(page, tag, source) {
  await page.route("**/empty.html", (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html>" }));
  await page.goto(`${world.worker}/empty.html`);
  await page.evaluate(([tag, source]) => {
    const element = document.createElement(tag);
    Object.assign(element, { id: "media", src: source, muted: tag === "video", loop: tag === "video", preload: "auto" });
    document.body.append(element);
  }, [tag, source]);
}

/**
 * Waits until the element has told of an event, or fails with the error it has.
 *
 * @param {import("playwright-core").Page} page
 * @param {string} script returns something true when it is so; `media` is the element
 */
async function until(page, script) {
  const state = await page.waitForFunction(
    ([script]) => {
      const media = /** @type {any} */ (document.querySelector("#media"));
      if (media.error) return `${media.error.code}: ${media.error.message}`;
      return new Function("media", `return ${script}`)(media) ? "so" : false;
    },
    [script],
  );
  assert.equal(await state.jsonValue(), "so", script);
}

test("a browser plays a cold rendition through, seeks to its end and loops, for one transform", async (t) => {
  const { page, errors, seen } = await openPage(t);
  const source = `${VIDEO}?width=640&height=360`;
  await show(page, "video", source);
  await until(page, "media.readyState === HTMLMediaElement.HAVE_ENOUGH_DATA");
  const facts = await page.evaluate(() => {
    const media = /** @type {HTMLVideoElement} */ (document.querySelector("#media"));
    return { width: media.videoWidth, height: media.videoHeight, seconds: Math.round(media.duration) };
  });
  assert.deepEqual(facts, { width: 640, height: 360, seconds: 5 });

  await page.evaluate(() => document.querySelector("video")?.play());
  await until(page, "media.currentTime > 0.2 && !media.paused");
  await page.evaluate(() => {
    const media = /** @type {HTMLVideoElement} */ (document.querySelector("#media"));
    media.currentTime = media.duration * 0.9;
  });
  await until(page, "!media.seeking && media.currentTime >= media.duration * 0.9");
  await until(page, "media.currentTime > 0 && media.currentTime < 2");

  const media = seen.filter(({ url }) => url.endsWith(source));
  assert.equal(media[0].range, "bytes=0-");
  assert.equal(media[0].status, 206);
  assert.deepEqual(media[0].tiers, { kv: "fwd=uri-miss; fwd-status=200; stored", edge: "fwd=uri-miss; stored" });
  assert.deepEqual(media.filter(({ status }) => ![200, 206, 304].includes(status)), []);
  assert.deepEqual(errors, []);
  assert.equal(await transformsOf(world, VIDEO), 1);
});

test("the next browser gets the same rendition from the edge, and with the edge cleared seeks in what KV has", async (t) => {
  const source = `${VIDEO}?width=640&height=360`;
  await eventually(() => inKv(world, `${VIDEO.slice(1)}:w=640:h=360`), "the rendition in KV");

  const second = await openPage(t);
  await show(second.page, "video", source);
  await until(second.page, "media.readyState === HTMLMediaElement.HAVE_ENOUGH_DATA");
  assert.deepEqual(second.seen.find(({ url }) => url.endsWith(source))?.tiers, { edge: "hit" });

  await world.clearEdge();
  const third = await openPage(t);
  await show(third.page, "video", source);
  await until(third.page, "media.readyState >= HTMLMediaElement.HAVE_METADATA");
  await third.page.evaluate(() => {
    const media = /** @type {HTMLVideoElement} */ (document.querySelector("#media"));
    media.currentTime = media.duration * 0.9;
  });
  await until(third.page, "!media.seeking && media.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA");
  assert.equal(third.seen.find(({ url }) => url.endsWith(source))?.tiers.kv, "hit");
  assert.deepEqual([...second.errors, ...third.errors], []);
  assert.equal(await transformsOf(world, VIDEO), 1);
});

for (const [name, query, size] of /** @type {const} */ ([
  ["a frame", "mode=frame&time=2s&width=320&height=180", [320, 180]],
  ["a frame as PNG", "mode=frame&time=1s&width=240&height=135&format=png", [240, 135]],
])) {
  test(`a browser shows ${name} in the size that was asked`, async (t) => {
    const { page, errors, seen } = await openPage(t);
    await show(page, "img", `${VIDEO}?${query}`);
    await page.waitForFunction(() => /** @type {any} */ (document.querySelector("#media")).complete);
    const natural = await page.evaluate(() => {
      const image = /** @type {HTMLImageElement} */ (document.querySelector("#media"));
      return [image.naturalWidth, image.naturalHeight];
    });
    assert.deepEqual(natural, size);
    assert.equal(seen.find(({ url }) => url.endsWith(query))?.status, 200);
    assert.deepEqual(errors, []);
  });
}

test("a browser shows a spritesheet: one picture of as many as were asked, wider than high as they are", async (t) => {
  const { page, errors } = await openPage(t);
  await show(page, "img", `${VIDEO}?mode=spritesheet&duration=4s&imageCount=4&width=320&height=180`);
  await page.waitForFunction(() => /** @type {any} */ (document.querySelector("#media")).complete);
  const natural = await page.evaluate(() => {
    const image = /** @type {HTMLImageElement} */ (document.querySelector("#media"));
    return [image.naturalWidth, image.naturalHeight];
  });
  assert.ok(natural[0] > 0 && natural[1] > 0, `nothing to see: ${natural}`);
  assert.equal(Math.round((natural[0] / natural[1]) * 10), Math.round((16 / 9) * 10), `${natural}`);
  assert.deepEqual(errors, []);
});

test("a browser plays the sound alone", async (t) => {
  const { page, errors, seen } = await openPage(t);
  const source = `${VIDEO}?mode=audio&duration=3s`;
  await show(page, "audio", source);
  await until(page, "media.readyState === HTMLMediaElement.HAVE_ENOUGH_DATA");
  await page.evaluate(() => document.querySelector("audio")?.play());
  await until(page, "media.currentTime > 0.2 && !media.paused");
  const seconds = await page.evaluate(() => Math.round(document.querySelector("audio")?.duration ?? 0));
  assert.equal(seconds, 3);
  assert.deepEqual(seen.filter(({ url, status }) => url.endsWith(source) && ![200, 206].includes(status)), []);
  assert.deepEqual(errors, []);
});

for (const [device, viewport] of /** @type {const} */ ([
  ["a desk", { width: 1280, height: 900 }],
  ["a phone", { width: 390, height: 844 }],
])) {
  test(`the page at / shows on ${device} which tier answered, and a made rendition is a hit when it is asked again`, async (t) => {
    const { page, errors } = await openPage(t, viewport);
    if (device === "a desk") {
      for (const { name } of (await world.kv.cache.list()).keys) await world.kv.cache.delete(name);
      await world.clearEdge();
    }
    await page.goto(world.worker);
    const card = page.locator("#renditions .card").first();
    const tier = card.locator(".verdict .tier");
    await tier.filter({ hasText: /./ }).waitFor();
    if (device === "a desk") assert.equal(await tier.textContent(), "made");
    await page.locator("#again-all:not([disabled])").waitFor({ timeout: 60_000 });
    const badges = await page.locator("#renditions .card .verdict .tier").allTextContents();
    assert.equal(badges.length, 9);
    assert.deepEqual(badges.filter((badge) => !["made", "kv", "edge"].includes(badge)), []);

    await card.getByRole("button").click();
    await page.waitForFunction(() => document.querySelector("#renditions .card .verdict .tier")?.textContent === "edge");
    assert.match(await card.locator("dl").textContent() ?? "", /video-resizer-edge; hit/);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(overflow, 0, "the page is wider than the screen");
    assert.deepEqual(errors, []);
    if (SCREENSHOTS) {
      mkdirSync(SCREENSHOTS, { recursive: true });
      await page.screenshot({ path: path.join(SCREENSHOTS, `${device.replace("a ", "")}.png`), fullPage: true });
    }
  });
}
