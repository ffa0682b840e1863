/**
 * A folder with images in it, as the OCI image layout says, and what they are made of beside them:
 *
 *   oci-layout, index.json       which images there are; the index says that they are Meshward's
 *   blobs/sha256/…               manifests, configurations, layers
 *   sbom.cdx.json                CycloneDX
 */
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { replaceContent } from "../replace-file.ts";
import { descriptorOf, MEDIA_TYPES, type Image } from "./oci.ts";

export const SBOM_FILE = "sbom.cdx.json";
const INDEX_FILE = "index.json";
const LAYOUT_FILE = "oci-layout";
const BLOBS = "blobs";
const BLOB_FOLDER = join(BLOBS, "sha256");
const OWN_FILES: ReadonlySet<string> = new Set([INDEX_FILE, LAYOUT_FILE, BLOBS, SBOM_FILE]);
/** By what an index is known as one of ours, which may be written again. */
const OWN_KEY = "dev.meshward.layout";

/** Throws where the folder has something in it that is not to be replaced. */
async function checkFolder(folder: string): Promise<void> {
  const names = await readdir(folder);
  if (names.length === 0) return;
  const refuse = (what: string): never => {
    throw new Error(`--out ${folder}: ${what}; give a new or empty folder, or one that this command has written`);
  };
  const foreign = names.filter((name) => !OWN_FILES.has(name)).sort();
  if (foreign.length > 0) refuse(`${foreign[0]!} is in it`);
  const index = await readFile(join(folder, INDEX_FILE), "utf8").catch(() => "");
  if (!index.includes(`"${OWN_KEY}"`)) refuse("what is in it is not Meshward's");
}

/** Writes the images; the index comes last, so that it never names what is not there. What an older one named is removed. */
export async function writeLayout(folder: string, images: readonly Image[], sbom: object): Promise<void> {
  const found = await stat(folder).catch(() => null);
  if (found !== null && !found.isDirectory()) throw new Error(`--out ${folder}: is a file, not a folder`);
  await mkdir(folder, { recursive: true });
  await checkFolder(folder);
  await mkdir(join(folder, BLOB_FOLDER), { recursive: true });
  const blobs = images.flatMap(({ manifest, blobs }) => [manifest, ...blobs]);
  const named = new Map(blobs.map(({ digest, data }) => [digest.slice("sha256:".length), data]));
  for (const [name, data] of named) await replaceContent(join(folder, BLOB_FOLDER, name), data);
  const json = (content: object): string => `${JSON.stringify(content, null, 2)}\n`;
  await replaceContent(join(folder, SBOM_FILE), json(sbom));
  await replaceContent(join(folder, LAYOUT_FILE), json({ imageLayoutVersion: "1.0.0" }));
  await replaceContent(
    join(folder, INDEX_FILE),
    json({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.index,
      manifests: images.map(({ tag, manifest }) => ({
        ...descriptorOf(manifest),
        annotations: { "org.opencontainers.image.ref.name": tag },
      })),
      annotations: { [OWN_KEY]: "1" },
    }),
  );
  for (const name of await readdir(join(folder, BLOB_FOLDER))) {
    if (!named.has(name)) await rm(join(folder, BLOB_FOLDER, name), { force: true });
  }
}
