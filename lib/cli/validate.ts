import { loadConfig } from "../config/load.ts";
import { redact } from "../config/redact.ts";
import { throwCertificateFaults } from "./access.ts";
import { certificateRemarks } from "./certificate_faults.ts";
import { EXIT } from "./exit_codes.ts";
import type { Output } from "./output.ts";

type Env = Readonly<Record<string, string>>;

/** Which file under which variables, and whether the outcome is printed. */
export interface ValidateOptions {
  readonly path: string;
  readonly env: Env;
  readonly print: boolean;
}

/**
 * `agent --validate-config`: reads the configuration and starts nothing. Remarks go to stderr, the effective
 * configuration without secrets to stdout. Throws `ConfigError` with every fault.
 */
export async function validate(output: Output, options: ValidateOptions): Promise<number> {
  const config = await loadConfig(options.path, options.env);
  await throwCertificateFaults(config);
  const remarks = [...config.warnings, ...await certificateRemarks(config)];
  const barred = config.unsupported.map((remark) => `${remark} (the agent will not lead)`);
  for (const remark of [...barred, ...remarks]) await output.err(`${remark}\n`);
  if (!options.print) return EXIT.done;
  const { stringify } = await import("yaml");
  await output.out(stringify(redact(config), { lineWidth: 0 }));
  return EXIT.done;
}
