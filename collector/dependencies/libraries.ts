/** What is known of one version of a product or library, by the facts that come along and by a file of the user's (retire.ts). */
import { SEVERITIES, type Severity } from "../api.ts";
import type { ComponentKind } from "../observation.ts";
import { LIBRARIES, PRODUCTS, type Facts } from "./library-facts.ts";
import type { UserLibraries } from "./retire.ts";
import { compareVersions, isIn, parseRange, parseVersion, type Range, type Version } from "./versions.ts";

/** A flaw with its range read. */
export interface KnownFlaw {
  range: Range;
  severity: Severity;
  /** Advisories. */
  ids: string;
  what: string;
}

export interface KnownProduct {
  flaws: readonly KnownFlaw[];
  ended: readonly { below: Version; since: number; sinceText: string }[];
  hijacked: readonly KnownFlaw[];
}

/** One thing that is known: of which kind, and in words. */
export interface Knowledge {
  what: "vulnerable" | "ended" | "hijacked";
  severity: Severity;
  text: string;
}

export interface Component {
  kind: ComponentKind;
  /** In lower case. */
  name: string;
  /** "" where it is unknown. */
  version: string;
}

export interface Libraries {
  /** What is known of a component, at `now` in milliseconds; nothing of one whose version leaves doubt. */
  knowledgeOf(component: Component, now: number): Knowledge[];
}

/** Flaws that a text names. */
const SHOWN = 6;
/** Components whose URLs are not read again. */
const REMEMBERED = 4_096;

const flawsOf = (flaws: Facts["flaws"] = []): KnownFlaw[] =>
  flaws.map(([range, severity, ids, what]) => ({ range: parseRange(range), severity, ids, what }));

function byName(all: readonly Facts[]): Map<string, KnownProduct> {
  return new Map(
    all.flatMap(({ names, flaws, ended = [], hijacked }) => {
      const product: KnownProduct = {
        flaws: flawsOf(flaws),
        ended: ended.map(([below, since]) => ({
          below: parseVersion(below)!,
          since: Date.parse(since),
          sinceText: since,
        })),
        hijacked: flawsOf(hijacked),
      };
      return names.map((name): [string, KnownProduct] => [name, product]);
    }),
  );
}

/**
 * Whether a product's version stands for a vendor's own build, as distributions make them: they mend flaws without a new version.
 * Behind "+" is what a banner's comment says (`2.4.52+ubuntu`); of builds only those for an operating system are the project's.
 */
function isVendors(version: string): boolean {
  const [, mark] = /\+(.*)$/.exec(version) ?? [];
  if (mark !== undefined && !/^(unix|win(32|64)?|windows|os|macos|darwin|codeit)?$/.test(mark)) return true;
  return /ubuntu|deb|\bel\d|\.el\d|fips|amzn|alpine|\bfc\d|suse|rhel|centos|sury/.test(version);
}

/** The same of facts that come along, and of a file of the user's. */
export function createLibraries(user: UserLibraries | null = null): Libraries {
  const libraries = byName(LIBRARIES);
  const products = byName(PRODUCTS);
  const read = new Map<string, Component[]>();

  /** The component, and what the user's expressions take it for. */
  const taken = (component: Component): Component[] => {
    if (user === null || (component.kind !== "library" && component.kind !== "script")) return [component];
    const key = `${component.kind} ${component.name} ${component.version}`;
    let found = read.get(key);
    if (found === undefined) {
      if (read.size >= REMEMBERED) read.clear();
      const others = user.read(component).filter(({ name }) => name !== component.name);
      found = [component, ...others];
      read.set(key, found);
    }
    return found;
  };

  return {
    knowledgeOf(component, now) {
      const isProduct = component.kind === "server" || component.kind === "framework";
      if (isProduct && isVendors(component.version)) return [];
      const texts = taken(component).flatMap(({ kind, name, version: text }): Knowledge[] => {
        const version = parseVersion(text);
        if (kind === "script" || kind === "script-host" || version === null) return [];
        const known = (isProduct ? products : libraries).get(name);
        const flaws = [...(known?.flaws ?? []), ...(isProduct ? [] : (user?.flawsOf(name) ?? []))];
        return [
          ...told("vulnerable", name, text, version, flaws),
          ...told("hijacked", name, text, version, known?.hijacked ?? []),
          ...ended(name, text, version, known, now),
        ];
      });
      // A user's file may know the same by another name.
      return [...new Map(texts.map((one) => [one.what, one])).values()];
    },
  };
}

/** The flaws that a version has, as one. */
function told(
  what: Knowledge["what"],
  name: string,
  text: string,
  version: Version,
  flaws: readonly KnownFlaw[],
): Knowledge[] {
  const rank = (severity: Severity): number => SEVERITIES.indexOf(severity);
  const byIds = new Map(flaws.filter(({ range }) => isIn(version, range)).map((flaw) => [flaw.ids, flaw]));
  const found = [...byIds.values()].sort((a, b) => rank(b.severity) - rank(a.severity));
  if (found.length === 0) return [];
  const shown = found.slice(0, SHOWN).map(({ ids, what: flaw }) => `${ids} (${flaw})`);
  const more = found.length > SHOWN ? `, and ${found.length - SHOWN} more` : "";
  return [{ what, severity: found[0]!.severity, text: `${name} ${text}: ${shown.join("; ")}${more}` }];
}

function ended(
  name: string,
  text: string,
  version: Version,
  known: KnownProduct | undefined,
  now: number,
): Knowledge[] {
  const isWhole = version.numbers.length > 1;
  // Of "10" alone, "below 10.2" says nothing.
  const found = known?.ended.find(
    ({ below, since }) =>
      since <= now && compareVersions(version, below) < 0 && (isWhole || version.numbers[0]! < below.numbers[0]!),
  );
  if (found === undefined) return [];
  return [{ what: "ended", severity: "low", text: `${name} ${text}: not mended any more since ${found.sinceText}` }];
}
