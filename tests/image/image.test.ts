import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { gunzipSync } from "node:zlib";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { moduleImages } from "../../scripts/image/module-image.ts";
import { sha256, type Descriptor } from "../../scripts/image/oci.ts";
import { parseReference } from "../../scripts/image/reference.ts";
import { layerOf, tar } from "../../scripts/image/tar.ts";
import { modulePath, packageRoot, packageVersion } from "../../scripts/package.ts";
import { image, temporaryFolder } from "./running.ts";

interface Manifest {
  mediaType: string;
  config: Descriptor;
  layers: Descriptor[];
}
interface Index {
  manifests: (Descriptor & { annotations: Record<string, string> })[];
}

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));
const module = readFileSync(modulePath());

/** The bytes of a blob, which are what its descriptor says. */
function blobIn(folder: string, { digest, size }: Descriptor): Buffer {
  const data = readFileSync(join(folder, "blobs/sha256", digest.slice(7)));
  assert.deepEqual([sha256(data), data.length], [digest, size]);
  return data;
}

const manifestIn = (folder: string, tag: string): Manifest => {
  const { manifests } = readJson(join(folder, "index.json")) as Index;
  const found = manifests.find(({ annotations }) => annotations["org.opencontainers.image.ref.name"] === tag)!;
  return JSON.parse(blobIn(folder, found).toString()) as Manifest;
};

/** Every file below a folder, with its bytes. */
const filesIn = (folder: string): [string, string][] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry): [string, string] => [entry.name, sha256(readFileSync(join(entry.parentPath, entry.name)))])
    .sort();

it("writes both forms, each as Istio expects it", async () => {
  const folder = join(temporaryFolder(), "new", "folder");
  const ran = await image(["--out", folder]);
  assert.deepEqual([ran.code, ran.err], [0, ""]);
  assert.match(ran.out, /^compat {4}sha256:[0-9a-f]{64}\nartifact {2}sha256:[0-9a-f]{64}\n$/);
  assert.deepEqual(readJson(join(folder, "oci-layout")), { imageLayoutVersion: "1.0.0" });

  const compat = manifestIn(folder, packageVersion());
  assert.equal(compat.mediaType, "application/vnd.oci.image.manifest.v1+json");
  assert.equal(compat.config.mediaType, "application/vnd.oci.image.config.v1+json");
  assert.deepEqual(
    compat.layers.map(({ mediaType }) => mediaType),
    ["application/vnd.oci.image.layer.v1.tar+gzip"],
  );
  const packed = blobIn(folder, compat.layers[0]!);
  const archive = gunzipSync(packed);
  const config = JSON.parse(blobIn(folder, compat.config).toString()) as { rootfs: { diff_ids: string[] } };
  assert.deepEqual(config.rootfs.diff_ids, [sha256(archive)]);
  // As any tar reads it.
  const held = execFileSync("tar", ["-xO", "plugin.wasm"], { input: archive, maxBuffer: 1 << 24 });
  assert.ok(held.equals(module));

  const artifact = manifestIn(folder, `${packageVersion()}-artifact`);
  assert.deepEqual(
    artifact.layers.map(({ mediaType }) => mediaType),
    ["application/vnd.module.wasm.content.layer.v1+wasm", "application/vnd.module.wasm.config.v1+json"],
  );
  assert.ok(blobIn(folder, artifact.layers[0]!).equals(module));
  JSON.parse(blobIn(folder, artifact.layers[1]!).toString());
});

it("has the same digests whenever and wherever it is made", async () => {
  // Recorded: a zlib that packs otherwise, or a time that slipped in, changes them.
  const { compat, artifact } = await moduleImages(Buffer.from("\0asm\x01\0\0\0"), "1.2.3", "1.2.3");
  assert.deepEqual(
    [compat.manifest.digest, artifact.manifest.digest],
    [
      "sha256:6ea8d0bb4856bfb63a8d6fc369c6ce6710df0f14e76c801e071113fe7f3ec1e6",
      "sha256:e802f9dd7a353fcbcbca7aac559a8354fe86c400f2866843c633c195a6346d60",
    ],
  );
  const [first, second] = [temporaryFolder(), temporaryFolder()];
  await image(["--out", first]);
  const program = ["--import", "tsx", "scripts/cli.ts", "image", "--out", second];
  const env = { ...process.env, TZ: "Asia/Kolkata", LC_ALL: "C", SOURCE_DATE_EPOCH: "1" };
  const { status } = spawnSync(process.execPath, program, { cwd: packageRoot(), env });
  assert.equal(status, 0);
  assert.deepEqual(filesIn(second), filesIn(first));
});

