import type { KeyPath } from "./key_table.ts";
import { logRemarks } from "./log_options.ts";
import type { FileValues } from "./schema.ts";

/** A place of the file and what to say about it. */
interface SectionRemark {
  readonly path: KeyPath;
  readonly message: string;
}

/** What is allowed and probably not meant. */
export function sectionRemarks(values: FileValues): readonly SectionRemark[] {
  const ofLog = logRemarks(values.log);
  return [
    ...ofLog.map(({ path, message }) => ({ path: ["log", ...path], message })),
    ...accessRemarks(values),
  ];
}

function accessRemarks(
  { restapi, ctl, etcd3, postgresql }: FileValues,
): readonly SectionRemark[] {
  const found: (readonly [KeyPath, string])[] = [];
  if (ctl.insecure) {
    found.push([["ctl", "insecure"], "members are not checked: anybody between them can answer"]);
  }
  if (restapi.certfile !== undefined && !ctl.insecure && !(ctl.cacert ?? restapi.cafile)) {
    found.push([
      ["restapi", "certfile"],
      "members are checked by the system's authorities; " +
      "name your own under ctl.cacert or restapi.cafile",
    ]);
  }
  if (restapi.verify_client === "required" && ctl.certfile === undefined) {
    found.push([
      ["restapi", "verify_client"],
      "without ctl.certfile members cannot ask each other, " +
      "and the command line nobody",
    ]);
  }
  if (etcd3.tls.cert !== null && etcd3.endpoints.every((url) => url.startsWith("http:"))) {
    found.push([["etcd3", "cert"], "no effect: etcd3.protocol is http"]);
  }
  found.push(...serverRemarks(postgresql));
  return found.map(([path, message]) => ({ path, message }));
}

function serverRemarks(
  { authentication, krbsrvname }: FileValues["postgresql"],
): readonly (readonly [KeyPath, string])[] {
  const found: [KeyPath, string][] = [];
  const { superuser, replication, rewind } = authentication;
  for (const [role, login] of Object.entries({ superuser, replication, rewind })) {
    for (const key of ["sslcrl", "sslcrldir"] as const) {
      if (login?.[key] === undefined) continue;
      found.push([
        ["postgresql", "authentication", role, key],
        "counts for replication only: the agent's own connections do not look at revocations",
      ]);
    }
  }
  if (krbsrvname !== undefined) {
    found.push([
      ["postgresql", "krbsrvname"],
      "counts for streaming and copies: the agent itself asks other members by password or " +
      "certificate, so their pg_hba.conf must let the replication role in by one of these, too",
    ]);
  }
  return found;
}
