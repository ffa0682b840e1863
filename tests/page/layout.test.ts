/** Where the nodes of a map stand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { placeNodes, type Joined } from "../../collector/page/layout.ts";

const edgesOf = (text: string): Joined[] =>
  text.split(" ").map((pair) => {
    const [from = "", to = ""] = pair.split(">");
    return { from, to };
  });
const columnsOf = (ids: string, edges: string): Record<string, number> =>
  Object.fromEntries([...placeNodes([...ids], edgesOf(edges))].map(([id, { column }]) => [id, column]));

test("callers stand to the left of what they call, as far as circles let them", () => {
  assert.deepEqual(columnsOf("abc", "a>b b>c a>c"), { a: 0, b: 1, c: 2 });
  assert.deepEqual(columnsOf("cba", "a>b b>c"), { a: 0, b: 1, c: 2 });
  assert.deepEqual(columnsOf("abc", "a>b b>c c>b"), { a: 0, b: 1, c: 2 });
  assert.deepEqual(columnsOf("ab", "a>a a>b"), { a: 0, b: 1 });
  assert.deepEqual(columnsOf("ab", "a>x x>b"), { a: 0, b: 0 });
});

test("neighbours stand beside each other", () => {
  const places = placeNodes([..."abxy"], edgesOf("a>y b>x"));
  assert.equal(places.get("a")!.row, places.get("y")!.row);
  assert.equal(places.get("b")!.row, places.get("x")!.row);
});

test("every node has a place of its own, and a long chain is no matter", () => {
  const id = fc.constantFrom(..."abcdefghij");
  fc.assert(
    fc.property(fc.uniqueArray(id), fc.array(fc.record({ from: id, to: id })), (ids, edges) => {
      const places = placeNodes(ids, edges);
      const taken = new Set([...places.values()].map(({ column, row }) => `${column} ${row}`));
      assert.equal(taken.size, ids.length);
      assert.deepEqual([...places.keys()].sort(), [...ids].sort());
    }),
  );
  const chain = Array.from({ length: 20_000 }, (_, at) => String(at));
  const edges = chain.slice(1).map((to, at) => ({ from: String(at), to }));
  assert.equal(placeNodes(chain, edges).get("19999")!.column, 19_999);
});
