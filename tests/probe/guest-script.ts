// A Proxy-Wasm module that does what its configuration says and logs everything it sees, for tests of the host.
//
// The configuration is one line a callback, "NAME: operation; operation; …", words parted by spaces ("_" stands for a space in a
// text, "." for the NUL between the parts of a property path, "~" for a dot). NAME is start, configure, tick, request_headers,
// request_body, request_trailers, response_headers, response_body, response_trailers, log, done, delete, call, queue. A callback
// logs "NAME CONTEXT ARGUMENTS", then each operation logs "  WORDS = STATUS …". `until_end` returns 1 until the stream's end, `until_tick` until a tick ran.

import {
  proxy_add_header_map_value,
  proxy_call_foreign_function,
  proxy_close_stream,
  proxy_continue_stream,
  proxy_define_metric,
  proxy_dequeue_shared_queue,
  proxy_done,
  proxy_enqueue_shared_queue,
  proxy_get_buffer_bytes,
  proxy_get_buffer_status,
  proxy_get_current_time_nanoseconds,
  proxy_get_header_map_pairs,
  proxy_get_header_map_size,
  proxy_get_header_map_value,
  proxy_get_metric,
  proxy_get_property,
  proxy_get_shared_data,
  proxy_get_status,
  proxy_http_call,
  proxy_increment_metric,
  proxy_log,
  proxy_record_metric,
  proxy_register_shared_queue,
  proxy_remove_header_map_value,
  proxy_replace_header_map_value,
  proxy_resolve_shared_queue,
  proxy_send_local_response,
  proxy_set_effective_context,
  proxy_set_header_map_pairs,
  proxy_set_property,
  proxy_set_shared_data,
  proxy_set_tick_period_milliseconds,
} from "@solo-io/proxy-runtime/assembly/imports";

// @ts-ignore: decorator
@external("env", "proxy_set_buffer_bytes")
declare function proxy_set_buffer_bytes(type: i32, start: u32, length: u32, at: usize, size: usize): u32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "random_get")
declare function random_get(at: usize, size: usize): u32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "environ_sizes_get")
declare function environ_sizes_get(countAt: usize, sizeAt: usize): u32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "environ_get")
declare function environ_get(pointersAt: usize, at: usize): u32;

/** Out-parameters of host calls. */
const FIRST = memory.data(8);
const SECOND = memory.data(8);
const THIRD = memory.data(8);

const GUARD: u32 = 0xdeadbeef;

let script: string[] = [];
let lastContext: u32 = 0;
let ticked = false;

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: usize): usize {
  return heap.alloc(size);
}

export function proxy_on_context_create(id: u32, root: u32): void {
  say("create " + id.toString() + " " + root.toString());
  if (root != 0) lastContext = id;
}

export function proxy_on_vm_start(id: u32, size: u32): u32 {
  return run("start", id, size.toString(), 1, 0);
}

export function proxy_on_configure(id: u32, size: u32): u32 {
  clearOut();
  proxy_get_buffer_bytes(7, 0, size, FIRST, SECOND);
  script = size == 0 ? [] : out().split("\n");
  return run("configure", id, size.toString(), 1, 0);
}

export function proxy_on_tick(id: u32): void {
  ticked = true;
  run("tick", id, "", 0, 0);
}

export function proxy_on_request_headers(id: u32, count: u32, end: u32): u32 {
  return run("request_headers", id, count.toString() + " " + end.toString(), 0, end);
}

export function proxy_on_request_body(id: u32, size: u32, end: u32): u32 {
  return run("request_body", id, size.toString() + " " + end.toString(), 0, end);
}

export function proxy_on_request_trailers(id: u32, count: u32): u32 {
  return run("request_trailers", id, count.toString(), 0, 1);
}

export function proxy_on_response_headers(id: u32, count: u32, end: u32): u32 {
  return run("response_headers", id, end.toString(), 0, end);
}

export function proxy_on_response_body(id: u32, size: u32, end: u32): u32 {
  return run("response_body", id, size.toString() + " " + end.toString(), 0, end);
}

