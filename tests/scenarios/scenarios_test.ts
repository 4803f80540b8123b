import { strictEqual } from "node:assert/strict";
import { play } from "./script.ts";

const FOLDER = new URL(".", import.meta.url);
const UPDATE = Deno.args.includes("--update");

for (const name of transcripts()) {
  Deno.test(`play() of ${name} sees what the transcript says`, async () => {
    const file = new URL(name, FOLDER);
    const expected = await Deno.readTextFile(file);
    const { text } = play(expected);
    if (UPDATE) await Deno.writeTextFile(file, text);
    else strictEqual(text, expected);
  });
}

function transcripts(): string[] {
  const names = [...Deno.readDirSync(FOLDER)].map((entry) => entry.name);
  return names.filter((name) => name.endsWith(".txt")).sort();
}
