import type { ConfigError, ConfigFault } from "../base/errors.ts";

/** Writes every fault of a configuration to stderr, one line each. */
export async function printFaults(error: ConfigError): Promise<void> {
  const lines = error.faults.length === 0 ? [error.message] : error.faults.map(faultLine);
  const text = ["Cannot use the configuration:", ...lines.map((line) => `  ${line}`)].join("\n");
  await Deno.stderr.write(new TextEncoder().encode(`${text}\n`));
}

function faultLine({ file, line, path, message }: ConfigFault): string {
  const place = [file, line].filter((part) => part !== null).join(":");
  return [place, path, message].filter((part) => part !== "").join(": ");
}
