/** `meshward envoy`: a folder that Envoy runs from, for the user's own Envoy. */
import { resolve } from "node:path";
import { BOOTSTRAP_FILE, ECDS_FILE, parseUpstream } from "../../envoy/bootstrap.ts";
import { modulePath } from "../package.ts";
import { compilePolicy } from "../policy/compile.ts";
import { parsePolicy } from "../policy/load.ts";
import { systemAuthorities } from "./authorities.ts";
import { writeDirectory } from "./directory.ts";
import { readPolicyFile } from "./policy-input.ts";
import { parseListen } from "./run.ts";

export interface GenerateOptions {
  /** The policy's file. */
  policy: string;
  /** The folder to write; files of it that are not ours stay. */
  out: string;
  /** Default http://127.0.0.1:3000. */
  upstream?: string;
  /** `HOST:PORT`; default 127.0.0.1:8080. */
  listen?: string;
  /** `HOST:PORT`; default 127.0.0.1:9901. It can stop Envoy and tells secrets: keep it on the loopback. */
  admin?: string;
  /** The folder as Envoy will see it: "." if it is started inside, a mount point for a container. Default: its path. */
  root?: string;
  protocol?: "http1" | "http2";
  /** The PEM file, as Envoy will see it, that an https upstream is verified by. Default: this system's. */
  authorities?: string;
  dynamic?: boolean;
  env: NodeJS.ProcessEnv;
}

/** Writes the folder; yields lines that tell what to do with it. Rejects with PolicyError, RunError or one line. */
export async function generateEnvoy(options: GenerateOptions): Promise<string[]> {
  const { policy: file, out, upstream = "http://127.0.0.1:3000", root = resolve(out) } = options;
  parseUpstream(upstream);
  const policy = parsePolicy(await readPolicyFile(file), file);
  const compiled = compilePolicy(policy, { holdHeaders: true });
  const written = await writeDirectory(
    out,
    compiled,
    {
      upstream,
      listen: parseListen(options.listen ?? "127.0.0.1:8080"),
      admin: parseListen(options.admin ?? "127.0.0.1:9901"),
      root,
      accessLog: "stdout",
      protocol: options.protocol ?? "http1",
      authorities: options.authorities ?? (await systemAuthorities(options.env)),
      dynamic: options.dynamic ?? false,
    },
    modulePath("release"),
  );
  return [
    `wrote ${written.join(", ")} in ${out} (mode ${compiled.mode}, policy ${compiled.policy})`,
    `start:  ${root === "." ? `cd ${out} && envoy -c ${BOOTSTRAP_FILE}` : `envoy -c ${root}/${BOOTSTRAP_FILE}`}`,
    `change: edit ${file} and run this again; Envoy takes ${ECDS_FILE} within a second`,
  ];
}