it("keeps time, owner and system out of a layer", async () => {
  const entries = [
    { path: "b/late", data: Buffer.from("2") },
    { path: "b", mode: 0o700, owner: 65_532 },
    { path: "a", data: Buffer.from("1"), mode: 0o755 },
  ];
  const archive = await tar(entries);
  assert.ok(archive.equals(await tar([...entries].reverse())));
  const listed = execFileSync("tar", ["-tv", "--numeric-owner", "--utc", "--full-time"], {
    input: archive,
    encoding: "utf8",
  });
  assert.deepEqual(
    listed
      .trimEnd()
      .split("\n")
      .map((line) => line.replace(/ +/g, " ")),
    [
      "-rwxr-xr-x 0/0 1 1970-01-01 00:00:00 a",
      "drwx------ 65532/65532 0 1970-01-01 00:00:00 b/",
      "-rw-r--r-- 0/0 1 1970-01-01 00:00:00 b/late",
    ],
  );
  for (const stored of [true, false]) {
    const { blob, diffId } = await layerOf(entries, { stored });
    // RFC 1952, 2.3: no name, no time, an unknown system.
    assert.deepEqual([...blob.data.subarray(0, 8)], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
    assert.equal(blob.data[9], 255);
    assert.equal(sha256(gunzipSync(blob.data)), diffId);
  }
});

it("lists what the module is made of, as CycloneDX says", async () => {
  const folder = temporaryFolder();
  const { images } = (await image(["--out", folder, "--json"])).report();
  const text = readFileSync(join(folder, "sbom.cdx.json"), "utf8");
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
  assert.equal(await validator.validate(text), null);
  assert.notEqual(await validator.validate(text.replace('"library"', '"wasm"')), null);
  const { metadata, components } = JSON.parse(text) as {
    metadata: { component: { version: string; hashes: object[] }; properties: { value: string }[] };
    components: { name: string; version: string; licenses: { license: { id: string } }[] }[];
  };
  assert.equal(metadata.component.version, packageVersion());
  assert.deepEqual(metadata.component.hashes, [{ alg: "SHA-256", content: sha256(module).slice(7) }]);
  assert.deepEqual(
    metadata.properties.map(({ value }) => value),
    Object.values(images).map(({ digest }) => digest),
  );
  for (const { name, version, licenses } of components.filter(({ name }) => name !== "meshward-rules")) {
    const installed = readJson(join(packageRoot(), "node_modules", name, "package.json")) as Record<string, string>;
    assert.deepEqual([version, licenses[0]!.license.id], [installed.version, installed.license!.trim()], name);
  }
  assert.deepEqual(
    components.map(({ name }) => name),
    ["meshward-rules", "@solo-io/proxy-runtime", "assemblyscript"],
  );
});

it("replaces what it has written, and nothing else", async () => {
  const folder = temporaryFolder();
  assert.equal((await image(["--out", folder])).code, 0);
  const before = filesIn(folder);
  // As of an older version.
  writeFileSync(join(folder, "blobs/sha256", "0".repeat(64)), "old");
  writeFileSync(join(folder, "oci-layout"), "{}");
  assert.equal((await image(["--out", folder])).code, 0);
  assert.deepEqual(filesIn(folder), before);

  const home = temporaryFolder();
  const refused = async (out: string, why: RegExp): Promise<void> => {
    const held = filesIn(home);
    const ran = await image(["--out", out]);
    assert.deepEqual([ran.code, ran.out], [2, ""]);
    assert.match(ran.err, why);
    assert.equal(ran.err.split("\n").length, 2);
    assert.deepEqual(filesIn(home), held);
  };
  const made = (name: string): string => {
    mkdirSync(join(home, name));
    return join(home, name);
  };
  const mixed = made("mixed");
  cpSync(folder, mixed, { recursive: true });
  writeFileSync(join(mixed, "thesis.tex"), "");
  await refused(mixed, /^meshward image: --out .*mixed: thesis\.tex is in it; give a new or empty folder/);
  const other = made("other");
  writeFileSync(join(other, "index.json"), '{"schemaVersion": 2, "manifests": []}');
  await refused(other, /: what is in it is not Meshward's; give a new/);
  writeFileSync(join(home, "file"), "");
  await refused(join(home, "file"), /--out .*file: is a file, not a folder/);
  await refused(join(home, "file", "below"), /--out .*below: a part of the path is a file, not a folder/);
});

it("says what is wrong in a command", async () => {
  for (const [argv, why] of [
    [[], /say where to: --out DIR, --push REGISTRY\/REPOSITORY\[:TAG\], or both/],
    [["--push", "meshward"], /--push: "meshward": has no repository; expected REGISTRY\/REPOSITORY\[:TAG\]/],
    [["--push", "oci://r.example/a"], /is an address/],
    [["--push", "library/meshward"], /library is no host name with a dot or a port/],
    [["--push", "r.example/Mesh"], /a repository is of small letters/],
    [["--push", "r.example/a//b"], /a repository is of small letters/],
    [["--push", "r.example/a:"], /a tag is of letters/],
    [["--push", "r.example/a:b:c"], /a tag is of letters/],
    [["--push", `r.example/a@sha256:${"0".repeat(64)}`], /has a user or a digest in it/],
    [["--push", "ada:s3cret@r.example/a"], /has a user or a digest in it/],
    [["--push", `r.example/${"a".repeat(256)}`], /has more than 255 characters/],
  ] as const) {
    const ran = await image(argv);
    assert.deepEqual([ran.code, ran.out], [2, ""], argv.join(" "));
    assert.match(ran.err, why);
    assert.equal(ran.err.split("\n").length, 2, ran.err);
    assert.doesNotMatch(ran.err, /s3cret/);
  }
  assert.deepEqual(parseReference("localhost/a"), { registry: "localhost", repository: "a", tag: null });
  assert.deepEqual(parseReference("[::1]:5000/a/b-c__d:v1"), {
    registry: "[::1]:5000",
    repository: "a/b-c__d",
    tag: "v1",
  });
});
