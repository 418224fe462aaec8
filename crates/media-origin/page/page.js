// The demo page: asks for renditions and shows, from the answers' own headers, which tier gave each.

/** Sources the media origin serves; the generated ones are made when first asked for. */
const SOURCES = [
  { path: "/videos/big-buck-bunny-720p-5s.mp4", name: "Big Buck Bunny, 5 s, 720p" },
  { path: "/videos/generated/20s-1280x720.mp4", name: "Test pattern, 20 s, 720p" },
  { path: "/videos/generated/noise-10s-640x360.mp4", name: "Noise, 10 s, 360p: hard to compress" },
];

const RENDITIONS = [
  { title: "640 × 360", query: "width=640&height=360", note: "A common size, made for the first who asks." },
  { title: "320 × 180", query: "width=320&height=180", note: "Another size, another variant." },
  {
    title: "Preset “mobile”",
    query: "derivative=mobile",
    note: "Also 640 × 360: the same recipe, so the same copy.",
  },
  { title: "Two seconds", query: "width=640&height=360&time=1s&duration=2s", note: "From second 1 to second 3." },
  { title: "Muted", query: "width=640&height=360&audio=false", note: "Without its sound track." },
  { title: "A frame", query: "mode=frame&time=2s&width=640&height=360", note: "A picture of second 2." },
  { title: "A spritesheet", query: "mode=spritesheet&duration=5s&width=640&height=360", note: "Pictures for a seek bar." },
  { title: "Sound only", query: "mode=audio&duration=4s", note: "Its first four seconds." },
  { title: "No size asked", query: "", note: "The size is chosen for this browser, from its hints." },
];

/** How many earlier answers a card keeps in sight. */
const TRAIL_MAX = 6;

/** @param {string} selector @param {ParentNode} [within] @returns {any} */
const find = (selector, within = document) => within.querySelector(selector);

