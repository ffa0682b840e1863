import assert from "node:assert/strict";
import { PassThrough, Readable, Writable } from "node:stream";
import { test } from "node:test";
import { readModule } from "../../scripts/package.ts";
import { policyFrom } from "../../scripts/policy/load.ts";
import type { PolicySource } from "../../scripts/policy/schema.ts";
import { createEngine } from "../../scripts/scan/engine.ts";
import type { Engine } from "../../scripts/scan/engine.ts";
import { scan } from "../../scripts/scan/scan.ts";
import { scanOutputSchema } from "../../scripts/scan/verdict.ts";

const UNION = "/search?q=1%20UNION%20SELECT%20name,pass%20FROM%20users--%20";
const get = (path: string, more: object = {}): string =>
  JSON.stringify({ id: path, request: { method: "GET", path }, ...more });

type Answer = {
  id: unknown;
  verdict: string;
  mode: string;
  score: number;
  findings: { rule: string; class: string; exception?: string }[];
};

const engine = await createEngine(policyFrom({}), readModule());

async function run(input: string | Uint8Array, by: Engine = engine): Promise<{ lines: string[]; bad: number }> {
  const chunks: Buffer[] = [];
  const output = new Writable({ write: (chunk: Buffer, _, done) => (chunks.push(chunk), done()) });
  const { bad } = await scan(Readable.from([Buffer.from(input as string)]), output, by);
  const text = Buffer.concat(chunks).toString();
  assert.ok(text === "" || text.endsWith("\n"));
  return { lines: text.split("\n").slice(0, -1), bad };
}

async function judge(source: PolicySource, ...lines: string[]): Promise<Answer[]> {
  const own = await createEngine(policyFrom(source), readModule());
  const output = await run(lines.join("\n"), own);
  assert.equal(output.bad, 0, output.lines.join("\n"));
  return output.lines.map((line) => JSON.parse(line) as Answer);
}

test("a line in, a line out, in order; bad ones told by their number; blank ones passed over", async () => {
  const { lines, bad } = await run(`\ufeff${get("/1")}\r\n\n  \t\r\nnonsense\n${get("/2")}\n[]\n${get("/3")}`);
  assert.equal(bad, 2);
  assert.deepEqual(
    lines.map((line) => {
      const { id, line: number } = JSON.parse(line) as { id: unknown; line?: number };
      return number ?? id;
    }),
    ["/1", 4, "/2", 6, "/3"],
  );
  assert.match(lines[1]!, /^\{"id":null,"line":4,"error":"not JSON: /);
  for (const line of lines) assert.doesNotThrow(() => scanOutputSchema.parse(JSON.parse(line)), line);
});

test("an attack is found and shown as the contract says", async () => {
  const [line] = (await run(get(UNION))).lines;
  const { findings, ...rest } = JSON.parse(line!) as Answer;
  assert.deepEqual(Object.keys(JSON.parse(line!) as object), ["id", "verdict", "mode", "score", "findings"]);
  assert.deepEqual({ ...rest, score: 0 }, { id: UNION, verdict: "deny", mode: "detect", score: 0 });
  assert.equal(findings[0]?.class, "sqli");
  assert.ok(!JSON.stringify(findings).includes("pass"), "evidence is masked");
});

test("the verdict is that of block mode, whatever the mode", async () => {
  for (const mode of ["off", "detect", "block"] as const) {
    const [attack, harmless] = await judge({ mode }, get(UNION), get("/search?q=hello"));
    assert.deepEqual([attack?.verdict, attack?.mode], ["deny", mode]);
    assert.deepEqual([harmless?.verdict, harmless?.mode, harmless?.score, harmless?.findings], ["allow", mode, 0, []]);
  }
  const routes = [{ match: { path: "/search" }, mode: "off" as const }];
  const [off] = await judge({ mode: "block", routes }, get(UNION));
  assert.deepEqual([off?.verdict, off?.mode], ["deny", "off"]);
});

test("exceptions hold; expired ones do not", async () => {
  const exception = { id: "search", rules: ["sqli-*"], path: "/search", part: "query" as const, name: "q", why: "x" };
  const [excepted, elsewhere] = await judge({ exceptions: [exception] }, get(UNION), get(UNION.replace("search", "s")));
  assert.deepEqual([excepted?.verdict, excepted?.findings[0]?.exception], ["allow", "search"]);
  assert.equal(elsewhere?.verdict, "deny");
  const [expired] = await judge({ exceptions: [{ ...exception, expires: "2020-01-01" }] }, get(UNION));
  assert.equal(expired?.verdict, "deny");
});

test("the source is who exceptions know", async () => {
  const identity = "spiffe://shop/robot";
  const exceptions = [{ id: "robot", rules: ["sqli-*"], identity, why: "x" }];
  const [robot, other, nobody] = await judge(
    { exceptions },
    get(UNION, { source: { address: "10.0.0.1", principal: identity } }),
    get(UNION, { source: { address: "10.0.0.1", principal: "spiffe://shop/other" } }),
    get(UNION),
  );
  assert.deepEqual([robot?.verdict, other?.verdict, nobody?.verdict], ["allow", "deny", "deny"]);
  for (const address of ["10.0.0.1", "10.0.0.1:99"]) {
    const byAddress = [{ id: "a", rules: ["sqli-*"], identity: "10.0.0.1", why: "x" }];
    const [known] = await judge({ exceptions: byAddress }, get(UNION, { source: { address } }));
    assert.equal(known?.verdict, "allow", address);
  }
});

test("the service chooses the workload", async () => {
  const workloads = [
    { match: { namespace: "n", service: "cart" }, mode: "off" as const },
    { match: { service: "cart" }, mode: "block" as const },
    ...Array.from({ length: 20 }, (_, i) => ({ match: { service: `s${i}` }, mode: "off" as const })),
  ];
  const services = [null, "cart", "other", ...Array.from({ length: 20 }, (_, i) => `s${i}`), "cart"];
  const answers = await judge({ workloads }, ...services.map((service) => get("/", { service })));
  assert.deepEqual(
    answers.map(({ mode }) => mode),
    ["detect", "block", "detect", ...Array.from({ length: 20 }, () => "off"), "block"],
  );
});

test("what Envoy would refuse is judged", async () => {
  const lines = [
    '{"id":1,"request":{"method":"GET","path":"/a b?q=1 UNION SELECT name,pass FROM users-- "}}',
    '{"id":2,"request":{"method":"GET","path":"q=\\u0000\\r\\n"}}',
    '{"id":3,"request":{"method":"","path":""}}',
    '{"id":4,"request":{"method":"GET","path":"/","headers":[["x-a\\n","<script>alert(1)</script>\\r\\n"],["",""],[":path","/"],["host","a"],["host","b"]]}}',
    '{"id":5,"request":{"method":"POST","path":"/","headers":[["content-length","99999"],["transfer-encoding","chunked"]],"body":"a"}}',
  ];
  const { lines: out, bad } = await run(lines.join("\n"));
  assert.equal(bad, 0);
  assert.deepEqual(
    out.map((line) => (JSON.parse(line) as Answer).verdict),
    ["deny", "allow", "allow", "deny", "deny"],
  );
});

test("bodies are judged whole, far beyond what is held", async () => {
  const attack = "1' UNION SELECT name,pass FROM users-- ";
  const body = `{"fill":"${"x ".repeat(1_500_000)}","q":"${attack}"}`;
  const headers = [["Content-Type", "application/json"]];
  const { lines } = await run(JSON.stringify({ id: 1, request: { method: "POST", path: "/", headers, body } }));
  const { verdict, findings } = JSON.parse(lines[0]!) as Answer;
  assert.deepEqual([verdict, findings[0]?.class], ["deny", "sqli"]);
});

test("a response does not change the verdict on the request", async () => {
  const response = {
    status: 500,
    headers: [["content-type", "text/html"]],
    body: "You have an error in your SQL syntax",
  };
  const { lines } = await run(`${get("/a", { response })}\n${get(UNION, { response })}`);
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as Answer).verdict),
    ["allow", "deny"],
  );
});

