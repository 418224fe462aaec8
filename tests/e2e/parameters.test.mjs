// Parameters as a viewer sends them: what is wrong is refused before anything is fetched, and what is right
// is really in the bytes that come back.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { json, SAMPLE, tierOf } from "./ask.mjs";
import { ffprobe } from "./ffprobe.mjs";
import { COUNTING } from "./platform-calls.mjs";
import { openStage, OPERATOR, sampleFor } from "./stage.mjs";

/** @type {import("./stage.mjs").Stage} */
let stage;

before(async () => {
  stage = await openStage({ around: COUNTING });
});

after(() => stage?.stop());

/**
 * Queries that cannot be done, each with what the refusal has to name.
 *
 * @type {{ query: string, parameter: string, value: string, expected: RegExp }[]}
 */
const BAD = [
  { query: "width=5", parameter: "width", value: "5", expected: /10 to 2000/ },
  { query: "width=99999", parameter: "width", value: "99999", expected: /10 to 2000/ },
  { query: "w=0", parameter: "w", value: "0", expected: /10 to 2000/ },
  { query: "height=-360", parameter: "height", value: "-360", expected: /10 to 2000/ },
  { query: "width=640px", parameter: "width", value: "640px", expected: /10 to 2000/ },
  { query: "width=1e3", parameter: "width", value: "1e3", expected: /10 to 2000/ },
  { query: "width=", parameter: "width", value: "", expected: /10 to 2000/ },
  { query: "width=99999999999999999999999", parameter: "width", value: "99999999999999999999999", expected: /10 to 2000/ },
  { query: "time=yesterday", parameter: "time", value: "yesterday", expected: /0s to 600s/ },
  { query: "start=11m", parameter: "start", value: "11m", expected: /0s to 600s/ },
  { query: "time=-1s", parameter: "time", value: "-1s", expected: /0s to 600s/ },
  { query: "duration=0s", parameter: "duration", value: "0s", expected: /1s to/ },
  { query: "dur=2h", parameter: "dur", value: "2h", expected: /1s to/ },
  { query: "derivative=nonsense", parameter: "derivative", value: "nonsense", expected: /thumbnail/ },
  { query: "impolicy=nonsense", parameter: "impolicy", value: "nonsense", expected: /thumbnail/ },
  { query: "mode=poster", parameter: "mode", value: "poster", expected: /spritesheet/ },
  { query: "fit=stretch", parameter: "fit", value: "stretch", expected: /scale-down/ },
  { query: "format=webm", parameter: "format", value: "webm", expected: /mp4/ },
  { query: "mode=video&format=png", parameter: "format", value: "png", expected: /mp4/ },
  { query: "quality=ultra", parameter: "quality", value: "ultra", expected: /high/ },
  { query: "mode=spritesheet&imageCount=0", parameter: "imageCount", value: "0", expected: /1 to 100/ },
  { query: "mode=spritesheet&imageCount=101", parameter: "imageCount", value: "101", expected: /1 to 100/ },
  { query: "mute=perhaps", parameter: "mute", value: "perhaps", expected: /true/ },
  { query: "dpr=99", parameter: "dpr", value: "99", expected: /4/ },
  { query: "filename=..%2F..%2Fetc%2Fpasswd", parameter: "filename", value: "../../etc/passwd", expected: /letters/ },
  { query: "width=%ff", parameter: "width", value: "%ff", expected: /UTF-8/ },
];

