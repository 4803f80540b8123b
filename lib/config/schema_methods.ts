import * as v from "valibot";
import { splitWords } from "../base/words.ts";
import { flagOf, scalarText, textMapOf } from "./values.ts";
import { issueAt } from "./addresses.ts";
import type { CustomBootstrap, CustomMethod, ReplicaMethod } from "./agent_config.ts";

type Section = Readonly<Record<string, unknown>>;
/** What was read, or what was expected and where below the section. */
type Read<T> = { readonly value: T } | { readonly expected: string; readonly at: string | null };

const BOOTSTRAP_KEYS = ["command", "no_params", "keep_existing_recovery_conf", "recovery_conf"];
const REPLICA_KEYS = ["command", "no_params", "keep_data", "no_leader", "no_master"];

/** Reads `bootstrap.<name>`. A name without a command is a fault: initdb in its place would found an empty cluster. */
export function customBootstrap(name: string, section: unknown): Read<CustomBootstrap> {
  if (!isSection(section) || section["command"] === undefined) {
    return { expected: `a section bootstrap.${name} with a command`, at: null };
  }
  const common = commonOf(name, section, BOOTSTRAP_KEYS);
  if ("expected" in common) return common;
  const keep = flagOf(section["keep_existing_recovery_conf"] ?? false);
  if (keep === null) return { expected: "true or false", at: "keep_existing_recovery_conf" };
  const recovery = textMapOf(section["recovery_conf"] ?? {});
  if (recovery === null) return { expected: "a mapping of plain values", at: "recovery_conf" };
  const action = recovery["recovery_target_action"] ?? "promote";
  if (action !== "promote") {
    return { expected: "recovery_target_action: promote", at: "recovery_conf" };
  }
  return { value: { ...common.value, keepRecovery: keep, recovery } };
}

/** Reads `postgresql.<name>`; without a section the name itself is the program. */
export function replicaMethod(name: string, section: unknown): Read<ReplicaMethod> {
  if (name === "basebackup") return { value: { kind: "basebackup" } };
  const given = section ?? {};
  if (!isSection(given)) return { expected: "a mapping", at: null };
  const common = commonOf(name, given, REPLICA_KEYS);
  if ("expected" in common) return common;
  const keepData = flagOf(given["keep_data"] ?? false);
  if (keepData === null) return { expected: "true or false", at: "keep_data" };
  return { value: { kind: "custom", ...common.value, keepData } };
}

function commonOf(name: string, section: Section, own: readonly string[]): Read<CustomMethod> {
  const command = section["command"] ?? name;
  const words = typeof command === "string" ? splitWords(command) : null;
  if (words === null || words.length === 0) return { expected: "a command line", at: "command" };
  const noParameters = flagOf(section["no_params"] ?? false);
  if (noParameters === null) return { expected: "true or false", at: "no_params" };
  const options: string[] = [];
  for (const [key, value] of Object.entries(section)) {
    if (own.includes(key)) continue;
    const text = scalarText(value);
    if (text === null) return { expected: "a plain value", at: key };
    options.push(`--${key}=${text}`);
  }
  return { value: { name, words: [...words, ...options], withParameters: !noParameters } };
}

/** Adds the fault of a method's section at its place. */
export function methodIssue(
  values: Section,
  name: string,
  { expected, at }: { readonly expected: string; readonly at: string | null },
): { readonly message: string; readonly path: [v.ObjectPathItem, ...v.ObjectPathItem[]] } {
  const section = values[name];
  const below = issueAt(isSection(section) ? section : {}, at ?? "", expected);
  const { path: [item] } = issueAt(values, name, expected);
  return { message: expected, path: at === null ? [item] : [item, ...below.path] };
}

function isSection(value: unknown): value is Section {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
