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
import {
  COLLECTION_ENTRIES,
  COLLECTIONS,
  EXCHANGE_IDS,
  FOUND,
  OWNERS,
  PENDING_USES,
  SERVICES,
  SUBJECTS,
  WALKS,
} from "./limits.ts";
import { counted } from "../scripts/counted.ts";
import { createPeople, isPerson, placeOf, type Crossing } from "./people.ts";
import { join, serviceOf, touch, trim } from "./touch.ts";

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
const WALK_IDS = 8;
const WALK_TIME = 60_000;
const WALK_NEAR = 0.6;
/** As many of the answers tell of somebody, where that makes it a flaw. */
const WALK_PERSONAL = 0.6;
/** What was made so shortly before is asked for by those who work on it, one after the other. */
const FRESH = 300_000;
/** Numbers that anybody counts through. */
const PAGES =
  /^(?:page|offset|year|month|week|day|date|calendar|archive|version|revision|chapter|season|episode|level|step|slide|tile)$/;
/** Subjects by name that an id was handed to; with more it is anybody's. */
const HOLDERS = 4;
/** Where people work on what is others': what is handed out there is nobody's own. */
const OFFICE =
  /\/(?:admin|administration|backoffice|back-office|internal|staff|support|manage|management|ops)(?:\/|$)/i;
/** What lies there is by its name of whoever asks: "/my/tickets/303". */
const OWN = /\/(?:my|me|mine|account|profile)\//i;
/** Pairs of subjects with an id in common that are kept of a collection. */
const PAIRS = 64;
/** Names that an id was handed out under, and ids of one walk, that are kept. */
const NAMES = 8;
const WALK_MOST = 64;
/** Names that an id has on average. */
const NAMES_PER_ID = 4;

/** These name a user; others change while the user is the same. */
const LASTING: ReadonlySet<SubjectKind> = new Set(["jwt", "basic", "key"]);

interface Subject {
  first: number;
  last: number;
  kind: SubjectKind;
  /** Until then it is not known what it was handed. */
  blindUntil: number;
  /** Collections of which it has ids of its own, the first of them. */
  owns: string[];
}

interface Collection {
  name: string;
  service: string;
  seen: number;
  /** When it was last seen that it is not private. */
  open: number;
  /** Pairs of subjects that were handed the same id, and when. */
  shared: Map<string, { pair: readonly [string, string]; time: number }>;
  /** Who was handed ids of it by its own endpoint. */
  owners: Set<string>;
  /** Who used ids of it; only few of them. */
  users: Set<string>;
  /** Ids that a subject took, with whom they were handed to. */
  taken: Map<string, Map<string, string>>;
}

/** An id that a subject used without having been handed it. */
interface Step {
  hash: string;
  time: number;
  near: boolean;
  personal: boolean;
}

/** A subject that an id was handed to. */
interface Holder {
  subject: string;
  since: number;
  /** Under which names. */
  names: string[];
  /** By which collections' own endpoints: their names, since a collection may be forgotten before. */
  own: string[];
  /** Nothing but requests that make something handed it out. */
  made: boolean;
}

interface Id {
  seen: number;
  /** When a request made what it names, 0 where none did. */
  made: number;
  holders: Holder[];
}

