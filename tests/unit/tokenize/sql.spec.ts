import { putByte } from "../../../assembly/core/bytes";
import { Char } from "../../../assembly/core/char";
import { Sql } from "../../../assembly/generated/sqli";
import { sqlNext, sqlStart, sqlToken } from "../../../assembly/tokenize/sql";

/** Bytes of the value, 64, and the 32 that may be read behind it. */
const VALUE: usize = memory.data(96, 16);

function write(text: string, behind: u32): usize {
  let out = VALUE;
  for (let i = 0; i < text.length; i++) out = putByte(out, text.charCodeAt(i));
  memory.fill(out, <u8>behind, 32);
  return out;
}

describe("the SQL tokenizer", () => {
  it("moves on with every token, stays inside the value, and does not see what stands behind it", () => {
    const texts: string[] = [
      "'",
      '"',
      "`",
      "''",
      "'\\",
      "/*",
      "/*!",
      "--",
      "#",
      "$",
      "$$",
      "$a",
      "$a$",
      "[",
      "q'",
      "n'",
      "@",
      "@`",
      "{",
      "{d",
      "0x",
      "1e",
      "1.",
      ".",
      "\\",
      ":",
      "<",
      "!",
      "x'a' or 1=1--",
    ];
    for (let i = 0; i < texts.length; i++) {
      const end = write(texts[i], Char.Quote);
      let at = VALUE;
      let kinds: u64 = 0;
      for (let steps = 0; at < end && steps < 64; steps++) {
        kinds = kinds * 131 + sqlToken(at, end, 0);
        expect(sqlStart >= at && sqlNext > at && sqlNext <= end).toBe(true, texts[i]);
        at = sqlNext;
      }
      write(texts[i], Char.a);
      at = VALUE;
      let again: u64 = 0;
      while (at < end) {
        again = again * 131 + sqlToken(at, end, 0);
        at = sqlNext;
      }
      expect(again).toBe(kinds, texts[i]);
    }
  });

  it("says End at the end, and again when it is asked again", () => {
    const end = write("a  ", Char.a);
    expect(sqlToken(VALUE, end, 0)).toBe(Sql.Name);
    expect(sqlToken(sqlNext, end, 0)).toBe(Sql.End);
    expect(sqlNext).toBe(end);
    expect(sqlToken(sqlNext, end, 0)).toBe(Sql.End);
  });
});
