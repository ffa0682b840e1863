/**
 * The folder that Envoy runs from (layout: envoy/bootstrap.ts). Files are made beside their place and renamed onto it,
 * so that a reader, Envoy's watcher above all, sees the old one or the new one and never a half.
 */
import { access, copyFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { bootstrap, dynamicResources } from "../../envoy/bootstrap.ts";
import { ecdsResponse } from "../../envoy/filter.ts";
import {
  BOOTSTRAP_FILE,
  CDS_FILE,
  ECDS_FILE,
  ECDS_FOLDER,
  LDS_FILE,
  MODULE_FILE,
  OUTBOUND_FILE,
  XDS_FOLDER,
} from "../../envoy/names.ts";
import type { JsonObject } from "../../envoy/json.ts";
import type { BootstrapOptions, CompiledPolicy, Direction } from "../../envoy/options.ts";
import { replaceContent, replaceFile } from "../replace-file.ts";

const DO_NOT_EDIT = "made by meshward; changes are lost when it is made again";

/** YAML text of a configuration; long strings (the policy's JSON) stay on one line. */
export function configText(config: JsonObject, title: string): string {
  return `# ${title}: ${DO_NOT_EDIT}\n${stringify(config, { lineWidth: 0 })}`;
}

/** The text of the ECDS file for a policy. */
export function ecdsText(compiled: CompiledPolicy, root: string, direction: Direction = "inbound"): string {
  return configText(ecdsResponse(compiled, root, direction), "The filter and its policy");
}

/**
 * Writes every file of the folder and returns their paths below it. An Envoy that runs from the folder takes the new
 * policy at once; a new listener needs `dynamic` or a restart.
 */
export async function writeDirectory(
  folder: string,
  compiled: CompiledPolicy,
  options: BootstrapOptions,
  modulePath: string,
): Promise<string[]> {
  const files = [BOOTSTRAP_FILE];
  const config = bootstrap(compiled, options);
  await mkdir(folder, { recursive: true });
  // What the listener asks for is there before it, and goes after it.
  const resources: [file: string, direction: Direction][] = [[ECDS_FILE, "inbound"]];
  if (options.outbound !== undefined) resources.push([OUTBOUND_FILE, "outbound"]);
  if (options.filter !== false) {
    await mkdir(join(folder, ECDS_FOLDER), { recursive: true });
    await replaceFile(join(folder, MODULE_FILE), (temporary) => copyFile(modulePath, temporary));
    files.push(MODULE_FILE);
    for (const [file, direction] of resources) {
      await replaceContent(join(folder, file), ecdsText(compiled, options.root, direction));
      files.push(file);
    }
  }
  if (options.dynamic) {
    const { lds, cds } = dynamicResources(compiled, options);
    await mkdir(join(folder, XDS_FOLDER), { recursive: true });
    await replaceContent(join(folder, CDS_FILE), configText(cds, "The upstream"));
    await replaceContent(join(folder, LDS_FILE), configText(lds, "The listener"));
    files.push(CDS_FILE, LDS_FILE);
  }
  await replaceContent(join(folder, BOOTSTRAP_FILE), configText(config, "Envoy with Meshward"));
  for (const file of [MODULE_FILE, ECDS_FILE, OUTBOUND_FILE])
    if (!files.includes(file)) await rm(join(folder, file), { force: true });
  return files;
}

/** Puts a policy in force in an Envoy that runs from `folder`; `root` is the folder as that Envoy sees it. */
export async function writeReload(folder: string, compiled: CompiledPolicy, root: string): Promise<void> {
  await replaceContent(join(folder, ECDS_FILE), ecdsText(compiled, root));
  const outbound = join(folder, OUTBOUND_FILE);
  const takesCalls = await access(outbound).then(
    () => true,
    () => false,
  );
  if (takesCalls) await replaceContent(outbound, ecdsText(compiled, root, "outbound"));
}
