import { within } from "../base/deadline.ts";
import { isJsonObject, type JsonObject } from "../base/json.ts";
import { mergePatch } from "../core/config_patch.ts";
import { decodeSettings } from "../core/settings.ts";
import type { CommandContext } from "./command.ts";
import { PARAMETERS, type ReadConfig, readConfigText, setKeys } from "./config_edits.ts";
import { EXIT } from "./exit_codes.ts";
import { look } from "./look.ts";
import { complaint, say } from "./output.ts";
import { permit } from "./permit.ts";
import { NO_CONFIG_NEXT, noConfig } from "./show_config.ts";
import { yamlText } from "./table.ts";

/** What `agent edit-config` is told; without any of them the editor is started. */
export interface EditOptions {
  /** `key=value` by dotted path. */
  readonly set: readonly string[];
  /** `name=value` of parameters of the server. */
  readonly pg: readonly string[];
  /** File with a patch, `-` for stdin. */
  readonly apply: string | null;
  /** File with the whole configuration, `-` for stdin. */
  readonly replace: string | null;
  /** Show no difference. */
  readonly quiet: boolean;
}

const WRITE_MS = 15_000;

interface Base {
  readonly raw: JsonObject;
  readonly revision: bigint;
}

/**
 * `agent edit-config`: changes the settings of the cluster. What is written was compared with what was shown; when
 * somebody else was faster, nothing is written. A text that is not used stays in a file. Returns 0, 1 refused or failed,
 * 2 wrong usage, 3 when the end is not known. Throws `DcsUnreachable`, `ConfigError` before anything was written.
 */
export async function editConfig(context: CommandContext, options: EditOptions): Promise<number> {
  const { cluster, output } = context;
  const usage = usageFault(context, options);
  if (usage !== null) {
    await output.err(complaint(usage));
    return EXIT.usage;
  }
  const { config } = await look(cluster);
  if (config === null) {
    await output.err(complaint(noConfig(cluster.scope), NO_CONFIG_NEXT));
    return EXIT.failed;
  }
  const edited = await edit(context, config, options);
  if (edited.read.kind === "bad") {
    return await giveUp(context, edited.read.what, edited.text);
  }
  const next = edited.read.config;
  if (sameText(next, config.raw)) {
    await say(context, "Not changed\n");
    return EXIT.done;
  }
  const { text } = edited;
  const decoded = decodeSettings(next);
  if ("fault" in decoded) return await giveUp(context, decoded.fault, text);
  await warn(context, config.raw, decoded.settings);
  if (!options.quiet) await say(context, await difference(config.raw, next));
  const permission = await permit(context, "Apply these changes?");
  if (permission !== EXIT.done) {
    if (text !== null) await keep(context, text);
    return permission;
  }
  return await write(context, config, { next, text });
}

function usageFault({ prompt }: CommandContext, options: EditOptions): string | null {
  const { set, pg, apply, replace } = options;
  if (apply !== null && replace !== null) return "give one of --apply and --replace";
  for (const trial of [setKeys({}, set), setKeys({}, pg, PARAMETERS)]) {
    if (trial.kind === "bad") return trial.what;
  }
  const needsEditor = set.length + pg.length === 0 && apply === null && replace === null;
  if (!needsEditor || prompt.isTerminal) return null;
  return "the editor needs a terminal: use --set, --pg, --apply or --replace";
}

interface Edited {
  readonly read: ReadConfig;
  /** What a person wrote and would miss; null: it can be typed again. */
  readonly text: string | null;
}

async function edit(context: CommandContext, base: Base, options: EditOptions): Promise<Edited> {
  const { set, pg, apply, replace } = options;
  const path = replace ?? apply;
  if (path === null && set.length + pg.length === 0) {
    const text = await context.workplace.edit(await yamlText(base.raw));
    return { read: readConfigText("the edited text", text), text };
  }
  const text = path === null ? null : await context.workplace.read(path);
  const given = text === null ? null : readConfigText(path === "-" ? "stdin" : path ?? "", text);
  if (given?.kind === "bad") return { read: given, text: path === "-" ? text : null };
  const first = given === null
    ? base.raw
    : replace === null
    ? mergePatch(base.raw, given.config)
    : given.config;
  const withKeys = setKeys(first, set);
  const read = withKeys.kind === "bad" ? withKeys : setKeys(withKeys.config, pg, PARAMETERS);
  return { read, text: path === "-" ? text : null };
}

/** Tells what the change newly brings: settings that are ignored, and those that keep every agent from leading. */
async function warn(
  { output }: CommandContext,
  before: JsonObject,
  after: { readonly unsupported: readonly string[]; readonly warnings: readonly string[] },
): Promise<void> {
  const old = decodeSettings(before);
  const known = "fault" in old ? [] : [...old.settings.warnings, ...old.settings.unsupported];
  const isNew = (text: string): boolean => !known.includes(text);
  for (const text of after.warnings.filter(isNew)) await output.err(complaint(text));
  for (const name of after.unsupported.filter(isNew)) {
    await output.err(complaint(`${name} is not supported: no agent of this version will lead`));
  }
}

async function write(
  context: CommandContext,
  base: Base,
  { next, text }: { readonly next: JsonObject; readonly text: string | null },
): Promise<number> {
  const { cluster, output } = context;
  using deadline = within(WRITE_MS);
  const written = await cluster.writeConfig(next, base.revision, deadline.signal);
  if (written.kind === "done") {
    await say(context, "Configuration changed\n");
    return EXIT.done;
  }
  if (written.kind === "refused") {
    const what = "the configuration was changed by somebody else meanwhile: nothing was written";
    return await giveUp(context, what, text);
  }
  await output.err(complaint(`Status unknown: ${written.why}`, "Look with agent show-config."));
  if (text !== null) await keep(context, text);
  return EXIT.unknown;
}

async function giveUp(context: CommandContext, what: string, text: string | null): Promise<number> {
  await context.output.err(complaint(what, text === null ? "Nothing was changed." : undefined));
  if (text !== null) await keep(context, text);
  return EXIT.failed;
}

async function keep({ workplace, output }: CommandContext, text: string): Promise<void> {
  const path = await workplace.keep(text);
  await output.err(`Your text is kept: look at agent show-config, then use --replace ${path}\n`);
}

function sameText(one: JsonObject, other: JsonObject): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

/** The order of keys says nothing. */
function sorted(value: JsonObject): JsonObject {
  const entries = Object.entries(value).toSorted(([a], [b]) => a < b ? -1 : 1);
  return Object.fromEntries(
    entries.map(([name, item]) => [name, isJsonObject(item) ? sorted(item) : item]),
  );
}

async function difference(before: JsonObject, after: JsonObject): Promise<string> {
  const { createTwoFilesPatch } = await import("diff");
  const [old, next] = [await yamlText(before), await yamlText(after)];
  return createTwoFilesPatch("before", "after", old, next).replace(/^=+\n/, "");
}
