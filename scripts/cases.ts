import { CASES } from "../tests/cases.ts";
import type { Case } from "../tests/cases.ts";
import { OPERATOR_CASES } from "../tests/cases_operator.ts";
import { REWIND_CASES } from "../tests/cases_rewind.ts";

/** A case and the tests that show it. */
export interface Coverage extends Case {
  readonly tests: readonly string[];
}

/** What the titles of the tests come to. */
export interface Report {
  readonly cases: readonly Coverage[];
  /** Ids in titles that no list has: of groups A to F they must be known. */
  readonly unknown: readonly string[];
  /** Cases with neither a test nor a reason. */
  readonly bare: readonly string[];
}

const TESTS = new URL("../tests/", import.meta.url);
/** The first argument of a call, a `title` or `name`, or a heading of a transcript. */
const TITLE =
  /(?:\(|title:|name:)\s*["`]((?:[A-I]\d{1,2} )+[^"`\n]*)["`]|^(# (?:[A-I]\d{1,2}[ :])+.*)/gm;
const ID = /\b[A-I]\d{1,2}\b/g;

/** Reads the titles of all tests and transcripts; ids stand in front of a title, parted by blanks. */
export async function report(): Promise<Report> {
  const titles = await titlesBelow(TESTS);
  const all = [...CASES, ...REWIND_CASES, ...OPERATOR_CASES];
  const known = new Set(all.map(({ id }) => id));
  const cases = all.map((one) => ({
    ...one,
    tests: titles.filter((title) => idsOf(title).includes(one.id)),
  }));
  const named = new Set(titles.flatMap(idsOf));
  return {
    cases,
    unknown: [...named].filter((id) => /^[A-F]/.test(id) && !known.has(id)).sort(),
    bare: cases.filter(({ tests, missing }) => tests.length === 0 && missing === undefined)
      .map(({ id }) => id),
  };
}

async function titlesBelow(folder: URL): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isDirectory) found.push(...await titlesBelow(new URL(`${entry.name}/`, folder)));
    else if (/_test\.ts$|\.txt$|_promises\.ts$/.test(entry.name)) {
      const text = await Deno.readTextFile(new URL(entry.name, folder));
      found.push(
        ...Array.from(text.matchAll(TITLE), ([, title, heading]) => title ?? heading ?? ""),
      );
    }
  }
  return found;
}

function idsOf(title: string): readonly string[] {
  const [front = ""] = /^(?:# )?(?:[A-I]\d{1,2}[ :])+/.exec(title) ?? [];
  return front.match(ID) ?? [];
}

const WIDTH = 78;
const INDENT = " ".repeat(9);

/** A reason is shown whole, in lines of the terminal's width. */
function wrapped(text: string): readonly string[] {
  const longest = WIDTH - INDENT.length;
  const lines = text.match(new RegExp(`.{1,${longest}}(?: |$)|\\S+`, "g")) ?? [text];
  return lines.map((line) => line.trimEnd());
}

/** The report as people read it. */
function text({ cases, unknown, bare }: Report, onlyMissing: boolean): string {
  const lines: string[] = [];
  for (const { id, what, tests, missing } of cases) {
    if (onlyMissing && tests.length > 0) continue;
    const count = tests.length === 0 ? "-" : String(tests.length);
    lines.push(`${id.padEnd(4)} ${count.padStart(2)}  ${what}`.slice(0, WIDTH));
    const below = tests.length > 0
      ? tests.slice(0, 2).map((title) => title.slice(0, WIDTH - INDENT.length))
      : wrapped(`why: ${missing ?? "no reason is given"}`);
    for (const line of below) lines.push(`${INDENT}${line}`);
  }
  const covered = cases.filter(({ tests }) => tests.length > 0).length;
  lines.push(
    "",
    `${covered} of ${cases.length} cases have tests; ${cases.length - covered} do not`,
  );
  if (bare.length > 0) lines.push(`without a test and without a reason: ${bare.join(", ")}`);
  if (unknown.length > 0) lines.push(`named by tests and not known: ${unknown.join(", ")}`);
  return lines.join("\n");
}

async function main(args: readonly string[]): Promise<number> {
  const known = ["--missing", "--format", "json"];
  if (args.some((arg) => !known.includes(arg))) {
    await print("usage: deno task cases [--missing] [--format json]");
    return 2;
  }
  const found = await report();
  await print(
    args.includes("json")
      ? JSON.stringify(found, null, 2)
      : text(found, args.includes("--missing")),
  );
  return found.bare.length + found.unknown.length === 0 ? 0 : 1;
}

async function print(line: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) Deno.exit(await main(Deno.args));
