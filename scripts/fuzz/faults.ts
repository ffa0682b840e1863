/**
 * Drives the module as no host would: configurations that are broken, contexts in any number, callbacks that come early or twice,
 * ids that were never made, and host calls that fail in any way at any time. Whatever happens, the module must not trap.
 */
import type { Random } from "../bench/random.ts";
import { GuestMemory } from "../host/memory.ts";
import { HeaderMap } from "../host/headers.ts";
import {
  randomBytes,
  randomConfigurationText,
  randomPieces,
  randomRequest,
  randomResponse,
  randomValue,
} from "./inputs.ts";

type Call = (...values: number[]) => number;

/** Statuses other than 0 that a host call may return (ABI 0.2.1), and one that it may not. */
const STATUSES = [1, 2, 3, 4, 6, 7, 8, 10, 11, 12, 99];
const NODE_PROPERTIES = ["cart", "shop", "10.0.0.1:80", "spiffe://mesh/ns/shop/sa/cart", "via_upstream"];
const MOST_STREAMS = 40;

/** The host as the module sees it: what is at hand, and how often it fails, in 100. */
class FaultyHost {
  readonly imports: WebAssembly.Imports;
  readonly #random: Random;
  #memory!: GuestMemory;
  #allocate!: Call;
  configuration: Buffer = Buffer.alloc(0);
  headers = new HeaderMap();
  body: Buffer = Buffer.alloc(0);
  faults = 0;
  logged: string[] = [];

  constructor(random: Random, module: WebAssembly.Module) {
    this.#random = random;
    const known: Record<string, Call> = {
      random_get: () => 0,
      proxy_log: (_level, at, size) => this.#log(at!, size!),
      proxy_get_current_time_nanoseconds: (at) => this.#putTime(at!),
      proxy_define_metric: (_type, _name, _size, id) => this.#put(id!, 1 + random.below(50)),
      proxy_get_header_map_pairs: (_map, at, size) => this.#give(serialized(this.headers), at!, size!),
      proxy_get_buffer_bytes: (buffer, from, length, at, size) => {
        const bytes = buffer === 7 ? this.configuration : this.body;
        return this.#give(bytes.subarray(from!, from! + length!), at!, size!);
      },
      proxy_get_property: (_path, _size, at, size) =>
        this.#give(
          random.below(4) === 0 ? randomBytes(random, 5) : Buffer.from(random.pick(NODE_PROPERTIES)),
          at!,
          size!,
        ),
      proxy_get_shared_data: (_key, _keySize, at, size, cas) => {
        this.#put(cas!, 1 + random.below(3));
        return this.#give(Buffer.alloc(random.pick([0, 5, 408]), random.below(256)), at!, size!);
      },
    };
    this.imports = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      const call = known[name] ?? (() => 0);
      (this.imports[from] ??= {})[name] = (...values: number[]) =>
        this.#fails() ? random.pick(STATUSES) : call(...values);
    }
  }

  start(memory: WebAssembly.Memory, allocate: Call): void {
    this.#memory = new GuestMemory(memory);
    this.#allocate = allocate;
  }

  #fails(): boolean {
    return this.#random.below(100) < this.faults;
  }

  #put(at: number, value: number): number {
    return this.#memory.putU32(at, value) ? 0 : 6;
  }

  #putTime(at: number): number {
    return this.#memory.putU64(at, BigInt(this.#random.below(2_000_000_000)) * 1_000_000_000n) ? 0 : 6;
  }

  #give(bytes: Buffer, at: number, size: number): number {
    const to = this.#allocate(bytes.length) >>> 0;
    if (to === 0 || !this.#memory.holds(to, bytes.length)) return 6;
    this.#memory.bytes.set(bytes, to);
    this.#put(at, to);
    return this.#put(size, bytes.length);
  }

  #log(at: number, size: number): number {
    this.logged.push(this.#memory.run(at, size)!.toString("utf8"));
    return 0;
  }
}

