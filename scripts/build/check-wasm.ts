/**
 * The gates that a module must pass before it is shipped:
 *
 * - it imports nothing but the host calls that Envoy provides (a stray `env.abort` stops Envoy from loading it);
 * - no export that runs while traffic flows can reach an allocator or grow memory;
 * - it is no larger than its ceiling.
 *
 * The first and last look at the release build. Reachability needs names, so it is read from the text of the checked build, whose
 * call graph is a superset: assertions add calls, and the optimizer only removes them.
 */

/** Bytes that the release module may have. */
export const SIZE_CEILING = 512 * 1024;

const WASI_IMPORTS: ReadonlySet<string> = new Set(["random_get", "environ_sizes_get", "environ_get"]);
/** Exports that may allocate: they run when a VM starts or a configuration arrives, never for a request. */
const CONFIGURE_TIME: ReadonlySet<string> = new Set(["proxy_on_vm_start", "proxy_on_configure"]);

/** Functions of the compiler's memory managers; accessors of an object's header (`~lib/rt/common`) are none. */
const ALLOCATOR = /^~lib\/rt\/(?!common\/)/;

/** What is wrong with a release build: one sentence each; empty where nothing is. */
export function problemsOfModule(wasm: Uint8Array<ArrayBuffer>): string[] {
  const problems: string[] = [];
  if (wasm.byteLength > SIZE_CEILING) {
    problems.push(`the module has ${wasm.byteLength} bytes, more than ${SIZE_CEILING}`);
  }
  for (const { module, name, kind } of WebAssembly.Module.imports(new WebAssembly.Module(wasm))) {
    const allowed =
      kind === "function" &&
      ((module === "env" && name.startsWith("proxy_")) ||
        (module === "wasi_snapshot_preview1" && WASI_IMPORTS.has(name)));
    if (!allowed) problems.push(`the module imports ${module}.${name}, which Envoy does not provide to it`);
  }
  return problems;
}

/** Which request exports of a checked build (its text format) reach an allocator or grow memory: one sentence each. */
export function problemsOfCallGraph(text: string): string[] {
  const { calls, exported, growing } = readCallGraph(text);
  const problems: string[] = [];
  if (exported.size === 0) problems.push("the text of the module has no exported function");
  for (const [name, start] of exported) {
    if (CONFIGURE_TIME.has(name)) continue;
    const path = pathTo(calls, start, (called) => ALLOCATOR.test(called) || growing.has(called));
    if (path !== undefined) problems.push(`${name} reaches an allocator: ${path.join(" > ")}`);
  }
  return problems;
}

interface CallGraph {
  /** Function → the functions that it calls. */
  calls: Map<string, Set<string>>;
  /** Export → function. */
  exported: Map<string, string>;
  /** Functions that grow memory. */
  growing: Set<string>;
}

function readCallGraph(text: string): CallGraph {
  const calls = new Map<string, Set<string>>();
  const exported = new Map<string, string>();
  const growing = new Set<string>();
  const indirect = new Set<string>();
  const callers: string[] = [];
  let current = "";
  for (const line of text.split("\n")) {
    const defined = /^ \(func \$(\S+)/.exec(line);
    if (defined !== null) {
      current = defined[1]!;
      calls.set(current, new Set());
    }
    const called = /\bcall \$([^\s)]+)/.exec(line);
    if (called !== null) calls.get(current)?.add(called[1]!);
    if (line.includes("call_indirect")) callers.push(current);
    if (line.includes("memory.grow")) growing.add(current);
    const exportLine = /^ \(export "([^"]+)" \(func \$([^\s)]+)\)\)/.exec(line);
    if (exportLine !== null) exported.set(exportLine[1]!, exportLine[2]!);
    if (/^ \(elem /.test(line)) for (const match of line.matchAll(/\$([^\s)]+)/g)) indirect.add(match[1]!);
  }
  // What stands in a table may be called by whoever calls through one.
  for (const caller of callers) for (const target of indirect) calls.get(caller)?.add(target);
  return { calls, exported, growing };
}

/** A shortest chain of calls from `start` to a function that `isTarget`; undefined where there is none. */
function pathTo(
  calls: Map<string, Set<string>>,
  start: string,
  isTarget: (name: string) => boolean,
): string[] | undefined {
  const queue: string[][] = [[start]];
  const seen = new Set([start]);
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    const last = path[path.length - 1]!;
    if (isTarget(last)) return path;
    for (const next of calls.get(last) ?? []) {
      if (seen.has(next)) continue;
      seen.add(next);
      queue.push([...path, next]);
    }
  }
  return undefined;
}
