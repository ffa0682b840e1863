/**
 * A log record → which ids an exchange used and handed out, and who asked; or why it is none. Nothing of what comes is believed: all is
 * cleaned and bounded.
 */
import { ID_FORMS, ID_PARTS, SUBJECT_KINDS } from "../scripts/events/access.ts";
import { clean } from "./clean.ts";
import { countIn, listIn, senderOf, textIn, timeOf, type Sender } from "./event.ts";
import type { LogRecord } from "./otlp.ts";

/** The name of the records that tell of ids. */
export const EXCHANGE_NAME = "meshward.access";

export type IdForm = (typeof ID_FORMS)[number];
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

export interface UsedId {
  part: (typeof ID_PARTS)[number];
  collection: string;
  hash: string;
  form: IdForm;
  /** A number next to the one that the same subject used before. */
  near: boolean;
  /** Of the segment before it, or of the parameter. */
  name: string;
}

export interface HandedId {
  collection: string;
  hash: string;
  /** Handed out by the collection's own endpoint. */
  own: boolean;
}

export interface Exchange extends Sender {
  /** Milliseconds since the epoch. */
  time: number;
  method: string;
  route: string;
  request_id: string;
  trace_id: string;
  /** Which key hashes were made with: of two keys they cannot be compared. */
  key: string;
  /** "" for anonymous. */
  subject: string;
  kind: SubjectKind;
  used: UsedId[];
  handed: HandedId[];
  /** The hash of the id that the subject itself has, as its token says; "" where it does not. */
  self: string;
  /** Its token says that it works there, or is no person. */
  staff: boolean;
  /** What was answered tells of somebody. */
  personal: boolean;
  /** More was handed out than is told. */
  unseen: boolean;
  /** Exchanges before it of which nothing is told. */
  lost: number;
}

/** Reads an exchange; "unknown" where the record is none, "invalid" where it lacks what every one has. */
export function exchangeOf(record: LogRecord, now: number): Exchange | "unknown" | "invalid" {
  const { attributes } = record;
  if (record.eventName !== EXCHANGE_NAME) return "unknown";
  const text = (name: string, most: number): string => textIn(attributes.get(name), most);
  const lines = (name: string): string[] =>
    listIn(attributes.get(name)).flatMap((value) => (typeof value === "string" ? clean(value, 256) : []));
  const kind = SUBJECT_KINDS.find((one) => one === text("meshward.subject.kind", 16));
  const method = text("http.request.method", 64);
  const route = text("http.route", 256);
  const subject = text("meshward.subject", 16);
  const key = text("meshward.key", 8);
  if (kind === undefined || method === "" || route === "" || key === "") return "invalid";
  if ((subject === "") !== (kind === "anonymous")) return "invalid";
  return {
    time: timeOf(record, now),
    ...senderOf(record.resource),
    ...{ method, route, request_id: text("meshward.request_id", 64).toLowerCase(), trace_id: record.traceId },
    ...{ key, subject, kind },
    used: lines("meshward.used").flatMap((line) => usedOf(line) ?? []),
    handed: lines("meshward.handed").flatMap((line) => handedOf(line) ?? []),
    self: /^[0-9a-f]{16}$/.exec(text("meshward.self", 16))?.[0] ?? "",
    staff: countIn(attributes.get("meshward.staff"), 1) === 1,
    personal: countIn(attributes.get("meshward.personal"), 1) === 1,
    unseen: countIn(attributes.get("meshward.unseen"), 1) === 1,
    lost: countIn(attributes.get("meshward.lost"), 1_000_000_000),
  };
}

/** `path order 0123456789abcdef number+1 orders` */
function usedOf(line: string): UsedId | null {
  const [, part, collection, hash, given, near, name] =
    /^([a-z]+) (\S{1,32}) ([0-9a-f]{16}) ([a-z]+)(\+1)? (.+)$/.exec(line) ?? [];
  const place = ID_PARTS.find((one) => one === part);
  const form = ID_FORMS.find((one) => one === given);
  if (form === undefined || place === undefined) return null;
  return {
    part: place,
    collection: collection!,
    hash: hash!,
    form,
    near: near !== undefined,
    name: name!,
  };
}

/** `order 0123456789abcdef own` */
function handedOf(line: string): HandedId | null {
  const [, collection, hash, own] = /^(\S{1,32}) ([0-9a-f]{16})( own)?$/.exec(line) ?? [];
  return collection === undefined ? null : { collection, hash: hash!, own: own !== undefined };
}
