import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { generateConfig } from "../../lib/cli/generate_config.ts";
import { probeHost } from "../../lib/cli/host_probes.ts";
import { validate } from "../../lib/cli/validate.ts";
import { loadConfig } from "../../lib/config/load.ts";
import { world } from "../cli/faces.ts";
import { AWKWARD_PASSWORD, bootstrapped, member, onServers } from "../postgres/real_server.ts";

onServers(
  "generateConfig() describes a running server so that it validates on its host",
  async (dir) => {
    await using a = member(dir, "a", {
      parameters: {
        unix_socket_directories: dir,
        work_mem: "9MB",
        archive_mode: "on",
        archive_command: "true",
      },
    });
    await bootstrapped(a);
    const { port } = a.options.listen;
    const dsn = `host=127.0.0.1 port=${port} user=postgres`;
    const file = `${dir}/patroni.yml`;
    const { context, out, err } = world();
    const wish = { file, sample: false, dsn, env: { PGPASSWORD: AWKWARD_PASSWORD } };
    strictEqual(await generateConfig(context.output, wish), 0, err.join(""));

    const { scope, postgresql, bootstrap, warnings } = await loadConfig(file, {});
    deepStrictEqual([scope, postgresql.dataDir, warnings], ["demo", `${dir}/a`, []]);
    deepStrictEqual(postgresql.listen, { hosts: ["127.0.0.1"], port });
    strictEqual(postgresql.authentication.superuser.password, AWKWARD_PASSWORD);
    deepStrictEqual(postgresql.parameters["archive_command"], "true");
    const text = JSON.stringify(bootstrap?.dcs);
    ok(text.includes('"work_mem":"9MB"') && text.includes('"max_connections":"30"'), text);
    ok(!text.includes("archive_command"));

    const options = {
      path: file,
      env: {},
      probe: probeHost,
      print: false,
      format: "json",
    } as const;
    strictEqual(
      await validate(context.output, { ...options, ignoreListenPort: true }),
      0,
      out.join(""),
    );
    strictEqual(await validate(context.output, { ...options, ignoreListenPort: false }), 1);
  },
);
