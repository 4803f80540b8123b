import { form, type Reading, scalarText } from "./values.ts";
import type * as v from "valibot";

type Words = v.SchemaWithPipe<
  readonly [v.UnknownSchema, v.RawTransformAction<unknown, readonly string[]>]
>;

/**
 * Options of a program as Patroni's files give them: a list of `name`, `name=value` and `{name: value}`, or one
 * mapping. The result is `--name` and `--name=value`; names in `refused` belong to the agent.
 */
export function programOptions(refused: readonly string[]): Words {
  return form((input) => {
    const words: string[] = [];
    for (const [name, value] of pairs(input)) {
      const reading = optionWord(name, value, refused);
      if ("expected" in reading) return reading;
      if (reading.value !== null) words.push(reading.value);
    }
    return { value: words };
  });
}

function pairs(input: unknown): readonly (readonly [string, unknown])[] {
  if (typeof input === "string") return [nameAndValue(input)];
  if (Array.isArray(input)) return input.flatMap(pairs);
  if (typeof input === "object" && input !== null) return Object.entries(input);
  return [["", null]];
}

function nameAndValue(option: string): readonly [string, unknown] {
  const [, name, value] = /^(?:--)?([^=\s]+)=(.*)$/.exec(option) ?? [];
  return name === undefined ? [option.replace(/^--/, ""), true] : [name, value];
}

function optionWord(
  name: string,
  value: unknown,
  refused: readonly string[],
): Reading<string | null> {
  if (!/^[a-z][a-z0-9-]*$/.test(name)) return { expected: "long option names without dashes" };
  if (refused.includes(name)) return { expected: `no option "${name}": the agent sets it itself` };
  if (value === false) return { value: null };
  if (value === true) return { value: `--${name}` };
  const text = scalarText(value);
  return text === null
    ? { expected: `a plain value for "${name}"` }
    : { value: `--${name}=${text}` };
}
