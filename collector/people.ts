/**
 * Whose things are asked for where a request names a person: /users/42/orders, ?customer=42, {"userId": 42}. The id is not that of an
 * object which was handed to somebody, but of somebody; so it is known by
 *
 *   a token    names its user by it (sub)
 *   a list     /me hands out {"id": 42}, and no other such id
 *   use        at that place of that route one subject asks by it, and by no other
 *
 * A place is of customers as long as nobody anonymous asks there, and one subject at most asks for others: where several do it is a
 * directory. Who never asks for what is its own works there. All is memory of a window; nothing but hashes.
 */
import type { Exchange, UsedId } from "./exchange.ts";
import { COLLECTIONS, PEOPLE, SUBJECTS } from "./limits.ts";
import { join, serviceOf, touch } from "./touch.ts";

/** Collections whose objects are people, or what people are to a service. */
const NAMES = new Set(["user", "customer", "account", "member", "patient", "owner", "employee", "person"]);
/** Ids of people that a subject was handed by their own endpoint; with two of them none is its own. */
const HANDED = 2;
/** Subjects that ask by one id, and ids by which one subject asks, that are told apart. */
const ASKERS = 4;
const ASKED = 6;
/** Subjects of a place, from which use alone says whose an id is. */
const REGULARS = 3;

interface Place {
  seen: number;
  /** When it was last seen that anybody may ask. */
  open: number;
  /** Subjects that asked by one id, and those that asked by more; only few of them. */
  regulars: Set<string>;
  crossers: Set<string>;
}

/** What a subject has asked for that is another's. */
export interface Crossing {
  exchange: Exchange;
  used: UsedId;
  subject: string;
  owner: string;
  /** How it is known whose it is. */
  known: "name" | "use";
}

export interface People {
  add(exchange: Exchange): void;
  /** What was asked for at the place of a use, by its subject or of it, that is another's. */
  crossings(exchange: Exchange, used: UsedId, since: number): Crossing[];
  forget(before: number, now: number): void;
}

const subjectOf = ({ key, subject }: Exchange): string => (subject === "" ? "" : join(key, subject));
/** Where in requests to a route an id stands. */
export const placeOf = (exchange: Exchange, { part, name }: UsedId): string =>
  join(serviceOf(exchange), exchange.key, exchange.route, part, name);

export const isPerson = ({ collection }: { collection: string }): boolean => NAMES.has(collection);

