import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** One block of commands in a page. */
export interface Block {
  /** Of its first line, from 1. */
  readonly line: number;
  /** What stands between `run:` and the end of the comment before it; "" without one. */
  readonly marker: string;
  readonly text: string;
}

/** The pages for people that hold commands: README.md and those in lib, by their paths in the project. */
export async function readPages(): Promise<readonly string[]> {
  const pages = ["README.md", ...await pagesBelow("lib")];
  const blocks = await Promise.all(pages.map(readBlocks));
  return pages.filter((_, index) => (blocks[index] ?? []).length > 0);
}

async function pagesBelow(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(ROOT + folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) found.push(...await pagesBelow(path));
    else if (name.endsWith(".md")) found.push(path);
  }
  return found.sort();
}

/** Every block that is fenced as commands of a shell, in order. */
export async function readBlocks(page: string): Promise<readonly Block[]> {
  const text = await Deno.readTextFile(ROOT + page);
  const fences = /(?:^<!-- run: ([^\n]+) -->\n+)?^```(?:sh|bash|shell|console)\n([^]*?)^```$/gm;
  return Array.from(text.matchAll(fences), ({ 0: whole, 1: marker = "", 2: body = "", index }) => {
    const before = text.slice(0, index + whole.indexOf(body));
    return { line: before.split("\n").length, marker, text: body };
  });
}

/** The file of the marker `file: name` in a page, as it is printed there; null when it has none. */
export async function readFileOf(page: string, name: string): Promise<string | null> {
  const [, after] = (await Deno.readTextFile(ROOT + page)).split(`<!-- file: ${name} -->`);
  return after === undefined ? null : /^```\n([^]*?)^```$/m.exec(after)?.[1] ?? null;
}

/** Blocks for root, with packages and services: run on hosts of their own by tests/executable/install_test.ts. */
export function isHostMarker(marker: string): boolean {
  return /^on (each host|host [abc]|hosts b and c)\b/.test(marker);
}
