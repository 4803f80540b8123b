import assert from "node:assert/strict";
import type { HandoverWish, HistoryLine, MemberState } from "../../lib/core/cluster_view.ts";
import { decide } from "../../lib/core/decide.ts";
import { initialMemory } from "../../lib/core/memory.ts";
import type { NodeView } from "../../lib/core/node_view.ts";
import { memberRecord } from "../../lib/core/publish.ts";
import { historyActions } from "../../lib/core/rules/history.ts";
import {
  cluster,
  handover,
  leaderReport,
  lsn,
  member,
  nodeView,
  peer,
  primary,
} from "./builders.ts";

const FIRED = { at: "2026-01-01T10:00:00.000Z", signal: "INT" };
const NOTE = "; the dead-man's switch of b sent INT at 2026-01-01T10:00:00.000Z";

function line(timeline: number, at: string | null, reason = "no recovery target"): HistoryLine {
  return { timeline, lsn: lsn(1000 * timeline), reason, at, newLeader: "a" };
}

/** What a leader on the timeline after these lines does with them. */
function reasons(
  history: readonly HistoryLine[],
  members: readonly MemberState[],
): readonly string[] | null {
  const view = cluster({ history, members });
  const server = primary({ timeline: history.length + 1 });
  const [action] = historyActions(nodeView({ cluster: view, postgres: server }), view, server);
  return action?.kind === "write-history" ? action.lines.map(({ reason }) => reason) : null;
}

const MEMBERS = [member("a", { role: "primary" }), member("b", { switchFired: FIRED })];

Deno.test("historyActions() tells the firing of a switch in the line of the promotion that followed", () => {
  const before = line(1, "2026-01-01T09:00:00+00:00");
  const after = line(2, "2026-01-01T10:00:04+00:00");
  const later = line(3, "2026-01-01T12:00:00+00:00");
  assert.deepEqual(reasons([before, after, later], MEMBERS), [
    "no recovery target",
    `no recovery target${NOTE}`,
    "no recovery target",
  ]);
});

Deno.test("historyActions() takes a promotion shortly before the firing for the clock of another host", () => {
  assert.deepEqual(reasons([line(1, "2026-01-01T09:59:55+00:00")], MEMBERS), [
    `no recovery target${NOTE}`,
  ]);
});

Deno.test("historyActions() prefers the promotion after the firing to one shortly before it", () => {
  const history = [line(1, "2026-01-01T09:59:55+00:00"), line(2, "2026-01-01T10:00:09+00:00")];
  assert.deepEqual(reasons(history, MEMBERS), [
    "no recovery target",
    `no recovery target${NOTE}`,
  ]);
});

Deno.test("historyActions() tells a firing once, and none that no promotion followed", () => {
  const told = line(1, "2026-01-01T10:00:04+00:00", `no recovery target${NOTE}`);
  assert.equal(reasons([told], MEMBERS), null);
  assert.equal(reasons([line(1, "2026-01-01T09:00:00+00:00")], MEMBERS), null);
  assert.equal(reasons([line(1, null)], MEMBERS), null);
  assert.equal(reasons([line(1, "2026-01-01T10:00:04+00:00", "x".repeat(500))], MEMBERS), null);
});

Deno.test("memberRecord() publishes a firing for a day", () => {
  const wallMs = Date.parse(FIRED.at);
  const view = nodeView({ firing: { wallMs, what: "INT", pid: 7 }, wallMs: wallMs + 1000 });
  assert.deepEqual(memberRecord(view, initialMemory)["switch_fired"], FIRED);
  const old = { ...view, wallMs: wallMs + 25 * 3_600_000 };
  assert.ok(!("switch_fired" in memberRecord(old, initialMemory)));
});

const HISTORY = [line(1, null)];

/** What is ordered of a leader on timeline 2 whose line is not written yet, before and after its server was asked. */
function before(
  asked: Pick<Partial<NodeView>, "wishes">,
  wish: HandoverWish | null,
  history: readonly HistoryLine[] | null = null,
): readonly (readonly string[])[] {
  const view = nodeView({
    postgres: primary({ timeline: 2 }),
    peers: [peer("b", { timeline: 2 })],
    ...asked,
    cluster: cluster({ history, handover: wish }),
  });
  const switches = [{ timeline: 1, switchLsn: lsn(1000), reason: "" }];
  const told = leaderReport("a", { timeline: 2, history: switches });
  return [view, { ...view, leader: told }].map((one) =>
    decide(one, initialMemory).actions.map((action) =>
      action.kind === "start-task" ? action.task.kind : action.kind
    )
  );
}

const ENDS = { wishes: [{ kind: "shutdown" }] } as const;
const WISH = handover({ leader: "a", candidate: "b" });
const FIRST = [["hold-lock", "inspect-leader"], ["hold-lock", "stop", "write-history"]];
const NOTHING = [["hold-lock", "stop"], ["hold-lock", "stop"]];

Deno.test("a leader that stops writes its line of the history, once the stop has begun", () => {
  assert.deepEqual([before(ENDS, null), before({}, WISH)], [FIRST, FIRST]);
  assert.deepEqual([before(ENDS, null, HISTORY), before({}, WISH, HISTORY)], [NOTHING, NOTHING]);
});
