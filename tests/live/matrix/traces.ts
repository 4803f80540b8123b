import type { Member } from "../../../scripts/playground/member.ts";
import { waitFor } from "../../../scripts/playground/wait.ts";
import { restOf } from "./operator.ts";

/** What a switch did is told by the agent that came back, and in the history of the cluster; then it rests. */
export async function firingsAreTold(fenced: Member, leader: Member): Promise<void> {
  await restOf(fenced, "the firings", (agent) => agent.includes('"signal":"INT"'));
  await restOf(fenced, "a switch at rest", (agent) => agent.includes('"switch":{"armed":false'));
  const wanted = `the dead-man's switch of ${fenced.name} sent `;
  await waitFor("the firing in the history", 15_000, async () => {
    const seen = await (await leader.ask("/history", {}, 2_000)).text();
    return { met: seen.includes(wanted) ? true : null, seen };
  });
}
