import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { ConfigFault } from "../base/errors.ts";
import type { Json, JsonObject } from "../base/json.ts";
import { isJsonObject } from "../base/json.ts";
import { kindOf } from "../base/decode.ts";
import { type KeyPath, knownKeys } from "./key_table.ts";

/** A configuration file: its content and where each key stands. */
export interface YamlFile {
  readonly values: JsonObject;
  readonly faults: readonly ConfigFault[];
  /** Line of the deepest part of the path that the file has. */
  readonly lineOf: (path: KeyPath) => number | null;
}

const DEPTH_MAX = 64;

/** Reads YAML 1.1, as Patroni's reader does (`on` and `yes` are true); dates and binary stay text. */
export function parseYamlFile(file: string, text: string): YamlFile {
  const counter = new LineCounter();
  const lineAt = (offset: number): number => counter.linePos(offset).line;
  const read = contentOf(text, counter);
  if ("why" in read) return empty({ file, line: null, path: "", message: read.why });
  const { document, values } = read;
  const faults = document.errors.map((error) => ({
    file,
    line: lineAt(error.pos[0]),
    path: "",
    message: `expected YAML, found ${error.code}${wordsOf(error)}`,
  }));
  if (faults.length === 0 && !isJsonObject(values)) {
    faults.push({
      file,
      line: 1,
      path: "",
      message: `expected a mapping, found ${kindOf(values)}`,
    });
  }
  const lineOf = (path: KeyPath): number | null => findLine(document, path, lineAt);
  return { values: isJsonObject(values) ? values : {}, faults, lineOf };
}

type Content = { readonly document: Document.Parsed; readonly values: Json } | {
  readonly why: string;
};

function contentOf(text: string, lineCounter: LineCounter): Content {
  try {
    const document = parseDocument(text, {
      version: "1.1",
      lineCounter,
      prettyErrors: false, // they would quote lines, and those may hold passwords
      logLevel: "silent",
      customTags: (tags) => tags.filter((tag) => typeof tag === "string" || isPlainTag(tag)),
    });
    if (document.errors.length > 0) return { document, values: null };
    keepTexts(document);
    return { document, values: toJson(document.toJS(), 0) };
  } catch (error) {
    // The library throws for alias bombs (ReferenceError) and for nesting beyond the stack (RangeError).
    if (!(error instanceof Error)) throw error;
    return { why: `expected YAML, found ${withoutQuotes(error.message)}` };
  }
}

/** These messages repeat a part of the file, which may be one of a password: an unquoted one that begins with `*`. */
const QUOTING: readonly string[] = [
  "BAD_ALIAS",
  "BAD_DIRECTIVE",
  "BAD_DQ_ESCAPE",
  "BAD_SCALAR_START",
  "MISSING_CHAR",
  "TAG_RESOLVE_FAILED",
  "UNEXPECTED_TOKEN",
];

function wordsOf({ code, message }: Document.Parsed["errors"][number]): string {
  return QUOTING.includes(code) ? "" : `: ${withoutQuotes(message)}`;
}

/** What the library writes after a colon is from the file. */
function withoutQuotes(message: string): string {
  return message.replace(/:[^]*/, "");
}

function isPlainTag(tag: { readonly tag?: string; readonly format?: string | undefined }): boolean {
  if (tag.format === "TIME") return false;
  return /:(map|seq|str|null|bool|int|float|merge)$/.test(tag.tag ?? "");
}

/** Keys that are text get the text as written: a password `0123` must not turn into 83. */
function keepTexts(document: Document.Parsed): void {
  for (const { path, isText } of knownKeys()) {
    if (!isText) continue;
    const node = document.getIn(path, true);
    if (!isScalar(node) || node.value === null || typeof node.value === "string") continue;
    if (node.source !== undefined) node.value = node.source;
  }
}

/** Mappings, lists and scalars; numbers that JSON lacks become text. Throws `RangeError` for a ring of aliases. */
function toJson(value: unknown, depth: number): Json {
  if (depth > DEPTH_MAX) throw new RangeError(`more than ${DEPTH_MAX} levels`);
  if (value === null || value === undefined) return null;
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (Array.isArray(value)) return value.map((item) => toJson(item, depth + 1));
  if (typeof value !== "object") return String(value);
  const entries = Object.entries(value).map(([name, item]) =>
    [name, toJson(item, depth + 1)] as const
  );
  return Object.fromEntries(entries);
}

function findLine(
  document: Document.Parsed,
  path: KeyPath,
  lineAt: (offset: number) => number,
): number | null {
  let node: unknown = document.contents;
  let offset: number | null = null;
  for (const segment of path) {
    const [start, next] = child(isAlias(node) ? node.resolve(document) : node, segment);
    if (start === null) break;
    [offset, node] = [start, next];
  }
  return offset === null ? null : lineAt(offset);
}

function child(node: unknown, segment: string): readonly [number | null, unknown] {
  if (isSeq(node)) {
    const item = node.items[Number(segment)];
    return [isScalar(item) || isMap(item) || isSeq(item) ? item.range?.[0] ?? null : null, item];
  }
  if (!isMap(node)) return [null, null];
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === segment);
  return [
    pair !== undefined && isScalar(pair.key) ? pair.key.range?.[0] ?? null : null,
    pair?.value,
  ];
}

function empty(fault: ConfigFault): YamlFile {
  return { values: {}, faults: [fault], lineOf: () => null };
}
