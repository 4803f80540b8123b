import { sourcedTrace, traceOf } from "../base/sourced_trace.ts";
import { serviceManager } from "../host/notify.ts";
import { EXIT } from "./exit_codes.ts";
import type { Faces } from "./faces.ts";
import { complaint, terminalOutput } from "./output.ts";
import { runProgram } from "./program.ts";

/**
 * The command line: `agent <patroni.yml>` runs a member, `agent <command>` looks at a cluster or changes it. Returns
 * the exit code. Each command's code is loaded only when it is asked for. A fault that nothing here expects is told with
 * its trace.
 */
export async function main(args: readonly string[]): Promise<number> {
  try {
    return await runProgram(args, faces(Deno.env.toObject()));
  } catch (error) {
    const fault = sourcedTrace(traceOf(error));
    await terminalOutput.err(complaint(`a fault of the program: ${fault}`));
    return EXIT.failed;
  }
}

function faces(env: Readonly<Record<string, string>>): Faces {
  const output = terminalOutput;
  return {
    output,
    env,
    runDaemon: async (path) =>
      await (await import("./daemon.ts")).runDaemon(path, env, serviceManager(env)),
    validate: async (path, wish) => {
      const { probeHost: probe } = await import("./host_probes.ts");
      const { validate } = await import("./validate.ts");
      return await validate(output, { path, env, probe, ...wish });
    },
    generateConfig: async (wish) =>
      await (await import("./generate_config.ts")).generateConfig(output, { env, ...wish }),
    open: async (where, manner) =>
      await (await import("./open.ts")).openCluster(where, env, { output, manner }),
    list: async (context, options) => await (await import("./list.ts")).list(context, options),
    history: async (context) => await (await import("./history.ts")).history(context),
    handover: async (context, wish) =>
      await (await import("./handover.ts")).handover(context, wish),
    detach: async (context) => await (await import("./detach.ts")).detach(context),
    pause: async (context, options) => await (await import("./pause.ts")).pause(context, options),
    operate: async (context, wish) => await (await import("./operate.ts")).operate(context, wish),
    explain: async (to, options) => await (await import("./explain.ts")).explain(to, options),
    recordingOf: async (path) => await (await import("./open.ts")).recordingOf(path, env),
    version: async (to, format) => await (await import("./version.ts")).version(to, format),
  };
}