/** Refused like these whether the configuration is strict or lenient: no parameter is to blame. */
const REFUSED = [
  { why: "a query of 10 kB", target: `${SAMPLE}?x=${"y".repeat(10_000)}`, status: 414, members: { code: "query-too-long", bytes: 10_002, bytes_max: 4096 } },
  { why: "a hundred parameters", target: `${SAMPLE}?${Array.from({ length: 100 }, (_, at) => `p${at}=1`).join("&")}`, status: 400, members: { code: "parameters-too-many", count_max: 64 } },
  { why: "a path of 3 kB", target: `/videos/${"a".repeat(3_000)}.mp4`, status: 414, members: { code: "path-too-long", bytes_max: 2048 } },
  { why: "dot segments behind an escaped slash", target: "/videos/..%2f..%2fsecret.mp4?width=160", status: 400, members: { code: "path-invalid" } },
  { why: "escaped dot segments behind an escaped slash", target: "/videos/%2e%2e%2fsecret.mp4?width=160", status: 400, members: { code: "path-invalid" } },
  { why: "a NUL", target: "/videos/a%00.mp4?width=160", status: 400, members: { code: "path-invalid" } },
  { why: "a line break", target: "/videos/a%0d%0aSet-Cookie:b.mp4", status: 400, members: { code: "path-invalid" } },
  { why: "a backslash", target: "/videos/..%5c..%5csecret.mp4", status: 400, members: { code: "path-invalid" } },
  { why: "bytes that are no UTF-8", target: "/videos/%ff%fe.mp4", status: 400, members: { code: "path-invalid" } },
  { why: "half an escape", target: "/videos/a%2.mp4", status: 400, members: { code: "path-invalid" } },
];

/**
 * A refusal: problem+json that names what it is about, and nobody was asked for anything.
 *
 * @param {import("./ask.mjs").Answer} answer
 * @param {number} status
 */
function holdRefusal(answer, status) {
  assert.equal(answer.status, status);
  assert.equal(answer.headers["content-type"], "application/problem+json");
  assert.equal(answer.headers["cache-control"], "no-store");
  const document = json(answer);
  assert.equal(document.status, status);
  assert.equal(document.type, `tag:video-resizer,2026:${document.code}`);
  return document;
}

describe("bad input", () => {
  before(async () => {
    await stage.origin.forget();
    await stage.drainLogs();
  });

  for (const { query, parameter, value, expected } of BAD) {
    test(`${query} is refused by name`, async () => {
      const document = holdRefusal(await stage.ask(`${SAMPLE}?${query}`), 400);
      assert.equal(document.code, "parameter-invalid");
      assert.deepEqual([document.parameter, document.value], [parameter, value]);
      assert.match(document.expected, expected);
      assert.ok(document.detail.includes(parameter) && document.detail.includes(value), document.detail);
    });
  }

  for (const name of ["fps=30", "rotate=90", "crop=1:1", "speed=2", "bitrate=1M"]) {
    test(`${name} is refused, for the platform has no such option`, async () => {
      const document = holdRefusal(await stage.ask(`${SAMPLE}?${name}`), 400);
      assert.equal(document.parameter, name.split("=")[0]);
      assert.match(document.expected, /no such option/);
    });
  }

  for (const query of ["width=320&width=640", "width=320&w=640", "mute=true&audio=true"]) {
    test(`${query} contradicts itself and is refused`, async () => {
      const document = holdRefusal(await stage.ask(`${SAMPLE}?${query}`), 400);
      assert.equal(document.code, "parameter-duplicate");
      assert.equal(document.parameter, query.startsWith("width") ? "width" : "audio");
    });
  }

  for (const { why, target, status, members } of REFUSED) {
    test(`${why} is refused`, async () => {
      const document = holdRefusal(await stage.ask(target), status);
      for (const [name, value] of Object.entries(members)) assert.equal(document[name], value, name);
    });
  }

  test("a refusal repeats a viewer's text as data, never as markup", async () => {
    const answer = await stage.ask(`${SAMPLE}?width=${encodeURIComponent("<script>alert(1)</script>")}`);
    assert.ok(!answer.body.includes("<"), answer.body.toString());
    assert.equal(holdRefusal(answer, 400).value, "<script>alert(1)</script>");
  });

  test("nothing was fetched, stored or looked up for any of them", async () => {
    assert.deepEqual(await stage.origin.journal(), []);
    assert.deepEqual((await stage.kv.cache.list()).keys, []);
    await stage.lineOf(await stage.ask(`${SAMPLE}?width=5`));
    assert.deepEqual(stage.logs().filter(({ call }) => call), []);
  });
});

