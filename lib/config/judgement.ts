import type { ConfigFault } from "../base/errors.ts";
import { isJsonObject, type JsonObject } from "../base/json.ts";
import { decodeSettings } from "../core/settings.ts";
import { tagConflicts } from "../core/tags.ts";
import { objectAt, place, printFault, type Sources, valueAt } from "./faults.ts";
import { type KeyPath, knownKey } from "./key_table.ts";
import { localParameters, localRecovery } from "./own_parameters.ts";
import type { Finding } from "./review.ts";
import type { FileValues } from "./schema.ts";
import { flagOf } from "./values.ts";

/** `bootstrap.dcs` as it stands, and what was found in it. */
export interface FirstSettings {
  readonly raw: JsonObject;
  readonly faults: readonly ConfigFault[];
  readonly warnings: readonly string[];
}

/** `bootstrap.dcs` judged by the same decoder as the cluster's settings later. */
export function firstSettings(sources: Sources): FirstSettings {
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

const PARAMETER_KEYS = ["parameters", "parameters_primary", "parameters_replica"] as const;
const LIST_KEYS = {
  hba_file: ["pg_hba", "pg_hba_primary", "pg_hba_replica"],
  ident_file: ["pg_ident", "pg_ident_primary", "pg_ident_replica"],
} as const;

/** The settings of PostgreSQL that count in the file of one member, with a remark for each that does not. */
export function localSettings(
  sources: Sources,
  { postgresql }: FileValues,
): { readonly postgresql: FileValues["postgresql"]; readonly warnings: readonly string[] } {
  const sections = PARAMETER_KEYS.map((key) => [key, localParameters(postgresql[key])] as const);
  const recovery = localRecovery(postgresql.recovery_conf);
  const sectionOf = (name: string) => valueAt(sources.values, ["postgresql", name]);
  const lone = postgresql.methods.flatMap((method) => {
    return method.kind === "custom" && isOn(sectionOf(method.name)) ? [method.name] : [];
  });
  const warnings = [
    ...lone.map((name) =>
      remark(sources, ["postgresql", name, "no_leader"], "no effect: a copy waits for a leader")
    ),
    ...sections.flatMap(([key, { dropped }]) =>
      dropped.map(({ name, why }) => remark(sources, ["postgresql", key, name], why))
    ),
    ...otherFiles(postgresql).map((name) =>
      remark(sources, ["postgresql", name], "no effect: the parameters name another file")
    ),
    ...recovery.dropped.map(({ name, why }) =>
      remark(sources, ["postgresql", "recovery_conf", name], why)
    ),
  ];
  const parameters = Object.fromEntries(sections.map(([key, { values }]) => [key, values]));
  const kept = { ...postgresql, ...parameters, recovery_conf: recovery.values };
  return { postgresql: kept, warnings };
}

/** Lists that PostgreSQL never reads, since its own parameter names another file. */
function otherFiles(server: FileValues["postgresql"]): readonly string[] {
  const moved = Object.entries(LIST_KEYS).filter(([file]) => file in server.parameters);
  return moved.flatMap(([, keys]) => keys.filter((key) => server[key] !== undefined));
}

/** Whether a copy method says that it needs no leader. */
function isOn(section: unknown): boolean {
  if (!isJsonObject(section)) return false;
  return [section["no_leader"], section["no_master"]].some((value) => flagOf(value) === true);
}

/** Tags that contradict each other, one line each. */
export function tagWarnings(sources: Sources): readonly string[] {
  return tagConflicts(objectAt(sources.values, ["tags"])).map((sentence) =>
    remark(sources, ["tags"], sentence)
  );
}

/** Keys that cannot be combined with this program. */
export function refusals(sources: Sources, findings: readonly Finding[]): readonly ConfigFault[] {
  return findings.filter(({ kind }) => kind === "refused")
    .map(({ path, message }) => place(sources, path, message));
}

/** The findings of some kinds, one line for each. */
export function remarks(
  sources: Sources,
  findings: readonly Finding[],
  kinds: readonly Finding["kind"][],
): readonly string[] {
  return findings.filter(({ kind }) => kinds.includes(kind))
    .map(({ path, message }) => remark(sources, path, message));
}

/** What to say of one place, as one line. */
export function remark(sources: Sources, path: KeyPath, message: string): string {
  return printFault(place(sources, path, message));
}
