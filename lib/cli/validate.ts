import { ConfigError, type ConfigFault } from "../base/errors.ts";
import type { AgentConfig } from "../config/agent_config.ts";
import { printFault } from "../config/faults.ts";
import { loadConfig } from "../config/load.ts";
import { redact } from "../config/redact.ts";
import { certificateFaults, certificateRemarks } from "./certificate_faults.ts";
import { EXIT } from "./exit_codes.ts";
import type { Output } from "./output.ts";
import { type Format, renderTable } from "./table.ts";

type Env = Readonly<Record<string, string>>;

/** How a validation is asked for. */
export interface ValidateWish {
  /** Prints what is in force, without secrets. */
  readonly print: boolean;
  /** A port in use is no fault: the agent or the server may be running. */
  readonly ignoreListenPort: boolean;
  readonly format: Format;
}

/** What this host has to say to a configuration that is right in itself. */
export type HostProbes = (
  config: AgentConfig,
  wish: Pick<ValidateWish, "ignoreListenPort">,
) => Promise<HostReport>;

/** Faults keep the agent from working here, warnings may. */
export interface HostReport {
  readonly faults: readonly ConfigFault[];
  readonly warnings: readonly string[];
}

/** Which file under which variables. */
export interface ValidateOptions extends ValidateWish {
  readonly path: string;
  readonly env: Env;
  readonly probe: HostProbes;
}

interface Verdict extends HostReport {
  readonly config: AgentConfig | null;
}

/**
 * `agent validate` and `agent --validate-config`: reads the configuration, looks at ports, names, programs and
 * directories of this host, and starts nothing. Returns 1 when there is a fault. Faults and remarks go to stderr, what is
 * in force to stdout; another form than the pretty one goes to stdout whole.
 */
export async function validate(output: Output, options: ValidateOptions): Promise<number> {
  const verdict = await judge(options);
  const { config, faults, warnings } = verdict;
  if (options.format !== "pretty") await output.out(await reportOf(options, verdict));
  else {
    for (const line of [...faults.map(printFault), ...warnings]) await output.err(`${line}\n`);
    if (faults.length > 0) await output.err(`agent: ${summary(options.path, faults.length)}\n`);
    if (options.print && config !== null) {
      const { stringify } = await import("yaml");
      await output.out(stringify(redact(config), { lineWidth: 0 }));
    }
  }
  return faults.length === 0 ? EXIT.done : EXIT.failed;
}

async function judge({ path, env, probe, ...wish }: ValidateOptions): Promise<Verdict> {
  try {
    const config = await loadConfig(path, env);
    const certificates = await certificateFaults(config);
    const { faults, warnings } = await probe(config, wish);
    const remarks = certificates.length > 0 ? [] : await certificateRemarks(config);
    return {
      config,
      faults: [...certificates, ...faults],
      warnings: [...config.warnings, ...remarks, ...warnings],
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { config: null, faults: error.faults, warnings: error.remarks };
  }
}

function summary(path: string, count: number): string {
  const name = path === "" ? "the environment" : path;
  return `Cannot use ${name}: ${count === 1 ? "1 fault" : `${count} faults`}`;
}

function reportOf({ path, print, format }: ValidateOptions, verdict: Verdict): Promise<string> {
  const { config, faults, warnings } = verdict;
  const rows = [
    ...faults.map((fault) => ["fault", printFault(fault)]),
    ...warnings.map((remark) => ["warning", remark]),
  ];
  const data = {
    file: path,
    valid: faults.length === 0,
    faults: faults.map(({ file, line, path: key, message }) => ({ file, line, key, message })),
    warnings,
    ...(print && config !== null ? { config: JSON.parse(JSON.stringify(redact(config))) } : {}),
  };
  const columns = ["Kind", "Message"].map((head) => ({ head, align: "left" as const }));
  return renderTable({ title: null, columns, rows, data, notes: [] }, format);
}
