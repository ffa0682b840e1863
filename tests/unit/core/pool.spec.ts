import { blocksInUse, claimBlock, POOL_HEAD, releaseBlock } from "../../../assembly/core/pool";
import { addressOf, forgetAddress, rememberAddress } from "../../../assembly/core/idmap";

const SIZE: u32 = 32;
const COUNT: u32 = 4;
const POOL: usize = memory.data(POOL_HEAD + 32 * 4, 16);

describe("a pool", () => {
  it("hands out each block once, says 0 when it is empty, and takes blocks back", () => {
    let taken: StaticArray<usize> = new StaticArray<usize>(4);
    for (let i = 0; i < 4; i++) {
      taken[i] = claimBlock(POOL, SIZE, COUNT);
      expect(taken[i] != 0).toBe(true, "block " + i.toString());
      for (let j = 0; j < i; j++) expect(taken[i] != taken[j]).toBe(true, "blocks differ");
      memory.fill(taken[i], 0xff, SIZE);
    }
    expect(claimBlock(POOL, SIZE, COUNT)).toBe(0, "a fifth block");
    expect(blocksInUse(POOL)).toBe(4, "in use");
    releaseBlock(POOL, taken[2]);
    releaseBlock(POOL, taken[0]);
    expect(claimBlock(POOL, SIZE, COUNT)).toBe(taken[0], "the last given back comes first");
    expect(claimBlock(POOL, SIZE, COUNT)).toBe(taken[2], "then the one before");
    expect(claimBlock(POOL, SIZE, COUNT)).toBe(0, "and then none");
    for (let i = 0; i < 4; i++) releaseBlock(POOL, taken[i]);
    expect(blocksInUse(POOL)).toBe(0, "all back");
  });
});

describe("the map of contexts", () => {
  it("finds what was remembered and nothing that was forgotten, over many ids in any order", () => {
    let wrong: u32 = 0;
    let state: u32 = 12345;
    for (let round: u32 = 0; round < 200; round++) {
      const first = 1 + round * 1000;
      for (let id = first; id < first + 500; id++) rememberAddress(id, id * 16);
      for (let i = 0; i < 250; i++) {
        state = state * 1664525 + 1013904223;
        forgetAddress(first + (state % 500));
      }
      // What is left is whole: each id is there with its own address, or not at all.
      for (let id = first; id < first + 500; id++) {
        const found = addressOf(id);
        if (found != 0 && found != id * 16) wrong++;
        forgetAddress(id);
        if (addressOf(id) != 0) wrong++;
      }
    }
    expect(wrong).toBe(0, "addresses that are not their own");
  });
});
