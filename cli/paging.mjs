// Lists that come in pages.

/** What every listing understands. @type {Record<string, import("./usage.mjs").Option>} */
export const PAGING = {
  limit: { type: "string", value: "<n>", does: "at most so many on a page" },
  cursor: { type: "string", value: "<text>", does: "go on where a page has ended" },
  all: { type: "boolean", does: "all pages; with --json one entry a line" },
};

/** Pages of one list; more is a cursor that goes round. */
const PAGES_MAX = 100_000;

/**
 * Prints one page, or all.
 *
 * @param {import("./call.mjs").Call} call
 * @param {object} list
 * @param {string} list.path
 * @param {[string, string | undefined][]} list.query
 * @param {string} list.member the member of a page that holds its entries
 * @param {(entries: any[], first: boolean) => string} list.text
 * @param {string} list.none said when there are none
 */
export async function pages({ api, out, values, show }, { path, query, member, text, none }) {
  let { cursor } = values;
  let found = 0;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer = await api.get(path, {
      query: [...query, ["limit", values.limit], ["cursor", cursor]],
      has: [member, "cursor"],
    });
    const entries = answer.json[member];
    if (values.all && values.json) {
      if (entries.length > 0)
        out.print(entries.map((/** @type {unknown} */ entry) => JSON.stringify(entry)).join("\n"));
    } else if (values.json || entries.length > 0) {
      show(answer, () => text(entries, found === 0));
    }
    found += entries.length;
    const { cursor: next } = answer.json;
    if (!values.all || next === null || next === cursor) {
      if (next && next !== cursor) out.note(`there is more: --all, or --cursor ${next}`);
      else if (found === 0) out.note(none);
      return;
    }
    cursor = next;
  }
}
