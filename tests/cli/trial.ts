import type { Faces } from "../../lib/cli/faces.ts";
import { runProgram } from "../../lib/cli/program.ts";
import { world } from "./faces.ts";

/** What a command line started, and what it printed. */
export interface Trial {
  readonly code: number;
  readonly calls: readonly unknown[];
  readonly out: string;
  readonly err: string;
}

/** Runs a command line, with every command in the place of the real one. */
export async function run(args: readonly string[], overrides: Partial<Faces> = {}): Promise<Trial> {
  const { context, out, err } = world();
  const calls: unknown[] = [];
  const record = (...call: readonly unknown[]): Promise<number> => {
    calls.push(call);
    return Promise.resolve(0);
  };
  const code = await runProgram(args, {
    output: context.output,
    env: {},
    runDaemon: (path) => record("daemon", path),
    validate: (path, wish) => record("validate", path, wish),
    generateConfig: (wish) => record("generate", wish),
    open: async ({ configPath, isNamed: _, ...place }, manner) => {
      const given = Object.entries(place).filter(([, value]) => value !== null && value !== false);
      const extra = given.length === 0 ? [] : [Object.fromEntries(given)];
      await record("open", configPath, manner, ...extra);
      return { ...context, ...manner };
    },
    list: (_context, options) => record("list", options),
    history: () => record("history"),
    handover: (_context, wish) => record("handover", wish),
    detach: () => record("detach"),
    pause: (_context, options) => record("pause", options),
    operate: (_context, wish) => record(wish),
    explain: (_output, options) => record("explain", options),
    recordingOf: (path) => Promise.resolve(`${path}.ticks`),
    version: (_output, format) => record("version", format),
    ...overrides,
  });
  return { code, calls, out: out.join(""), err: err.join("") };
}
