import type { Command } from "commander";
import type { Role, Selection } from "./selection.ts";
import {
  command,
  type Common,
  open,
  roleOption,
  withForce,
  type Workshop,
} from "./shared_options.ts";
import type { Wish } from "./wish.ts";

interface MembersGiven extends Common {
  readonly role?: Role;
  readonly any?: boolean;
}

/** Adds the commands that ask chosen members. */
export function addMembers(shop: Workshop): void {
  addRestart(shop);
  addReinit(shop);
  const { program, faces, end } = shop;
  const reload = overMembers(program, "reload", "let agents read their configuration file again");
  withForce(reload).action(async (names: readonly string[], given: MembersGiven) => {
    const wish: Wish = { command: "reload", options: selectionOf(names, given) };
    end(await faces.operate(await open(shop, given), wish));
  });
  addFlush(shop);
}

function overMembers(program: Command, name: string, description: string): Command {
  return command(program, name, description)
    .argument("[members...]", "names of members (default: all)")
    .addOption(roleOption());
}

function selectionOf(names: readonly string[], given: MembersGiven): Selection {
  return { names, role: given.role ?? null, onlyOne: given.any === true };
}

interface RestartGiven extends MembersGiven {
  readonly pending?: boolean;
  readonly pgVersion?: string;
  readonly timeout?: string;
  readonly scheduled?: string;
  readonly wait?: boolean;
}

function addRestart(shop: Workshop): void {
  const { program, faces, end } = shop;
  const description = "restart servers one after the other, the leader last";
  const added = overMembers(program, "restart", description)
    .option("--any", "only one of them")
    .option("--pending", "only members that wait for a restart")
    .option("--pg-version <version>", "only servers that are older than this, like 15.4")
    .option("--timeout <time>", "how long one server may take, like 90 or 5min (default: 5min)")
    .option("--scheduled <time>", "when: now, or a time like 2030-05-01T02:00+01:00")
    .option("--wait", "go on only when the member leads or streams again");
  withForce(added).action(async (names: readonly string[], given: RestartGiven) => {
    const options = {
      ...selectionOf(names, given),
      pending: given.pending === true,
      pgVersion: given.pgVersion ?? null,
      timeout: given.timeout ?? null,
      scheduled: given.scheduled ?? null,
      wait: given.wait === true,
    };
    end(await faces.operate(await open(shop, given), { command: "restart", options }));
  });
}

interface ReinitGiven extends Common {
  readonly fromLeader?: boolean;
  readonly wait?: boolean;
}

function addReinit(shop: Workshop): void {
  const { program, faces, end } = shop;
  const description = "throw the data of replicas away and copy them anew";
  const added = command(program, "reinit", description)
    .argument("<members...>", "names of members")
    .option("--from-leader", "copy from the leader, not from a replica")
    .option("--wait", "show the progress and return when the copy has ended");
  withForce(added).action(async (names: readonly string[], given: ReinitGiven) => {
    const { fromLeader = false, wait = false } = given;
    const options = { names, fromLeader, wait };
    end(await faces.operate(await open(shop, given), { command: "reinit", options }));
  });
}

function addFlush(shop: Workshop): void {
  const { program, faces, end } = shop;
  const added = command(program, "flush", "drop what is scheduled")
    .argument("<words...>", "restart or switchover; for restart also names of members")
    .addOption(roleOption());
  withForce(added).action(
    async (words: readonly string[], given: MembersGiven, self: Command) => {
      const read = flushOf(words);
      if (read === null) self.error("error: say what to drop: agent flush restart|switchover");
      const options = { ...selectionOf(read.names, given), what: read.what };
      end(await faces.operate(await open(shop, given), { command: "flush", options }));
    },
  );
}

interface Flushed {
  readonly what: "restart" | "switchover";
  readonly names: readonly string[];
}

/** The word stands first, or last as in Patroni's tool. */
function flushOf(words: readonly string[]): Flushed | null {
  const [first, last] = [whatOf(words[0]), whatOf(words.at(-1))];
  if (first !== null) return { what: first, names: words.slice(1) };
  return last === null ? null : { what: last, names: words.slice(0, -1) };
}

function whatOf(word: string | undefined): Flushed["what"] | null {
  return word === "restart" || word === "switchover" ? word : null;
}
