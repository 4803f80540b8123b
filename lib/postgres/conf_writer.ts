import type { Source } from "../core/action.ts";
import type { Settings } from "../core/settings.ts";
import { run } from "../host/spawn.ts";
import {
  isOurConf,
  readSetting,
  renderLines,
  renderPostgresqlConf,
  withoutRecoverySettings,
} from "./conf_files.ts";
import type { ConfPaths } from "./conf_paths.ts";
import { confPaths } from "./conf_paths.ts";
import { parseConninfo } from "./conninfo.ts";
import { exists, readIfThere, removeIfThere } from "./data_dir.ts";
import { contentOf } from "./file_content.ts";
import type { FileContent } from "./file_content.ts";
import type { PostgresOptions } from "./options.ts";
import { programPath } from "./options.ts";
import { controlledSettings, fileParameters } from "./parameters.ts";
import { writePrivateFile } from "./pgpass.ts";

const CHECK_MS = 10_000;
/** What the files should say. */
export interface ConfOrder {
  readonly settings: Settings;
  readonly majorVersion: number;
  /** null: this server is no standby. */
  readonly recovery: Readonly<Record<string, string>> | null;
  /** Only for the starts that found a cluster. */
  readonly founding?: FoundingConf | undefined;
}

/** What differs while a cluster is founded from a backup. */
export interface FoundingConf {
  /** The whole pg_hba.conf: the passwords in the restored data are not known. */
  readonly hba: readonly string[];
  /** Leave recovery settings in postgresql.auto.conf alone. */
  readonly keepRecovery: boolean;
}

/** What is replayed was archived before, and must not be mixed into the archive of the new cluster. */
const FOUNDING_PARAMETERS = { archive_mode: "off" } as const;

/** Writes the server's configuration files, each only when its text changes. */
export class ConfWriter {
  readonly #options: PostgresOptions;
  /** The last set of parameters that the server's own check has seen, and which of them it refused. */
  #checked: { readonly text: string; readonly refused: ReadonlyMap<string, string> } | null = null;

  constructor(options: PostgresOptions) {
    this.#options = options;
  }

