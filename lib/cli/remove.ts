import { within } from "../base/deadline.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { memberTable } from "./list.ts";
import { look } from "./look.ts";
import { complaint, say } from "./output.ts";
import { renderTable } from "./table.ts";

/** What must be typed, as in Patroni's tool. */
const PHRASE = "Yes I am aware";
const DELETE_MS = 15_000;

/**
 * `agent remove`: deletes every key of a cluster in the store, after its name, a phrase and, when somebody leads, the
 * leader's name were typed; there is no way around that. The answers may come by a pipe. Returns 0, 1 refused or failed,
 * 2 a wrong answer, 3 when the end is not known. Throws `DcsUnreachable` and `ConfigError` before anything was deleted.
 */
export async function remove(context: CommandContext): Promise<number> {
  const { cluster, output } = context;
  const view = await look(cluster);
  await output.err(await renderTable(memberTable(view, cluster.scope), "pretty", output.width()));
  const alive = view.members.map(({ name }) => name);
  if (alive.length > 0) {
    const what = `agents run on ${alive.join(", ")}: they will write their keys again`;
    await output.err(complaint(what, "Stop them first when the cluster shall go for good."));
  }
  const holder = view.lock?.holder ?? null;
  for (const { question, expected } of questions(cluster.scope, holder)) {
    if (await context.prompt.ask(question) === expected) continue;
    await output.err(complaint(`that is not "${expected}": nothing was removed`));
    return EXIT.usage;
  }
  return await carryOut(context, holder);
}

interface Question {
  readonly question: string;
  readonly expected: string;
}

function questions(scope: string, holder: string | null): readonly Question[] {
  const all = [
    { question: "Name of the cluster that shall be removed: ", expected: scope },
    {
      question: `Everything that the store knows of it will be gone. Type "${PHRASE}": `,
      expected: PHRASE,
    },
  ];
  if (holder === null) return all;
  return [...all, { question: "It has a leader. Name of the leader: ", expected: holder }];
}

async function carryOut(context: CommandContext, holder: string | null): Promise<number> {
  const { cluster, output } = context;
  using deadline = within(DELETE_MS);
  const removed = await cluster.remove(holder, deadline.signal);
  if (removed.kind === "done") {
    await say(context, `Removed ${cluster.scope} from the store\n`);
    return EXIT.done;
  }
  if (removed.kind === "refused") {
    const next = "Look with agent list, then repeat it.";
    await output.err(complaint("the leader has changed meanwhile: nothing was removed", next));
    return EXIT.failed;
  }
  await output.err(complaint(`Status unknown: ${removed.why}`, "Look with agent list."));
  return EXIT.unknown;
}
