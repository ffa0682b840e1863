/**
 * Who was handed which id, and who uses it: a subject that uses what was handed to somebody else alone, or walks through ids that it was
 * never handed. It is memory of a window and nothing is stored but what is found; all is bounded, the oldest goes first.
 *
 * A collection (of a service, such as its orders) is private as long as, within the window, no id of it was handed to two subjects, and
 * none to, or used by, anybody anonymous. A catalogue, what teams share and what anybody may ask for never is. One subject may be handed
 * what belongs to others, as long as these share nothing among themselves: it works there. What an exchange hands out of the very
 * object that it asked for says nothing.
 *
 * With doubt nothing is said: a subject of which it is not known what it was handed is not judged.
 *   unseen, lost   a response was not read to its end, or a record of it was dropped
 *   two keys       the service's sidecars hash by different ones at the same time
 *   tokens         a session or a token may be the next one of the same user, unless both were in use at the same time
 */
import type { NewEvent } from "./event.ts";
import type { Exchange, SubjectKind, UsedId } from "./exchange.ts";
import { flawEvent } from "./judge.ts";
import { COLLECTIONS, EXCHANGE_IDS, OWNERS, PENDING_USES, SERVICES, SUBJECTS } from "./limits.ts";

/** What is older is forgotten. */
const WINDOW = 3_600_000;
/** Records of the same time come so late: what they tell of is judged behind that. */
const SETTLE = 5_000;
/** A use waits so long for the proof that two tokens are two users. */
const WAIT = 600_000;
/** Two that are used at the same time for so long are not one after the other. */
const OVERLAP = 2_000;
/** Two keys in use together for so long are no restart. */
const RESTART = 10_000;
const KEYS = 8;
/** What is taken for a walk: so many ids within so long, of which so many are next to the one before. */
const WALK_IDS = 10;
const WALK_TIME = 60_000;
const WALK_NEAR = 0.6;
/** Subjects by name that an id was handed to; with more it is anybody's. */
const HOLDERS = 4;
/** Where people work on what is others': what is handed out there is nobody's own. */
const OFFICE =
  /\/(?:admin|administration|backoffice|back-office|internal|staff|support|manage|management|ops)(?:\/|$)/i;
/** Pairs of subjects with an id in common that are kept of a collection. */
const PAIRS = 64;
/** Names that an id was handed out under, and ids of one walk, that are kept. */
const NAMES = 8;
const WALK_MOST = 64;

/** These name a user; others change while the user is the same. */
const LASTING: ReadonlySet<SubjectKind> = new Set(["jwt", "basic", "key"]);

interface Subject {
  first: number;
  last: number;
  kind: SubjectKind;
  /** Until then it is not known what it was handed. */
  blindUntil: number;
}

interface Collection {
  seen: number;
  /** When it was last seen that it is not private. */
  open: number;
  /** Pairs of subjects that were handed the same id, and when. */
  shared: Map<string, { pair: readonly [string, string]; time: number }>;
  /** Who was handed ids of it by its own endpoint. */
  owners: Set<string>;
  /** Ids that a subject took, with whom they were handed to. */
  taken: Map<string, Map<string, string>>;
  /** Ids that a subject used without having been handed them, the latest ones. */
  walks: Map<string, { hash: string; time: number; near: boolean }[]>;
}

/** A subject that an id was handed to. */
interface Holder {
  subject: string;
  since: number;
  /** Under which names. */
  names: string[];
  /** By which collections' own endpoints. */
  own: Collection[];
}

interface Id {
  seen: number;
  holders: Holder[];
}

interface Service {
  seen: number;
  /** By key: since when, and until when, it is in use. */
  keys: Map<string, { first: number; last: number }>;
  blindUntil: number;
}

interface Use {
  received: number;
  exchange: Exchange;
  used: UsedId;
  /** It was added to the walk. */
  walked: boolean;
}

/** What became of exchanges. */
export const EXCHANGE_RESULTS = ["kept", "unseen", "keys", "full"] as const;
export type ExchangeResult = (typeof EXCHANGE_RESULTS)[number];

export interface Ownership {
  add(exchanges: readonly Exchange[], received: number): void;
  /** Events of what was found and is not settled. */
  judge(now: number): NewEvent[];
  /** These are stored. */
  settle(events: readonly NewEvent[]): void;
  /** What became of exchanges since the last time. */
  counts(): Record<ExchangeResult, number>;
}

