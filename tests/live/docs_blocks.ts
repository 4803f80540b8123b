import { fileURLToPath } from "node:url";

/** The pages for people that hold commands. */
export const PAGES: readonly string[] = [
  "README.md",
  "lib/cli/INSTALL.md",
  "lib/cli/OPERATING.md",
  "lib/cli/TROUBLE.md",
  "lib/core/FROM-PATRONI.md",
];

/** Markers of blocks that cannot be run on one host without changing it, and why. */
export const NEVER_RUN: ReadonlySet<string> = new Set([
  "no, packages",
  "no, root",
  "no, systemd",
  "no, tested by itself",
]);

/** What such a block may call: all of it changes the host, none of it is ours. */
const SYSTEM_WORDS =
  /^(apt-get (install|upgrade)|systemctl (daemon-reload|enable|disable|start|stop|reload|restart)|echo|sed|deno task|install|scripts\/(demo|test)) /;

/** One block of commands in a page. */
export interface Block {
  /** Of its first line, from 1. */
  readonly line: number;
  /** What stands between `run:` and the end of the comment before it; "" without one. */
  readonly marker: string;
  readonly text: string;
}

/** The text of a page, by its path in the project. */
export async function readPage(page: string): Promise<string> {
  return await Deno.readTextFile(fileURLToPath(new URL(`../../${page}`, import.meta.url)));
}

/** Every block that is fenced as `sh`, in order. */
export async function readBlocks(page: string): Promise<readonly Block[]> {
  const text = await readPage(page);
  const found = text.matchAll(
    /(?:<!-- run: ([^\n]+?) -->\n\s*)?^```(?:sh|bash|shell|console)\n([^]*?)^```$/gm,
  );
  return Array.from(found, ({ index, 1: marker = "", 2: body = "" }) => {
    const before = text.slice(0, text.indexOf(body, index));
    return { line: before.split("\n").length, marker, text: body };
  });
}

/** The file of the marker `file: name` in a page, as it is printed there. */
export async function readFileOf(page: string, name: string): Promise<string | null> {
  const [, after] = (await readPage(page)).split(`<!-- file: ${name} -->`);
  return after === undefined ? null : /^```\n([^]*?)^```$/m.exec(after)?.[1] ?? null;
}

/** Lines of a block that is never run, and call something else than the system's own programs. */
export function unknownWords({ text }: Block): readonly string[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.filter((line) => !SYSTEM_WORDS.test(`${line} `));
}
