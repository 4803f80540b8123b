import { Option } from "commander";
import type { HandoverOptions } from "./handover_plan.ts";
import { command, type Common, open, withForce, type Workshop } from "./shared_options.ts";

const CLUSTER = "name of the cluster (default: scope of the file)";

/** Adds the commands that hand the lock over, and those of maintenance mode. */
export function addChanges(shop: Workshop): void {
  addHandover(shop, "switchover", "let another member lead, in order: the leader stops first");
  addHandover(shop, "failover", "let a member lead although the leader is gone");
  addPause(shop, "pause", "maintenance mode: the agents start, stop and promote nothing");
  addPause(shop, "resume", "end maintenance mode");
  const { program, faces, end } = shop;
  command(program, "detach", "end this host's agent only: the next one takes over within the lease")
    .action(async (given: Common) => end(await faces.detach(await open(shop, given))));
  command(
    program,
    "remove",
    "delete everything that the store knows of a cluster; asks three times",
  )
    .argument("[cluster]", CLUSTER)
    .action(async (name: string | undefined, given: Common) =>
      end(await faces.operate(await open(shop, given, name), { command: "remove" }))
    );
  addEditConfig(shop);
}

interface HandoverGiven extends Common {
  readonly leader?: string;
  readonly primary?: string;
  readonly candidate?: string;
  readonly member?: string;
  readonly scheduled?: string;
}

function addHandover(
  shop: Workshop,
  name: HandoverOptions["command"],
  description: string,
): void {
  const { program, faces, end } = shop;
  const added = command(program, name, description)
    .argument("[cluster]", CLUSTER)
    .option("--leader <name>", "the member that leads now")
    .addOption(new Option("--primary <name>").hideHelp().conflicts("leader"))
    .option("--candidate <name>", "the member that shall lead")
    .addOption(new Option("--member <name>", "the same as --candidate").conflicts("candidate"));
  if (name === "switchover") {
    added.option("--scheduled <time>", "when: now, or a time like 2030-05-01T02:00+01:00");
  }
  withForce(added).action(async (cluster: string | undefined, given: HandoverGiven) => {
    end(await faces.handover(await open(shop, given, cluster), handoverOf(name, given)));
  });
}

/** A failover that names only a leader is a switchover. */
function handoverOf(name: HandoverOptions["command"], given: HandoverGiven): HandoverOptions {
  const leader = given.leader ?? given.primary ?? null;
  const candidate = given.candidate ?? given.member ?? null;
  const isSwitchover = name === "switchover" || (leader !== null && candidate === null);
  const scheduled = given.scheduled ?? null;
  return { command: isSwitchover ? "switchover" : "failover", leader, candidate, scheduled };
}

interface PauseGiven extends Common {
  readonly wait?: boolean;
}

function addPause(shop: Workshop, name: "pause" | "resume", description: string): void {
  const { program, faces, end } = shop;
  const added = command(program, name, description)
    .argument("[cluster]", CLUSTER)
    .option("--wait", "return when every member has confirmed it");
  withForce(added).action(async (cluster: string | undefined, given: PauseGiven) => {
    const options = { on: name === "pause", wait: given.wait === true };
    end(await faces.pause(await open(shop, given, cluster), options));
  });
}

interface EditGiven extends Common {
  readonly set?: readonly string[];
  readonly pg?: readonly string[];
  readonly apply?: string;
  readonly replace?: string;
  readonly quiet?: boolean;
}

const EDIT_EXAMPLES = `
Examples:
  agent edit-config                              opens EDITOR
  agent edit-config -s loop_wait=5 -s ttl=null   sets one key, drops another
  agent edit-config -p max_connections=200       sets a parameter of the server
  agent edit-config --replace config.yaml        takes the whole file`;

function addEditConfig(shop: Workshop): void {
  const { program, faces, end } = shop;
  const several = (value: string, before: readonly string[] = []): readonly string[] => [
    ...before,
    value,
  ];
  const added = command(program, "edit-config", "change the settings of the cluster")
    .argument("[cluster]", CLUSTER)
    .addOption(
      new Option("-s, --set <key=value>", "set a key by its dotted path; null deletes it")
        .argParser(several),
    )
    .addOption(
      new Option("-p, --pg <name=value>", "set a parameter of the server")
        .argParser(several),
    )
    .option("--apply <file>", "lay the content of a file over the settings, - for stdin")
    .option("--replace <file>", "take a file as the whole settings, - for stdin")
    .option("-q, --quiet", "do not show the difference")
    .addHelpText("after", EDIT_EXAMPLES);
  withForce(added).action(async (name: string | undefined, given: EditGiven) => {
    const { set = [], pg = [], apply = null, replace = null, quiet = false } = given;
    const options = { set, pg, apply, replace, quiet };
    const context = await open(shop, given, name);
    end(await faces.operate(context, { command: "edit-config", options }));
  });
}
