/** What is planted in the shop, and how to make it show: `manifest.yaml`, `second.yaml` and `third.yaml`, read and checked. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";

export const STAGES = ["none", "attempted", "likely", "confirmed"] as const;
export type Stage = (typeof STAGES)[number];
export const atLeast = (stage: Stage, wanted: Stage): boolean => STAGES.indexOf(stage) >= STAGES.indexOf(wanted);

const CLASSES = [
  ...["sqli", "xss", "cmdi", "traversal", "rfi", "ssrf", "xxe", "ssti", "nosqli", "ldapi", "xpath", "jndi", "deser"],
  ...["codei", "ssi", "crlf", "protocol", "upload", "graphql", "prototype", "redirect", "scanner", "auth"],
  ...["leak", "header", "cookie", "dependency"],
] as const;
const findingClass = z.enum(CLASSES);

const PARTS = [
  ...["query", "path", "header", "cookie", "form", "json", "multipart", "xml", "graphql", "body"],
  ...["response-header", "response-body"],
] as const;

export const SERVICES = ["edge", "catalogue", "orders"] as const;
const service = z.enum(SERVICES);

const where = z.strictObject({
  service,
  method: z.string(),
  /** Segments in braces stand for any one segment. */
  route: z.string().startsWith("/"),
  part: z.enum(PARTS),
  /** As in a scan line's `where.name`; absent where there is none. */
  parameter: z.string().optional(),
});

const shows = z.strictObject({
  status: z.number().int().optional(),
  /** Texts of the answer's body. */
  contains: z.array(z.string().min(1)).optional(),
  lacks: z.array(z.string().min(1)).optional(),
  /** A header's value has this text; null: the header is absent; text after `!`: none of its values has it. */
  headers: z.record(z.string(), z.string().nullable()).optional(),
  /** `KIND text`: something of this kind really happened, and its text has this one. */
  witness: z.array(z.string()).optional(),
  /** Kinds of which nothing happened. */
  unwitnessed: z.array(z.string()).optional(),
});

const requestShape = {
  /** Default: the entry's. */
  to: service.optional(),
  method: z.string().optional(),
  /** Default: the entry's route, if nothing in it is variable. */
  path: z.string().startsWith("/").optional(),
  /** Parameters that are encoded and put behind the path. */
  query: z.record(z.string(), z.string()).optional(),
  /** The value of the entry's parameter, put where its part says. */
  value: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  cookies: z.record(z.string(), z.string()).optional(),
  /** Logs in as this person: by cookie at the edge, as a bearer elsewhere. */
  as: z.enum(["ada", "lin", "admin"]).optional(),
  form: z.record(z.string(), z.string()).optional(),
  json: z.unknown().optional(),
  body: z.string().optional(),
  body_base64: z.string().optional(),
};
const precondition = z.strictObject(requestShape);

const drive = z.strictObject({
  /** `ordinary`: what users and services do; `tour`: what a tester sends. */
  kind: z.enum(["ordinary", "tour"]),
  ...requestShape,
  /** Sent again and again, with each number from the first to the last in place of `{n}` in the path. */
  sweep: z.tuple([z.number().int(), z.number().int()]).optional(),
  /** Sent first, in this order. */
  before: z.array(precondition).optional(),
  /** What proves the entry, seen in the answer to this request. */
  shows: shows.optional(),
});

const entry = z.strictObject({
  id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/),
  kind: z.enum(["flaw", "clean"]),
  /** The flaw's class, or the class that a naive scanner would report. */
  class: findingClass,
  /** Other classes under which a finding of this flaw is as right. */
  accept: z.array(findingClass).optional(),
  /** Classes that are true of the same exchanges besides; for a clean entry, of its page. */
  also: z.array(findingClass).optional(),
  cwe: z.array(z.number().int()).min(1),
  slice: z.union([z.literal(1), z.literal(2), z.literal(3)]),
  /** Of a flaw: what its drives bear out. Of a clean entry: the most that may be said (an attack was `attempted`). */
  stage: z.enum(STAGES),
  at: where,
  /** Whether it only shows between the services, and never in what a visitor sends and gets. */
  inside: z.literal(true).optional(),
  /** Where else on its way through the services the same flaw shows, in order. */
  hops: z.array(where).optional(),
  /** The clean look-alike. */
  twin: z.string().optional(),
  why: z.string(),
  drives: z.array(drive).min(1),
});

/** What was planted at one time; who mended rules since may have looked at an earlier set. */
export const SETS = [1, 2, 3] as const;
export type PlantedSet = (typeof SETS)[number];
const FILES: Readonly<Record<PlantedSet, string>> = { 1: "manifest.yaml", 2: "second.yaml", 3: "third.yaml" };

export type Entry = z.infer<typeof entry> & { set: PlantedSet };
export type Manifest = Entry[];
export type Drive = z.infer<typeof drive>;
export type Where = z.infer<typeof where>;
export type Shows = z.infer<typeof shows>;
export type Service = z.infer<typeof service>;

/** Reads a manifest's text; throws with the path of what is wrong. */
export const parseManifest = (text: string, set: PlantedSet = 1): Manifest =>
  z
    .array(entry)
    .parse(parse(text))
    .map((one) => ({ ...one, set }));

/** The entries of these sets; default all. */
export const loadManifest = (sets: readonly PlantedSet[] = SETS): Manifest =>
  sets.flatMap((set) => parseManifest(readFileSync(new URL(`./${FILES[set]}`, import.meta.url), "utf8"), set));

/** Sets as a command line names them, `1,2`. */
export function parseSets(text: string): PlantedSet[] {
  const sets = text.split(",").map((name) => SETS.find((set) => String(set) === name));
  if (sets.length === 0 || sets.includes(undefined)) throw new Error(`--set: ${SETS.join(" or ")}, not ${text}`);
  return sets as PlantedSet[];
}
