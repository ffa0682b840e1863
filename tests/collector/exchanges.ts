/**
 * Exchanges as lines, one a second:
 *
 *   ada GET /orders hands order 1001 1002          by the collection's own endpoint
 *   ada GET /home refers order 1001                by another one
 *   eve GET /orders/{number} uses order 1001       asked for
 *   eve GET /orders/{number} walks order 1 20      asked for one after the other, five a second
 *
 *   eve GET /receipts/{number} reads receipt 1 20          the same, and each answer tells of somebody
 *
 * "-" is nobody. Behind the name may stand by what it is known, "ada/cookie", else a JWT; the id that its token names it by: "ada#41";
 * and that it works there: "ada!". Of an id that does not stand in the path the collection says where: "json:address".
 */
import { createHash } from "node:crypto";
import type { Exchange, IdForm, SubjectKind } from "../../collector/exchange.ts";

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);
const formOf = (id: string): IdForm =>
  /^\d+$/.test(id) ? (id.length <= 4 ? "small" : "number") : id.length <= 12 ? "short" : "long";

/** The exchanges of a text, the first of them at `start` in milliseconds; `changes` is what all of them have in another way. */
export function exchangesOf(text: string, start: number, changes: Partial<Exchange> = {}): Exchange[] {
  const lines = text.trim().split("\n");
  return lines.flatMap((line, place) => {
    const words = line.trim().split(" ") as [string, string, string, string, string, ...string[]];
    const [who, method, route, what, of, ...ids] = words;
    const [, subject, kind = "jwt", self, staff] = /^([^/#!]+)(?:\/(\w+))?(?:#(\w+))?(!)?$/.exec(who) as unknown as [
      ...[string, string, SubjectKind?, string?, string?],
    ];
    const [collection, part = "path"] = of.split(":").reverse() as [string, Exchange["used"][number]["part"]?];
    const isNobody = subject === "-";
    const base: Exchange = {
      time: start + place * 1000,
      ...{ service: "orders", namespace: "shop", instance: "", version: "0.1.0", policy: "" },
      ...{ method, route, request_id: `${place}`, trace_id: "", key: "00000001" },
      ...{ subject: isNobody ? "" : hashOf(subject), kind: isNobody ? "anonymous" : kind },
      ...{ self: self === undefined ? "" : hashOf(self), staff: staff !== undefined, personal: what === "reads" },
      ...{ used: [], handed: [], unseen: false, lost: 0 },
      ...changes,
    };
    const using = (id: string, near: boolean): Exchange["used"] => [
      { part, collection, hash: hashOf(id), form: formOf(id), near, name: `${collection}s` },
    ];
    if (what === "uses") return [{ ...base, used: ids.flatMap((id) => using(id, false)) }];
    if (what === "walks" || what === "reads") {
      const [from, to] = ids.map(Number) as [number, number];
      return Array.from({ length: to - from + 1 }, (_, step) => ({
        ...base,
        time: base.time + step * 200,
        used: using(String(from + step), step > 0),
      }));
    }
    if (what !== "hands" && what !== "refers") throw new Error(line);
    return [{ ...base, handed: ids.map((id) => ({ collection, hash: hashOf(id), own: what === "hands" })) }];
  });
}

/** Whether an example is one of exchanges. */
export const isOfExchanges = (example: string): boolean => / (?:hands|uses|walks|reads) /.test(example);
