/** What runs: endpoints and calls as sidecars have observed them, and what is new among them. */
import type { ComponentChildren, VNode } from "preact";
import { useState } from "preact/hooks";
import type { Endpoint as Observed, Endpoints as Page } from "../api.ts";
import { api } from "./client.ts";
import { useLoaded } from "./loaded.ts";
import { NO_FILTER, SINCE, endpointsHref, go, hrefOf, replace } from "./route.ts";
import type { Since, Sought } from "./route.ts";
import {
  Count,
  Empty,
  Endpoint,
  Failed,
  Foreign,
  Loading,
  ServiceName,
  StageMark,
  Time,
  countOf,
  plural,
} from "./text.tsx";
import { TypedSearch } from "./typed-search.tsx";

const LIMIT = 50;
const EVERY_MS = 15_000;
const SINCE_WORDS: Record<Since, string> = {
  "": "all",
  "1h": "an hour",
  "24h": "a day",
  "7d": "7 days",
  "30d": "30 days",
};
const DIRECTION_WORDS = { "": "both", inbound: "asked", outbound: "called" } as const;
const CREDENTIAL_WORDS: Record<string, string> = { none: "without any", refused: "refused (401, 403)" };
const DOCUMENTED_WORDS = {
  documented: null,
  deprecated: "deprecated",
  undocumented: "not in its document",
} as const;

/** When that was, in milliseconds; null for all. */
const startOf = (since: Since): number | null => (since === "" ? null : Date.now() - SINCE[since] * 1000);

