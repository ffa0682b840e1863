/** Template expressions. */
import { testClass } from "./class-vectors.ts";

await testClass("ssti", [
  "{{",
  "${",
  "#{",
  "<%",
  "{%",
  "{",
  "[[",
  "@(",
  "{{'",
  "{{/*",
  "${`",
  "{{a.b(",
  "#set(",
  "<?php ",
  "{{((",
  "{a",
]);