export function proxy_on_response_trailers(id: u32, count: u32): u32 {
  return run("response_trailers", id, count.toString(), 0, 1);
}

export function proxy_on_http_call_response(id: u32, token: u32, headers: u32, size: u32, trailers: u32): void {
  run(
    "call",
    id,
    token.toString() + " " + headers.toString() + " " + size.toString() + " " + trailers.toString(),
    0,
    1,
  );
}

export function proxy_on_queue_ready(id: u32, token: u32): void {
  run("queue", id, token.toString(), 0, 1);
}

export function proxy_on_done(id: u32): u32 {
  return run("done", id, "", 1, 1);
}

export function proxy_on_log(id: u32): void {
  run("log", id, "", 0, 1);
}

export function proxy_on_delete(id: u32): void {
  run("delete", id, "", 0, 1);
}

/** Logs the callback and does its operations; what it returns, `otherwise` where the script has no `return`. */
function run(name: string, context: u32, args: string, otherwise: u32, end: u32): u32 {
  say(args.length > 0 ? name + " " + context.toString() + " " + args : name + " " + context.toString());
  let result = otherwise;
  for (let i = 0; i < script.length; i++) {
    const line = script[i];
    if (!line.startsWith(name + ":")) continue;
    const operations = line.slice(name.length + 1).split(";");
    for (let j = 0; j < operations.length; j++) {
      const words = operations[j].trim().split(" ");
      if (words[0] == "return") result = <u32>parseInt(words[1]);
      else if (words[0] == "until_end") result = end != 0 ? 0 : 1;
      else if (words[0] == "until_tick") result = ticked ? 0 : 1;
      else if (words[0] == "unless_end") {
        if (end != 0) break;
      } else if (words[0] == "at_end") {
        if (end == 0) break;
      } else if (words[0].length > 0) say("  " + operations[j].trim() + " = " + perform(words));
    }
  }
  return result;
}

