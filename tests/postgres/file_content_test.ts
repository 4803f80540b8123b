import { deepStrictEqual } from "node:assert/strict";
import type { ContentByRole } from "../../lib/core/role_content.ts";
import { defaultSettings } from "../../lib/core/settings.ts";
import { contentOf } from "../../lib/postgres/file_content.ts";

const NOTHING = { parameters: {}, pgHba: null, pgIdent: null };
const CLUSTER: ContentByRole = {
  primary: { parameters: { work_mem: "3MB", temp_buffers: "3MB" }, pgHba: ["c"], pgIdent: null },
  replica: NOTHING,
};
const LOCAL: ContentByRole = {
  primary: { parameters: { WORK_MEM: "4MB" }, pgHba: null, pgIdent: null },
  replica: { parameters: {}, pgHba: ["r"], pgIdent: null },
};
const SETTINGS = { ...defaultSettings, pgHba: ["all"], byRole: CLUSTER };
const FILE = { parameters: { work_mem: "2MB" }, pgHba: ["file"], pgIdent: ["i"], byRole: LOCAL };

Deno.test("contentOf() lays the role over both roles, the local file over the cluster", () => {
  deepStrictEqual(contentOf("primary", SETTINGS, FILE), {
    parameters: { work_mem: "4MB", temp_buffers: "3MB" },
    pgHba: ["c"],
    pgIdent: ["i"],
    isOfRole: true,
  });
  deepStrictEqual(contentOf("replica", SETTINGS, FILE), {
    parameters: { work_mem: "2MB" },
    pgHba: ["r"],
    pgIdent: ["i"],
    isOfRole: true,
  });
});

Deno.test("contentOf() without content by role is that of both", () => {
  const file = { parameters: {}, pgHba: null, pgIdent: null };
  deepStrictEqual(contentOf("primary", { ...defaultSettings, pgHba: ["all"] }, file), {
    parameters: {},
    pgHba: ["all"],
    pgIdent: null,
    isOfRole: false,
  });
});
