import { wasInspected } from "../../../assembly/observe/bodies";

const MINUTE: u64 = 60000000000;
const NOW: u64 = 29000000 * MINUTE;

describe("bodies that were inspected", () => {
  it("are known for ten minutes, and then inspected again", () => {
    expect(wasInspected(0x1234, NOW)).toBe(false, "a new one");
    expect(wasInspected(0x1234, NOW)).toBe(true, "the same");
    expect(wasInspected(0x1234, NOW + 9 * MINUTE)).toBe(true, "nine minutes later");
    expect(wasInspected(0x1234, NOW + 10 * MINUTE)).toBe(false, "ten minutes later");
    expect(wasInspected(0x1234, NOW + 19 * MINUTE)).toBe(true, "counted from then");
  });

  it("make room for newer ones, and are never taken for another", () => {
    expect(wasInspected(0x500000001, NOW)).toBe(false, "one");
    expect(wasInspected(0x600000001, NOW)).toBe(false, "another in its place");
    expect(wasInspected(0x500000001, NOW)).toBe(false, "the first again");
  });
});