test("a line over 16 MiB is a bad one, and the next is judged", async () => {
  const long = Buffer.alloc(16 * 1024 * 1024 + 1, "x");
  const { lines, bad } = await run(Buffer.concat([long, Buffer.from(`\n${get("/")}`)]));
  assert.equal(bad, 1);
  assert.equal(lines[0], '{"id":null,"line":1,"error":"longer than 16 MiB"}');
  assert.equal((JSON.parse(lines[1]!) as Answer).verdict, "allow");
});

test("an id of any depth comes back", async () => {
  const id = `${"[".repeat(200_000)}1.0${"]".repeat(200_000)}`;
  const { lines, bad } = await run(`{"id":${id},"request":{"method":"GET","path":"/"}}`);
  assert.equal(bad, 0);
  assert.ok(lines[0]!.startsWith(`{"id":${id},"verdict":"allow"`));
});

test("the first answer is there before the second line is", async () => {
  const input = new PassThrough();
  const output = new PassThrough();
  const done = scan(input, output, engine);
  for (const path of ["/1", "/2"]) {
    const answer = new Promise<Buffer>((resolve) => output.once("data", resolve));
    input.write(`${get(path)}\n`);
    assert.equal((JSON.parse((await answer).toString()) as Answer).id, path);
  }
  input.end();
  assert.equal((await done).judged, 2);
});

test("a slow reader slows the scan, not its memory", async () => {
  let read = 0;
  const input = Readable.from(
    (function* () {
      for (let i = 0; i < 500; i++) {
        read++;
        yield Buffer.from(`${get(`/${i}`)}\n`.repeat(20));
      }
    })(),
    { objectMode: true, highWaterMark: 1 },
  );
  const output = new PassThrough({ highWaterMark: 1024 });
  const done = scan(input, output, engine);
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.ok(read < 10, `${read} chunks were read ahead of a reader that does not read`);
  output.resume();
  assert.equal((await done).judged, 10_000);
});

test("a failing engine costs one line", async () => {
  let calls = 0;
  const failing: Engine = {
    judge: (exchange) =>
      calls++ === 0 ? Promise.reject(new Error("the module failed:\nbadly")) : engine.judge(exchange),
  };
  const { lines, bad } = await run(`${get("/1")}\n${get("/2")}\n`, failing);
  assert.equal(bad, 1);
  assert.equal(lines[0], '{"id":null,"line":1,"error":"the module failed: badly"}');
  assert.equal((JSON.parse(lines[1]!) as Answer).id, "/2");
});