interface Service {
  seen: number;
  /** By key: since when, and until when, it is in use. */
  keys: Map<string, { first: number; last: number }>;
  blindUntil: number;
  /** The same of what was handed to anybody anonymous. */
  strangersUntil: number;
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

export function createOwnership(mostIds = EXCHANGE_IDS, mostEntries = COLLECTION_ENTRIES): Ownership {
  const subjects = new Map<string, Subject>();
  const collections = new Map<string, Collection>();
  const ids = new Map<string, Id>();
  const services = new Map<string, Service>();
  const people = createPeople();
  /** Parameters of queries and bodies, with who uses them; only few of these. */
  const places = new Map<string, { seen: number; users: Set<string> }>();
  /** By collection and subject, "" for all strangers together: the latest ones. */
  const walks = new Map<string, Step[]>();
  /** Names by which ids are used; what else they are handed out under ("history", "results") says nothing of what they are. */
  const usedNames = new Map<string, number>();
  const pending = new Set<Use>();
  const found = new Map<string, NewEvent>();
  const told = new Map<string, number>();
  let counts = { kept: 0, unseen: 0, keys: 0, full: 0 };
  /** Of all collections: owners, and ids taken; of all ids: names. */
  let entries = 0;
  let names = 0;

  const collectionOf = (exchange: Exchange, name: string): Collection => {
    const full = join(serviceOf(exchange), exchange.key, name);
    const made = (): Collection => ({
      name: full,
      service: serviceOf(exchange),
      seen: 0,
      open: 0,
      shared: new Map(),
      owners: new Set(),
      users: new Set(),
      taken: new Map(),
    });
    const collection = touch(collections, full, made);
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
      const id = touch(ids, join(key, hash), () => ({ seen: 0, made: 0, holders: [] }));
      id.seen = time;
      // A stranger who signs in or orders is handed what is its own from then on.
      const isMade = exchange.method === "POST";
      if (isMade) id.made = Math.max(id.made, time);
      for (const other of id.holders) {
        if (other.subject === subject || !other.names.includes(name)) continue;
        // A reference is handed out for the asking, where an answer says again what was sent: it takes nothing from an owner.
        if (own !== other.own.includes(collection.name)) continue;
        if (subject !== "" && other.subject !== "") share(collection, subject, other.subject, time);
      }
      if (!isMade && (subject === "" || id.holders.some((other) => isStranger(other) && other.names.includes(name)))) {
        collection.open = Math.max(collection.open, time);
      }
      let holder = id.holders.find((one) => one.subject === subject);
      if (holder === undefined && id.holders.length < HOLDERS) {
        holder = { subject, since: time, names: [], own: [], made: true };
        id.holders.push(holder);
      }
      if (holder !== undefined) {
        holder.made = holder.made && isMade;
        holder.since = Math.min(holder.since, time);
        names += note(holder.names, name);
        if (own && subject !== "") names += note(holder.own, collection.name);
      }
      if (!own || subject === "" || collection.owners.size >= OWNERS || collection.owners.has(subject)) continue;
      collection.owners.add(subject);
      entries++;
      note(subjects.get(subject)!.owns, collection.name);
    }
  };

