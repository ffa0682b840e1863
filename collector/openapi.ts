/** The OpenAPI 3.1 document of the collector's API, made from the schemas in api.ts. */
import { z } from "zod";
import { CHANGE_HEADER, named, OPERATIONS, problemSchema, SESSION_COOKIE, type Operation } from "./api.ts";

type Json = Record<string, unknown>;

/** Schemas with an id stand once, below components. */
const reference = (id: string): string => `#/components/schemas/${id}`;

/** The schemas with an id, as JSON Schema without the keywords that a document of OpenAPI has no use for. */
function components(): Record<string, Json> {
  const { schemas } = z.toJSONSchema(named, { uri: reference, io: "output" });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, schema]) => {
      const { $schema: _schema, $id: _id, id: _own, ...rest } = schema as Json;
      return [id, rest];
    }),
  );
}

function schemaOf(schema: z.ZodType): Json {
  const id = named.get(schema)?.id;
  if (id !== undefined) return { $ref: reference(id) };
  const { $schema: _schema, ...rest } = z.toJSONSchema(schema, { io: "input" }) as Json;
  return rest;
}

/** The members of an object's schema as parameters. */
function parametersOf(schema: z.ZodObject | undefined, place: "path" | "query"): Json[] {
  return Object.entries(schema?.shape ?? {}).map(([name, member]) => {
    const { description, ...type } = schemaOf(member as z.ZodType);
    const isRequired = place === "path" || !(member as z.ZodType).safeParse(undefined).success;
    return {
      name,
      in: place,
      required: isRequired,
      ...(description === undefined ? {} : { description }),
      schema: type,
    };
  });
}

const problem = (description: string): Json => ({
  description,
  content: { "application/problem+json": { schema: schemaOf(problemSchema) } },
});

function answerOf({ answer }: Operation): Json {
  if (answer === null) return { 204: { description: "done" } };
  const content = typeof answer === "string" ? { [answer]: {} } : { "application/json": { schema: schemaOf(answer) } };
  return { 200: { description: "as asked", content } };
}

function bodyOf({ body, id }: Operation): Json {
  if (id === "exportLogs") {
    const description = "ExportLogsServiceRequest of opentelemetry-proto, logs/v1";
    return {
      requestBody: { description, required: true, content: { "application/x-protobuf": {}, "application/json": {} } },
    };
  }
  if (body === undefined) return {};
  return { requestBody: { required: true, content: { "application/json": { schema: schemaOf(body) } } } };
}

function operationOf(operation: Operation): Json {
  const { access, method, id, summary } = operation;
  const isChange = method !== "get" && access !== "ingest";
  const header = { name: CHANGE_HEADER, in: "header", required: false, schema: { type: "string" } };
  const description = "any value; needed with a session cookie";
  const parameters = [
    ...parametersOf(operation.parameters, "path"),
    ...parametersOf(operation.query, "query"),
    ...(isChange ? [{ ...header, description }] : []),
  ];
  return {
    operationId: id,
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...bodyOf(operation),
    responses: {
      ...answerOf(operation),
      ...(access === "open" ? {} : { 401: problem("no token, or one that is not valid here") }),
      ...(operation.parameters === undefined
        ? {}
        : { 404: problem(`no such ${Object.keys(operation.parameters.shape)[0]!.replace("fingerprint", "finding")}`) }),
      default: problem("what was wrong"),
    },
    security: access === "open" ? [] : access === "ingest" ? [{ ingest: [] }] : [{ read: [] }, { session: [] }],
  };
}

/** The document, for one version of the package. */
export function openApiDocument(version: string): Json {
  const paths: Record<string, Json> = {};
  for (const operation of Object.values<Operation>(OPERATIONS)) {
    (paths[operation.path] ??= {})[operation.method] = operationOf(operation);
  }
  return {
    openapi: "3.1.0",
    info: { title: "Meshward collector", version, license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
    paths,
    components: {
      schemas: components(),
      securitySchemes: {
        read: { type: "http", scheme: "bearer", description: "MESHWARD_READ_TOKEN" },
        ingest: { type: "http", scheme: "bearer", description: "MESHWARD_INGEST_TOKEN" },
        session: { type: "apiKey", in: "cookie", name: SESSION_COOKIE },
      },
    },
  };
}