describe("an address in a request chooses no host", () => {
  test("whatever a path or a query looks like, only the configured origin is asked", async () => {
    await stage.drainLogs();
    for (const target of [
      "//169.254.169.254/latest/meta-data.mp4?width=160",
      "/http://169.254.169.254/latest/meta-data.mp4?width=160",
      "/videos/@evil.example/a.mp4?width=160",
      "/videos/..%40evil.example:80/a.mp4?width=160",
      "/videos/https:%2F%2Fevil.example%2Fa.mp4?width=160",
      `${SAMPLE}?width=160&url=http://evil.example/a.mp4&source=http://evil.example/a.mp4&__r2src=a`,
    ]) {
      await stage.lineOf(await stage.ask(target));
    }
    const fetched = stage.logs().filter(({ call }) => call === "fetch").map(({ of }) => of.split(" ")[1]);
    assert.ok(fetched.length >= 6);
    for (const url of fetched) {
      assert.ok(url.startsWith(`${stage.media}/`), url);
      const source = url.match(/\/cdn-cgi\/media\/[^/]+\/(.*)$/)?.[1];
      assert.ok(source === undefined || source.startsWith(`${stage.media}/`), url);
    }
  });

  test("a parameter that means nothing is in no key", async () => {
    const plain = await stage.ask(sampleFor("unknown", "width=160&debug=view"));
    const other = await stage.ask(sampleFor("unknown", "width=160&debug=view&__r2src=a&url=b"));
    assert.equal(json(other).kv_key, json(plain).kv_key);
  });
});

describe("a good parameter is in the bytes", () => {
  /** @param {string} query */
  const make = async (query) => {
    const answer = await stage.ask(sampleFor("good", query));
    assert.equal(answer.status, 200, answer.body.toString("utf8", 0, 400));
    return { ...(await ffprobe(answer.body)), headers: answer.headers, answer };
  };

  for (const query of ["mute=true", "audio=false", "mute=1", "derivative=animation"]) {
    test(`${query} takes the sound away`, async () => {
      const { video, audio } = await make(`width=160&height=90&duration=1s&${query}`);
      assert.equal(video?.codec_name, "h264");
      assert.equal(audio, undefined);
    });
  }

  test("muted=true tells the player, and leaves the sound", async () => {
    const { audio, headers } = await make("width=160&height=90&duration=1s&muted=true");
    assert.equal(audio?.codec_name, "aac");
    assert.equal(headers["x-playback-muted"], "true");
  });

  test("width and height are a box, and fit says how the picture meets it", async () => {
    const size = async (/** @type {string} */ query) => {
      const { video } = await make(query);
      return [video?.width, video?.height];
    };
    assert.deepEqual(await size("width=160&height=160&duration=1s"), [160, 90]);
    assert.deepEqual(await size("width=160&height=160&duration=1s&fit=cover"), [160, 160]);
    assert.deepEqual(await size("height=90&duration=1s"), [160, 90]);
    assert.deepEqual(await size("width=80&height=45&dpr=2&duration=1s"), [160, 90]);
    assert.deepEqual(await size("width=1280&height=720&quality=low&duration=1s"), [640, 360]);
  });

  test("time and duration choose the part", async () => {
    const two = await make("width=160&height=90&duration=2s");
    assert.ok(Math.abs(two.video?.duration - 2) < 0.1, `${two.video?.duration} s`);
    const rest = await make("width=160&height=90&time=4s&audio=false");
    assert.ok(rest.video?.duration < 1.5, `${rest.video?.duration} s`);
  });

  test("a derivative is its preset, and the request may say otherwise", async () => {
    const thumbnail = await make("derivative=thumbnail");
    assert.equal(thumbnail.headers["content-type"], "image/jpeg");
    assert.equal(thumbnail.headers["x-derivative"], "thumbnail");
    assert.deepEqual([thumbnail.video?.codec_name, thumbnail.video?.width, thumbnail.video?.height], ["mjpeg", 320, 180]);
    const smaller = await make("impolicy=thumbnail&width=160&height=90");
    assert.deepEqual([smaller.video?.width, smaller.video?.height], [160, 90]);
  });

  test("imwidth takes the smallest configured size that is wide enough", async () => {
    const { headers } = await make("imwidth=700&mode=frame");
    assert.equal(headers["x-resolved-width"], "854");
    assert.equal((await make("imwidth=5000&mode=frame")).headers["x-resolved-width"], "1920");
  });

  test("a frame is one picture of the moment, in the format that is asked", async () => {
    const png = await make("mode=frame&time=2s&width=160&format=png");
    assert.deepEqual([png.headers["content-type"], png.video?.codec_name, png.video?.nb_read_frames], ["image/png", "png", "1"]);
    const jpg = await make("imformat=jpg&start=2&w=160");
    assert.deepEqual([jpg.headers["content-type"], jpg.video?.codec_name], ["image/jpeg", "mjpeg"]);
  });

  test("a spritesheet is many pictures in one", async () => {
    const { headers, video } = await make("mode=spritesheet&imageCount=4&width=80&height=45");
    assert.equal(headers["content-type"], "image/jpeg");
    assert.deepEqual([video?.codec_name, video?.nb_read_frames], ["mjpeg", "1"]);
    assert.ok(video?.width * video?.height >= 4 * 80 * 44, `${video?.width}x${video?.height}`);
  });

  test("audio is the sound alone", async () => {
    const { headers, video, audio } = await make("mode=audio&duration=1s");
    assert.equal(headers["content-type"], "audio/mp4");
    assert.equal(video, undefined);
    assert.equal(audio?.codec_name, "aac");
    assert.ok(Math.abs(audio?.duration - 1) < 0.2, `${audio?.duration} s`);
  });

  test("what the platform cannot do and a picture does not need is said and left out", async () => {
    const { headers } = await make("width=160&height=90&duration=1s&compression=high&imref=policy");
    assert.match(headers["x-param-warnings"], /compression: ignored, .*; .*imref: ignored/);
    const frame = await make("mode=frame&width=160&duration=2s&loop=true");
    assert.match(frame.headers["x-param-warnings"], /duration: it means nothing in frame mode/);
  });

  test("filename is the name it is saved under", async () => {
    const { headers } = await make("width=160&height=90&duration=1s&filename=holiday.mp4");
    assert.equal(headers["content-disposition"], 'inline; filename="holiday.mp4"');
  });
});

