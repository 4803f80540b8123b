import * as v from "valibot";
import type { ConfigFault } from "../base/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../base/json.ts";
import type { AgentConfig } from "./agent_config.ts";
import { assemble } from "./assemble.ts";
import { type ConfigSource, readSource, sourceOf } from "./config_source.ts";
import { overlay } from "./environment.ts";
import { configError, faultAt, objectAt, type Sources, valueAt } from "./faults.ts";
import {
  firstSettings,
  localSettings,
  refusals,
  remark,
  remarks,
  tagWarnings,
} from "./judgement.ts";
import { type KeyPath, knownKey } from "./key_table.ts";
import { review } from "./review.ts";
import { fileSchema, type FileValues } from "./schema.ts";
import { type Resolved, resolveSecrets } from "./secrets.ts";
import { sectionRemarks } from "./section_remarks.ts";

type Env = Readonly<Record<string, string>>;

/**
 * Reads the file or folder, lays the `PATRONI_*` variables over it and fetches secrets from where they are kept; an empty
 * path means the environment alone. Throws `ConfigError` with every fault found; its message has one line for each.
 * Remarks that do not prevent a start are in `warnings` of the result.
 */
export async function loadConfig(path: string, env: Env): Promise<AgentConfig> {
  return await loadSource(await readSource(path, env));
}

/** The same for a source that was read already. */
export async function loadSource(source: ConfigSource): Promise<AgentConfig> {
  const given = layOver(source);
  return check(given, await resolveSecrets(given));
}

/** The same for text that was read already, without secrets kept elsewhere; `file` is its name in faults. */
export function readConfig(file: string, text: string, env: Env): AgentConfig {
  const given = layOver(sourceOf(file, [{ file, text }], env));
  return check(given, { values: given.values, faults: [] });
}

/** A document with its variables laid over it. */
interface Given extends Sources {
  readonly name: string;
  readonly env: Env;
  readonly warnings: readonly string[];
}

function layOver({ name, values, env, spotOf }: ConfigSource): Given {
  return { name, env, spotOf, ...overlay(values, env) };
}

function check(given: Given, secrets: Resolved): AgentConfig {
  const { env } = given;
  const values = withSections(secrets.values);
  const sources: Sources = { ...given, values };
  const findings = review(given.values);
  const parsed = v.safeParse(fileSchema, values);
  const settings = firstSettings(sources);
  const state = stateDir(parsed.output, env);
  const faults = [
    ...refusals(sources, findings),
    ...secrets.faults,
    ...(parsed.issues ?? []).flatMap((issue) => issueFaults(sources, issue)),
    ...(parsed.success ? crossFaults(sources, parsed.output) : []),
    ...settings.faults,
    ...state.faults,
  ];
  if (faults.length > 0 || !parsed.success) {
    const unknown = [...given.warnings, ...remarks(sources, findings, ["unknown"])];
    throw configError(given.name, faults, { remarks: unknown });
  }
  const local = localSettings(sources, parsed.output);
  return assemble({ ...parsed.output, postgresql: local.postgresql }, {
    stateDir: state.path,
    bootstrapDcs: settings.raw,
    tags: objectAt(values, ["tags"]),
    warnings: [
      ...given.warnings,
      ...remarks(sources, findings, ["unknown", "not-yet"]),
      ...settings.warnings,
      ...local.warnings,
      ...sectionRemarks(parsed.output).map(({ path, message }) => remark(sources, path, message)),
      ...tagWarnings(sources),
    ],
  });
}

/** Empty values count as absent; sections with required keys exist, so that each missing key is told. */
function withSections(values: JsonObject): JsonObject {
  const given = withoutNulls(values, []);
  const postgresql = objectAt(given, ["postgresql"]);
  const authentication = objectAt(postgresql, ["authentication"]);
  const filled = given["postgresql"] !== undefined && !isJsonObject(given["postgresql"])
    ? given["postgresql"]
    : {
      ...postgresql,
      authentication: { superuser: {}, replication: {}, ...authentication },
    };
  return { restapi: {}, etcd3: {}, ...given, postgresql: filled };
}

function withoutNulls(values: JsonObject, path: KeyPath): JsonObject {
  const kept: Record<string, Json> = {};
  for (const [name, value] of Object.entries(values)) {
    if (value === null) continue;
    const place = [...path, name];
    const isSection = isJsonObject(value) && place.join(".") !== "bootstrap.dcs";
    kept[name] = isSection ? withoutNulls(value, place) : value;
  }
  return kept;
}

function issueFaults(sources: Sources, issue: v.BaseIssue<unknown>): readonly ConfigFault[] {
  const path = (issue.path ?? []).map(({ key }) => String(key));
  const expected = valueAt(sources.values, path) === undefined
    ? knownKey(path)?.notes.meaning ?? issue.message
    : issue.message;
  return [faultAt(sources, path, expected)];
}

function crossFaults(sources: Sources, values: FileValues): readonly ConfigFault[] {
  if (values.restapi.listen.port !== values.postgresql.listen.port) return [];
  return [faultAt(sources, ["restapi", "listen"], "another port than that of postgresql.listen")];
}

interface StateDir {
  readonly path: string;
  readonly faults: readonly ConfigFault[];
}

/** `AGENT_STATE_DIR`, else beside the data directory: on the same disk, and never inside what a clone replaces. */
function stateDir(output: unknown, env: Env): StateDir {
  const given = env["AGENT_STATE_DIR"] ?? "";
  if (given !== "" && !given.startsWith("/")) {
    const message = "expected an absolute path in AGENT_STATE_DIR, found a relative one";
    return { path: given, faults: [{ file: null, line: null, path: "", message }] };
  }
  if (given !== "") return { path: given, faults: [] };
  const values = isJsonObject(output) ? output : {};
  const dataDir = String(valueAt(values, ["postgresql", "data_dir"]) ?? "/");
  const parent = dataDir.slice(0, Math.max(1, dataDir.lastIndexOf("/"))).replace(/\/$/, "");
  return { path: `${parent}/.agent-${values["scope"]}-${values["name"]}`, faults: [] };
}