/** A map whose first entry is the one that was set longest ago. */
function touch<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) map.delete(key);
  const value = known ?? make();
  map.set(key, value);
  return value;
}

const join = (...parts: string[]): string => parts.join("\u0001");
const serviceOf = ({ namespace, service }: Exchange): string => join(namespace, service);

export function createOwnership(mostIds = EXCHANGE_IDS): Ownership {
  const subjects = new Map<string, Subject>();
  const collections = new Map<string, Collection>();
  const ids = new Map<string, Id>();
  const services = new Map<string, Service>();
  /** Names by which ids are used; what else they are handed out under ("history", "results") says nothing of what they are. */
  const usedNames = new Map<string, number>();
  const pending = new Set<Use>();
  const found = new Map<string, NewEvent>();
  const told = new Map<string, number>();
  let counts = { kept: 0, unseen: 0, keys: 0, full: 0 };

  const collectionOf = (exchange: Exchange, name: string): Collection => {
    const made = (): Collection => ({
      seen: 0,
      open: 0,
      shared: new Map(),
      owners: new Set(),
      taken: new Map(),
      walks: new Map(),
    });
    const collection = touch(collections, join(serviceOf(exchange), exchange.key, name), made);
    collection.seen = exchange.time;
    return collection;
  };

  const share = (collection: Collection, one: string, other: string, time: number): void => {
    const pair = one < other ? ([one, other] as const) : ([other, one] as const);
    const shared = touch(collection.shared, join(...pair), () => ({ pair, time }));
    shared.time = Math.max(shared.time, time);
    // So many share it that it is anybody's.
    if (collection.shared.size > PAIRS) collection.open = Math.max(collection.open, time);
    trim(collection.shared, PAIRS);
  };

  /** Who works there: "" where nobody was handed what is another's, null where several share. */
  const workerOf = (collection: Collection, now: number): string | null => {
    const pairs = [...collection.shared.values()].filter(({ time }) => time > now - WINDOW).map(({ pair }) => pair);
    const [first] = pairs;
    if (first === undefined) return "";
    // Of two that share one thing nobody knows whose it is.
    if (pairs.length < 2) return null;
    return first.find((subject) => pairs.every((pair) => pair.includes(subject))) ?? null;
  };

  const hand = (exchange: Exchange): void => {
    const { key, time } = exchange;
    if (OFFICE.test(exchange.route)) return;
    const subject = exchange.subject === "" ? "" : join(key, exchange.subject);
    const asked = new Set(exchange.used.map(({ hash }) => hash));
    for (const { collection: name, hash, own } of exchange.handed) {
      if (asked.has(hash)) continue;
      const collection = collectionOf(exchange, name);
      const id = touch(ids, join(key, hash), () => ({ seen: 0, holders: [] }));
      id.seen = time;
      for (const other of id.holders) {
        if (other.subject === subject || !other.names.includes(name)) continue;
        if (subject !== "" && other.subject !== "") share(collection, subject, other.subject, time);
      }
      if (subject === "" || id.holders.some((other) => other.subject === "" && other.names.includes(name))) {
        collection.open = Math.max(collection.open, time);
      }
      let holder = id.holders.find((one) => one.subject === subject);
      if (holder === undefined) {
        holder = { subject, since: time, names: [], own: [] };
        if (id.holders.length < HOLDERS) id.holders.push(holder);
      }
      holder.since = Math.min(holder.since, time);
      if (!holder.names.includes(name) && holder.names.length < NAMES) holder.names.push(name);
      if (!own || subject === "") continue;
      if (!holder.own.includes(collection) && holder.own.length < NAMES) holder.own.push(collection);
      if (collection.owners.size < OWNERS) collection.owners.add(subject);
    }
  };

  const use = (exchange: Exchange, received: number): void => {
    for (const used of exchange.used) {
      usedNames.delete(join(exchange.key, used.collection));
      usedNames.set(join(exchange.key, used.collection), exchange.time);
      const collection = collectionOf(exchange, used.collection);
      if (exchange.subject === "") collection.open = Math.max(collection.open, exchange.time);
      else pending.add({ received, exchange, used, walked: false });
    }
  };

  /** Whether it was seen for long enough that two subjects, neither of them lasting, are not one after the other. */
  const areTwo = (one: string, other: string): boolean => {
    const [a, b] = [subjects.get(one), subjects.get(other)];
    if (a === undefined || b === undefined || a.kind !== b.kind) return false;
    return LASTING.has(a.kind) || Math.min(a.last, b.last) - Math.max(a.first, b.first) >= OVERLAP;
  };

  /** The holders of an id that matter for a use of it: a small number may be another thing's, too. */
  const holdersOf = ({ exchange: { key }, used: { hash, form, collection } }: Use): Holder[] => {
    const holders = ids.get(join(key, hash))?.holders ?? [];
    if (form !== "small") return holders;
    return holders.filter(({ names }) => names.some((name) => name === collection || !usedNames.has(join(key, name))));
  };

  const hasTwoKeys = (exchange: Exchange): boolean => {
    const keys = services.get(serviceOf(exchange))?.keys;
    const own = keys?.get(exchange.key);
    if (keys === undefined || own === undefined) return true;
    return [...keys.values()].some((other) => {
      const [earlier, later] = other.first <= own.first ? [other, own] : [own, other];
      return other !== own && earlier.last - later.first > RESTART;
    });
  };

  /** Looks at a use; false where it is to be looked at again. */
  const judgeUse = (one: Use, now: number): boolean => {
    const { exchange, used } = one;
    const subject = join(exchange.key, exchange.subject);
    const collection = collections.get(join(serviceOf(exchange), exchange.key, used.collection));
    if (collection === undefined || collection.open > now - WINDOW) return true;
    const worker = workerOf(collection, now);
    if (worker === null || worker === subject) return true;
    if (hasTwoKeys(exchange)) {
      counts.keys++;
      return true;
    }
    const blind = [subjects.get(subject)?.blindUntil ?? Infinity, services.get(serviceOf(exchange))?.blindUntil ?? 0];
    if (Math.max(...blind) > now) {
      counts.unseen++;
      return true;
    }
    const holders = holdersOf(one).filter((holder) => holder.subject !== worker);
    if (holders.length >= HOLDERS || holders.some((holder) => holder.subject === subject)) return true;
    const isSettled = holders.every((holder) => areTwo(holder.subject, subject));
    const others = [...collection.owners].filter((owner) => owner !== subject && owner !== worker).length;
    const isOwner = collection.owners.has(subject);
    if (isSettled && !one.walked) {
      one.walked = true;
      // Who has none of it and no browser may be a service that was told the ids in another way.
      if (walk(collection, subject, one) && (isOwner ? others >= 1 : exchange.kind === "cookie" && others >= 2)) {
        tell("auth-enumeration", 65, one, now, walkWords(collection, subject, one));
      }
    }
    const [holder] = holders;
    if (holder === undefined || !isOwner || others === 0) return true;
    if (holders.length > 1 || !holder.own.includes(collection) || holder.since > exchange.time) return true;
    // It may be known later whether they are two.
    if (!isSettled) return one.received < now - WAIT || subjects.get(holder.subject)?.kind !== exchange.kind;
    const taken = touch(collection.taken, subject, () => new Map<string, string>());
    if (taken.size < WALK_MOST) taken.set(used.hash, holder.subject);
    trim(collection.taken, OWNERS);
    const victims = new Set(taken.values()).size;
    // What nobody guesses was told, by a link that somebody shares: once may be meant.
    if (used.form === "long" && victims < 2) return true;
    const words =
      `${counted(taken.size, "id")} of "${used.collection}" that ${taken.size === 1 ? "was" : "were"} handed to ` +
      `${counted(victims, "other user")} and never to the one who used ${taken.size === 1 ? "it" : "them"} (known by ` +
      `${exchange.kind}); ${collection.owners.size} have ids of their own there, none of which was handed to two`;
    tell("auth-bola", used.form === "long" ? 55 : 65, one, now, words);
    return true;
  };

  /** Adds a use to its subject's walk; whether that is one. */
  const walk = (
    collection: Collection,
    subject: string,
    { exchange: { time }, used: { hash, near } }: Use,
  ): boolean => {
    const steps = touch(collection.walks, subject, () => []);
    trim(collection.walks, OWNERS);
    if (steps.some((step) => step.hash === hash)) return false;
    steps.push({ hash, time, near });
    if (steps.length > WALK_MOST) steps.shift();
    const recent = steps.filter((step) => Math.abs(step.time - time) <= WALK_TIME);
    return recent.length >= WALK_IDS && recent.filter((step) => step.near).length >= WALK_NEAR * recent.length;
  };

  const walkWords = (collection: Collection, subject: string, { exchange, used }: Use): string => {
    const recent = collection.walks.get(subject)!.filter((step) => Math.abs(step.time - exchange.time) <= WALK_TIME);
    const near = recent.filter((step) => step.near).length;
    return (
      `${recent.length} ids of "${used.collection}" within a minute that were never handed to the one who used them (known by ` +
      `${exchange.kind}), ${near} of them next to the one before; ${collection.owners.size} have ids of their own there`
    );
  };

  const tell = (rule: string, confidence: number, { exchange, used }: Use, now: number, evidence: string): void => {
    const { method, route, request_id, trace_id } = exchange;
    const place = { method, route, part: used.part, parameter: used.name, host: "" };
    const event = flawEvent({ rule, stage: "likely", confidence, evidence, ...place }, exchange, now);
    if (!told.has(event.key) && !found.has(event.key)) found.set(event.key, { ...event, request_id, trace_id });
  };

  const forget = (now: number): void => {
    for (const [name, id] of ids) {
      const isOld = id.seen < now - WINDOW;
      if (!isOld && ids.size <= mostIds) break;
      ids.delete(name);
      if (isOld) continue;
      for (const { subject } of id.holders) {
        const holder = subjects.get(subject);
        if (holder !== undefined) holder.blindUntil = now + WINDOW;
      }
    }
    for (const [name, { seen }] of services) {
      if (seen >= now - WINDOW && services.size <= SERVICES) break;
      services.delete(name);
    }
    for (const [name, { last }] of subjects) {
      if (last >= now - WINDOW && subjects.size <= SUBJECTS) break;
      subjects.delete(name);
    }
    for (const [name, { seen }] of collections) {
      if (seen >= now - WINDOW && collections.size <= COLLECTIONS) break;
      collections.delete(name);
    }
    for (const [name, time] of usedNames) {
      if (time >= now - WINDOW && usedNames.size <= COLLECTIONS) break;
      usedNames.delete(name);
    }
    for (const one of pending) {
      if (pending.size <= PENDING_USES) break;
      pending.delete(one);
      counts.full++;
    }
    trim(told, COLLECTIONS);
  };

  return {
    add(exchanges, received) {
      for (const exchange of exchanges) {
        counts.kept++;
        const { time, key, kind } = exchange;
        const service = touch(services, serviceOf(exchange), () => ({ seen: 0, keys: new Map(), blindUntil: 0 }));
        service.seen = received;
        const inUse = service.keys.get(key);
        const span = { first: Math.min(inUse?.first ?? time, time), last: Math.max(inUse?.last ?? time, time) };
        service.keys.set(key, span);
        for (const [other, { last }] of service.keys) if (last < received - WINDOW) service.keys.delete(other);
        trim(service.keys, KEYS);
        if (exchange.lost > 0) service.blindUntil = received + WINDOW;
        if (exchange.subject !== "") {
          const made = (): Subject => ({ first: time, last: time, kind, blindUntil: 0 });
          const subject = touch(subjects, join(key, exchange.subject), made);
          subject.first = Math.min(subject.first, time);
          subject.last = Math.max(subject.last, time);
          if (exchange.unseen) subject.blindUntil = received + WINDOW;
        }
        hand(exchange);
        use(exchange, received);
      }
      forget(received);
    },
    judge(now) {
      forget(now);
      for (const one of pending) {
        if (one.received > now - SETTLE) break;
        if (judgeUse(one, now)) pending.delete(one);
      }
      return [...found.values()];
    },
    settle(events) {
      for (const { key, time } of events) {
        found.delete(key);
        told.set(key, time);
      }
    },
    counts() {
      const since = counts;
      counts = { kept: 0, unseen: 0, keys: 0, full: 0 };
      return since;
    },
  };
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

/** Takes the oldest away. */
function trim(map: Map<string, unknown>, most: number): void {
  for (const name of map.keys()) {
    if (map.size <= most) break;
    map.delete(name);
  }
}