function Filters({ sought, change }: { sought: Sought; change(sought: Sought, isTyped?: boolean): void }): VNode {
  const service = [sought.namespace, sought.service].filter(Boolean).join("/");
  return (
    <form class="filters" role="search" aria-label="Endpoints" onSubmit={(event) => event.preventDefault()}>
      <TypedSearch
        label="Part of a method, route, host or parameter"
        placeholder="Method, route, host, parameter…"
        text={sought.text}
        seek={(text) => change({ ...sought, text }, true)}
      />
      <label class="sort">
        <span>New or changed in</span>
        <select
          value={sought.since}
          onChange={(event) => change({ ...sought, since: event.currentTarget.value as Since })}
        >
          {Object.entries(SINCE_WORDS).map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      </label>
      <label class="sort">
        <span>Direction</span>
        <select
          value={sought.direction}
          onChange={(event) => change({ ...sought, direction: event.currentTarget.value as Sought["direction"] })}
        >
          {Object.entries(DIRECTION_WORDS).map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      </label>
      {service !== "" && (
        <button type="button" class="chip" onClick={() => change({ ...sought, service: "", namespace: "" })}>
          service <Foreign text={service} /> <span aria-hidden="true">×</span>
          <span class="hidden">: remove</span>
        </button>
      )}
      {sought.service !== "" && (
        <a href={api.documentOf(sought.service, sought.namespace)} download="openapi.json">
          OpenAPI document
        </a>
      )}
    </form>
  );
}

const Mark = ({ kind, children }: { kind: string; children: ComponentChildren }): VNode => (
  <span class={`tag ${kind}`}>{children}</span>
);

/** A list of what was seen, new ones marked. */
function Seen({ of, start }: { of: Observed["hosts"]; start: number | null }): VNode {
  return (
    <ul class="seen">
      {of.map(({ name, first_seen }) => (
        <li key={name}>
          <code>
            <Foreign text={name} />
          </code>
          <New at={first_seen} start={start} />
        </li>
      ))}
    </ul>
  );
}

const isNew = (at: string, start: number | null): boolean => start !== null && Date.parse(at) >= start;
const New = ({ at, start }: { at: string; start: number | null }): VNode | null =>
  isNew(at, start) ? <Mark kind="new">new</Mark> : null;

function Detail({ endpoint, start }: { endpoint: Observed; start: number | null }): VNode {
  const { parameters, authentication, statuses, service, namespace } = endpoint;
  const lists: [string, Observed["hosts"]][] = [
    ["Request types", endpoint.request_types],
    ["Response types", endpoint.response_types],
    ["Callers", endpoint.callers],
    ["Asked as", endpoint.hosts],
    ["Over", endpoint.schemes],
  ];
  const counts = (of: Record<string, number>, words: Record<string, string> = {}): string =>
    Object.entries(of)
      .map(([name, count]) => `${countOf(count)} ${Object.hasOwn(words, name) ? words[name]! : name}`)
      .join(", ");
  return (
    <div class="observed">
      <dl class="facts">
        <div>
          <dt>Seen</dt>
          <dd>
            first <Time at={endpoint.first_seen} as="day" />, last <Time at={endpoint.last_seen} />, changed{" "}
            <Time at={endpoint.changed} />
          </dd>
        </div>
        <div>
          <dt>Answers</dt>
          <dd>{counts(statuses)}</dd>
        </div>
        {Object.keys(authentication).length > 0 && (
          <div>
            <dt>Credentials</dt>
            <dd>{counts(authentication, CREDENTIAL_WORDS)}</dd>
          </div>
        )}
        {parameters.length > 0 && (
          <div>
            <dt>Parameters</dt>
            <dd>
              <ul class="seen">
                {parameters.map(({ part, name, types, first_seen }) => (
                  <li key={`${part} ${name}`}>
                    <span class="soft">
                      <Foreign text={part} />
                    </span>{" "}
                    <code>
                      <Foreign text={name} />
                    </code>{" "}
                    <span class="soft">{types.join(", ")}</span>
                    <New at={first_seen} start={start} />
                  </li>
                ))}
              </ul>
            </dd>
          </div>
        )}
        {lists
          .filter(([, list]) => list.length > 0)
          .map(([name, list]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <Seen of={list} start={start} />
              </dd>
            </div>
          ))}
      </dl>
      {endpoint.direction === "inbound" && (
        <p>
          <a
            href={hrefOf("findings", null, { ...NO_FILTER, service, namespace: namespace ?? "", text: endpoint.route })}
          >
            Its findings
          </a>
        </p>
      )}
    </div>
  );
}

function Row({ endpoint, start }: { endpoint: Observed; start: number | null }): VNode {
  const { findings, authentication, documented, direction, host } = endpoint;
  const [isOpen, setOpen] = useState(false);
  const stage = (["confirmed", "likely", "attempted"] as const).find((one) => findings[one] > 0);
  const words = documented === null ? null : DOCUMENTED_WORDS[documented];
  return (
    <li>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary class="row endpoint-row">
          <span class="row-place">
            <ServiceName {...endpoint} />{" "}
            {direction === "outbound" && (
              <>
                <span class="soft">calls</span>{" "}
                <code>
                  <Foreign text={host ?? ""} />
                </code>{" "}
              </>
            )}
            <Endpoint {...endpoint} />
          </span>
          <span class="tags">
            {isNew(endpoint.first_seen, start) ? (
              <Mark kind="new">new</Mark>
            ) : (
              isNew(endpoint.changed, start) && <Mark kind="new">changed</Mark>
            )}
            {words !== null && <Mark kind="odd">{words}</Mark>}
            {direction === "inbound" && (authentication.none ?? 0) > 0 && <Mark kind="plain">open</Mark>}
            {stage !== undefined && (
              <span class={stage}>
                <StageMark stage={stage} /> {plural(findings[stage], `${stage} finding`)}
              </span>
            )}
          </span>
          <span class="row-count">
            <Count of={endpoint.count} />
            <span class="times">×</span>
          </span>
          <span class="row-time">
            <Time at={endpoint.last_seen} />
          </span>
        </summary>
        {isOpen && <Detail endpoint={endpoint} start={start} />}
      </details>
    </li>
  );
}

const keyOf = ({ service, namespace, direction, host, method, route }: Observed): string =>
  JSON.stringify([namespace, service, direction, host, method, route]);

function List({ sought }: { sought: Sought }): VNode {
  const key = JSON.stringify(sought);
  const start = startOf(sought.since);
  const ask = (cursor: string | null, signal?: AbortSignal): Promise<Page> =>
    api.endpoints(
      { ...sought, since: start === null ? "" : new Date(start).toISOString(), limit: LIMIT, cursor: cursor ?? "" },
      signal,
    );
  const { data, error, reload } = useLoaded(key, (signal) => ask(null, signal), EVERY_MS);
  const [rest, setRest] = useState<{
    key: string;
    endpoints: Observed[];
    next: string | null;
    fault: Error | null;
  } | null>(null);
  const [isMore, setMore] = useState(false);
  if (data === null) return error === null ? <Loading what="endpoints" /> : <Failed error={error} retry={reload} />;
  const more = rest?.key === key ? rest : null;
  const known = new Set(data.endpoints.map(keyOf));
  const shown = [...data.endpoints, ...(more?.endpoints ?? []).filter((one) => !known.has(keyOf(one)))];
  const next = more === null ? data.next_cursor : more.next;
  const load = async (): Promise<void> => {
    setMore(true);
    const endpoints = more?.endpoints ?? [];
    try {
      const page = await ask(next);
      setRest({ key, endpoints: [...endpoints, ...page.endpoints], next: page.next_cursor, fault: null });
    } catch (problem) {
      setRest({ key, endpoints, next, fault: problem as Error });
    } finally {
      setMore(false);
    }
  };
  return (
    <>
      <div class="list-head">
        <p aria-live="polite">{plural(data.total, "endpoint")}</p>
      </div>
      {shown.length === 0 ? (
        <Empty
          title={
            endpointsHref(sought) === hrefOf("endpoints") ? "Nothing was observed yet." : "No endpoint is like that."
          }
        >
          <p>An endpoint shows here when a service answers a request for it that is inspected.</p>
        </Empty>
      ) : (
        <ol class="rows" data-rows>
          {shown.map((endpoint) => (
            <Row key={keyOf(endpoint)} endpoint={endpoint} start={start} />
          ))}
        </ol>
      )}
      {more !== null && more.fault !== null && <Failed error={more.fault} retry={() => void load()} />}
      {next !== null && (
        <button type="button" class="more" disabled={isMore} onClick={() => void load()}>
          {isMore ? "Loading…" : `Show more of ${data.total}`}
        </button>
      )}
    </>
  );
}

export function Endpoints({ sought }: { sought: Sought }): VNode {
  const change = (next: Sought, isTyped = false): void => (isTyped ? replace : go)(endpointsHref(next));
  return (
    <section class="list panel" aria-labelledby="endpoints-title">
      <h1 id="endpoints-title" tabIndex={-1}>
        Endpoints
      </h1>
      <Filters sought={sought} change={change} />
      <List sought={sought} />
    </section>
  );
}
