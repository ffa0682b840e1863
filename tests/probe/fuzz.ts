// Everything that reads bytes from outside: assembly/fuzz.ts, for tests.

export { failed, input, run } from "../../assembly/fuzz";
