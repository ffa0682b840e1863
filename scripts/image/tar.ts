/**
 * Layers: tar archives in which nothing depends on when, where or by whom they were made. Entries are sorted, folders stand before what
 * is in them, and owner, time and mode are what the caller says and not what a file system says.
 */
import { promisify } from "node:util";
import { constants, gzip as compress } from "node:zlib";
import { pack } from "tar-stream";
import { blobOf, EPOCH, MEDIA_TYPES, sha256, type Blob } from "./oci.ts";

export interface Entry {
  /** Without a slash at either end. */
  path: string;
  /** A folder has none. */
  data?: Uint8Array;
  mode?: number;
  /** User and group. */
  owner?: number;
}

export interface Layer {
  blob: Blob;
  /** The digest of what was packed, by which an image's configuration names it. */
  diffId: string;
}

/** Where the header of gzip says which system has packed (RFC 1952, 2.3.1), and the value for one that is not known. */
const GZIP_OS = 9;
const GZIP_UNKNOWN = 255;

/** Folders above `path`, the outermost first. */
function foldersAbove(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, at) => parts.slice(0, at + 1).join("/"));
}

export async function tar(entries: readonly Entry[]): Promise<Buffer> {
  const byPath = new Map<string, Entry>();
  for (const { path } of entries) for (const folder of foldersAbove(path)) byPath.set(folder, { path: folder });
  for (const entry of entries) byPath.set(entry.path, entry);
  const sorted = [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  const archive = pack();
  for (const { path, data, mode, owner = 0 } of sorted) {
    const isFolder = data === undefined;
    const header = { uid: owner, gid: owner, mtime: EPOCH, uname: "", gname: "" };
    if (isFolder) archive.entry({ ...header, name: `${path}/`, type: "directory", mode: mode ?? 0o755 });
    else archive.entry({ ...header, name: path, type: "file", mode: mode ?? 0o644 }, Buffer.from(data));
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/**
 * A layer of files. Packed by `stored`, its bytes are the same on every machine; what zlib makes of them otherwise differs from version
 * to version and from processor to processor, so that it is the same for the same Node alone.
 */
export async function layerOf(entries: readonly Entry[], { stored }: { stored: boolean }): Promise<Layer> {
  const archive = await tar(entries);
  const level = stored ? constants.Z_NO_COMPRESSION : constants.Z_DEFAULT_COMPRESSION;
  // In one piece: where a stored block ends depends on the room there is.
  const packed = await promisify(compress)(archive, { level, chunkSize: archive.length + 65_536 });
  packed[GZIP_OS] = GZIP_UNKNOWN;
  return { blob: blobOf(MEDIA_TYPES.layer, packed), diffId: sha256(archive) };
}
