/** Code of servers. */
import { testClass } from "./class-vectors.ts";

await testClass("codei", [
  "eval(",
  "system('",
  '"',
  "'",
  "a(",
  ")(",
  "`",
  "/*",
  "$_GET[",
  "eval(eval ",
  "exec(a) ",
  "((",
]);
