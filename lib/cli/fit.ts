/** Cells of a table with its head in front. */
export type Cells = readonly (readonly string[])[];

/**
 * The same cells with line breaks, between words only, so that the table is at most `width` columns wide; null: its words
 * are too long for that. A pair `key: value` is broken when nothing else helps.
 */
export function fitted(cells: Cells, width: number): Cells | null {
  const columns = cells[0]?.map((_, index) => cells.map((row) => row[index] ?? "")) ?? [];
  const longestOf = (pattern: RegExp): readonly number[] =>
    columns.map((texts) => longest(texts.flatMap((text) => wordsOf(text, pattern))));
  const [whole, pairs, words] = [longestOf(LINES), longestOf(PAIRS), longestOf(WORDS)];
  const room = width - 3 * columns.length - 1; // "| a | b |"
  const [from, least, pattern] = sum(pairs) <= room
    ? [whole, pairs, PAIRS] as const
    : [pairs, words, WORDS] as const;
  if (sum(least) > room) return null;
  const widths = shrunk(from, least, room);
  return cells.map((row) => row.map((text, index) => wrapped(text, widths[index] ?? 0, pattern)));
}

const LINES = /[^\n]+/g;
/** With the blanks in front of them; looked for at the first of these only, or many blanks at an end would take minutes. */
const PAIRS = /(?<![^\S\n])[^\S\n]*(?:\S*:[^\S\n]+)?\S+/g;
const WORDS = /(?<![^\S\n])[^\S\n]*\S+/g;
/** In front of the path of an address; the slash is looked for first, or a long word would take minutes. */
const PATHS = /(?=\/)(?<=:\/\/[^/]+)/;

/** Takes from the widest until all have room. */
function shrunk(
  from: readonly number[],
  least: readonly number[],
  room: number,
): readonly number[] {
  const widths = [...from];
  while (sum(widths) > room) {
    const spare = widths.map((each, index) => each > (least[index] ?? 0) ? each : 0);
    const widest = spare.indexOf(Math.max(...spare));
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

/**
 * A block of lines for each row, as psql shows what is too wide; `head`: names of the columns. The cells are those of
 * somebody else (`verbatim`), or our own, where what is empty is left out and long lists are broken at `lineWidth`.
 */
export function records(
  [head = [], ...rows]: Cells,
  lineWidth: number,
  verbatim: boolean,
): string {
  const width = longest(head);
  const shown = (text: string): string =>
    verbatim ? text : wrapped(text, lineWidth - width - 3, PAIRS);
  const blocks = rows.map((row, index) => {
    const lines = row.flatMap((text, column) =>
      text === "" && !verbatim ? [] : linesOf(shown(text)).map((line, place) => {
        const name = place === 0 ? head[column] ?? "" : "";
        return `${name.padEnd(width)} | ${line}`.trimEnd();
      })
    );
    return [`-[ RECORD ${index + 1} ]`.padEnd(width + 1, "-"), ...lines];
  });
  return blocks.flat().join("\n");
}

function wrapped(text: string, width: number, pattern: RegExp): string {
  return linesOf(text).flatMap((line) => {
    const lines: string[] = [];
    let last = "";
    for (const word of wordsOf(line, pattern)) {
      if (last !== "" && last.length + word.length > width) {
        lines.push(last);
        last = word.trimStart();
      } else last += word;
    }
    return [...lines, last];
  }).join("\n");
}

function linesOf(text: string): readonly string[] {
  return text.split("\n");
}

/** The path of an address is a word of its own. */
function wordsOf(text: string, pattern: RegExp): readonly string[] {
  const words = text.match(pattern) ?? [];
  if (pattern === LINES) return words;
  return words.flatMap((word) => word.split(PATHS));
}

function longest(texts: readonly string[]): number {
  return texts.reduce((most, { length }) => Math.max(most, length), 0);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
