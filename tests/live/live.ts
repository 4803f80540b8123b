import {
  type Cluster,
  type ClusterOptions,
  planCluster,
} from "../../scripts/playground/cluster.ts";

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
