import type { CommandResult } from "../host/port.ts";
import { fillingEnvironment } from "../host/processes.ts";
import { run } from "../host/spawn.ts";
import type { FillingProgram, PostgresOptions } from "./options.ts";

/** A restore may take days; it ends by its own faults or by a cancel. */
const FILLING_MS = 7 * 24 * 3600 * 1000;

/**
 * Runs a program of the operator that fills the data directory, with `parameters` as `--name=value` behind its own
 * words unless its section says `no_params` (spec 1.4, 1.6.2). Passwords are in the passfile alone.
 */
export function runFilling(
  { pgpass, dataDir }: Pick<PostgresOptions, "pgpass" | "dataDir">,
  { words, withParameters }: FillingProgram,
  parameters: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<CommandResult> {
  const [program = "", ...args] = words;
  const appended = Object.entries(parameters).map(([name, value]) => `--${name}=${value}`);
  return run({
    program,
    args: [...args, ...(withParameters ? appended : [])],
    env: { PGPASSFILE: pgpass, ...fillingEnvironment(dataDir) },
    timeoutMs: FILLING_MS,
  }, signal);
}

/** The end of what a program said, or its exit code when it said nothing. */
export function saidOrCode({ exitCode, stderrTail }: CommandResult): string {
  return stderrTail === "" ? `exit code ${exitCode}` : stderrTail.split("\n").slice(-3).join("; ");
}