function perform(words: string[]): string {
  const name = words[0];
  clearOut();
  if (name == "pairs") return withOut(proxy_get_header_map_pairs(number(words, 1), FIRST, SECOND), true);
  if (name == "header") {
    const key = bytes(words, 2);
    const type = number(words, 1);
    return withOut(proxy_get_header_map_value(type, at(key), key.byteLength, FIRST, SECOND), false);
  }
  if (name == "headers_size") return withNumber(proxy_get_header_map_size(number(words, 1), FIRST), FIRST);
  if (name == "add" || name == "replace") {
    const key = bytes(words, 2);
    const value = bytes(words, 3);
    const type = number(words, 1);
    const status =
      name == "add"
        ? proxy_add_header_map_value(type, at(key), key.byteLength, at(value), value.byteLength)
        : proxy_replace_header_map_value(type, at(key), key.byteLength, at(value), value.byteLength);
    return status.toString();
  }
  if (name == "remove") {
    const key = bytes(words, 2);
    return proxy_remove_header_map_value(number(words, 1), at(key), key.byteLength).toString();
  }
  if (name == "set_pairs") {
    const pairs = pack(words, 2);
    return proxy_set_header_map_pairs(number(words, 1), at(pairs), pairs.byteLength).toString();
  }
  if (name == "body") {
    const from = number(words, 2);
    return withOut(proxy_get_buffer_bytes(number(words, 1), from, number(words, 3), FIRST, SECOND), false);
  }
  if (name == "body_size") return withNumber(proxy_get_buffer_status(number(words, 1), FIRST, SECOND), FIRST);
  if (name == "set_body") {
    const text = bytes(words, 4);
    const type = number(words, 1);
    return proxy_set_buffer_bytes(type, number(words, 2), number(words, 3), at(text), text.byteLength).toString();
  }
  if (name == "local") {
    const details = bytes(words, 2);
    const body = bytes(words, 3);
    const pairs = pack(words, 4);
    return proxy_send_local_response(
      number(words, 1),
      at(details),
      details.byteLength,
      at(body),
      body.byteLength,
      at(pairs),
      words.length > 4 ? <usize>pairs.byteLength : 0,
      0xffffffff,
    ).toString();
  }
  if (name == "continue") return proxy_continue_stream(number(words, 1)).toString();
  if (name == "close") return proxy_close_stream(number(words, 1)).toString();
  if (name == "effective") {
    return proxy_set_effective_context(words[1] == "last" ? lastContext : <u32>number(words, 1)).toString();
  }
  if (name == "property") {
    const path = pathBytes(words[1]);
    return withOut(proxy_get_property(at(path), path.byteLength, FIRST, SECOND), true);
  }
  if (name == "set_property") {
    const path = pathBytes(words[1]);
    const value = bytes(words, 2);
    return proxy_set_property(at(path), path.byteLength, at(value), value.byteLength).toString();
  }
  if (name == "tick") return proxy_set_tick_period_milliseconds(number(words, 1)).toString();
  if (name == "time") {
    const status = proxy_get_current_time_nanoseconds(FIRST);
    return status.toString() + " " + load<u64>(FIRST).toString();
  }
  if (name == "random") {
    const status = random_get(FIRST, 8);
    return status.toString() + " " + load<u64>(FIRST).toString(16);
  }
  if (name == "environ") {
    const status = environ_sizes_get(FIRST, SECOND);
    if (status != 0) return status.toString();
    const count = load<u32>(FIRST);
    const size = load<u32>(SECOND);
    const pointers = heap.alloc(<usize>count * sizeof<usize>());
    const block = heap.alloc(size);
    store<u32>(FIRST, <u32>block);
    const got = environ_get(pointers, block);
    return count.toString() + " " + withOut(got, true);
  }
  if (name == "metric") {
    const key = bytes(words, 2);
    return withNumber(proxy_define_metric(number(words, 1), at(key), key.byteLength, FIRST), FIRST);
  }
  if (name == "increment") return proxy_increment_metric(number(words, 1), <i64>number(words, 2)).toString();
  if (name == "record") return proxy_record_metric(number(words, 1), <u64>number(words, 2)).toString();
  if (name == "value") {
    const status = proxy_get_metric(number(words, 1), FIRST);
    return status.toString() + " " + load<u64>(FIRST).toString();
  }
  if (name == "shared") {
    const key = bytes(words, 1);
    const status = proxy_get_shared_data(at(key), key.byteLength, FIRST, SECOND, THIRD);
    return withOut(status, false) + (status == 0 ? " cas " + load<u32>(THIRD).toString() : "");
  }
  if (name == "share") {
    const key = bytes(words, 1);
    const value = bytes(words, 2);
    const cas = words.length > 3 ? number(words, 3) : 0;
    return proxy_set_shared_data(at(key), key.byteLength, at(value), value.byteLength, cas).toString();
  }
  if (name == "register") {
    const key = bytes(words, 1);
    return withNumber(proxy_register_shared_queue(at(key), key.byteLength, FIRST), FIRST);
  }
  if (name == "resolve") {
    const owner = bytes(words, 1);
    const key = bytes(words, 2);
    const status = proxy_resolve_shared_queue(at(owner), owner.byteLength, at(key), key.byteLength, FIRST);
    return withNumber(status, FIRST);
  }
  if (name == "enqueue") {
    const data = bytes(words, 2);
    return proxy_enqueue_shared_queue(number(words, 1), at(data), data.byteLength).toString();
  }
  if (name == "dequeue") return withOut(proxy_dequeue_shared_queue(number(words, 1), FIRST, SECOND), false);
  if (name == "http") {
    const cluster = bytes(words, 1);
    const body = bytes(words, 2);
    const pairs = pack(words, 3);
    const status = proxy_http_call(
      at(cluster),
      cluster.byteLength,
      at(pairs),
      pairs.byteLength,
      at(body),
      body.byteLength,
      0,
      0,
      1000,
      FIRST,
    );
    return withNumber(status, FIRST);
  }
  if (name == "status")
    return withOut(proxy_get_status(THIRD, FIRST, SECOND), false) + " " + load<u32>(THIRD).toString();
  if (name == "foreign") {
    const key = bytes(words, 1);
    return proxy_call_foreign_function(at(key), key.byteLength, 0, 0, FIRST, SECOND).toString();
  }
  if (name == "finish") return proxy_done().toString();
  if (name == "log") {
    const text = bytes(words, 2);
    return proxy_log(number(words, 1), at(text), text.byteLength).toString();
  }
  // Mistakes that no other operation can make.
  if (name == "wild_log") return proxy_log(2, (<usize>memory.size()) << 16, 1).toString();
  if (name == "wild_environ") {
    const end = (<usize>memory.size()) << 16;
    return environ_sizes_get(end, FIRST).toString() + " " + environ_get(end, FIRST).toString();
  }
  if (name == "wild_out") return proxy_get_header_map_size(0, ((<usize>memory.size()) << 16) - 2).toString();
  if (name == "wild_local") return proxy_send_local_response(403, 0, 0, 0xfffffff0, 64, 0, 0, 0xffffffff).toString();
  if (name == "torn_pairs") {
    const pairs = pack(words, 2);
    return proxy_set_header_map_pairs(number(words, 1), at(pairs), pairs.byteLength - 1).toString();
  }
  if (name == "trap") unreachable();
  if (name == "overflow") return overflow(1).toString();
  return "unknown operation";
}

