// Everything that reads bytes from outside: assembly/fuzz.ts, for tests.

export { batch, batchCapacity, current, failed, run } from "../../assembly/fuzz";
