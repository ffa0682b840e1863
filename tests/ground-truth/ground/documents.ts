/** A store of documents that takes queries as MongoDB does: a value, or an object of operators, for each member. */
export type Document = Readonly<Record<string, string | number>>;

/** A query that the store refuses, in its words. */
export class QueryError extends Error {
  readonly code = 2;
  readonly codeName = "BadValue";
}

function meets(value: string | number | undefined, condition: unknown): boolean {
  if (typeof condition !== "object" || condition === null) return value === condition;
  return Object.entries(condition).every(([operator, operand]) => {
    if (operator === "$ne") return value !== operand;
    if (operator === "$gt") return String(value) > String(operand);
    if (operator === "$exists") return (value !== undefined) === (operand !== "false" && Boolean(operand));
    if (operator === "$in") {
      if (!Array.isArray(operand)) throw new QueryError("$in needs an array");
      return operand.includes(value);
    }
    if (operator === "$regex") {
      if (typeof operand !== "string") throw new QueryError("$regex has to be a string");
      return operand === ".*" || String(value).startsWith(operand.replace(/^\^/, ""));
    }
    throw new QueryError(`unknown operator: ${operator}`);
  });
}

/** The documents that a query is true of. Throws `QueryError`. */
export function findDocuments<Kind extends Document>(documents: readonly Kind[], query: object): Kind[] {
  for (const name of Object.keys(query)) {
    if (name.startsWith("$"))
      throw new QueryError(
        `unknown top level operator: ${name}. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.`,
      );
  }
  return documents.filter((document) =>
    Object.entries(query).every(([name, condition]) => meets(document[name], condition)),
  );
}

/** The query of an address, `code[$ne]=x` read as frameworks do: `{ code: { $ne: "x" } }`. */
export function nestedQuery(search: URLSearchParams): Record<string, unknown> {
  const nested: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of search) {
    const [, outer, inner] = /^(\w+)\[([$\w]+)\]$/.exec(name) ?? [];
    if (outer === undefined || inner === undefined) nested[name] = value;
    else nested[outer] = { ...(typeof nested[outer] === "object" ? nested[outer] : {}), [inner]: value };
  }
  return nested;
}
