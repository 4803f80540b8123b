import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { ConfigError } from "../../lib/base/errors.ts";
import type { CommandContext } from "../../lib/cli/command.ts";
import { dsn } from "../../lib/cli/dsn.ts";
import { handover } from "../../lib/cli/handover.ts";
import { history } from "../../lib/cli/history.ts";
import { list } from "../../lib/cli/list.ts";
import { memberVersions } from "../../lib/cli/member_versions.ts";
import { pause } from "../../lib/cli/pause.ts";
import { reload } from "../../lib/cli/reload_members.ts";
import { remove } from "../../lib/cli/remove.ts";
import { showConfig } from "../../lib/cli/show_config.ts";
import { cluster } from "../core/builders.ts";
import { world } from "./faces.ts";

const NOTHING = cluster({ systemId: null, lock: null, members: [], config: null });
const ALL = { names: [], role: null, onlyOne: false };
const SWITCHOVER = {
  command: "switchover",
  leader: null,
  candidate: null,
  scheduled: null,
} as const;

const COMMANDS: Readonly<Record<string, (context: CommandContext) => Promise<number>>> = {
  dsn: (context) => dsn(context, { member: null, role: null }),
  switchover: (context) => handover(context, SWITCHOVER),
  history,
  version: (context) => memberVersions(context, ["a"]),
  pause: (context) => pause(context, { on: true, wait: false }),
  reload: (context) => reload(context, ALL),
  remove,
  "show-config": showConfig,
};

for (const [name, command] of Object.entries(COMMANDS)) {
  Deno.test(`agent ${name} says that the store has nothing of the cluster, and does nothing`, async () => {
    const { context, sent, written, questions } = world({ views: [NOTHING] });
    const failure = command(context);
    await rejects(failure, ConfigError);
    await rejects(failure, /nothing of the cluster "demo"/);
    deepStrictEqual([sent, written, questions], [[], [], []]);
  });
}

Deno.test("agent list shows a cluster that the store has nothing of as uninitialized", async () => {
  const { context, out } = world({ views: [NOTHING] });
  strictEqual(await list(context), 0);
  match(out.join(""), /demo \(uninitialized\)/);
});