/** A header map as the host writes it: count, sizes, then the texts with a NUL behind each. */
function serialized({ names, values }: HeaderMap): Buffer {
  const head = Buffer.alloc(4 + 8 * names.length);
  head.writeUInt32LE(names.length, 0);
  const texts = names.flatMap((name, i) => {
    head.writeUInt32LE(Buffer.byteLength(name, "latin1"), 4 + 8 * i);
    head.writeUInt32LE(values[i]!.length, 8 + 8 * i);
    return [Buffer.from(`${name}\0`, "latin1"), values[i]!, Buffer.from([0])];
  });
  return Buffer.concat([head, ...texts]);
}

interface Open {
  id: number;
  root: number;
  pieces: Buffer[];
}

/** `steps` random callbacks; throws what the module threw, with the step. Returns the lines that it logged. */
export function fuzzFaults(module: WebAssembly.Module, random: Random, steps: number): string[] {
  const host = new FaultyHost(random, module);
  const guest = new WebAssembly.Instance(module, host.imports).exports as unknown as Record<string, Call>;
  host.start(guest["memory"] as unknown as WebAssembly.Memory, guest["proxy_on_memory_allocate"]!);
  const call = (name: string, ...values: number[]): number => guest[`proxy_on_${name}`]!(...values);
  const streams: Open[] = [];
  const roots: number[] = [];
  let lastId = 0;

  const openRoot = (): void => {
    roots.push(++lastId);
    call("context_create", lastId, 0);
    call("vm_start", lastId, 0);
  };
  const configure = (root: number): void => {
    host.configuration = randomConfigurationText(random);
    call("configure", root, random.below(10) === 0 ? 0 : host.configuration.length);
  };
  const openStream = (): void => {
    const root = random.pick(roots);
    const { method, path, headers, body } = randomRequest(random);
    host.headers = HeaderMap.from([[":path", path], [":method", method], ...headers]);
    streams.push({ id: ++lastId, root, pieces: body === null ? [] : randomPieces(random, body) });
    call("context_create", lastId, root);
    if (random.below(20) !== 0) call("request_headers", lastId, host.headers.size, Number(body === null));
  };
  const sendBody = (stream: Open): void => {
    host.body = stream.pieces.shift() ?? Buffer.alloc(0);
    // A host that gives less than it said, or more.
    const size = random.below(20) === 0 ? random.below(200_000) : host.body.length;
    call("request_body", stream.id, size, Number(stream.pieces.length === 0 && random.below(4) !== 0));
  };
  const respond = (stream: Open): void => {
    const { status, headers, body } = randomResponse(random, randomValue(random));
    host.headers = HeaderMap.from([[":status", String(status)], ...headers]);
    if (random.below(10) !== 0) call("response_headers", stream.id, host.headers.size, Number(body.length === 0));
    for (const piece of randomPieces(random, body)) {
      host.body = piece;
      call("response_body", stream.id, random.below(20) === 0 ? random.below(200_000) : piece.length, random.below(2));
    }
    if (random.below(4) === 0) call("response_trailers", stream.id, 0);
  };
  const close = (stream: Open): void => {
    streams.splice(streams.indexOf(stream), 1);
    for (const name of ["log", "done", "delete"]) call(name, stream.id);
  };
  const closeRoot = (): void => {
    const root = roots.find((id) => streams.every((stream) => stream.root !== id));
    if (root === undefined || roots.length === 1) return;
    roots.splice(roots.indexOf(root), 1);
    call("done", root);
    call("delete", root);
  };

  openRoot();
  configure(lastId);
  for (let step = 0; step < steps; step++) {
    host.faults = random.pick([0, 0, 5, 50, 100]);
    const action = random.below(100);
    try {
      if (action < 2) openRoot();
      else if (action < 5) configure(random.pick(roots));
      else if (action < 7) closeRoot();
      else if (action < 12) call("tick", random.pick(roots));
      else if (action < 14) call(random.pick(["request_headers", "request_body"]), random.below(lastId + 9), 9, 1);
      else if (action < 40 && streams.length < MOST_STREAMS) openStream();
      else if (streams.length === 0) openStream();
      else if (action < 70) sendBody(random.pick(streams));
      else if (action < 80) respond(random.pick(streams));
      else if (action < 84) call("request_trailers", random.pick(streams).id, 0);
      else close(random.pick(streams));
    } catch (cause) {
      throw new Error(`step ${step}: ${(cause as Error).message}`, { cause });
    }
  }
  return host.logged;
}
