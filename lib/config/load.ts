import * as v from "valibot";
import type { ConfigFault } from "../base/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../base/json.ts";
import { decodeSettings } from "../core/settings.ts";
import type { AgentConfig } from "./agent_config.ts";
import { assemble } from "./assemble.ts";
import { overlay } from "./environment.ts";
import { configError, faultAt, place, printFault, type Sources, valueAt } from "./faults.ts";
import { type KeyPath, knownKey } from "./key_table.ts";
import { localParameters, localRecovery } from "./own_parameters.ts";
import { type Finding, review } from "./review.ts";
import { fileSchema, type FileValues } from "./schema.ts";
import { sectionRemarks } from "./section_remarks.ts";
import { parseYamlFile } from "./yaml_file.ts";

type Env = Readonly<Record<string, string>>;

/**
 * Reads the file and lays the `PATRONI_*` variables over it. Throws `ConfigError` with every fault found; its message
 * has one line for each. Remarks that do not prevent a start are in `warnings` and `unsupported` of the result.
 */
export async function loadConfig(path: string, env: Env): Promise<AgentConfig> {
  return readConfig(path, await readFile(path), env);
}

/** The same for text that was read already; `file` is its name in faults. */
export function readConfig(file: string, text: string, env: Env): AgentConfig {
  const yaml = parseYamlFile(file, text);
  if (yaml.faults.length > 0) throw configError(file, yaml.faults);
  const laid = overlay(yaml.values, env);
  const values = withSections(laid.values);
  const sources: Sources = { file, values, origins: laid.origins, lineOf: yaml.lineOf };
  const findings = review(laid.values);
  const parsed = v.safeParse(fileSchema, values);
  const settings = firstSettings(sources);
  const state = stateDir(parsed.output, env);
  const faults = [
    ...refusals(sources, findings),
    ...(parsed.issues ?? []).flatMap((issue) => issueFaults(sources, issue)),
    ...(parsed.success ? crossFaults(sources, parsed.output) : []),
    ...settings.faults,
    ...state.faults,
  ];
  if (faults.length > 0 || !parsed.success) {
    const unknown = [...laid.warnings, ...remarks(sources, findings, ["unknown"])];
    throw configError(file, faults, { remarks: unknown });
  }
  const local = localSettings(sources, parsed.output);
  return assemble({ ...parsed.output, postgresql: local.postgresql }, {
    stateDir: state.path,
    bootstrapDcs: settings.raw,
    tags: objectAt(values, ["tags"]),
    unsupported: remarks(sources, findings, ["unsupported"]),
    warnings: [
      ...laid.warnings,
      ...remarks(sources, findings, ["unknown", "not-yet"]),
      ...settings.warnings,
      ...local.warnings,
      ...sectionRemarks(parsed.output).map(({ path, message }) => remark(sources, path, message)),
    ],
  });
}

async function readFile(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    const found = cause instanceof Deno.errors.NotFound ? "no such file" : reasonOf(cause);
    const message = `expected a configuration file, found ${found}`;
    throw configError(path, [{ file: path, line: null, path: "", message }], { cause });
  }
}

function reasonOf(error: Error): string {
  if (error instanceof Deno.errors.PermissionDenied) return "one that may not be read";
  return error instanceof Deno.errors.IsADirectory ? "a directory" : error.message;
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

interface FirstSettings {
  readonly raw: JsonObject;
  readonly faults: readonly ConfigFault[];
  readonly warnings: readonly string[];
}

/** `bootstrap.dcs` judged by the same decoder as the cluster's settings later. */
function firstSettings(sources: Sources): FirstSettings {
  const path = ["bootstrap", "dcs"];
  const raw = objectAt(sources.values, path);
  const known = Object.entries(raw).filter(([name]) => knownKey([...path, name]) !== null);
  const decoded = decodeSettings(Object.fromEntries(known));
  if ("fault" in decoded) {
    return { raw, faults: [place(sources, path, decoded.fault)], warnings: [] };
  }
  const { unsupported, warnings } = decoded.settings;
  const barred = unsupported.map((name) =>
    remark(
      sources,
      [...path, name],
      "not implemented in this version: such a cluster gets no leader",
    )
  );
  const others = warnings.map((sentence) => remark(sources, path, sentence));
  return { raw, faults: [], warnings: [...barred, ...others] };
}

function localSettings(
  sources: Sources,
  { postgresql }: FileValues,
): { readonly postgresql: FileValues["postgresql"]; readonly warnings: readonly string[] } {
  const parameters = localParameters(postgresql.parameters);
  const recovery = localRecovery(postgresql.recovery_conf);
  const warnings = [
    ...parameters.dropped.map(({ name, why }) =>
      remark(sources, ["postgresql", "parameters", name], why)
    ),
    ...recovery.dropped.map(({ name, why }) =>
      remark(sources, ["postgresql", "recovery_conf", name], why)
    ),
  ];
  const kept = { parameters: parameters.values, recovery_conf: recovery.values };
  return { postgresql: { ...postgresql, ...kept }, warnings };
}

function refusals(sources: Sources, findings: readonly Finding[]): readonly ConfigFault[] {
  return findings.filter(({ kind }) => kind === "refused")
    .map(({ path, message }) => place(sources, path, message));
}

function remarks(
  sources: Sources,
  findings: readonly Finding[],
  kinds: readonly Finding["kind"][],
): readonly string[] {
  return findings.filter(({ kind }) => kinds.includes(kind))
    .map(({ path, message }) => remark(sources, path, message));
}

function remark(sources: Sources, path: KeyPath, message: string): string {
  return printFault(place(sources, path, message));
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

function objectAt(values: JsonObject, path: KeyPath): JsonObject {
  const value = valueAt(values, path);
  return isJsonObject(value) ? value : {};
}
