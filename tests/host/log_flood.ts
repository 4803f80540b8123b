import { openLog } from "../../lib/base/log.ts";
import { plainLayout } from "../../lib/base/log_layout.ts";
import { FileOutput, stderrOutput } from "../../lib/host/log_output.ts";

// A program of its own: it logs more than a pipe holds, beside a loop that also uses files, and tells by stdout how
// even the loop was. Its argument is a folder for log files; without one it logs to stderr.

const QUEUE_MAX = 50;
const LINES_A_TURN = 20;
const TURNS = 100;

const [dir] = Deno.args;
const output = dir === undefined
  ? stderrOutput
  : new FileOutput({ dir, count: 1, sizeMax: 0, mode: null }, stderrOutput);
const opened = openLog({
  level: "INFO",
  partLevels: {},
  tracebackLevel: "ERROR",
  layout: plainLayout,
  queueMax: QUEUE_MAX,
}, output);

let longestMs = 0;
for (let turn = 0; turn < TURNS; turn++) {
  const began = performance.now();
  for (let line = 0; line < LINES_A_TURN; line++) opened.log.info("x".repeat(100));
  await Deno.readTextFile("/proc/self/stat");
  await new Promise((resolve) => setTimeout(resolve, 10));
  longestMs = Math.max(longestMs, performance.now() - began);
}
const closing = performance.now();
await opened.close();
const closeMs = performance.now() - closing;
const story = { longestMs, closeMs, dropped: opened.dropped(), lines: TURNS * LINES_A_TURN };
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(story)));
Deno.exit(0);
