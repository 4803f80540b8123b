import type { Settings } from "../core/settings.ts";
import { run } from "../host/spawn.ts";
import {
  BASE_CONF,
  isOurConf,
  readRecoverySettings,
  renderLines,
  renderPostgresqlConf,
  withoutRecoverySettings,
} from "./conf_files.ts";
import { exists, readIfThere, removeIfThere } from "./data_dir.ts";
import type { PostgresOptions } from "./options.ts";
import { programPath } from "./options.ts";
import { controlledSettings, fileParameters } from "./parameters.ts";
import { writePrivateFile } from "./pgpass.ts";

const CHECK_MS = 10_000;
const CHECK_FILE = "postgresql.conf.agent-check";

/** What the files should say; `keep`: the recovery settings stay as they are. */
export interface ConfOrder {
  readonly settings: Settings;
  readonly majorVersion: number;
  readonly recovery: Readonly<Record<string, string>> | null | "keep";
}

/** Writes the server's configuration files, each only when its text changes. */
export class ConfWriter {
  readonly #options: PostgresOptions;
  /** The last set of parameters that the server's own check has seen, and which of them it refused. */
  #checked: { readonly text: string; readonly refused: ReadonlyMap<string, string> } | null = null;

  constructor(options: PostgresOptions) {
    this.#options = options;
  }

  /** True when anything changed, so that a running server must reload. Throws the file system's errors. */
  async write(order: ConfOrder, signal: AbortSignal): Promise<boolean> {
    const { dataDir, pgHba, pgIdent } = this.#options;
    const conf = `${dataDir}/postgresql.conf`;
    await keepBase(dataDir);
    const recovery = order.recovery === "keep" ? await readRecovery(conf) : order.recovery;
    const { parameters, remarks } = await this.#usableParameters(order, signal);
    const hba = pgHba ?? order.settings.pgHba;
    const ident = pgIdent ?? order.settings.pgIdent;
    const changes = [
      await writeIfChanged(conf, renderPostgresqlConf({ parameters, recovery, remarks })),
      hba !== null && await writeIfChanged(`${dataDir}/pg_hba.conf`, renderLines(hba)),
      ident !== null && await writeIfChanged(`${dataDir}/pg_ident.conf`, renderLines(ident)),
      await stripAutoConf(`${dataDir}/postgresql.auto.conf`),
    ];
    return changes.includes(true);
  }

  /** Parameters that this server's version refuses are left out with a remark: one must not keep it from starting. */
  async #usableParameters(order: ConfOrder, signal: AbortSignal): Promise<{
    readonly parameters: Readonly<Record<string, string>>;
    readonly remarks: readonly string[];
  }> {
    const all = fileParameters(order.settings, this.#options.parameters, order.majorVersion);
    const text = renderPostgresqlConf({ parameters: all, recovery: null, remarks: [] });
    if (this.#checked?.text !== text) {
      this.#checked = { text, refused: await findRefused(this.#options, all, signal) };
    }
    const { refused } = this.#checked;
    const kept = Object.entries(all).filter(([name]) => !refused.has(name));
    // The agent gives these on the command line as well; a start by hand in maintenance mode needs them, too.
    const controlled = controlledSettings(this.#options, order.settings);
    const parameters = { ...Object.fromEntries(kept), ...controlled };
    return { parameters, remarks: [...refused.values()] };
  }
}

/** The first time, what initdb or a copy made becomes the included base file. */
async function keepBase(dataDir: string): Promise<void> {
  const conf = `${dataDir}/postgresql.conf`;
  if (await exists(`${dataDir}/${BASE_CONF}`)) return;
  const text = await readIfThere(conf) ?? "";
  if (isOurConf(text)) return await writePrivateFile(`${dataDir}/${BASE_CONF}`, "");
  await writePrivateFile(`${dataDir}/${BASE_CONF}`, text);
}

async function readRecovery(conf: string): Promise<Readonly<Record<string, string>> | null> {
  return readRecoverySettings(await readIfThere(conf) ?? "");
}

async function stripAutoConf(path: string): Promise<boolean> {
  const text = await readIfThere(path);
  if (text === null) return false;
  const stripped = withoutRecoverySettings(text);
  if (stripped === text) return false;
  await writePrivateFile(path, stripped);
  return true;
}

async function writeIfChanged(path: string, text: string): Promise<boolean> {
  if (await readIfThere(path) === text) return false;
  await writePrivateFile(path, text);
  return true;
}

/** Asks the server program itself (`postgres -C`), a few times since it stops at its first invalid value. */
async function findRefused(
  options: PostgresOptions,
  all: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const refused = new Map<string, string>();
  const file = `${options.dataDir}/${CHECK_FILE}`;
  try {
    for (let round = 0; round < 5; round++) {
      const kept = Object.fromEntries(Object.entries(all).filter(([name]) => !refused.has(name)));
      const found = complaints(await checkOutput(options, kept, signal), kept);
      if (found.length === 0) break;
      for (const [name, remark] of found) refused.set(name, remark);
    }
  } finally {
    await removeIfThere(file);
  }
  return refused;
}

async function checkOutput(
  options: PostgresOptions,
  parameters: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string> {
  const file = `${options.dataDir}/${CHECK_FILE}`;
  await writePrivateFile(file, renderPostgresqlConf({ parameters, recovery: null, remarks: [] }));
  const args = ["-C", "data_directory", "-D", options.dataDir, `--config-file=${file}`];
  const program = programPath(options, "postgres");
  const result = await run({ program, args, timeoutMs: CHECK_MS }, signal);
  return result.exitCode === 0 ? "" : result.stderrTail;
}

function complaints(
  output: string,
  parameters: Readonly<Record<string, string>>,
): readonly (readonly [string, string])[] {
  return output.split("\n").flatMap((line) => {
    const [, name] = /parameter "([^"]+)"/.exec(line) ?? [];
    if (name === undefined || !Object.hasOwn(parameters, name)) return [];
    const reason = line.replace(/^.*?(LOG|FATAL|ERROR|WARNING):\s*/, "").replace(/ in file .*/, "");
    return [[name, `left out "${name}": ${reason}`] as const];
  });
}