export function createPeople(): People {
  const places = new Map<string, Place>();
  /** By subject: its own ids, as tokens say, and those that it was handed. */
  const selves = new Map<string, { seen: number; told: Set<string>; handed: Set<string> }>();
  /** By id: who may be it. */
  const names = new Map<string, { seen: number; subjects: Set<string> }>();
  /** By place and id: who asked. By place and subject: for what. */
  const askers = new Map<string, { seen: number; by: Map<string, { exchange: Exchange; used: UsedId }> }>();
  const asked = new Map<string, { seen: number; ids: Map<string, number> }>();
  /** Until then something is forgotten that would speak for somebody. */
  let blindUntil = 0;

  const name = (subject: string, hash: string, how: "told" | "handed", time: number): void => {
    const self = touch(selves, subject, () => ({ seen: time, told: new Set<string>(), handed: new Set<string>() }));
    self.seen = time;
    if (self[how].size <= HANDED) self[how].add(hash);
    const known = touch(names, hash, () => ({ seen: time, subjects: new Set<string>() }));
    known.seen = time;
    if (known.subjects.size <= ASKERS) known.subjects.add(subject);
  };

  const isSelf = (subject: string, hash: string): boolean => {
    const self = selves.get(subject);
    return self !== undefined && (self.told.has(hash) || (self.handed.size === 1 && self.handed.has(hash)));
  };

  const ask = (exchange: Exchange, used: UsedId): void => {
    const { time } = exchange;
    const key = placeOf(exchange, used);
    const made = (): Place => ({ seen: time, open: 0, regulars: new Set(), crossers: new Set() });
    const place = touch(places, key, made);
    place.seen = time;
    const subject = subjectOf(exchange);
    if (subject === "") {
      place.open = Math.max(place.open, time);
      return;
    }
    const hash = join(exchange.key, used.hash);
    const { ids } = Object.assign(
      touch(asked, join(key, subject), () => ({ seen: time, ids: new Map<string, number>() })),
      {
        seen: time,
      },
    );
    if (ids.size < ASKED || ids.has(hash)) ids.set(hash, (ids.get(hash) ?? 0) + 1);
    if (place.regulars.size <= REGULARS) place.regulars.add(subject);
    if (ids.size > 1 && place.crossers.size <= 1) place.crossers.add(subject);
    const { by } = Object.assign(
      touch(askers, join(key, hash), () => ({
        seen: time,
        by: new Map<string, { exchange: Exchange; used: UsedId }>(),
      })),
      { seen: time },
    );
    if (by.size < ASKERS || by.has(subject)) by.set(subject, { exchange: { ...exchange, used: [], handed: [] }, used });
  };

  const crossing = (key: string, place: Place, subject: string, hash: string): Crossing | null => {
    const by = askers.get(join(key, hash))?.by;
    const found = by?.get(subject);
    const ids = asked.get(join(key, subject))?.ids;
    if (by === undefined || by.size >= ASKERS || found === undefined || ids === undefined || ids.size >= ASKED)
      return null;
    if (found.exchange.staff || isSelf(subject, hash)) return null;
    const others = [...by.keys()].filter((other) => other !== subject);
    const isNamed = [...ids.keys()].some((id) => id !== hash && isSelf(subject, id));
    // Who never asks for its own is no customer: where no name says what is its own, that which it alone asks for again and again.
    if (!isNamed) {
      const [id, ...more] = [...ids.keys()].filter((one) => one !== hash);
      if (id === undefined || more.length > 0 || askers.get(join(key, id))?.by.size !== 1) return null;
      if (ids.get(id)! < 2 || ids.get(id)! <= ids.get(hash)!) return null;
    }
    const named = [...(names.get(hash)?.subjects ?? [])].filter((other) => other !== subject && isSelf(other, hash));
    if (named.length > 1) return null;
    const [owner] = named;
    // That ids of this place are those by which people are known.
    if (owner !== undefined && (isNamed || others.includes(owner))) return { ...found, subject, owner, known: "name" };
    const [user] = others;
    if (owner !== undefined || user === undefined || others.length > 1 || place.regulars.size < REGULARS) return null;
    return asked.get(join(key, user))?.ids.size === 1 ? { ...found, subject, owner: user, known: "use" } : null;
  };

  return {
    add(exchange) {
      const subject = subjectOf(exchange);
      const { key, time } = exchange;
      if (subject !== "") {
        if (exchange.self !== "") name(subject, join(key, exchange.self), "told", time);
        for (const { own, collection, hash } of exchange.handed) {
          if (own && NAMES.has(collection)) name(subject, join(key, hash), "handed", time);
        }
      }
      for (const used of exchange.used) if (NAMES.has(used.collection)) ask(exchange, used);
    },
    crossings(exchange, used, since) {
      const key = placeOf(exchange, used);
      const place = places.get(key);
      const subject = subjectOf(exchange);
      if (place === undefined || subject === "" || place.open > since || blindUntil > exchange.time) return [];
      const hash = join(exchange.key, used.hash);
      const own = [...(asked.get(join(key, subject))?.ids.keys() ?? [])].map((id) => crossing(key, place, subject, id));
      const of = [...(askers.get(join(key, hash))?.by.keys() ?? [])]
        .filter((other) => other !== subject)
        .map((other) => crossing(key, place, other, hash));
      return [...own, ...of]
        .filter((one) => one !== null)
        .filter(({ subject: one }) => {
          // Where others do so, too, it is what the place is for.
          return [...place.crossers].every((other) => other === one);
        });
    },
    forget(before, now) {
      for (const [map, most] of [
        [places, COLLECTIONS],
        [selves, SUBJECTS],
        [names, SUBJECTS],
        [askers, PEOPLE],
        [asked, PEOPLE],
      ] as const) {
        for (const [entry, { seen }] of map) {
          if (seen >= before && map.size <= most) break;
          map.delete(entry);
          if (seen >= before) blindUntil = now + (now - before);
        }
      }
    },
  };
}
