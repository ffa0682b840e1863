// What every emitted file shares: the opening line, and numbers laid out in lines of at most 120 characters.

const WIDTH = 120;

/** The first lines of a generated file; `facts` are lines on what is in it. */
export function heading(source: string, facts: readonly string[]): string {
  return (
    [`// Made from ${source} by scripts/generate. DO NOT EDIT.`, ...facts.map((fact) => `// ${fact}`)].join("\n") + "\n"
  );
}

/** An exported address of static data. */
export function emitData(name: string, type: "u8" | "u16", values: Iterable<number>, about: string): string {
  const lines: string[] = [];
  let line = " ";
  for (const value of values) {
    const text = ` ${value},`;
    if (line.length + text.length > WIDTH) {
      lines.push(line);
      line = " ";
    }
    line += text;
  }
  if (line !== " ") lines.push(line);
  return `/** ${about} */\nexport const ${name}: usize = memory.data<${type}>([\n${lines.join("\n")}\n]);\n`;
}

/** An exported `const enum`. */
export function emitEnum(name: string, members: Iterable<readonly [name: string, value: string | number]>): string {
  const lines = [...members].map(([member, value]) => `  ${member} = ${value},`);
  return `export const enum ${name} {\n${lines.join("\n")}\n}\n`;
}

/** `HtmlAttribute` → `HTML_ATTRIBUTE`, `sqli` → `SQLI` */
export function screamingCase(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase();
}

/** 17740 → "17,740" */
export function thousands(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}
