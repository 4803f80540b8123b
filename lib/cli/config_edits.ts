import { isJsonObject, type Json, type JsonObject } from "../base/json.ts";
import { mergePatch } from "../core/config_patch.ts";
import { parseYamlFile } from "../config/yaml_file.ts";

/** A content of the `config` key, or why a text is none. */
export type ReadConfig =
  | { readonly kind: "good"; readonly config: JsonObject }
  | { readonly kind: "bad"; readonly what: string };

/** Reads a whole configuration as YAML or JSON; `name` is its place in faults. */
export function readConfigText(name: string, text: string): ReadConfig {
  const { values, faults } = parseYamlFile(name, text);
  const [fault] = faults;
  if (fault === undefined) return { kind: "good", config: values };
  const place = fault.line === null ? name : `${name}:${fault.line}`;
  return { kind: "bad", what: `${place}: ${fault.message}` };
}

/**
 * Lays `key=value` over a configuration. Keys are dotted paths; a parameter of the server keeps its own dots. Values are
 * YAML; `null` deletes the key.
 */
export function setKeys(
  config: JsonObject,
  pairs: readonly string[],
  prefix: readonly string[] = [],
): ReadConfig {
  let next = config;
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    const key = pair.slice(0, Math.max(at, 0)).trim();
    const path = prefix.length > 0 ? [...prefix, key] : pathOf(key);
    if (at < 0 || path.some((part) => part === "")) {
      return { kind: "bad", what: `"${pair}" is not of the form key=value` };
    }
    const value = valueOf(pair.slice(at + 1));
    if (value === undefined) return { kind: "bad", what: `the value of "${key}" is no YAML` };
    next = mergePatch(next, nested(path, value));
  }
  return { kind: "good", config: next };
}

/** Where the parameters of the server stand. */
export const PARAMETERS: readonly string[] = ["postgresql", "parameters"];

function pathOf(key: string): readonly string[] {
  const parts = key.split(".");
  const isParameter = PARAMETERS.every((name, index) => parts[index] === name);
  if (!isParameter || parts.length <= PARAMETERS.length) return parts;
  return [...PARAMETERS, parts.slice(PARAMETERS.length).join(".")];
}

function valueOf(text: string): Json | undefined {
  const { values, faults } = parseYamlFile("value", `value: ${text}\n`);
  const isPlain = faults.length === 0 && Object.keys(values).length === 1;
  return isPlain ? values["value"] : undefined;
}

function nested([name, ...rest]: readonly string[], value: Json): JsonObject {
  if (name === undefined) return isJsonObject(value) ? value : {};
  return { [name]: rest.length === 0 ? value : nested(rest, value) };
}
