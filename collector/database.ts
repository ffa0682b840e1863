/** What the collector asks of a database: PostgreSQL's SQL, in a server (postgres.ts) or in the process (pglite.ts). */

export type Parameter = string | number | null;
export type Row = Record<string, unknown>;

/** Runs one statement. Whole numbers come back as numbers, times as Date, JSON as its value. */
export interface Sql {
  query<Result extends Row>(text: string, parameters?: readonly Parameter[]): Promise<Result[]>;
}

export interface Database extends Sql {
  readonly kind: "pglite" | "postgresql";
  /** Runs `work` in a transaction. Resolves when it is committed; rejects, with nothing done, where that cannot be. */
  transaction<Result>(work: (sql: Sql) => Promise<Result>): Promise<Result>;
  /** What PostgreSQL's own background processes do, where there are none: often for what changes most, seldom for all. */
  maintain(isThorough: boolean): Promise<void>;
  close(): Promise<void>;
}

/** Conditions with their parameters, as they are put together. */
export class Where {
  readonly parameters: Parameter[] = [];
  readonly #conditions: string[] = [];

  /** `condition` has `?` where the parameter stands. */
  add(condition: string, ...values: Parameter[]): void {
    let next = this.parameters.length;
    this.#conditions.push(condition.replace(/\?/g, () => `$${++next}`));
    this.parameters.push(...values);
  }

  toString(): string {
    return this.#conditions.length === 0 ? "" : `WHERE ${this.#conditions.join(" AND ")}`;
  }
}

/** The database cannot do anything now: no room, no connection, starting again. The same request may pass later. */
export class UnavailableError extends Error {}

/**
 * Whether a statement failed for what is in it, so that it would fail again: classes 22 (data), 23 (constraints) and 42 (the
 * statement itself).
 */
export function isStatementFault(error: unknown): boolean {
  return /^(?:22|23|42)/.test(codeOf(error));
}

/** The SQLSTATE of a database's error; "" for any other. */
export function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : "";
}
