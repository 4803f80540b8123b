import {
  type Cluster,
  type ClusterOptions,
  planCluster,
} from "../../scripts/playground/cluster.ts";
import type { Member } from "../../scripts/playground/member.ts";
import { connect } from "../../scripts/playground/sql.ts";
import { waitFor } from "../../scripts/playground/wait.ts";

/** Tells people how long something took, in the output of the test. */
export async function tell(text: string): Promise<void> {
  await Deno.stderr.write(new TextEncoder().encode(`    ${text}\n`));
}

/**
 * One test on a real cluster of its own. When it fails, all logs are kept in a folder that is printed; in any case
 * nothing is left running.
 */
export function liveTest(
  title: string,
  options: Partial<ClusterOptions>,
  body: (cluster: Cluster) => Promise<void>,
): void {
  Deno.test(title, async () => {
    const cluster = await planCluster({ members: ["a", "b", "c"], etcdMembers: 1, ...options });
    try {
      await body(cluster);
    } catch (error) {
      await tell(`${await cluster.summary()}\n    logs: ${await cluster.keepLogs()}`);
      throw error;
    } finally {
      await cluster.close();
    }
  });
}

/** Resolves when a write on this server is refused; nobody may write after the lease has ended. */
export async function waitForReadOnly(member: Member, deadlineMs: number): Promise<void> {
  await waitFor(`${member.name} refusing writes`, deadlineMs, async () => {
    try {
      const client = await connect(member.sqlPlace);
      const { rows } = await client.query("SELECT pg_is_in_recovery() AS standby");
      await client.end();
      return { met: rows[0]?.standby === true ? true : null, seen: "it is a primary" };
    } catch {
      return { met: true, seen: "" };
    }
  });
}
