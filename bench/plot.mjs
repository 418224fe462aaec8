// A line chart as SVG: enough for a page of measurements, readable on light and on dark.

const [WIDTH, HEIGHT] = [760, 380];
const PLOT = { left: 70, right: 20, top: 70, bottom: 50 };

/** Told apart by all eyes (Okabe and Ito). */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"];

/** About as many lines across as this. */
const TICKS = 6;

/**
 * @typedef {object} Axis
 * @property {string} label
 * @property {number[]} [at] where its ticks are; round numbers by default
 *
 * @typedef {object} Series
 * @property {string} name
 * @property {[number, number][]} points
 */

/**
 * @param {object} chart
 * @param {string} chart.title
 * @param {Axis} chart.x
 * @param {Axis} chart.y begins at 0
 * @param {Series[]} chart.series
 * @param {{ name: string, y: number }[]} [chart.levels] drawn across, as a limit is
 * @returns {string}
 */
export function plot({ title, x, y, series, levels = [] }) {
  const points = series.flatMap((each) => each.points);
  const [xs, ys] = [points.map(([at]) => at), [...points.map(([, value]) => value), ...levels.map((level) => level.y)]];
  const across = ticks(x.at, Math.min(...xs), Math.max(...xs));
  const up = ticks(y.at, 0, Math.max(...ys) || 1);
  const toX = scale(across, PLOT.left, WIDTH - PLOT.right);
  const toY = scale(up, HEIGHT - PLOT.bottom, PLOT.top);
  const [left, right, floor] = [PLOT.left, WIDTH - PLOT.right, HEIGHT - PLOT.bottom];
  const named = [...series.map(({ name }) => name), ...levels.map(({ name }) => name)];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(left, 22, title, 'font-size="15" font-weight="bold"'),
    ...named.map((name, index) => {
      const at = left + index * ((right - left) / named.length);
      const dash = index < series.length ? "" : ' stroke-dasharray="5 4"';
      const mark = `<line x1="${at}" y1="44" x2="${at + 20}" y2="44" stroke="${colour(index)}" stroke-width="3"${dash}/>`;
      return mark + text(at + 26, 48, name);
    }),
    ...up.map((value) => line(left, toY(value), right, toY(value)) + text(left - 8, toY(value) + 4, value, 'text-anchor="end"')),
    ...across.map((value) => text(toX(value), floor + 18, value, 'text-anchor="middle"')),
    text((left + right) / 2, HEIGHT - 12, x.label, 'text-anchor="middle"'),
    text(0, 0, y.label, `text-anchor="middle" transform="translate(18 ${(PLOT.top + floor) / 2}) rotate(-90)"`),
    ...series.map(({ points: own }, index) => {
      const path = own.map(([at, value]) => `${toX(at).toFixed(1)},${toY(value).toFixed(1)}`).join(" ");
      return `<polyline points="${path}" fill="none" stroke="${colour(index)}" stroke-width="2" stroke-linejoin="round"/>`;
    }),
    ...levels.map((level, index) =>
      line(left, toY(level.y), right, toY(level.y), `stroke="${colour(series.length + index)}" stroke-width="2" stroke-dasharray="5 4"`),
    ),
    "</svg>",
    "",
  ].join("\n");
}

/** @param {number} index */
const colour = (index) => COLOURS[index % COLOURS.length];

/** @param {number[]} values @param {number} from @param {number} to */
function scale(values, from, to) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return (/** @type {number} */ value) => from + ((value - least) / (most - least || 1)) * (to - from);
}

/** @param {number[] | undefined} at @param {number} least @param {number} most */
function ticks(at, least, most) {
  if (at) return at;
  const rough = (most - least || 1) / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.floor(least / step);
  const count = Math.ceil(most / step) - first;
  return Array.from({ length: count + 1 }, (_, index) => Number(((first + index) * step).toPrecision(6)));
}

/** @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 */
const line = (x1, y1, x2, y2, style = 'stroke="#ddd"') => `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" ${style}/>`;

/** @param {number} x @param {number} y @param {string | number} content */
const text = (x, y, content, style = "") => `<text x="${x}" y="${y}" fill="#222" ${style}>${escaped(content)}</text>`;

/** @param {string | number} content */
const escaped = (content) => String(content).replaceAll("&", "&amp;").replaceAll("<", "&lt;");
