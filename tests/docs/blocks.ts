/**
 * What the tests of pages read from Markdown: fenced blocks, and the commands in them with the output that is shown.
 *
 *     ```LANGUAGE FILE        FILE is optional
 *     text
 *     ```
 */

export interface Fence {
  language: string;
  /** The word behind the language: the file that the block is. */
  file: string | null;
  text: string;
  /** Where it opens, from 1. */
  line: number;
}

/** The fenced blocks of a page, in order; those inside of a list lose its indentation. */
export function fences(page: string): Fence[] {
  return [...page.matchAll(/^( *)```(\S*)(?: +(\S+))?\n([\s\S]*?)^\1```$/gm)].map((match) => ({
    language: match[2]!,
    file: match[3] ?? null,
    text: match[4]!.replaceAll(new RegExp(`^${match[1]!}`, "gm"), ""),
    line: page.slice(0, match.index).split("\n").length,
  }));
}

export interface ShownCommand {
  command: string;
  output: string;
}

/** The commands of a `console` block (`$ …`, more lines of it behind a backslash), each with the output below it. */
export function shownCommands(block: string): ShownCommand[] {
  return block
    .split(/^\$ /m)
    .filter((part) => part !== "")
    .map((part) => {
      const [command] = /^(?:.*\\\n)*.*/.exec(part)!;
      return { command, output: part.slice(command.length + 1) };
    });
}

/** All commands of a page's `console` blocks. */
export function commandsOfPage(page: string): ShownCommand[] {
  return fences(page)
    .filter(({ language }) => language === "console")
    .flatMap(({ text }) => shownCommands(text));
}

/** Text in which what differs from run to run is a word: ids, times, ports of this machine, versions and their hashes. */
export function steady(text: string): string {
  return text
    .replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "UUID")
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z?/g, "TIME")
    .replace(/(127\.0\.0\.1|localhost):\d+/g, "$1:PORT")
    .replace(/("duration_ms":)\d+/g, "$1N")
    .replace(/(version[:=]\s*"?)\d+\.\d+\.\d+/g, "$1VERSION")
    .replace(/sha256:[0-9a-f]{12,64}/g, "sha256:DIGEST");
}
