import { deepStrictEqual, match } from "node:assert/strict";
import { AS_POSTGRES, onUnpackedPlace } from "./places.ts";

/** Types `keys` in a terminal when it shows `Password`; what the terminal has shown at the end. */
async function typeAtPassword(shell: string, keys: string): Promise<string> {
  const terminal = new Deno.Command("script", {
    args: ["-qec", shell, "/dev/null"],
    stdin: "piped",
    stdout: "piped",
    signal: AbortSignal.timeout(30_000),
  }).spawn();
  const writer = terminal.stdin.getWriter();
  let [shown, isTyped] = ["", false];
  for await (const text of terminal.stdout.pipeThrough(new TextDecoderStream())) {
    shown += text;
    if (isTyped || !shown.includes("Password")) continue;
    isTyped = true;
    await writer.write(new TextEncoder().encode(keys));
  }
  await terminal.status;
  await writer.close().catch(() => {}); // the terminal may be gone first
  return shown;
}

const END = "; echo code $?; stty -a | grep -oE '[-]?(echo|icanon) '";

onUnpackedPlace("a terminal shows again what is typed, however a password ended", async (place) => {
  const store = "--dcs-url etcd3://127.0.0.1:2 --cluster demo";
  const query = `${AS_POSTGRES.join(" ")} '${place.file}' query --password ${store} -c 'SELECT 1'`;
  const command =
    `cd '${place.folder}'; trap : INT; HOME=/nonexistent; export AGENT_RUNTIME_DIR='${place.runtime}'; ${query}`;
  for (const [keys, code] of [["\x03", 130], ["secret\r", 1]] as const) {
    const shown = await typeAtPassword(command + END, keys);
    match(shown, new RegExp(`code ${code}\\b`));
    deepStrictEqual(shown.match(/-?(echo|icanon)\b/g)?.sort(), ["echo", "icanon"], shown);
    deepStrictEqual(shown.includes("secret"), false);
  }
});
