import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { readBase } from "../../scripts/image/base.ts";
import { descriptorOf, imageOf, jsonBlob, MEDIA_TYPES, blobOf, sha256, type Blob } from "../../scripts/image/oci.ts";
import { image, temporaryFolder } from "./running.ts";

const ARCHITECTURE = process.arch === "arm64" ? "arm64" : "amd64";
const OTHER = ARCHITECTURE === "arm64" ? "amd64" : "arm64";

/** A layer of files by their paths, as GNU tar packs a folder. */
function layer(...paths: string[]): Blob {
  const folder = temporaryFolder();
  for (const path of paths) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), path);
  }
  return blobOf(MEDIA_TYPES.layer, gzipSync(execFileSync("tar", ["-c", "-C", folder, "."])));
}

interface Wanted {
  layers: Blob[];
  architecture?: string;
  path?: string;
  os?: string;
}

function imageFor({ layers, architecture = ARCHITECTURE, path = "/usr/bin:/opt/node/bin", os = "linux" }: Wanted) {
  const unpacked = (data: Buffer): Buffer => (data[0] === 0x1f ? gunzipSync(data) : data);
  const config = jsonBlob(MEDIA_TYPES.config, {
    ...{ architecture, os, config: { Env: [`PATH=${path}`, "TZ=UTC", "NODE_ENV=test"], Entrypoint: ["/bin/sh"] } },
    rootfs: { type: "layers", diff_ids: layers.map(({ data }) => sha256(unpacked(data))) },
  });
  return { made: imageOf("base", config, layers, {}), platform: { architecture, os } };
}

/** A layout with these images, as skopeo writes one of several: an index in the index. */
function layout(...wanted: Wanted[]): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "blobs/sha256"), { recursive: true });
  const put = ({ digest, data }: Blob): void => writeFileSync(join(folder, "blobs/sha256", digest.slice(7)), data);
  const images = wanted.map(imageFor);
  for (const { made } of images) for (const blob of [made.manifest, ...made.blobs]) put(blob);
  const manifests = images.map(({ made, platform }) => ({ ...descriptorOf(made.manifest), platform }));
  const inner = jsonBlob(MEDIA_TYPES.index, { schemaVersion: 2, manifests });
  put(inner);
  const outer = images.length === 1 ? [descriptorOf(images[0]!.made.manifest)] : [descriptorOf(inner)];
  writeFileSync(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: outer }));
  return folder;
}

const system = layer("etc/os-release", "bin/sh");
const node = layer("opt/node/bin/node", "opt/node/LICENSE");

it("builds the collector on the layers of another image", async () => {
  const base = layout({ layers: [system, node] }, { layers: [system], architecture: OTHER });
  const read = await readBase(base, ARCHITECTURE);
  const out = temporaryFolder();
  const ran = await image(["--collector", "--base", base, "--out", out, "--json"]);
  assert.equal(ran.code, 0, ran.err);
  const blob = (digest: string): Record<string, unknown> =>
    JSON.parse(readFileSync(join(out, "blobs/sha256", digest.slice(7)), "utf8")) as Record<string, unknown>;
  const manifest = blob(ran.report().images.collector!.digest) as {
    config: { digest: string };
    layers: { digest: string }[];
    annotations: Record<string, string>;
  };
  assert.deepEqual(
    manifest.layers.slice(0, 2).map(({ digest }) => digest),
    [system.digest, node.digest],
  );
  assert.equal(manifest.layers.length, 3);
  assert.equal(manifest.annotations["org.opencontainers.image.base.digest"], read.digest);
  const { config, rootfs } = blob(manifest.config.digest) as {
    config: { User: string; Env: string[]; Entrypoint: string[] };
    rootfs: { diff_ids: string[] };
  };
  assert.equal(config.User, "65532:65532");
  assert.equal(config.Entrypoint[0], "/opt/node/bin/node");
  assert.deepEqual(config.Env, ["PATH=/usr/bin:/opt/node/bin", "TZ=UTC", "NODE_ENV=production"]);
  const unpacked = manifest.layers.map(({ digest }) =>
    sha256(gunzipSync(readFileSync(join(out, "blobs/sha256", digest.slice(7))))),
  );
  assert.deepEqual(rootfs.diff_ids, unpacked);
});

it("finds Node where distroless images have it", async () => {
  const base = layout({ layers: [layer("nodejs/bin/node")], path: "/usr/bin" });
  assert.equal((await readBase(base, ARCHITECTURE)).node, "/nodejs/bin/node");
});

it("says what is wrong with an image", async () => {
  const damaged = layout({ layers: [node] });
  writeFileSync(join(damaged, "blobs/sha256", node.digest.slice(7)), "other");
  const zstd = { ...node, mediaType: "application/vnd.oci.image.layer.v1.tar+zstd" };
  const torn = blobOf(MEDIA_TYPES.layer, gzipSync(Buffer.alloc(1000, "x")));
  for (const [folder, why] of [
    [join(temporaryFolder(), "absent"), /index\.json cannot be read; expected an OCI image layout, as skopeo copy/],
    [damaged, /the blob sha256:[0-9a-f]{64} is not what its name says$/],
    [layout({ layers: [system] }), /has no node in \/usr\/bin, \/opt\/node\/bin, \/nodejs\/bin$/],
    [layout({ layers: [node], architecture: OTHER }), new RegExp(`is for ${OTHER}, and this is ${ARCHITECTURE}$`)],
    [layout({ layers: [node], os: "windows" }), /its configuration is not as .* or not for Linux$/],
    [layout({ layers: [zstd] }), /has a layer of the type application\/vnd\.oci\.image\.layer\.v1\.tar\+zstd$/],
    [layout({ layers: [torn] }), /the layer sha256:[0-9a-f]{64} cannot be unpacked: /],
    [layout({ layers: [node] }, { layers: [system, node] }), /has 2 images for linux\/[a-z0-9]+; expected one$/],
  ] as const) {
    const ran = await image(["--collector", "--base", folder, "--out", join(temporaryFolder(), "out")]);
    assert.deepEqual([ran.code, ran.out], [2, ""], String(why));
    assert.match(ran.err.trimEnd(), why);
    assert.ok(ran.err.startsWith(`meshward image: --base ${folder}: `), ran.err);
    assert.equal(ran.err.split("\n").length, 2, ran.err);
  }
  const alone = await image(["--base", damaged, "--out", temporaryFolder()]);
  assert.match(alone.err, /--base is what the collector is built on: it needs --collector/);
});
