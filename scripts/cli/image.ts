import type { Command } from "commander";
import { UsageError, asUsage, fileError } from "./io.ts";
import type { Exit, Io } from "./io.ts";
import { example } from "./options.ts";

interface ImageOptions {
  out?: string;
  push?: string;
  plainHttp?: boolean;
  collector?: boolean;
  base?: string;
  json?: boolean;
}

async function imageCommand(
  { out, push, plainHttp = false, collector, base, json }: ImageOptions,
  io: Io,
): Promise<number> {
  const [
    { imageReport, imageText, makeCollectorImage, makeModuleImages, pushImages, writeImages },
    { parseReference },
  ] = await Promise.all([import("../image/image.ts"), import("../image/reference.ts")]);
  if (out === undefined && push === undefined) {
    throw new UsageError("say where to: --out DIR, --push REGISTRY/REPOSITORY[:TAG], or both");
  }
  const to = push === undefined ? undefined : asUsage(() => parseReference(push), "--push");
  const tag = to?.tag ?? undefined;
  if (base !== undefined && !collector)
    throw new UsageError("--base is what the collector is built on: it needs --collector");
  const made = collector ? await makeCollectorImage(tag, base) : await makeModuleImages(tag);
  for (const note of made.notes) io.stderr.write(`note: ${note}\n`);
  if (out !== undefined) {
    try {
      await writeImages(made, out);
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === undefined ? error : fileError("--out", out, error);
    }
  }
  if (to !== undefined) {
    const progress = (line: string): void => void io.stderr.write(`pushed ${line}\n`);
    await pushImages(made, to, { plainHttp, env: io.env, progress });
  }
  const report = imageReport(made, to);
  io.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : imageText(report));
  return 0;
}

export function addImage(program: Command, io: Io, exit: Exit): void {
  program
    .command("image")
    .description(
      "make OCI images of the module, in both forms that Istio takes, or of the collector, with what is in them (SBOM)",
    )
    .option("--out <dir>", "write them there, as an OCI image layout")
    .option("--push <reference>", "push them to REGISTRY/REPOSITORY[:TAG]; without a tag, that of the version")
    .option("--collector", "make an image of the collector instead, with this Node")
    .option("--base <dir>", "with --collector: build on this image of Linux with Node in it, an OCI image layout")
    .option("--plain-http", "push without TLS to a registry that is not on the loopback")
    .option("--json", "print one JSON document: digests and references")
    .addHelpText(
      "after",
      `
Environment:
  DOCKER_CONFIG          the folder of Docker's config.json, with credentials or their helpers (default: ~/.docker)
${example("meshward image --out image", "meshward image --push registry.example/meshward:0.1.0")}`,
    )
    .action(async (options: ImageOptions) => exit(await imageCommand(options, io)));
}
