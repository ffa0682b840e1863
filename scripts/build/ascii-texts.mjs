/**
 * A transform of the AssemblyScript compiler: string literals become ASCII behind their length, each of them once, where the compiler
 * would write UTF-16 behind an object's header. The module knows fixed ASCII texts alone (assembly/core/text.ts), and has a thousand.
 *
 *   "host"   →   changetype<string>(TEXT)      TEXT: usize = memory.data<u8>([4, 0, 104, 111, 115, 116])
 */
import { LiteralKind, Node, NodeKind } from "assemblyscript";
import { Transform } from "assemblyscript/transform";

/** Statements and expressions whose texts are names for the compiler. */
const NAMES = new Set([NodeKind.Import, NodeKind.Export, NodeKind.ExportDefault, NodeKind.Decorator]);

/** Sources of the module, and of what calls its functions; a program of its own, or a test in AssemblyScript, has strings. */
const isOurs = ({ normalizedPath, text }) =>
  /^(?:\.\.\/)*assembly\//.test(normalizedPath) ||
  (/^tests\/probe\//.test(normalizedPath) && text.includes('from "../../assembly/'));

export default class AsciiTexts extends Transform {
  afterParse(parser) {
    const names = new Map();
    const nameOf = ({ value }, source) => {
      if (!/^[\0-\x7f]*$/.test(value)) throw new Error(`${source}: "${value}" is not ASCII`);
      if (!names.has(value)) names.set(value, `__text${names.size}`);
      return names.get(value);
    };
    const sources = parser.sources.filter(isOurs);
    for (const source of sources) {
      refuseMembers(source);
      replaceLiterals(source.statements, (literal) => {
        const { range } = literal;
        const name = (text) => Node.createIdentifierExpression(text, range);
        const type = Node.createNamedType(Node.createSimpleTypeName("String", range), [], false, range);
        return Node.createCallExpression(
          name("changetype"),
          [type],
          [name(nameOf(literal, source.normalizedPath))],
          range,
        );
      });
    }
    const lines = [...names].map(([text, name]) => {
      const bytes = [text.length & 255, text.length >> 8, ...Buffer.from(text, "latin1")];
      return `@global @lazy const ${name}: usize = memory.data<u8>([${bytes.join(", ")}]);`;
    });
    parser.parseFile(lines.join("\n"), "~lib/texts.ts", false);
  }
}

/** Replaces the string literals in a tree of nodes and lists of them. */
function replaceLiterals(tree, replacement) {
  for (const key of Object.keys(tree)) {
    const value = tree[key];
    if (Array.isArray(value)) {
      replaceLiterals(value, replacement);
    } else if (value instanceof Node && key !== "parent" && !NAMES.has(value.kind)) {
      if (value.kind === NodeKind.Literal && value.literalKind === LiteralKind.String) tree[key] = replacement(value);
      else replaceLiterals(value, replacement);
    }
  }
}

/** What is declared as a string is no string to the library: its members would read what is not there. */
function refuseMembers({ text, normalizedPath }) {
  for (const [, name] of text.matchAll(/\b(\w+): string\b/g)) {
    const [use] = new RegExp(`\\b${name}\\.(?:length|\\w*[cC]harCodeAt|indexOf|slice|substring)\\b`).exec(text) ?? [];
    if (use !== undefined) throw new Error(`${normalizedPath}: ${use}: ask core/text.ts (textSize, textBytes) instead`);
  }
}
