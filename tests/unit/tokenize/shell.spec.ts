import { Shell } from "../../../assembly/generated/cmdi";
import { nextShell, openShell, Quoting, shellEnd } from "../../../assembly/tokenize/shell";

const INPUT: usize = memory.data(16448);

/** Writes `times` copies of a text to INPUT and returns the end. */
function fill(text: string, times: i32): usize {
  let end = INPUT;
  for (let i = 0; i < times; i++) end += String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, end);
  return end;
}

describe("a command line", () => {
  it("ends once, inside its bytes, however deep it nests and however long its words are", () => {
    const pieces: string[] = [
      "$(",
      "`",
      "{a,",
      "sh -c '",
      "<(",
      "a",
      "''",
      "\\",
      "$'",
      "${",
      "$IFS",
      "%a:~",
      'eval "',
      "((",
      "&x",
      ";id",
    ];
    for (let i = 0; i < pieces.length; i++) {
      for (let quoting = 0; quoting < 3; quoting++) {
        const end = fill(pieces[i], 900);
        openShell(INPUT, end, <Quoting>quoting);
        let finishes = 0;
        let tokens = 0;
        let token = nextShell();
        while (token != Shell.End && tokens < 20000) {
          if (token == Shell.Finish) finishes++;
          expect(shellEnd <= end).toBe(true, pieces[i]);
          tokens++;
          token = nextShell();
        }
        expect(finishes <= 1 && tokens < 20000).toBe(true, pieces[i]);
        expect(<u32>nextShell()).toBe(Shell.End, pieces[i]);
      }
    }
  });
});