/** @param {number} bytes */
const size = (bytes) =>
  bytes < 1024 ? `${bytes} B` : bytes < 1024 ** 2 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 ** 2).toFixed(1)} MiB`;

/** @param {number} ms */
const time = (ms) => (ms < 10 ? `${ms.toFixed(1)} ms` : ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

/**
 * Splits a header that is a list (RFC 9110 5.6.1) at `separator`, outside quoted strings.
 *
 * @param {string | null} text
 * @param {string} separator
 */
function split(text, separator) {
  const parts = [""];
  let quoted = false;
  let escaped = false;
  for (const char of text ?? "") {
    if (char === separator && !quoted) {
      parts.push("");
      continue;
    }
    if (char === '"' && !escaped) quoted = !quoted;
    escaped = quoted && char === "\\" && !escaped;
    parts[parts.length - 1] += char;
  }
  return parts.map((part) => part.trim()).filter(Boolean);
}

/**
 * Who answered, from Cache-Status (RFC 9211): the cache that says `hit`; if none does, it was made.
 *
 * @param {string | null} cacheStatus
 * @returns {string | undefined} undefined when no cache spoke: the answer went around them
 */
function tierOf(cacheStatus) {
  const members = split(cacheStatus, ",").map((member) => split(member, ";"));
  if (members.length === 0) return undefined;
  const hit = members.find(([, ...parameters]) => parameters.includes("hit"));
  return hit ? hit[0].replace(/^video-resizer-/, "") : "made";
}

/** @param {string | null} serverTiming */
function timings(serverTiming) {
  return split(serverTiming, ",")
    .map((entry) => {
      const [name, ...parameters] = split(entry, ";");
      const ms = parameters.find((parameter) => parameter.startsWith("dur="))?.slice(4);
      return ms ? `${name} ${time(Number(ms))}` : name;
    })
    .join(", ");
}

/**
 * Asks for a URL past the browser's own cache, to the last byte.
 *
 * @param {string} url
 */
async function ask(url) {
  const start = performance.now();
  // Our own Cache-Control keeps the browser from adding "no-cache", which is not what we mean to ask.
  const response = await fetch(url, { cache: "no-store", headers: { "Cache-Control": "max-age=31536000" } });
  const firstByteMs = performance.now() - start;
  const body = await response.blob();
  return { response, body, firstByteMs, wholeMs: performance.now() - start };
}

/** One rendition on the page. */
class Card {
  /** @param {{ title: string, note: string, url: string }} what */
  constructor({ title, note, url }) {
    this.url = url;
    this.element = find("#card").content.cloneNode(true).firstElementChild;
    find("h2", this.element).textContent = title;
    find(".note", this.element).textContent = note;
    const link = find(".url", this.element);
    link.href = url;
    link.textContent = url;
    this.button = find("button", this.element);
    this.button.setAttribute("aria-label", `Ask again for: ${title}`);
    this.button.addEventListener("click", () => this.ask());
  }

  /** Asks once; a click while an answer is on its way is not another question. */
  async ask() {
    if (this.button.disabled) return;
    this.button.disabled = true;
    find(".cost", this.element).textContent = "asking …";
    try {
      const answer = await ask(this.url);
      this.judge(answer);
      this.state(answer);
      await this.show(answer);
    } catch (error) {
      this.verdict("failed", "no answer");
      this.say(`The request failed: ${error instanceof Error ? error.message : error}`);
    } finally {
      this.button.disabled = false;
      void showBill();
    }
  }

  /** @param {Awaited<ReturnType<typeof ask>>} answer */
  judge({ response, body, firstByteMs }) {
    const tier = response.ok ? (tierOf(response.headers.get("Cache-Status")) ?? "passed through") : "failed";
    const label = response.ok ? tier : String(response.status);
    this.verdict(tier, label, `first byte ${time(firstByteMs)}, ${size(body.size)}`);
    const trail = find(".trail", this.element);
    trail.append(badge(tier, `${label} ${time(firstByteMs)}`));
    while (trail.children.length > TRAIL_MAX) trail.firstChild.remove();
  }

  /** @param {string} tier @param {string} label @param {string} [cost] */
  verdict(tier, label, cost = "") {
    find(".verdict .tier", this.element).replaceWith(badge(tier, label, "status"));
    find(".cost", this.element).textContent = cost;
  }

  /** @param {Awaited<ReturnType<typeof ask>>} answer */
  state({ response, body, wholeMs }) {
    const header = (/** @type {string} */ name) => response.headers.get(name);
    const length = header("Content-Length");
    const rows = {
      Status: `${response.status} ${response.statusText}`,
      Type: header("Content-Type"),
      Length: `${size(body.size)} in ${time(wholeMs)}${length ? "" : ", not announced"}`,
      Age: header("Age") && `${header("Age")} s`,
      "Cache-Status": header("Cache-Status"),
      "Server-Timing": timings(header("Server-Timing")),
      "X-Cache-Key": header("X-Cache-Key"),
      "X-Request-ID": header("X-Request-ID"),
    };
    const cells = Object.entries(rows)
      .filter(([, value]) => value)
      .flatMap(([name, value]) => [
        Object.assign(document.createElement("dt"), { textContent: name }),
        Object.assign(document.createElement("dd"), { textContent: value }),
      ]);
    find("dl", this.element).replaceChildren(...cells);
  }

  /** @param {Awaited<ReturnType<typeof ask>>} answer */
  async show({ response, body }) {
    const type = response.headers.get("Content-Type") ?? "";
    if (!response.ok) {
      this.say(await explanation(body, type));
      return;
    }
    const tag = { video: "video", audio: "audio", image: "img" }[type.split("/")[0]];
    if (!tag) {
      this.say(`${type || "No content type"}, which this page does not show.`);
      return;
    }
    const stage = find(".stage", this.element);
    // A player that is already there keeps its place; the answer's bytes are the same.
    if (stage.firstElementChild?.localName === tag) return;
    const media = document.createElement(tag);
    // By URL rather than from the bytes at hand: the player asks for ranges, as players do.
    Object.assign(media, tag === "img" ? { alt: "" } : { controls: true, loop: tag === "video", playsInline: true, preload: "metadata" });
    media.src = this.url;
    stage.replaceChildren(media);
  }

  /** @param {string} sentence */
  say(sentence) {
    const paragraph = document.createElement("p");
    paragraph.textContent = sentence;
    find(".stage", this.element).replaceChildren(paragraph);
  }
}

/** @param {string} tier @param {string} label @param {string} [role] */
function badge(tier, label, role) {
  const element = document.createElement("b");
  element.className = `tier ${tier.replace(/\W+/g, "-")}`;
  element.textContent = label;
  if (role) element.setAttribute("role", role);
  return element;
}

/** What a refusal says: the problem details of RFC 9457, or the start of whatever it is. @param {Blob} body @param {string} type */
async function explanation(body, type) {
  const text = (await body.slice(0, 2000).text()).trim();
  if (!type.includes("json")) return text || "An empty answer.";
  try {
    const problem = JSON.parse(text);
    return [problem.title, problem.detail].filter(Boolean).join(": ") || text;
  } catch {
    return text;
  }
}

/** What the local transformation would have been billed: hits leave it as it is. */
async function showBill() {
  const output = find("#bill");
  try {
    const response = await fetch("/_origin/bill");
    const bill = response.ok ? await response.json() : {};
    output.hidden = typeof bill.operations !== "number";
    output.textContent = `Billed so far: ${bill.operations} operations`;
  } catch {
    output.hidden = true;
  }
}

/** @type {Card[]} */
let cards = [];

/** One after the other, so that each card's time is its own. @param {Card[]} these */
async function askAll(these) {
  const button = find("#again-all");
  button.disabled = true;
  for (const card of these) {
    if (these !== cards) return; // another source was chosen meanwhile
    await card.ask();
  }
  button.disabled = false;
}

/** The source from the media origin's own address: no tier answers it, so there is nothing to ask. @param {string} path */
async function showOriginal(path) {
  const card = find("#original");
  card.hidden = true;
  const response = await fetch("/_origin/health");
  const { url } = response.ok ? await response.json() : {};
  if (!url) return;
  const video = find("video", card);
  if (video.src !== url + path) video.src = url + path;
  const link = find(".url", card);
  link.href = url + path;
  link.textContent = url + path;
  card.hidden = false;
}

/** @param {string} source a path */
function showSource(source) {
  cards = RENDITIONS.map(({ title, query, note }) => new Card({ title, note, url: query ? `${source}?${query}` : source }));
  find("#renditions").replaceChildren(...cards.map((card) => card.element));
  showOriginal(source).catch(() => {}); // without a media origin behind the worker there is none to show
  find("#path").value = `${source}?width=480&audio=false`;
  void askAll(cards);
}

const select = find("#source");
select.append(...SOURCES.map(({ path, name }) => new Option(name, path)));
select.addEventListener("change", () => showSource(select.value));
find("#again-all").addEventListener("click", () => askAll(cards));

find("#free").addEventListener("submit", (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  const problem = find("#free-problem");
  const url = URL.parse(find("#path").value.trim(), location.origin);
  const ours = url?.origin === location.origin;
  problem.hidden = ours;
  problem.textContent = ours ? "" : `Only paths on ${location.host} can be asked from here.`;
  if (!ours) return;
  const card = new Card({ title: "Asked by you", note: "", url: url.pathname + url.search });
  find("#renditions").prepend(card.element);
  card.element.scrollIntoView({ block: "nearest" });
  void card.ask();
});

showSource(select.value);
