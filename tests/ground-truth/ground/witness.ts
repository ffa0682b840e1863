/**
 * What really happened behind an answer. The shop writes down each thing that a flaw is made of (the database refused
 * a statement, a file was read, a shell ran), so that the tests can tell a flaw from a page that only looks like one.
 */

export type WitnessKind =
  /** `CODE message`: the database's own error. */
  | "sql-error"
  /** `COUNT filter`: a directory was searched. */
  | "filter"
  /** `message filter`: the directory refused a filter. */
  | "filter-error"
  /** The path of a file that was read, from the planted root. */
  | "file"
  /** The line that a shell ran. */
  | "shell"
  /** `METHOD http://host/path?query` that a service asked for because a user named it. */
  | "fetch"
  /** An expression that a template engine worked out. */
  | "template"
  /** The name of an XML entity that was put in. */
  | "entity"
  /** `family type`: an object that was built from a client's text. */
  | "object"
  /** `subject METHOD path`: an answer about somebody, given to `subject`. */
  | "access";

export interface Witness {
  readonly kind: WitnessKind;
  readonly text: string;
}

/** The newest witnesses; the oldest go, so that a long run stays small. */
export class Witnesses {
  static readonly #MOST = 1_000;
  #seen: Witness[] = [];

  saw(kind: WitnessKind, text: string): void {
    this.#seen.push({ kind, text });
    if (this.#seen.length > Witnesses.#MOST) this.#seen.shift();
  }

  /** All since the last call, oldest first. */
  take(): Witness[] {
    const taken = this.#seen;
    this.#seen = [];
    return taken;
  }
}
