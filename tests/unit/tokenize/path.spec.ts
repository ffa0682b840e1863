import { Path } from "../../../assembly/generated/traversal";
import {
  pathClimbs,
  pathToken,
  pathTokens,
  pathUps,
  Spelling,
  pathSpelling,
  tokenizePath,
} from "../../../assembly/tokenize/path";

const INPUT: usize = memory.data(16448);

/** Writes `times` copies of a text to INPUT and returns the end. */
function fill(text: string, times: i32): usize {
  let end = INPUT;
  for (let i = 0; i < times; i++) end += String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, end);
  return end;
}

describe("a path", () => {
  it("never gives more tokens than its buffer holds, and always ends with Finish", () => {
    const pieces: string[] = [
      "../",
      "a/",
      "a\\",
      "..;/",
      "%2e%2e/",
      "/",
      "C:",
      "php://",
      "....//",
      "\\",
      "x.ini/",
      "%",
      "0x2e",
    ];
    for (let i = 0; i < pieces.length; i++) {
      for (let times = 0; times < 1200; times += 67) {
        const end = fill(pieces[i], times);
        tokenizePath(INPUT, end);
        expect(pathTokens <= 72 && pathTokens >= 1).toBe(true, pieces[i]);
        expect(<u32>pathToken(pathTokens - 1)).toBe(Path.Finish, pieces[i]);
      }
    }
  });

  it("forgets the path before", () => {
    tokenizePath(INPUT, fill("..;/%2e%2e/", 3));
    expect(pathSpelling & Spelling.Odd).toBe(Spelling.Odd, "odd");
    expect(pathUps).toBe(6, "climbs");
    tokenizePath(INPUT, fill("a", 1));
    expect(pathSpelling).toBe(0, "spelling");
    expect(pathUps).toBe(0, "out");
    expect(pathClimbs).toBe(0, "climbs");
    expect(pathTokens).toBe(2, "a name and its end");
  });
});
