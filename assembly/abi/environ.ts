// The VM's environment: secrets come this way (`vm_config.environment_variables`, a WasmPlugin's `vmConfig.env`), never by the plugin's
// configuration. Read once, when the VM starts, into static memory; what is larger than that is taken for none.
//
//   BLOCK  NAME=VALUE NUL NAME=VALUE NUL …        https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md

import { byteAt, findByte } from "../core/bytes";
import { Char } from "../core/char";
import { textIs } from "../core/text";
import { environ_get, environ_sizes_get } from "./imports";

/** Variables, and bytes of all of them with their names. */
const VARIABLES: u32 = 64;
const CAPACITY: u32 = 8192;
const POINTERS: usize = memory.data(64 * 4, 8);
const BLOCK: usize = memory.data(8192, 8);
const SIZES: usize = memory.data(8, 8);

let blockEnd: usize = BLOCK;

/** The value that `environment` found last. */
export let variable: usize = 0;
export let variableEnd: usize = 0;

/** Reads the environment. False: it is larger than its buffer, and counts as empty. */
export function readEnvironment(): bool {
  blockEnd = BLOCK;
  if (environ_sizes_get(SIZES, SIZES + 4) != 0) return true;
  const size = load<u32>(SIZES, 4);
  if (load<u32>(SIZES) > VARIABLES || size > CAPACITY) return false;
  if (environ_get(POINTERS, BLOCK) == 0) blockEnd = BLOCK + size;
  return true;
}

/** Finds a variable by its name; its value is `variable..variableEnd`. False where it is not set, or set to nothing. */
export function environment(name: string): bool {
  for (let at = BLOCK; at < blockEnd;) {
    const end = findByte(at, blockEnd, 0);
    const equals = findByte(at, end, Char.Equals);
    if (equals + 1 < end && textIs(at, equals, name)) {
      variable = equals + 1;
      variableEnd = end;
      return true;
    }
    at = end + 1;
  }
  return false;
}
