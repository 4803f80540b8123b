import { deepEqual } from "node:assert/strict";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const FILE_LINES_MAX = 300;
const IMPORTS_MAX = 12;
const SKIPPED_FOLDERS: readonly string[] = [".git", "node_modules", "dist", ".agent"];

function filesBelow(folder: string): readonly string[] {
  return Array.from(Deno.readDirSync(join(ROOT, folder))).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (!entry.isDirectory) return [path];
    return SKIPPED_FOLDERS.includes(entry.name) ? [] : filesBelow(path);
  }).sort();
}

const FILES = filesBelow(".");
const SOURCES = FILES.filter((path) => path.endsWith(".ts"));
const LIB = SOURCES.filter((path) => path.startsWith("lib/"));
const PAGES = FILES.filter((path) => path.endsWith(".md"));

function textOf(path: string): string {
  return Deno.readTextFileSync(join(ROOT, path));
}

/** Code without comments and string contents, so that prose cannot be taken for code. */
function codeOf(path: string): string {
  return textOf(path)
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/(^|\s)\/\/.*$/gm, "")
    .replace(/"(?:[^"\\\n]|\\.)*"/g, '""');
}

/** Project files that `path` imports, types and dynamic imports included. */
function importsOf(path: string): readonly string[] {
  const found = textOf(path).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g);
  return Array.from(found, ([, source = ""]) => normalize(join(dirname(path), source)));
}

/** The first ring of imports that is found from `start`, or null. */
function ringFrom(start: string, done: Set<string>): readonly string[] | null {
  const walk = (path: string, trail: readonly string[]): readonly string[] | null => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return null;
    for (const next of importsOf(path)) {
      const ring = walk(next, [...trail, path]);
      if (ring !== null) return ring;
    }
    done.add(path);
    return null;
  };
  return walk(start, []);
}

function reachableFrom(start: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const open = [start];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    open.push(...importsOf(path));
  }
  return seen;
}

function lineCount(path: string): number {
  return textOf(path).split("\n").length - 1;
}

Deno.test("tidy finds no ring of imports", () => {
  const done = new Set<string>();
  deepEqual(LIB.map((path) => ringFrom(path, done)).find((ring) => ring !== null), undefined);
});

Deno.test("tidy finds no file of more than 300 lines", () => {
  deepEqual(SOURCES.filter((path) => lineCount(path) > FILE_LINES_MAX), []);
});

Deno.test("tidy finds no file that needs the code of more than 12 others", () => {
  const importCount = (path: string): number =>
    codeOf(path).match(/^import (?!type\b)/gm)?.length ?? 0;
  // The composition root exists to import: it constructs every adapter.
  const checked = LIB.filter((path) => path !== "lib/cli/daemon.ts");
  deepEqual(checked.filter((path) => importCount(path) > IMPORTS_MAX), []);
});

Deno.test("tidy finds no dead file in lib", () => {
  const alive = reachableFrom("main.ts");
  deepEqual(LIB.filter((path) => !alive.has(path) && !path.endsWith("/port.ts")), []);
});

Deno.test("tidy finds no folder deeper than two below lib", () => {
  deepEqual(LIB.filter((path) => path.split("/").length > 4), []);
});

Deno.test("tidy finds files named in snake_case only", () => {
  deepEqual(SOURCES.filter((path) => !/^[a-z0-9_/]+\.ts$/.test(path)), []);
});

Deno.test("tidy finds no escape from the types in lib", () => {
  const escape =
    /(?:[:<,|&(]\s*|\bas\s+)any\b|\bas unknown as\b|@ts-(?:ignore|expect-error|nocheck)/;
  deepEqual(LIB.filter((path) => escape.test(codeOf(path))), []);
});

Deno.test("tidy finds no unfinished remark and no switched-off lint rule in lib", () => {
  const remark = /\bTO[D]O\b|\bFIX[M]E\b|\bX[X]X\b|deno-lint-ignore/;
  deepEqual(LIB.filter((path) => remark.test(textOf(path))), []);
});

Deno.test("tidy finds no test that is switched off or runs alone", () => {
  const tests = SOURCES.filter((path) => path.endsWith("_test.ts"));
  const marked = /Deno\.test\.(?:only|ignore)\b|\bonly: true/;
  deepEqual(tests.filter((path) => marked.test(codeOf(path))), []);
});

Deno.test("tidy finds every term of the glossary in the sources", () => {
  const terms = Array.from(textOf("lib/GLOSSARY.md").matchAll(/^\*\*([^*]+)\*\*/gm), (m) => m[1]);
  const words = LIB.map(textOf).join("\n").toLowerCase();
  const isUsed = (term: string): boolean =>
    term.toLowerCase().split(", ").some((word) => words.includes(word));
  deepEqual(terms.filter((term) => term === undefined || !isUsed(term)), []);
});

Deno.test("tidy finds the target of every link in the pages", () => {
  const broken = PAGES.flatMap((page) => {
    const targets = Array.from(textOf(page).matchAll(/\]\(([^)#\s]+)[^)]*\)/g), (m) => m[1] ?? "");
    return targets
      .filter((target) => !/^[a-z]+:/.test(target))
      .map((target) => normalize(join(dirname(page), target)))
      .filter((target) => !exists(target))
      .map((target) => `${page}: ${target}`);
  });
  deepEqual(broken, []);
});

Deno.test("tidy finds in the code map every folder of lib", () => {
  const map = textOf("lib/ARCHITECTURE.md");
  const layers = new Set(LIB.map((path) => path.split("/")[1] ?? ""));
  deepEqual(Array.from(layers).filter((layer) => !map.includes(`${layer}/`)), []);
});

function exists(path: string): boolean {
  try {
    Deno.statSync(join(ROOT, path));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
