import assert from "node:assert/strict";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable, Writable } from "node:stream";
import { after, test } from "node:test";
import { main } from "../../scripts/cli.ts";
import { packageVersion } from "../../scripts/package.ts";

const folder = mkdtempSync(join(tmpdir(), "meshward-cli-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A file of the test's folder. */
function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function run(argv: string[], stdin: string | Readable = ""): Promise<{ code: number; out: string; err: string }> {
  const collect = (into: Buffer[]): Writable =>
    new Writable({ write: (chunk: Buffer, _, done) => (into.push(chunk), done()) });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  const code = await main(argv, {
    stdin: typeof stdin === "string" ? Readable.from([Buffer.from(stdin)]) : stdin,
    stdout: collect(out),
    stderr: collect(err),
    env: { PATH: "/nonexistent", HOME: folder, XDG_CACHE_HOME: folder },
  });
  return { code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
}

const POLICY = file("ok.yaml", "# ours\nmode: detect # for now\n");
const BROKEN = file("broken.yaml", "mode: detect\nrouts: []\n");
const EXCHANGE = '{"id":1,"request":{"method":"GET","path":"/"}}\n';
const CASE = '{"id":"home","request":{"method":"GET","path":"/"},"expect":"allow"}\n';
const CASES = file("cases.jsonl", CASE);
const missing = join(folder, "missing");

/** Commands that cannot work, and the one line that says so. */
const WRONG: [argv: string[], message: RegExp][] = [
  [[], /^meshward: a command is missing: run, demo, scan, /],
  [["sacn"], /^meshward: unknown command 'sacn' \(Did you mean scan\?\); see meshward --help$/],
  [["--versoin"], /^meshward: unknown option '--versoin' \(Did you mean --version\?\); see meshward --help$/],
  [["policy"], /^meshward policy: a command is missing: check, explain; see meshward policy --help$/],
  [["policy", "chek", "x"], /^meshward policy: unknown command 'chek' \(Did you mean check\?\)/],
  [["policy", "check"], /^meshward policy check: missing required argument 'file'; see /],
  [["policy", "check", missing], /^meshward policy check: policy .*missing: no such file or folder$/],
  [["policy", "check", folder], /^meshward policy check: policy .*: is a folder, not a file$/],
  [["policy", "check", POLICY, POLICY], /^meshward policy check: too many arguments/],
  [["policy", "check", BROKEN], /^.*broken\.yaml:2:1: routs: unknown key \(did you mean "routes"\?\)$/],
  [
    ["scan", "--polcy", "x"],
    /^meshward scan: unknown option '--polcy' \(Did you mean --policy\?\); see meshward scan --help$/,
  ],
  [["scan", "--in"], /^meshward scan: option '--in <file>' argument missing/],
  [["scan", "--in", missing], /^meshward scan: --in .*missing: no such file or folder$/],
  [["scan", "--in", folder], /^meshward scan: --in .*: is a folder, not a file$/],
  [["scan", "--out", folder], /^meshward scan: --out .*: is a folder, not a file$/],
  [["scan", "--out", join(missing, "x")], /^meshward scan: --out .*: no such file or folder$/],
  [["scan", "--in", CASES, "--out", CASES], /^meshward scan: --out .*: is the input itself; give another file$/],
  [["scan", "--policy", missing], /^meshward scan: policy .*missing: no such file or folder$/],
  [["scan", "--policy", BROKEN], /^.*broken\.yaml:2:1: routs: unknown key/],
  [["scan", "stray"], /^meshward scan: too many arguments for 'scan'/],
  [["collector", "--openapi", "cart"], /^meshward collector: --openapi cart: expected SERVICE=FILE$/],
  [
    ["collector", "--openapi", "cart=absent.yaml"],
    /^meshward collector: --openapi absent\.yaml: no such file or folder$/,
  ],
  [["collector", "--openapi", `cart=${POLICY}`], /^meshward collector: --openapi .*: is no OpenAPI document/],
  [
    ["report", "--collector", "localhost:4318"],
    /^meshward report: --collector: "localhost:4318": expected http:\/\/ or/,
  ],
  [
    ["report", "--format", "pdf"],
    /^meshward report: option '--format <format>' argument 'pdf' is invalid\. Allowed choices/,
  ],
  [
    ["report", "--fail-on", "attempted"],
    /^meshward report: option '--fail-on <stage>' argument 'attempted' is invalid/,
  ],
  [["report", "--policy", POLICY], /^meshward report: --policy says where a request was decided: it needs --request$/],
  [
    ["report", "--request", "x", "--format", "html"],
    /^meshward report: --request is told as text or json, not as html$/,
  ],
  [
    ["report", "--request", "x", "--fail-on", "likely"],
    /^meshward report: --fail-on looks at all findings: leave out /,
  ],
  [["verify"], /^meshward verify: required option '--cases <file>' not specified/],
  [["verify", "--cases", missing], /^meshward verify: --cases .*missing: no such file or folder$/],
  [
    ["verify", "--cases", CASES, "--format", "xml"],
    /^meshward verify: option '--format <format>' argument 'xml' is invalid\. Allowed choices are text, junit, sarif; see/,
  ],
  [
    ["verify", "--cases", CASES, "--through", "localhost:80"],
    /^meshward verify: --through: "localhost:80": expected http:\/\//,
  ],
  [["verify", "--cases", CASES, "--out", CASES], /^meshward verify: --out .*: is the input itself/],
  [
    ["verify", "--cases", file("empty.jsonl", "\n\n")],
    /^meshward verify: --cases .*empty\.jsonl: there are no cases in it$/,
  ],
  [
    ["mode", "blok", "--policy", POLICY],
    /^meshward mode: command-argument value 'blok' is invalid for argument 'mode'\. Allowed choices are off, detect, block; see/,
  ],
  [["mode", "block"], /^meshward mode: required option '--policy <file>' not specified/],
  [["mode", "block", "--policy", missing], /^meshward mode: policy .*missing: no such file or folder$/],
  [["mode", "block", "--policy", BROKEN], /^.*broken\.yaml:2:1: routs: unknown key/],
  [["envoy"], /^meshward envoy: required option '--out <dir>' not specified/],
  [
    ["envoy", "--out", join(folder, "e"), "--upstream", "x"],
    /^meshward envoy: --upstream: "x" is not an upstream: expected http/,
  ],
  [["envoy", "--out", join(folder, "e"), "--listen", "x"], /^meshward envoy: --listen: "x" is not an address/],
  [["envoy", "--out", CASES], /^meshward envoy: --out .*: is a file, not a folder$/],
  [
    ["envoy", "--out", join(folder, "e"), "--metrics", "0.0.0.0:10000"],
    /^meshward envoy: --metrics: port 10000 is already that of --listen; give another one$/,
  ],
  [["collector", "--database", CASES], /^meshward collector: --database .*: is a file, not a folder$/],
  [["envoy", "--out", join(CASES, "e")], /^meshward envoy: --out .*: a part of the path is a file, not a folder$/],
  [["run"], /^meshward run: required option '--upstream <url>' not specified/],
  [["run", "--upstream", "x"], /^meshward run: "x" is not an upstream: expected http/],
  [
    ["run", "--upstream", "http://127.0.0.1:1", "--mode", "on"],
    /^meshward run: option '--mode <mode>' argument 'on' is invalid/,
  ],
  [
    ["run", "--upstream", "http://127.0.0.1:1", "--policy", BROKEN],
    /^meshward run: .*broken\.yaml:2:1: routs: unknown key/,
  ],
  [["doctor", "--jsn"], /^meshward doctor: unknown option '--jsn' \(Did you mean --json\?\)/],
];

for (const [argv, message] of WRONG) {
  test(`wrong: meshward ${argv.join(" ").replaceAll(folder, "DIR")}`, async () => {
    const { code, out, err } = await run(argv);
    assert.equal(code, 2);
    const lines = err.trimEnd().split("\n");
    assert.equal(lines.length, argv[0] === "verify" && lines[0]!.includes("passed") ? 2 : 1, err);
    assert.match(lines.at(-1)!, message);
    if (argv[0] !== "verify") assert.equal(out, "");
  });
}

test("an input that is there but cannot be opened is told in one line", async (t) => {
  const path = join(folder, "socket");
  const server = createServer().listen(path);
  t.after(() => server.close());
  await once(server, "listening");
  const format = ["--format", "har"];
  for (const argv of [
    ["verify", "--cases", path],
    ["scan", "--in", path],
    ["import", ...format, path],
  ]) {
    const { code, err } = await run(argv);
    assert.equal(code, 2);
    assert.match(err, /^meshward (?:verify: --cases|scan: --in|import: log) .*socket: ENXIO: .*\n$/);
  }
});

test("the input of a refused command is left alone", () => assert.equal(readFileSync(CASES, "utf8"), CASE));

for (const argv of [
  [],
  ["run"],
  ["scan"],
  ["verify"],
  ["policy"],
  ["policy", "check"],
  ["mode"],
  ["doctor"],
  ["coverage"],
  ["envoy"],
]) {
  test(`help: meshward ${argv.join(" ")}`, async () => {
    const { code, out, err } = await run([...argv, "--help"]);
    assert.deepEqual([code, err], [0, ""]);
    assert.match(out, /^Usage: meshward/);
    assert.match(out, /\nExample:\n {2}\S/);
  });
}

test("version: package, module, schema, Envoy", async () => {
  const { code, out } = await run(["--version"]);
  assert.equal(code, 0);
  assert.match(out, /^meshward +\S+\nmodule +(sha256:[0-9a-f]{12}|not built)\nschema +1\nenvoy +\S.*\n$/);
  assert.ok(out.includes(packageVersion()));
});

test("policy check: a valid policy, with its warnings", async () => {
  const { code, out, err } = await run(["policy", "check", POLICY]);
  assert.deepEqual([code, err], [0, ""]);
  assert.match(out, /ok\.yaml: valid, mode detect, 0 routes, 0 exceptions, 0 workloads, hash [0-9a-f]{12}\n$/);
  const warned = file("warned.yaml", "mode: off\nroutes: [{match: {}}]\n");
  const second = await run(["policy", "check", warned]);
  assert.equal(second.code, 0);
  assert.match(second.err, /warned\.yaml:1:7: warning: mode: nothing is judged/);
});

test("policy check --json: one document", async () => {
  const good = await run(["policy", "check", POLICY, "--json"]);
  assert.equal(good.code, 0);
  const { valid, issues, policy } = JSON.parse(good.out) as { valid: boolean; issues: unknown[]; policy: string };
  assert.deepEqual([valid, issues], [true, []]);
  assert.match(policy, /^[0-9a-f]{12}$/);
  const bad = await run(["policy", "check", BROKEN, "--json"]);
  assert.deepEqual([bad.code, bad.err], [2, ""]);
  assert.deepEqual(
    (JSON.parse(bad.out) as { issues: { line: number; path: string }[] }).issues.map(({ line, path }) => [line, path]),
    [[2, "routs"]],
  );
});

test("mode: changes the word and nothing else, in one step, through a link, keeping permissions", async () => {
  const policy = file("mode.yaml", "# ours\nmode: detect # for now\n");
  chmodSync(policy, 0o640);
  const link = join(folder, "link.yaml");
  symlinkSync(policy, link);
  const { code, out } = await run(["mode", "block", "--policy", link]);
  assert.deepEqual([code, out], [0, `${link}: mode detect -> block\n`]);
  assert.equal(readFileSync(policy, "utf8"), "# ours\nmode: block # for now\n");
  assert.equal(statSync(policy).mode & 0o777, 0o640);
  assert.equal((await run(["mode", "block", "--policy", link])).out, `${link}: mode block, as before\n`);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith(".")),
    [],
  );
});

test("mode: says who keeps a mode of their own", async () => {
  const policy = file("own.yaml", "mode: detect\nroutes: [{match: {path: /a}, mode: detect}]\n");
  assert.match(
    (await run(["mode", "block", "--policy", policy])).err,
    /^note: 1 routes and 0 workloads keep a mode of their own\n$/,
  );
  assert.equal((await run(["mode", "off", "--policy", policy])).err, "");
});

test("scan: from standard input to standard output, and between files", async () => {
  const { code, out, err } = await run(["scan", "--policy", POLICY], EXCHANGE);
  assert.deepEqual([code, err], [0, ""]);
  assert.equal(out, '{"id":1,"verdict":"allow","mode":"detect","score":0,"findings":[]}\n');
  const target = join(folder, "out.jsonl");
  const between = await run(["scan", "--in", file("in.jsonl", EXCHANGE), "--out", target]);
  assert.deepEqual([between.code, between.out], [0, ""]);
  assert.equal(readFileSync(target, "utf8"), out);
});

test("scan: a bad line makes it 2, and the rest is judged", async () => {
  const { code, out, err } = await run(["scan"], `x\n${EXCHANGE}`);
  assert.equal(code, 2);
  assert.equal(err, 'meshward scan: 1 line could not be used; the output says why ("error")\n');
  assert.equal(out.split("\n").length, 3);
});

test("scan: an interrupt ends it with what was judged", async () => {
  const input = new PassThrough();
  const output = new PassThrough();
  const done = main(["scan"], { stdin: input, stdout: output, stderr: new PassThrough(), env: {} });
  input.write(EXCHANGE);
  const [first] = (await new Promise<Buffer>((resolve) => output.once("data", resolve))).toString().split("\n");
  assert.equal((JSON.parse(first!) as { id: number }).id, 1);
  process.emit("SIGINT");
  assert.equal(await done, 130);
});

test("verify: 0, 1 and 2", async () => {
  const passed = await run(["verify", "--policy", POLICY, "--cases", CASES]);
  assert.deepEqual([passed.code, passed.out], [0, "1 passed, 0 failed, 0 could not be run\n"]);
  const failing = file("failing.jsonl", CASE.replace("allow", "deny"));
  const failed = await run(["verify", "--cases", failing]);
  assert.equal(failed.code, 1);
  assert.match(
    failed.out,
    /^.*failing\.jsonl:1: failed home: expected deny, got allow \(score 0; nothing was found\)\n0 passed, 1 failed/,
  );
  const broken = await run(["verify", "--cases", "-"], `${CASE}x\n`);
  assert.equal(broken.code, 2);
  assert.match(broken.out, /^-:2: error line 2: not JSON/);
});

test("verify: a report in a file, its sum on standard error", async () => {
  const target = join(folder, "report.xml");
  const { code, out, err } = await run(["verify", "--cases", CASES, "--format", "junit", "--out", target]);
  assert.deepEqual([code, out, err], [0, "", "1 passed, 0 failed, 0 could not be run\n"]);
  assert.match(readFileSync(target, "utf8"), /<testsuites name="meshward verify" tests="1" failures="0" errors="0"/);
});

test("envoy: a folder that Envoy runs from", async () => {
  const out = join(folder, "envoy");
  const made = await run(["envoy", "--policy", POLICY, "--out", out, "--dynamic"]);
  assert.deepEqual([made.code, made.err], [0, ""]);
  const files = made.out.trimEnd().split("\n");
  assert.equal(files.pop(), `start it: envoy -c ${join(out, "envoy.yaml")}`);
  for (const path of files) assert.ok(existsSync(path), path);
  assert.match(readFileSync(join(out, "ecds", "meshward.yaml"), "utf8"), /allow_on_headers_stop_iteration: true/);
});

test("doctor: what was tried, and 1 where nothing can be started", async () => {
  const { code, out } = await run(["doctor", "--json"]);
  const report = JSON.parse(out) as { ok: boolean; envoy: { choice: string }[] };
  assert.equal(code, report.ok ? 0 : 1);
  assert.deepEqual(
    report.envoy.map(({ choice }) => choice),
    ["ENVOY_BIN", "PATH", "docker", "cache"],
  );
  assert.match((await run(["doctor"])).out, /ENVOY_BIN +not set/);
});