  /** The source that a standby's file names; null when it names none. Throws the file system's errors. */
  async source(): Promise<Source | null> {
    const text = await readIfThere(confPaths(this.#options).conf) ?? "";
    const { host, port = "5432", dbname } = parseConninfo(
      readSetting(text, "primary_conninfo") ?? "",
    );
    if (host === undefined) return null;
    const address = host.includes(":") ? `[${host}]` : host;
    const database = encodeURIComponent(dbname ?? this.#options.database);
    return { name: "", connUrl: `postgres://${address}:${port}/${database}` };
  }

  /** True when anything changed, so that a running server must reload. Throws the file system's errors. */
  async write(order: ConfOrder, signal: AbortSignal): Promise<boolean> {
    const { dataDir } = this.#options;
    const { founding, recovery } = order;
    const paths = confPaths(this.#options);
    await keepBase(paths, dataDir);
    await fillFolder(paths, dataDir);
    const { parameters, remarks } = await this.#usableParameters(order, signal);
    const base = this.#base();
    const content = this.#content(order);
    const changes = [
      await writeIfChanged(
        paths.conf,
        renderPostgresqlConf({ base, parameters, recovery, remarks }),
      ),
      await writeList(paths.hba, founding?.hba ?? content.pgHba, content.isOfRole),
      await writeList(paths.ident, content.pgIdent, content.isOfRole),
      founding?.keepRecovery !== true && await stripAutoConf(`${dataDir}/postgresql.auto.conf`),
    ];
    return changes.includes(true);
  }

  /** What is recovered for the founding of a cluster becomes a primary. */
  #content({ settings, recovery, founding }: ConfOrder): FileContent {
    const role = recovery !== null && founding === undefined ? "replica" : "primary";
    return contentOf(role, settings, this.#options);
  }

  #base(): string {
    const { customConf, configBaseName } = this.#options;
    return customConf ?? `${configBaseName ?? "postgresql"}.base.conf`;
  }

  /** Parameters that this server's version refuses are left out with a remark: one must not keep it from starting. */
  async #usableParameters(order: ConfOrder, signal: AbortSignal): Promise<{
    readonly parameters: Readonly<Record<string, string>>;
    readonly remarks: readonly string[];
  }> {
    const { parameters: local } = this.#content(order);
    const all = fileParameters(order.settings, local, order.majorVersion);
    const base = this.#base();
    const text = renderPostgresqlConf({ base, parameters: all, recovery: null, remarks: [] });
    if (this.#checked?.text !== text) {
      this.#checked = {
        text,
        refused: await findRefused({ options: this.#options, base }, all, signal),
      };
      for (const remark of this.#checked.refused.values()) this.#options.onLeftOut?.(remark);
    }
    const { refused } = this.#checked;
    const kept = Object.entries(all).filter(([name]) => !refused.has(name));
    // The agent gives these on the command line as well; a start by hand in maintenance mode needs them, too.
    const controlled = controlledSettings(this.#options, order.settings);
    const founding = order.founding === undefined ? {} : FOUNDING_PARAMETERS;
    const parameters = { ...Object.fromEntries(kept), ...controlled, ...founding };
    return { parameters, remarks: [...refused.values()] };
  }
}

/** The first time, what initdb or a copy made becomes the included base file. */
async function keepBase({ conf, base }: ConfPaths, dataDir: string): Promise<void> {
  if (await exists(base)) return;
  const text = await readIfThere(conf) ?? await readIfThere(`${dataDir}/postgresql.conf`) ?? "";
  await writePrivateFile(base, isOurConf(text) ? "" : text);
}

/** A folder of its own begins with the files that initdb or a copy made: the server does not start without them. */
async function fillFolder({ folder, hba, ident }: ConfPaths, dataDir: string): Promise<void> {
  if (folder === dataDir) return;
  const pairs = [[hba, "pg_hba.conf"], [ident, "pg_ident.conf"]] as const;
  for (const [path, name] of pairs) {
    if (await exists(path)) continue;
    await writePrivateFile(path, await readIfThere(`${dataDir}/${name}`) ?? "");
  }
}

/**
 * A role without lines of its own has the file that initdb or a copy made; that is kept beside ours from the time on that
 * another role's lines take its place.
 */
async function writeList(
  path: string,
  lines: readonly string[] | null,
  isOfRole: boolean,
): Promise<boolean> {
  const kept = path.replace(/\.conf$/, ".base.conf");
  const present = await readIfThere(path) ?? "";
  if (lines === null) {
    const first = isOurConf(present) ? await readIfThere(kept) : null;
    return first !== null && await writeIfChanged(path, first);
  }
  if (isOfRole && !isOurConf(present)) await writeIfChanged(kept, present);
  return await writeIfChanged(path, renderLines(lines));
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

interface CheckTools {
  readonly options: PostgresOptions;
  readonly base: string;
}

/** Asks the server program itself (`postgres -C`), a few times since it stops at its first invalid value. */
async function findRefused(
  tools: CheckTools,
  all: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const refused = new Map<string, string>();
  try {
    for (let round = 0; round < 5; round++) {
      const kept = Object.fromEntries(Object.entries(all).filter(([name]) => !refused.has(name)));
      const found = complaints(await checkOutput(tools, kept, signal), kept);
      if (found.length === 0) break;
      for (const [name, remark] of found) refused.set(name, remark);
    }
  } finally {
    await removeIfThere(checkFile(tools));
  }
  return refused;
}

function checkFile({ options }: CheckTools): string {
  return `${confPaths(options).conf}.agent-check`;
}

async function checkOutput(
  tools: CheckTools,
  parameters: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string> {
  const { options, base } = tools;
  const file = checkFile(tools);
  const text = renderPostgresqlConf({ base, parameters, recovery: null, remarks: [] });
  await writePrivateFile(file, text);
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