describe("where the configuration is lenient", () => {
  before(async () => {
    await stage.kv.config.put("worker-config", JSON.stringify({ parameters: "lenient" }));
    await stage.restart();
  });

  for (const { query, parameter } of BAD) {
    test(`${query} is a warning`, async () => {
      // The view tells what would be made; nothing is, so this costs no ffmpeg.
      const { status, headers } = await stage.ask(sampleFor("lenient", `debug=view&${query}`));
      assert.equal(status, 200);
      assert.ok(headers["x-param-warnings"]?.includes(`${parameter}: ignored, `), headers["x-param-warnings"]);
    });
  }

  test("a rendition is made of the rest, and says what was left out", async () => {
    const answer = await stage.ask(sampleFor("lenient", "mode=frame&width=99999&height=90&derivative=nonsense"));
    assert.equal(answer.status, 200);
    assert.equal(tierOf(answer), "made");
    assert.match(answer.headers["x-param-warnings"], /width: ignored, "99999" is not possible: .*10 to 2000/);
    assert.match(answer.headers["x-param-warnings"], /derivative: ignored, "nonsense" is not possible/);
    assert.equal((await ffprobe(answer.body)).video?.height, 90);
  });

  test("of two sizes the first counts", async () => {
    const answer = await stage.ask(sampleFor("lenient", "mode=frame&width=160&width=320"));
    assert.equal(answer.headers["x-resolved-width"], "160");
    assert.equal(answer.headers["x-param-warnings"], "width: given more than once, the first counts");
  });

  for (const { why, target, status } of REFUSED) {
    test(`${why} is refused all the same`, async () => {
      holdRefusal(await stage.ask(target, { headers: OPERATOR }), status);
    });
  }
});