  const use = (exchange: Exchange, received: number): void => {
    for (const used of exchange.used) {
      usedNames.delete(join(exchange.key, used.collection));
      usedNames.set(join(exchange.key, used.collection), exchange.time);
      const collection = collectionOf(exchange, used.collection);
      const subject = exchange.subject === "" ? "" : join(exchange.key, exchange.subject);
      if (subject === "") collection.open = Math.max(collection.open, exchange.time);
      else if (collection.users.size < HOLDERS) collection.users.add(subject);
      if (used.part !== "path") {
        const place = touch(places, placeOf(exchange, used), () => ({ seen: exchange.time, users: new Set<string>() }));
        place.seen = exchange.time;
        if (subject !== "" && place.users.size < HOLDERS) place.users.add(subject);
      }
      if (subject !== "" || exchange.personal) pending.add({ received, exchange, used, walked: false });
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
    const subject = exchange.subject === "" ? "" : join(exchange.key, exchange.subject);
    const collection = collections.get(join(serviceOf(exchange), exchange.key, used.collection));
    const service = services.get(serviceOf(exchange));
    if (collection === undefined || service === undefined) return true;
    if (hasTwoKeys(exchange)) {
      counts.keys++;
      return true;
    }
    const own = subject === "" ? service.strangersUntil : (subjects.get(subject)?.blindUntil ?? Infinity);
    if (Math.max(own, service.blindUntil) > now) {
      counts.unseen++;
      return true;
    }
    if (isPerson(used))
      for (const crossing of people.crossings(exchange, used, now - WINDOW)) judgeCrossing(crossing, now);
    const isOpen = collection.open > now - WINDOW;
    if (subject === "") judgeStranger(collection, one, now);
    if (subject === "" || isOpen || !isParameter(exchange, used, subject)) return true;
    const worker = workerOf(collection, now);
    if (worker === null || worker === subject) return true;
    const holders = holdersOf(one).filter((holder) => holder.subject !== worker && !isStranger(holder, true));
    if (holders.length >= HOLDERS || holders.some((holder) => holder.subject === subject)) return true;
    const isSettled = holders.every((holder) => areTwo(holder.subject, subject));
    const others = [...collection.owners].filter((owner) => owner !== subject && owner !== worker).length;
    // Who has none of it may be somebody who works there, or a service that was told the ids in another way.
    const isCustomer =
      collection.owners.has(subject) || (isOfPeople(exchange) && others > 0 && hasOther(exchange, subject, now));
    if (isSettled && !one.walked) {
      one.walked = true;
      const steps = walk(collection, subject, one);
      if (steps !== null) {
        const isPrivate = isCustomer ? others >= 1 : exchange.kind === "cookie" && others >= 2;
        const users = new Set([...collection.users, ...collection.owners]);
        users.delete(subject);
        const isTold =
          isPrivate ||
          (exchange.kind !== "key" &&
            !exchange.staff &&
            users.size > 0 &&
            (OWN.test(exchange.route) || areOfPeople(steps)));
        if (isTold) tell("auth-enumeration", 65, one, now, walkWords(collection, steps, exchange, used));
      }
    }
    const [holder] = holders;
    if (holder === undefined || !isCustomer || others === 0) return true;
    if (holders.length > 1 || !holder.own.includes(collection.name) || holder.since > exchange.time) return true;
    // It may be known later whether they are two.
    if (!isSettled) return one.received < now - WAIT || subjects.get(holder.subject)?.kind !== exchange.kind;
    const taken = touch(collection.taken, subject, () => new Map<string, string>());
    const before = taken.size;
    if (before < WALK_MOST) taken.set(used.hash, holder.subject);
    entries += taken.size - before;
    for (const gone of trim(collection.taken, OWNERS)) entries -= gone.size;
    const victims = new Set(taken.values()).size;
    // What nobody guesses was told, by a link that somebody shares: once may be meant.
    if (used.form === "long" && taken.size < 2) return true;
    const words =
      `${counted(taken.size, "id")} of "${used.collection}" that ${taken.size === 1 ? "was" : "were"} handed to ` +
      `${counted(victims, "other user")} and never to the one who used ${taken.size === 1 ? "it" : "them"} (known by ` +
      `${exchange.kind}); ${collection.owners.size} have ids of their own there, none of which was handed to two`;
    tell("auth-bola", used.form === "long" ? 55 : 65, one, now, words);
    return true;
  };

  /** Whether somebody else uses the parameter there, too: most endpoints do not look at what they do not know, and answer. */
  const isParameter = (exchange: Exchange, used: UsedId, subject: string): boolean =>
    used.part === "path" || [...(places.get(placeOf(exchange, used))?.users ?? [])].some((other) => other !== subject);

  /** Whether a subject is a customer by what else it was handed: ids of a private collection of the service that are its own. */
  const hasOther = (exchange: Exchange, subject: string, now: number): boolean => {
    const prefix = join(serviceOf(exchange), exchange.key, "");
    for (const name of subjects.get(subject)?.owns ?? []) {
      const { owners, open, shared } = collections.get(name) ?? NOTHING;
      if (owners.size < 2 || !owners.has(subject) || open > now - WINDOW || shared.size > 0) continue;
      if (name.startsWith(prefix)) return true;
    }
    return false;
  };

  /** A person's id by which that person alone asks, used by somebody else. */
  const judgeCrossing = ({ exchange, used, subject, owner, known }: Crossing, now: number): void => {
    if (OFFICE.test(exchange.route) || !isParameter(exchange, used, subject) || !areTwo(subject, owner)) return;
    const one = { received: now, exchange, used, walked: true };
    if (holdersOf(one).some((holder) => holder.subject === subject)) return;
    if ((subjects.get(subject)?.blindUntil ?? Infinity) > now) return;
    const how = known === "name" ? "is one other user's own" : "one other user alone asks by, and by no other";
    const words =
      `an id of "${used.collection}" that ${how}, and that was never handed to the one who used it (known by ` +
      `${exchange.kind}), who asks by another one as well; nobody else asks so for others`;
    tell("auth-bola", known === "name" ? 65 : 50, one, now, words);
  };

  /** Strangers who count through what tells of people. */
  const judgeStranger = (collection: Collection, one: Use, now: number): void => {
    const { exchange, used } = one;
    if (one.walked || holdersOf(one).some((holder) => isStranger(holder, true) || isStranger(holder))) return;
    one.walked = true;
    const steps = walk(collection, "", one);
    if (steps === null || !areOfPeople(steps)) return;
    const words = walkWords(collection, steps, exchange, used);
    tell("auth-enumeration", 60, one, now, words);
  };

  /** Adds a use to its subject's walk; its latest steps, if it is one. */
  const walk = (collection: Collection, subject: string, { exchange, used }: Use): Step[] | null => {
    const { time, personal } = exchange;
    const { hash, near } = used;
    const made = ids.get(join(exchange.key, hash))?.made ?? 0;
    if (PAGES.test(used.collection) || OFFICE.test(exchange.route) || time - made < FRESH) return null;
    const steps = touch(walks, join(collection.name, subject), () => []);
    trim(walks, WALKS);
    if (steps.some((step) => step.hash === hash)) return null;
    steps.push({ hash, time, near, personal });
    if (steps.length > WALK_MOST) steps.shift();
    const recent = steps.filter((step) => Math.abs(step.time - time) <= WALK_TIME);
    return recent.length >= WALK_IDS && recent.filter((step) => step.near).length >= WALK_NEAR * recent.length
      ? recent
      : null;
  };

  const walkWords = (collection: Collection, steps: Step[], { kind }: Exchange, { collection: name }: UsedId): string =>
    `${steps.length} ids of "${name}" within a minute that were never handed to the one who used them (known by ` +
    `${kind}), ${steps.filter(({ near }) => near).length} of them next to the one before, ` +
    `${steps.filter(({ personal }) => personal).length} answered with what tells of somebody; ` +
    `${collection.owners.size} have ids of their own there`;

  const tell = (rule: string, confidence: number, { exchange, used }: Use, now: number, evidence: string): void => {
    const { method, route, request_id, trace_id } = exchange;
    const place = { method, route, part: used.part, parameter: used.name, host: "" };
    const event = flawEvent({ rule, stage: "likely", confidence, evidence, ...place }, exchange, now);
    if (!told.has(event.key) && !found.has(event.key) && found.size < FOUND)
      found.set(event.key, { ...event, request_id, trace_id });
  };

  const forget = (now: number): void => {
    for (const [name, id] of ids) {
      const isOld = id.seen < now - WINDOW;
      if (!isOld && ids.size <= mostIds && names <= mostIds * NAMES_PER_ID) break;
      ids.delete(name);
      for (const holder of id.holders) names -= holder.names.length + holder.own.length;
      if (isOld) continue;
      for (const { subject } of id.holders) {
        const holder = subjects.get(subject);
        if (holder !== undefined) holder.blindUntil = now + WINDOW;
        // Of strangers nobody knows at which service.
        if (subject === "") for (const service of services.values()) service.strangersUntil = now + WINDOW;
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
    for (const [name, collection] of collections) {
      const isOld = collection.seen < now - WINDOW;
      if (!isOld && collections.size <= COLLECTIONS && entries <= mostEntries) break;
      collections.delete(name);
      entries -= entriesOf(collection);
      // Whether it was private is not known any more.
      const service = isOld ? undefined : services.get(collection.service);
      if (service !== undefined) service.blindUntil = now + WINDOW;
    }
    for (const [name, { seen }] of places) {
      if (seen >= now - WINDOW && places.size <= COLLECTIONS) break;
      places.delete(name);
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
    people.forget(now - WINDOW, now);
    trim(told, COLLECTIONS);
  };

  return {
    add(exchanges, received) {
      for (const exchange of exchanges) {
        counts.kept++;
        const { time, key, kind } = exchange;
        const service = touch(services, serviceOf(exchange), () => ({
          seen: 0,
          keys: new Map(),
          blindUntil: 0,
          strangersUntil: 0,
        }));
        service.seen = received;
        const inUse = service.keys.get(key);
        const span = { first: Math.min(inUse?.first ?? time, time), last: Math.max(inUse?.last ?? time, time) };
        service.keys.set(key, span);
        for (const [other, { last }] of service.keys) if (last < received - WINDOW) service.keys.delete(other);
        trim(service.keys, KEYS);
        if (exchange.lost > 0) service.blindUntil = received + WINDOW;
        if (exchange.subject !== "") {
          const made = (): Subject => ({ first: time, last: time, kind, blindUntil: 0, owns: [] });
          const subject = touch(subjects, join(key, exchange.subject), made);
          subject.first = Math.min(subject.first, time);
          subject.last = Math.max(subject.last, time);
          if (exchange.unseen) subject.blindUntil = received + WINDOW;
        } else if (exchange.unseen) service.strangersUntil = received + WINDOW;
        people.add(exchange);
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

/** Nobody in particular; `made`: who was handed it by what made it alone. */
const isStranger = (holder: Holder, made = false): boolean => holder.subject === "" && holder.made === made;

/** Whether who asks is a person as far as the credential says, and none who works there. */
const isOfPeople = ({ kind, staff }: Exchange): boolean =>
  !staff && (kind === "jwt" || kind === "basic" || kind === "cookie");

const areOfPeople = (steps: readonly Step[]): boolean =>
  steps.filter(({ personal }) => personal).length >= WALK_PERSONAL * steps.length;

/** A collection that was forgotten. */
const NOTHING: Pick<Collection, "owners" | "open" | "shared"> = { owners: new Set(), open: 0, shared: new Map() };

/** Adds a name, where there is room and it is new: how many were added. */
function note(names: string[], name: string): 0 | 1 {
  if (names.length >= NAMES || names.includes(name)) return 0;
  names.push(name);
  return 1;
}

/** How many owners, and ids taken, a collection has. */
const entriesOf = ({ owners, taken }: Collection): number =>
  [...taken.values()].reduce((count, one) => count + one.size, owners.size);