function overflow(depth: u32): u32 {
  return overflow(depth + 1) + depth;
}

function clearOut(): void {
  store<u32>(FIRST, GUARD);
  store<u32>(SECOND, GUARD);
}

/** What the out-parameters point at, "untouched" where the host wrote none. */
function out(): string {
  if (load<u32>(FIRST) == GUARD) return "untouched";
  return String.UTF8.decodeUnsafe(load<u32>(FIRST), load<u32>(SECOND));
}

/** The status and, where it is 0, the value: as text, or `binary` as size and bytes (letters as they are, others in hex). */
function withOut(status: u32, binary: bool): string {
  if (status != 0) return status.toString();
  if (!binary || load<u32>(FIRST) == GUARD) return "0 " + out();
  const start: usize = load<u32>(FIRST);
  const size = load<u32>(SECOND);
  let text = "0 [" + size.toString() + "] ";
  for (let i: usize = 0; i < size; i++) {
    const byte = load<u8>(start + i);
    if (byte > 0x20 && byte < 0x7f && byte != 0x5c) text += String.fromCharCode(byte);
    else text += "\\" + (byte < 16 ? "0" : "") + byte.toString(16);
  }
  return text;
}

function withNumber(status: u32, address: usize): string {
  return status != 0 ? status.toString() : "0 " + load<u32>(address).toString();
}

function number(words: string[], i: i32): i32 {
  return <i32>parseInt(words[i]);
}

function bytes(words: string[], i: i32): ArrayBuffer {
  return String.UTF8.encode(i < words.length ? words[i].replaceAll("_", " ") : "");
}

function pathBytes(path: string): ArrayBuffer {
  return String.UTF8.encode(path.replaceAll(".", "\0").replaceAll("~", "."));
}

function at(buffer: ArrayBuffer): usize {
  return changetype<usize>(buffer);
}

/** Words from `i` on, name and value in turn, as pairs. */
function pack(words: string[], from: i32): ArrayBuffer {
  const count = from >= words.length ? 0 : (words.length - from) / 2;
  let size = 4;
  for (let i = from; i < from + 2 * count; i++) size += 5 + bytes(words, i).byteLength;
  const block = new ArrayBuffer(size);
  const start = at(block);
  store<u32>(start, count);
  let sizes = start + 4;
  let text = sizes + 8 * count;
  for (let i = from; i < from + 2 * count; i++) {
    const word = bytes(words, i);
    store<u32>(sizes, word.byteLength);
    memory.copy(text, at(word), word.byteLength);
    sizes += 4;
    text += word.byteLength + 1;
  }
  return block;
}

function say(text: string): void {
  const line = String.UTF8.encode(text);
  proxy_log(2, at(line), line.byteLength);
}
