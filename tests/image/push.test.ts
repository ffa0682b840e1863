import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, createPrivateKey, sign } from "node:crypto";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { freePort } from "../free-port.ts";
import { modulePath, packageRoot } from "../../scripts/package.ts";
import { makeModuleImages } from "../../scripts/image/image.ts";
import { sha256 } from "../../scripts/image/oci.ts";
import { parseReference } from "../../scripts/image/reference.ts";
import { push } from "../../scripts/image/registry.ts";
import { dockerConfig, encoded, handOn, image, serve, startRegistry, temporaryFolder, type Ran } from "./running.ts";
import { noRegistry } from "./registry.ts";

const execute = promisify(execFile);
const REPOSITORY = "security/meshward";
const [USER, PASSWORD] = ["ada", "s3cret-of-ada"];
/** Made with: htpasswd -nbB -C 5 ada s3cret-of-ada */
const HTPASSWD = "ada:$2y$05$tSBc6ue70shcxEmwIDvLP.5d89Ln/GRFqaN0vU25gFGgmWK.Trzqe\n";

interface Manifest {
  config: { mediaType: string; digest: string };
  layers: { mediaType: string; digest: string; size: number }[];
}

/** What a registry has under a reference, by its digest. */
async function manifestAt(registry: string, reference: string): Promise<{ digest: string; manifest: Manifest }> {
  const accept = "application/vnd.oci.image.manifest.v1+json";
  const response = await fetch(`http://${registry}/v2/${REPOSITORY}/manifests/${reference}`, { headers: { accept } });
  assert.equal(response.status, 200, reference);
  const text = await response.text();
  assert.equal(response.headers.get("docker-content-digest"), sha256(Buffer.from(text)));
  return { digest: sha256(Buffer.from(text)), manifest: JSON.parse(text) as Manifest };
}

/** Such as "PUT uploads". */
const kindOf = ({ method, url }: IncomingMessage): string =>
  `${method} ${/\/(uploads|manifests|blobs)\/[^/]*$/.exec(url!.replace(/[?].*/, ""))?.[1]}`;

const isPush = (method: string | undefined): boolean => method === "PUT" || method === "POST" || method === "PATCH";

/** One line that says what is wrong, and no word of a secret. */
function assertRefused({ code, out, err }: Ran, what: RegExp): void {
  assert.equal(code, 2, err);
  assert.equal(out, "");
  assert.match(err, what);
  assert.equal(err.trimEnd().split("\n").length, 1, err);
  for (const secret of [PASSWORD, encoded(USER, PASSWORD), "wrong-secret"]) assert.ok(!err.includes(secret), err);
}

