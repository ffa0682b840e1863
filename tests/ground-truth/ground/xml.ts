/**
 * A small XML reader: elements and their text, and a DTD's entities, which it puts in where it is told to. Enough for
 * the documents that the shop takes, and as careless about external entities as readers used to be.
 *
 *   <!DOCTYPE order [ <!ENTITY name "text"> <!ENTITY name SYSTEM "file:///…"> ]>  <order><item>&name;</item></order>
 */

/** `resolve`: entities are read and put in; `refuse`: a document with a DTD is an error; `ignore`: they stay empty. */
export type Entities = "resolve" | "refuse" | "ignore";

export interface XmlSource {
  entities: Entities;
  /** The text behind an external entity's system identifier. */
  load(uri: string): Promise<string>;
  /** Told of each entity that is put in. */
  used?(name: string): void;
}

export interface XmlElement {
  name: string;
  text: string;
}

export class XmlError extends Error {
  readonly status = 400;
}

const MOST_ENTITIES = 100;
const DECLARATION = /<!ENTITY\s+([\w.-]+)\s+(?:SYSTEM\s+)?(?:"([^"]*)"|'([^']*)')\s*>/g;
const PREDEFINED: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

async function declared(subset: string, source: XmlSource): Promise<Map<string, string>> {
  const entities = new Map<string, string>();
  for (const [declaration, name, double, single] of subset.matchAll(DECLARATION)) {
    if (entities.size >= MOST_ENTITIES) break;
    const value = double ?? single ?? "";
    entities.set(name!, /\sSYSTEM\s/.test(declaration) ? await source.load(value) : value);
  }
  return entities;
}

/** The elements of a document that have text of their own, in order. */
export async function readXml(document: string, source: XmlSource): Promise<XmlElement[]> {
  const doctype = /<!DOCTYPE\s+[\w:.-]+\s*(?:SYSTEM\s+"[^"]*"\s*)?(?:\[([^]*?)\]\s*)?>/.exec(document);
  if (doctype !== null && source.entities === "refuse") throw new XmlError("a document type is not accepted");
  const entities = source.entities === "resolve" ? await declared(doctype?.[1] ?? "", source) : new Map();
  const body = document.replace(doctype?.[0] ?? "", "").replace(/<\?[^]*?\?>|<!--[^]*?-->/g, "");
  const fill = (text: string): string =>
    text.replace(/&([\w.-]+);/g, (reference, name: string) => {
      const value = entities.get(name) as string | undefined;
      if (value !== undefined) source.used?.(name);
      return value ?? PREDEFINED[name] ?? (source.entities === "ignore" ? "" : reference);
    });
  const elements = [...body.matchAll(/<([\w:.-]+)(?:\s[^<>]*)?>([^<]+)<\/\1>/g)];
  if (elements.length === 0) throw new XmlError("no element with text was found");
  return elements.map(([, name, text]) => ({ name: name!, text: fill(text!).trim() }));
}
