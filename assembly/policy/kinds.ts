// What the declared kind of a field (`fields` in the policy) means for a finding in it: how much surer, or how much less sure, it must
// be than in any other field before it decides.
//
//   html   rich text: markup that runs no script decides nothing; of other languages one step less is believed
//   sql    SQL injection decides nothing; of the languages that SQL looks like one step less is believed
//   code   injection into any language decides nothing
//   url    requests to other servers, one step more; else as any field
//   text   prose: one step less in each language
//   id     a name, number or token: whatever breaks out of it is odd, one step more in each class
//
// One step is the distance between two sensitivities.

import { Finding, findingName } from "../core/findings";
import { Rule } from "../generated/rules";
import { ruleClass } from "../match/rules";
import { ANY, Field, FieldKind } from "./layout";
import { patternMatches } from "./match";
import { countTrieStep, followName, nextOfName, Trie, TrieNode } from "./trie";

/** Classes by their place in the contract's list, which is the hundred of their rules' codes, less one. */
const enum Class {
  Sqli = 1 << 0,
  Xss = 1 << 1,
  Cmdi = 1 << 2,
  Traversal = 1 << 3,
  Rfi = 1 << 4,
  Ssrf = 1 << 5,
  Xxe = 1 << 6,
  Ssti = 1 << 7,
  Nosqli = 1 << 8,
  Ldapi = 1 << 9,
  Xpath = 1 << 10,
  Codei = 1 << 13,
  Ssi = 1 << 14,
  Graphql = 1 << 18,
  Prototype = 1 << 19,
  Redirect = 1 << 20,
}

/** What people write about, or paste, as text. */
const LANGUAGES: u32 =
  Class.Sqli |
  Class.Xss |
  Class.Cmdi |
  Class.Traversal |
  Class.Ssti |
  Class.Nosqli |
  Class.Ldapi |
  Class.Xpath |
  Class.Codei |
  Class.Ssi |
  Class.Graphql |
  Class.Prototype;
const LOOKS_LIKE_SQL: u32 = Class.Cmdi | Class.Nosqli | Class.Ldapi | Class.Xpath | Class.Codei | Class.Graphql;
const ELSEWHERE: u32 = Class.Ssrf | Class.Redirect | Class.Rfi;

/** A threshold that no confidence reaches. */
export const NEVER: u32 = 255;
const STEP: u32 = 20;

/** The confidence from which a finding decides in a field of that kind, where it is `threshold` in others. */
export function thresholdInKind(kind: FieldKind, rule: u32, threshold: u32): u32 {
  const bit = (<u32>1) << ruleClass(rule);
  switch (kind) {
    case FieldKind.Html:
      if (isRichText(rule)) return NEVER;
      return (bit & LANGUAGES & ~Class.Xss) != 0 ? threshold + STEP : threshold;
    case FieldKind.Sql:
      if ((bit & Class.Sqli) != 0) return NEVER;
      return (bit & LOOKS_LIKE_SQL) != 0 ? threshold + STEP : threshold;
    case FieldKind.Code:
      return (bit & (LANGUAGES | Class.Xxe)) != 0 ? NEVER : threshold;
    case FieldKind.Url:
      return (bit & ELSEWHERE) != 0 ? threshold - STEP : threshold;
    case FieldKind.Text:
      return (bit & LANGUAGES) != 0 ? threshold + STEP : threshold;
    case FieldKind.Id:
      return threshold - STEP;
    default:
      return threshold;
  }
}

/** Markup that changes what a page shows, and runs nothing. */
function isRichText(rule: u32): bool {
  return rule == Rule.XssHtmlInjection || rule == Rule.XssDanglingMarkup || rule == Rule.XssEmbeddedObject;
}

/** The first field of a list that a finding stands in; null for none. `fields`: their trie, or 0. */
export function fieldOf(fields: usize, finding: Finding): Field | null {
  if (fields == 0) return null;
  const trie = changetype<Trie>(fields);
  const name = findingName(finding);
  const nameEnd = name + finding.nameLength;
  let first: Field | null = null;
  followName(trie.root, name, nameEnd);
  for (let node = trie.root; node != 0; node = nextOfName(trie)) {
    for (let at = changetype<TrieNode>(node).entries; at != 0;) {
      const field = changetype<Field>(at);
      at = field.along;
      countTrieStep();
      if (first !== null && first.position < field.position) break;
      if (field.part != ANY && field.part != finding.part) continue;
      if (field.name != field.nameEnd && !patternMatches(field.name, field.nameEnd, name, nameEnd)) continue;
      first = field;
      break;
    }
  }
  return first;
}
