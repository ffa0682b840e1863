import { moduleDigest, packageVersion } from "../package.ts";
import { SCHEMA_VERSION } from "../policy/schema.ts";

/** How long `--version` looks for Envoy; a container engine that hangs must not hold it up. */
const VERSION_TIMEOUT_MS = 2_000;

/** The Envoy that would be used, as text; downloads nothing. */
async function envoyFound(env: NodeJS.ProcessEnv): Promise<string> {
  const { surveyEnvoy } = await import("../envoy/resolve.ts");
  const timeout = new Promise<null>((done) => void setTimeout(done, VERSION_TIMEOUT_MS, null).unref());
  const survey = await Promise.race([surveyEnvoy(env), timeout]);
  if (survey === null) return "not known; see meshward doctor";
  const found = survey.find((attempt) => attempt.found);
  return found === undefined ? "not found; see meshward doctor" : `${found.detail} (${found.choice})`;
}

/** What `meshward --version` prints. */
export async function versionText(env: NodeJS.ProcessEnv): Promise<string> {
  let digest: string;
  try {
    digest = `sha256:${moduleDigest().slice(0, 12)}`;
  } catch {
    digest = "not built";
  }
  const lines = [
    ["meshward", packageVersion()],
    ["module", digest],
    ["schema", String(SCHEMA_VERSION)],
    ["envoy", await envoyFound(env)],
  ];
  return lines.map(([name, value]) => `${name!.padEnd(10)}${value}\n`).join("");
}