describe("pushing to a registry", { concurrency: true }, () => {
  it("sends both forms, and what is there is what was made", { skip: noRegistry }, async () => {
    const registry = await startRegistry();
    const folder = temporaryFolder();
    const ran = await image(["--out", folder, "--push", `${registry}/${REPOSITORY}:v1`, "--json"]);
    assert.equal(ran.code, 0, ran.err);
    const { images, module } = ran.report();
    const bytes = readFileSync(modulePath());
    assert.equal(module, sha256(bytes));
    for (const [form, tag] of [
      ["compat", "v1"],
      ["artifact", "v1-artifact"],
    ] as const) {
      const { digest, manifest } = await manifestAt(registry, tag);
      assert.deepEqual(images[form], { tag, digest, reference: `oci://${registry}/${REPOSITORY}@${digest}` });
      assert.equal((await manifestAt(registry, digest)).digest, digest);
      for (const { digest: blob, size } of manifest.layers) {
        const got = await fetch(`http://${registry}/v2/${REPOSITORY}/blobs/${blob}`);
        const data = Buffer.from(await got.arrayBuffer());
        assert.deepEqual([sha256(data), data.length], [blob, size]);
      }
    }
    const artifact = (await manifestAt(registry, "v1-artifact")).manifest;
    assert.equal(artifact.layers[0]!.digest, sha256(bytes));
  });

  it("is the image that skopeo copies out of the layout", { skip: noRegistry }, async (context) => {
    const skopeo = await execute("skopeo", ["--version"]).catch(() => null);
    if (skopeo === null) return context.skip("no skopeo: install the package skopeo");
    const registry = await startRegistry();
    const folder = temporaryFolder();
    const ran = await image(["--out", folder, "--json"]);
    const { images } = ran.report();
    for (const { tag, digest } of Object.values(images)) {
      const to = `docker://${registry}/${REPOSITORY}:${tag}`;
      await execute("skopeo", ["--insecure-policy", "copy", "--dest-tls-verify=false", `oci:${folder}:${tag}`, to]);
      assert.equal((await manifestAt(registry, tag)).digest, digest);
    }
    const inspect = ["inspect", "--tls-verify=false", `docker://${registry}/${REPOSITORY}:${images.compat!.tag}`];
    const { stdout } = await execute("skopeo", inspect);
    assert.equal((JSON.parse(stdout) as { Digest: string }).Digest, images.compat!.digest);
  });

  it("sends nothing twice", { skip: noRegistry }, async () => {
    const registry = await startRegistry();
    const asked: string[] = [];
    const proxy = await serve((request, response) => {
      asked.push(kindOf(request));
      handOn(registry, request, response);
    });
    assert.equal((await image(["--push", `${proxy}/${REPOSITORY}:v1`])).code, 0);
    // Two configurations, the layer, the bytes; of the artifact's configuration, which is there twice, one.
    assert.equal(asked.filter((kind) => kind === "PUT uploads").length, 4);
    asked.length = 0;
    assert.equal((await image(["--push", `${proxy}/${REPOSITORY}:v2`])).code, 0);
    assert.deepEqual(
      asked.filter((line) => isPush(line.split(" ")[0])),
      ["PUT manifests", "PUT manifests"],
    );
  });

  it("tries again what has failed on the way, and not for ever", { skip: noRegistry }, async () => {
    const registry = await startRegistry();
    const failed = new Set<string>();
    // Each kind of request fails once: of a busy registry, or because the connection breaks.
    const proxy = await serve((request, response) => {
      const kind = kindOf(request);
      if (failed.has(kind)) return handOn(registry, request, response);
      failed.add(kind);
      if (failed.size % 2 === 0) return void request.socket.destroy();
      request.resume();
      response.writeHead(failed.size > 3 ? 429 : 503, { "retry-after": "0" }).end();
    });
    const ran = await image(["--push", `${proxy}/${REPOSITORY}:v1`, "--json"]);
    assert.equal(ran.code, 0, ran.err);
    const kinds = ["HEAD blobs", "POST uploads", "PUT uploads", "PUT manifests", "GET manifests"];
    assert.deepEqual([...failed], kinds);
    assert.equal((await manifestAt(registry, "v1")).digest, ran.report().images.compat!.digest);

    let tries = 0;
    const busy = await serve((request, response) => {
      request.resume();
      response.writeHead(503, { "retry-after": String([0, 3, 900][tries++] ?? 0) }).end();
    });
    const waits: number[] = [];
    const pushed = push([(await makeModuleImages()).images.compat!], parseReference(`${busy}/${REPOSITORY}:v1`), {
      ...{ plainHttp: false, credentials: null, credentialsPlace: "", progress: () => {} },
      wait: async (milliseconds) => void waits.push(milliseconds),
    });
    await assert.rejects(pushed, /^Error: 127\.0\.0\.1:\d+: answered 503 \(tried 4 times\)$/);
    assert.deepEqual([tries, waits], [4, [500, 3000, 20_000]]);
  });

  it("does not believe a registry that stores something else", { skip: noRegistry }, async () => {
    const registry = await startRegistry();
    const proxy = await serve((request, response) => {
      if (request.method !== "GET" || !request.url!.includes("/manifests/")) return handOn(registry, request, response);
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
    const { digest } = (await image(["--out", temporaryFolder(), "--json"])).report().images.compat!;
    const other = `sha256:${createHash("sha256").update("{}").digest("hex")}`;
    assertRefused(
      await image(["--push", `${proxy}/${REPOSITORY}:v1`]),
      new RegExp(`:v1: is ${other} there, not ${digest}`),
    );
  });

  it("leaves no credentials with other hosts, and follows no upload into the clear", { skip: noRegistry }, async () => {
    const seen: (string | undefined)[] = [];
    const elsewhere = await serve((request, response) => {
      seen.push(request.headers.authorization);
      request.resume();
      request.on("end", () => response.writeHead(201).end());
    });
    let place = `http://${elsewhere}/put?state=1`;
    const proxy = await serve((request, response) => {
      request.resume();
      if (request.headers.authorization === undefined) {
        return void response.writeHead(401, { "www-authenticate": 'Basic realm="registry"' }).end();
      }
      if (request.method === "POST") return void response.writeHead(202, { location: place }).end();
      response.writeHead(404).end();
    });
    const DOCKER_CONFIG = dockerConfig({ auths: { [proxy]: { auth: encoded(USER, PASSWORD) } } });
    const push = (): Promise<Ran> => image(["--push", `${proxy}/${REPOSITORY}:v1`], { DOCKER_CONFIG });
    assertRefused(await push(), /there is no such repository/);
    assert.deepEqual(new Set(seen), new Set([undefined]));
    // The two blobs of the first form.
    assert.equal(seen.length, 2);
    place = "ftp://elsewhere.example/";
    assertRefused(await push(), /the registry wants an upload by ftp:\/\/, not by https/);
  });

  describe("that wants a user and a password", () => {
    const withUsers = async (): Promise<string> => {
      const path = join(temporaryFolder(), "htpasswd");
      writeFileSync(path, HTPASSWD);
      return startRegistry({ auth: { htpasswd: { realm: "registry", path } } });
    };

    it("takes them from Docker's file or from a helper", { skip: noRegistry }, async () => {
      const registry = await withUsers();
      const target = ["--push", `${registry}/${REPOSITORY}:v1`];
      const auth = encoded(USER, PASSWORD);
      const bin = temporaryFolder();
      const helper = (name: string, script: string): void => {
        writeFileSync(join(bin, `docker-credential-${name}`), `#!/bin/sh\n${script}`);
        chmodSync(join(bin, `docker-credential-${name}`), 0o755);
      };
      const answer = JSON.stringify({ ServerURL: registry, Username: USER, Secret: PASSWORD });
      helper("good", `[ "$1" = get ] && [ "$(cat)" = "${registry}" ] && echo '${answer}'\n`);
      helper("empty", `echo "credentials not found in native keychain"; exit 1\n`);
      helper("broken", `echo "wrong-secret"; echo "wrong-secret" >&2; exit 3\n`);
      helper("odd", `echo '{"Username": "wrong-secret"}'\n`);
      const PATH = `${bin}:${process.env.PATH}`;
      const push = (config: unknown): Promise<Ran> => image(target, { DOCKER_CONFIG: dockerConfig(config), PATH });

      for (const config of [
        { auths: { [registry]: { auth } } },
        { auths: { [`http://${registry}/v2/`]: { auth } } },
        { credHelpers: { [registry]: "good" }, credsStore: "broken" },
        { credsStore: "good", auths: { [registry]: {} } },
        { credsStore: "empty", auths: { [registry]: { auth } } },
      ]) {
        const ran = await push(config);
        assert.equal(ran.code, 0, `${JSON.stringify(config)}: ${ran.err}`);
        assert.ok(!`${ran.out}${ran.err}`.includes(PASSWORD));
      }
      assertRefused(await image(target), /wants credentials, and \/nonexistent\/config\.json has none for 127/);
      assertRefused(await push({ credsStore: "empty" }), /wants credentials/);
      const wrong = { auths: { [registry]: { auth: encoded(USER, "wrong-secret") } } };
      assertRefused(await push(wrong), /the credentials for 127\.0\.0\.1:\d+ in .*config\.json are refused$/m);
      assertRefused(await push({ credsStore: "broken" }), /docker-credential-broken get: ended with exit code 3/);
      assertRefused(await push({ credsStore: "odd" }), /docker-credential-odd get: its answer is not JSON with/);
      assertRefused(await push({ credsStore: "absent" }), /docker-credential-absent get: there is no such program/);
      assertRefused(await push({ credsStore: "../x" }), /"\.\.\/x" is no name of a helper/);
      assertRefused(
        await push({ auths: { [registry]: { auth: "d3Jvbmctc2VjcmV0" } } }),
        /expected USER:PASSWORD in base64/,
      );
      assertRefused(await push('{"auths": wrong-secret}'), /config\.json: is not a configuration of Docker/);
    });
  });

  it("gets a token where the registry says", { skip: noRegistry }, async () => {
    const keys = temporaryFolder();
    const pair = ["-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "certificate.pem"];
    await execute("openssl", ["req", "-x509", "-days", "2", "-subj", "/CN=tokens", ...pair], { cwd: keys });
    const key = createPrivateKey(readFileSync(join(keys, "key.pem")));
    const certificate = readFileSync(join(keys, "certificate.pem"), "utf8").replace(/-----.*?-----|\s/g, "");
    const asked: URL[] = [];
    let isRefresh = false;
    // A server of tokens, whose tokens the real registry checks.
    const realm = await serve((request, response) => {
      let body = "";
      request.on("data", (text: Buffer) => (body += text.toString()));
      request.on("end", () => {
        const url = new URL(request.url!, "http://tokens.test");
        asked.push(url);
        const form = new URLSearchParams(body);
        isRefresh = form.get("grant_type") === "refresh_token" && form.get("refresh_token") === PASSWORD;
        const isKnown = request.headers.authorization === `Basic ${encoded(USER, PASSWORD)}` || isRefresh;
        if (!isKnown) return void response.writeHead(401).end("wrong-secret");
        const scope = (isRefresh ? form : url.searchParams).get("scope")!;
        const [type, name, actions] = scope.split(":");
        const now = Math.floor(Date.now() / 1000);
        const part = (content: object): string => Buffer.from(JSON.stringify(content)).toString("base64url");
        const signed = `${part({ typ: "JWT", alg: "RS256", x5c: [certificate] })}.${part({
          ...{ iss: "tokens", sub: USER, aud: "registry", jti: String(now) },
          ...{ exp: now + 60, nbf: now - 10, iat: now, access: [{ type, name, actions: actions!.split(",") }] },
        })}`;
        const token = `${signed}.${sign("sha256", Buffer.from(signed), key).toString("base64url")}`;
        response.writeHead(200, { "content-type": "application/json" });
        response.end(JSON.stringify(isRefresh ? { access_token: token } : { token }));
      });
    });
    const registry = await startRegistry({
      auth: {
        token: {
          ...{ realm: `http://${realm}/token`, service: "registry", issuer: "tokens" },
          rootcertbundle: join(keys, "certificate.pem"),
        },
      },
    });
    const push = (entry: object): Promise<Ran> =>
      image(["--push", `${registry}/${REPOSITORY}:v1`], {
        DOCKER_CONFIG: dockerConfig({ auths: { [registry]: entry } }),
      });
    const ran = await push({ auth: encoded(USER, PASSWORD) });
    assert.equal(ran.code, 0, ran.err);
    assert.equal(asked[0]!.searchParams.get("service"), "registry");
    assert.equal(asked[0]!.searchParams.get("scope"), `repository:${REPOSITORY}:pull,push`);
    assert.equal(asked.length, 1, "one token for all");
    const refreshed = await push({ identitytoken: PASSWORD });
    assert.equal(refreshed.code, 0, refreshed.err);
    assert.ok(isRefresh);
    assertRefused(await push({ auth: encoded(USER, "wrong-secret") }), /config\.json are refused$/m);
  });

  it("speaks TLS to whoever is not on the loopback, and says what is wrong with it", { skip: noRegistry }, async () => {
    const keys = temporaryFolder();
    const pair = ["-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "certificate.pem"];
    // An address of this machine's that is not the loopback by its name.
    const names = ["-subj", "/CN=registry.test", "-addext", "subjectAltName=IP:0.0.0.0"];
    await execute("openssl", ["req", "-x509", "-days", "2", ...names, ...pair], { cwd: keys });
    const certificate = join(keys, "certificate.pem");
    const registry = await startRegistry({}, { tls: { certificate, key: join(keys, "key.pem") } });
    const to = `${registry.replace("127.0.0.1", "0.0.0.0")}/${REPOSITORY}:v1`;
    assertRefused(await image(["--push", to]), /its certificate or TLS: self-signed certificate/);

    // Node reads the variable when it starts.
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: certificate, DOCKER_CONFIG: keys };
    const command = ["--import", "tsx", "scripts/cli.ts", "image", "--push", to];
    const { stdout } = await execute(process.execPath, command, { cwd: packageRoot(), env });
    assert.match(stdout, /^compat {4}oci:\/\/0\.0\.0\.0:\d+\/security\/meshward@sha256:[0-9a-f]{64}$/m);
  });
});

it("says which registry cannot be reached", async () => {
  const port = await freePort();
  assertRefused(
    await image(["--push", `127.0.0.1:${port}/${REPOSITORY}`]),
    new RegExp(`^meshward image: 127\\.0\\.0\\.1:${port}: nothing listens there \\(tried 4 times\\)$`, "m"),
  );
  assertRefused(await image(["--push", `registry.invalid/${REPOSITORY}`]), /registry\.invalid: the name is not known/);
});

it("says that a registry in clear needs a flag", async () => {
  const plain = await serve((request, response) => {
    request.resume();
    response.writeHead(418).end();
  });
  // Not the loopback by its name, though it is this machine's.
  const address = plain.replace("127.0.0.1", "0.0.0.0");
  assertRefused(await image(["--push", `${address}/${REPOSITORY}`]), /it does not speak TLS; --plain-http/);
  assertRefused(await image(["--push", `${address}/${REPOSITORY}`, "--plain-http"]), /the registry answered 418/);
});
