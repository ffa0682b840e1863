// Logs what abi/environ.ts makes of its environment: "ok" or "too large", then each variable that the test asks about, in brackets.

import { LogLevel } from "../../assembly/abi/enums";
import { environment, readEnvironment, variable, variableEnd } from "../../assembly/abi/environ";
import { log } from "../../assembly/abi/host";
import { putBytes } from "../../assembly/core/bytes";
import { putText } from "../../assembly/core/text";

const LINE: usize = memory.data(16384);

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(_size: usize): usize {
  return 0;
}

export function proxy_on_vm_start(_rootId: u32, _size: u32): u32 {
  say(putText(LINE, readEnvironment() ? "ok" : "too large"));
  ask("A");
  ask("AB");
  ask("EMPTY");
  ask("LONG");
  return 1;
}

function ask(name: string): void {
  let end = putText(putText(LINE, name), " [");
  end = environment(name) ? putBytes(end, variable, variableEnd) : putText(end, "none");
  say(putText(end, "]"));
}

function say(end: usize): void {
  log(LogLevel.Warn, LINE, end);
}
