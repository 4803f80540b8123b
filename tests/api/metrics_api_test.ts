import { match, ok, strictEqual } from "node:assert/strict";
import { nodeView, replicaView } from "../core/builders.ts";
import { TestApi } from "./fakes.ts";

async function metrics(api: TestApi): Promise<string> {
  const reply = await api.send("/metrics");
  strictEqual(reply.status, 200);
  match(reply.headers.get("content-type") ?? "", /^text\/plain/);
  return await reply.text();
}

Deno.test("GET /metrics tells Patroni's metrics of a leader, with scope and name", async () => {
  const text = await metrics(new TestApi());
  match(
    text,
    /^# HELP patroni_primary .*\n# TYPE patroni_primary gauge\npatroni_primary\{scope="demo",name="a"\} 1$/m,
  );
  match(text, /^# TYPE patroni_xlog_location counter\npatroni_xlog_location\{.*\} 1000$/m);
  match(text, /^patroni_version\{.*\} 40104$/m);
  match(text, /^patroni_postgres_state\{.*\} 5$/m);
  match(text, /^agent_holds_lock\{.*\} 1$/m);
  match(text, /^agent_lease_left_seconds\{.*\} 20$/m);
});

Deno.test("GET /metrics counts what the dead-man's switch has sent", async () => {
  const fired = { INT: 2, KILL: 1 };
  const deadMan = { armed: true, endsMs: 1, pid: 7, firings: [], fired };
  const text = await metrics(new TestApi({ deadMan: () => deadMan }));
  match(text, /^agent_switch_firings\{scope="demo",name="a",signal="INT"\} 2$/m);
  match(text, /^agent_switch_firings\{.*signal="QUIT"\} 0$/m);
  match(text, /^agent_switch_armed\{.*\} 1$/m);
});

Deno.test("GET /metrics leaves out what is not known while the server is down, and says 0 elsewhere", async () => {
  const down = replicaView({ postgres: { kind: "no-data" } });
  const text = await metrics(new TestApi({}, down));
  ok(!text.includes("patroni_postgres_streaming"));
  match(text, /^patroni_xlog_replayed_location\{.*\} 0$/m);
  ok(!/None|NaN|null/.test(text));
});

Deno.test("HEAD /metrics has no body", async () => {
  const reply = await new TestApi({}, nodeView()).send("/metrics", { method: "HEAD" });
  strictEqual(reply.status, 200);
  strictEqual(await reply.text(), "");
});
