/**
 * Pushes images by the API of the OCI distribution specification, v1.1 (https://github.com/opencontainers/distribution-spec): a blob
 * that is there is not sent again, each in one request; manifests come last, and are read back. Whatever fails on the way is tried again
 * as a whole, a few times.
 */
import { setTimeout as delay } from "node:timers/promises";
import { isLoopback } from "../../collector/guard.ts";
import { createAuthorizer, type Authorizer } from "./authorize.ts";
import type { Credentials } from "./credentials.ts";
import { sha256, type Blob, type Image } from "./oci.ts";
import { apiHost, hostOf, type Reference } from "./reference.ts";
import { Passing, readText, send } from "./send.ts";

const TRIES = 4;
const FIRST_WAIT_MILLISECONDS = 500;
const LONGEST_WAIT_MILLISECONDS = 20_000;
/** For an answer; what is sent has more by its size. */
const TIMEOUT_MILLISECONDS = 30_000;
const SLOWEST_BYTES_PER_MILLISECOND = 64;

export interface PushOptions {
  /** Plain HTTP for a host other than the loopback. */
  plainHttp: boolean;
  credentials: Credentials | null;
  /** Where they come from, or would. */
  credentialsPlace: string;
  progress(line: string): void;
  /** For tests. */
  wait?: (milliseconds: number) => Promise<unknown>;
}

/** Pushes the images, each with its tag. */
export async function push(images: readonly Image[], to: Reference, options: PushOptions): Promise<void> {
  const isPlain = options.plainHttp || isLoopback(hostOf(to.registry));
  const base = new URL(`${isPlain ? "http" : "https"}://${apiHost(to.registry)}/v2/${to.repository}/`);
  const client: Client = { base, to, options, isPlain, authorizer: createAuthorizer(base, to, isPlain, options) };
  const sent = new Set<string>();
  for (const { tag, manifest, blobs } of images) {
    for (const blob of blobs) {
      if (sent.has(blob.digest)) continue;
      await repeated(options, () => pushBlob(client, blob));
      sent.add(blob.digest);
    }
    await repeated(options, () => pushManifest(client, tag, manifest));
    options.progress(`${to.registry}/${to.repository}:${tag}@${manifest.digest}`);
  }
}

interface Client {
  base: URL;
  to: Reference;
  options: PushOptions;
  isPlain: boolean;
  authorizer: Authorizer;
}

/** Does `work` again after what may pass. */
async function repeated<T>({ wait = delay }: PushOptions, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Passing)) throw error;
      if (attempt === TRIES) throw new Error(`${error.message} (tried ${TRIES} times)`, { cause: error });
      const own = FIRST_WAIT_MILLISECONDS * 2 ** (attempt - 1);
      await wait(Math.min(Math.max(own, error.waitMilliseconds), LONGEST_WAIT_MILLISECONDS));
    }
  }
}

interface Asked {
  method: string;
  headers?: Record<string, string>;
  body?: Uint8Array;
}

/** One request with credentials, if the registry asks for them. They go to the registry itself and not to where it sends us. */
async function ask(client: Client, url: URL, asked: Asked): Promise<Response> {
  const milliseconds = TIMEOUT_MILLISECONDS + Math.ceil((asked.body?.length ?? 0) / SLOWEST_BYTES_PER_MILLISECOND);
  const isOwn = url.origin === client.base.origin;
  for (let isSecond = false; ; isSecond = true) {
    const authorization = isOwn ? client.authorizer.header() : null;
    const headers = { ...asked.headers, ...(authorization === null ? {} : { authorization }) };
    const response = await send(client.to.registry, url, { ...asked, headers }, milliseconds);
    if (response.status !== 401 || !isOwn || isSecond) return response;
    await readText(response);
    await client.authorizer.authorize(response.headers.get("www-authenticate") ?? "");
  }
}

/** The error for an answer that was not expected. */
async function refused({ to, authorizer }: Client, what: string, response: Response): Promise<Error> {
  const said = errorsIn(await readText(response));
  const place = `${to.registry}/${to.repository}`;
  const { status } = response;
  if (status === 401 || status === 403) return new Error(`${place}: ${authorizer.explain(status)}`);
  if (status === 404) return new Error(`${place}: there is no such repository, or no registry${said}`);
  return new Error(`${place}: ${what}: the registry answered ${status}${said}`);
}

/** What a registry says of an error, in one line; its text is not ours. */
function errorsIn(text: string): string {
  let codes: unknown;
  try {
    codes = (JSON.parse(text) as { errors?: { code?: unknown }[] }).errors?.map(({ code }) => code);
  } catch {
    return "";
  }
  const known = Array.isArray(codes)
    ? codes.filter((code) => typeof code === "string" && /^[A-Z_]{1,40}$/.test(code))
    : [];
  return known.length === 0 ? "" : ` (${known.slice(0, 3).join(", ")})`;
}

async function pushBlob(client: Client, { digest, data }: Blob): Promise<void> {
  const found = await ask(client, new URL(`blobs/${digest}`, client.base), { method: "HEAD" });
  // 307: it is there, in a store of the registry's.
  if (found.status === 200 || found.status === 307) return;
  if (found.status !== 404) throw await refused(client, `blob ${digest}`, found);
  const begun = await ask(client, new URL("blobs/uploads/", client.base), { method: "POST" });
  if (begun.status !== 202) throw await refused(client, "upload", begun);
  await readText(begun);
  const place = uploadPlace(client, begun.headers.get("location"));
  place.searchParams.set("digest", digest);
  const headers = { "content-type": "application/octet-stream" };
  const ended = await ask(client, place, { method: "PUT", headers, body: data });
  if (ended.status !== 201) throw await refused(client, `blob ${digest}`, ended);
  await readText(ended);
}

/** Where a registry wants the bytes: its own, or another host, but not in clear where it is not reached so itself. */
function uploadPlace({ base, to, isPlain }: Client, location: string | null): URL {
  if (location === null || !URL.canParse(location, base.href)) {
    throw new Error(`${to.registry}: the registry names no place for an upload`);
  }
  const place = new URL(location, base);
  if (place.protocol === "https:" || (isPlain && place.protocol === "http:")) return place;
  throw new Error(`${to.registry}: the registry wants an upload by ${place.protocol}//, not by https`);
}

async function pushManifest(client: Client, tag: string, { mediaType, digest, data }: Blob): Promise<void> {
  const url = new URL(`manifests/${tag}`, client.base);
  const put = await ask(client, url, { method: "PUT", headers: { "content-type": mediaType }, body: data });
  if (put.status !== 201) throw await refused(client, `manifest ${tag}`, put);
  await readText(put);
  const got = await ask(client, url, { method: "GET", headers: { accept: mediaType } });
  if (got.status !== 200) throw await refused(client, `manifest ${tag}`, got);
  const stored = sha256(Buffer.from(await readText(got)));
  if (stored === digest) return;
  throw new Error(`${client.to.registry}/${client.to.repository}:${tag}: is ${stored} there, not ${digest}`);
}
