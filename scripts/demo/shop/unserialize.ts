/** PHP's serialized objects, as far as the shop's cookies go: whatever class is named is built, with whatever members it brings. */
const OBJECT = /^O:\d+:"(\w+)":\d+:\{(.*)\}$/;
const MEMBER = /s:\d+:"(\w+)";(?:i:(\d+)|s:\d+:"([^"]*)");/g;

export function unserialize(given: string): Record<string, string> | null {
  const [, name, members = ""] = OBJECT.exec(given) ?? [];
  if (name === undefined) return null;
  const pairs = [...members.matchAll(MEMBER)].map(([, member, number, word]) => [member!, number ?? word ?? ""]);
  return { class: name, ...(Object.fromEntries(pairs) as Record<string, string>) };
}

/** The cookie of a basket. */
export const basketCookie = (item: string, pieces: number): string =>
  `O:6:"Basket":2:{s:4:"item";s:${item.length}:"${item}";s:6:"pieces";i:${pieces};}`;
