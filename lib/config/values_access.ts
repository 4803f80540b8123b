import { isIP } from "node:net";
import { parse } from "yaml";
import { plainText } from "../base/json.ts";
import { commaParts, form, type Reading } from "./values.ts";

/** A list or comma text of addresses, networks (`address/bits`) and host names. */
export const allowlist = form<readonly string[]>((input) => {
  const given = typeof input === "string" ? commaParts(input) : input;
  if (!Array.isArray(given)) return { expected: "a list of addresses, networks and host names" };
  const entries = given.map((entry) => plainText(entry).trim()).filter((entry) => entry !== "");
  const wrong = entries.find((entry) => !isHostOrNetwork(entry));
  return wrong === undefined ? { value: entries } : {
    expected: `an address, a network such as 10.0.0.0/8, or a host name in place of "${wrong}"`,
  };
});

function isHostOrNetwork(entry: string): boolean {
  const [address = "", bits, ...rest] = entry.split("/");
  if (bits === undefined) {
    return isIP(entry) !== 0 || /^(?!\d+(\.\d+)*$)[\w-]+(\.[\w-]+)*\.?$/.test(entry);
  }
  const most = { 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return rest.length === 0 && /^\d+$/.test(bits) && Number(bits) <= most;
}

/** A mapping of header names and values; as text, YAML with or without braces. */
export const headers = form<Readonly<Record<string, string>>>((input) => {
  const given = typeof input === "string" ? asMapping(input) : input;
  if (typeof given !== "object" || given === null || Array.isArray(given)) return NO_HEADERS;
  const read = new Headers();
  try {
    for (const [name, value] of Object.entries(given)) {
      if (typeof value === "object") return NO_HEADERS;
      read.set(name, String(value));
    }
  } catch (error) {
    if (error instanceof TypeError) return NO_HEADERS;
    throw error;
  }
  return { value: Object.fromEntries(read) };
});

const NO_HEADERS: Reading<never> = { expected: "a mapping of header names and values" };

function asMapping(text: string): unknown {
  try {
    return parse(text, { logLevel: "error" });
  } catch (error) {
    if (error instanceof Error) return null;
    throw error;
  }
}
