/**
 * All findings, filtered, and the one that is looked at beside them. What is on the screen keeps its order while somebody reads: new
 * data changes rows in place, and a list that would be another one is offered, not swapped.
 */
import type { ComponentChildren, VNode } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import type { Finding, Findings as Page } from "../api.ts";
import { api } from "./client.ts";
import { FindingPanel } from "./finding.tsx";
import { useLoaded } from "./loaded.ts";
import { NO_FILTER, SEVERITIES, STAGES, STATES, go, hrefOf, replace } from "./route.ts";
import type { Filter } from "./route.ts";
import {
  Count,
  Empty,
  Endpoint,
  Failed,
  Field,
  Foreign,
  Loading,
  STATE_WORDS,
  ServiceName,
  SeverityWord,
  StageMark,
  StageWord,
  Time,
  plural,
} from "./text.tsx";
import { TypedSearch } from "./typed-search.tsx";

const LIMIT = 50;
const EVERY_MS = 5_000;

function Choice<Value extends string>({
  name,
  values,
  chosen,
  choose,
  words,
}: {
  name: string;
  values: readonly Value[];
  chosen: readonly Value[];
  choose(values: Value[]): void;
  words?(value: Value): ComponentChildren;
}): VNode {
  return (
    <fieldset class="choice">
      <legend>{name}</legend>
      {values.map((value) => (
        <label key={value} class={chosen.includes(value) ? "on" : undefined}>
          <input
            type="checkbox"
            checked={chosen.includes(value)}
            onChange={(event) =>
              choose(values.filter((one) => (one === value ? event.currentTarget.checked : chosen.includes(one))))
            }
          />
          {words?.(value) ?? value}
        </label>
      ))}
    </fieldset>
  );
}

function Filters({ filter, change }: { filter: Filter; change(filter: Filter, isTyped?: boolean): void }): VNode {
  const places = [
    ["service", [filter.namespace, filter.service].filter(Boolean).join("/"), { service: "", namespace: "" }],
    ["class", filter.class, { class: "" }],
  ] as const;
  return (
    <form class="filters" role="search" aria-label="Findings" onSubmit={(event) => event.preventDefault()}>
      <TypedSearch
        label="Part of a rule, class, service, route, parameter or evidence"
        placeholder="Rule, service, route, parameter…"
        text={filter.text}
        seek={(text) => change({ ...filter, text }, true)}
      />
      <Choice
        name="Stage"
        values={STAGES}
        chosen={filter.stage}
        choose={(stage) => change({ ...filter, stage })}
        words={(stage) => (
          <>
            <StageMark stage={stage} /> {stage}
          </>
        )}
      />
      <Choice
        name="Severity"
        values={SEVERITIES}
        chosen={filter.severity}
        choose={(severity) => change({ ...filter, severity })}
      />
      <Choice
        name="State"
        values={STATES}
        chosen={filter.state}
        choose={(state) => change({ ...filter, state })}
        words={(state) => STATE_WORDS[state]}
      />
      <label class="sort">
        <span>Order</span>
        <select
          value={filter.sort}
          onChange={(event) => change({ ...filter, sort: event.currentTarget.value === "recent" ? "recent" : "rank" })}
        >
          <option value="rank">gravest first</option>
          <option value="recent">newest first</option>
        </select>
      </label>
      {places
        .filter(([, value]) => value !== "")
        .map(([name, value, without]) => (
          <button key={name} type="button" class="chip" onClick={() => change({ ...filter, ...without })}>
            {name} <Foreign text={value} /> <span aria-hidden="true">×</span>
            <span class="hidden">: remove</span>
          </button>
        ))}
    </form>
  );
}

function Row({ finding, href, isChosen }: { finding: Finding; href: string; isChosen: boolean }): VNode {
  const { stage, severity, rule, count, last_seen, state } = finding;
  return (
    <li>
      <a class="row" href={href} aria-current={isChosen ? "true" : undefined}>
        <StageWord stage={stage} />
        <SeverityWord severity={severity} />
        <span class="row-rule">
          <Foreign text={rule} />
        </span>
        <span class="row-place">
          <ServiceName {...finding} /> <Endpoint {...finding} /> <Field {...finding} />
        </span>
        <span class="row-count">
          <Count of={count} />
          <span class="times">×</span>
        </span>
        <span class="row-time">
          <Time at={last_seen} />
        </span>
        {state !== "open" && <span class="row-state">{STATE_WORDS[state]}</span>}
      </a>
    </li>
  );
}

/** Whether two lists have the same findings in the same order, as far as both go. */
const isSame = (shown: readonly Finding[], fresh: readonly Finding[]): boolean =>
  fresh.length <= shown.length && fresh.every(({ fingerprint }, index) => shown[index]!.fingerprint === fingerprint);

function List({ filter, chosen }: { filter: Filter; chosen: string | null }): VNode {
  const key = JSON.stringify(filter);
  const { data, error, reload } = useLoaded(key, (signal) => api.findings(filter, LIMIT, null, signal), EVERY_MS);
  const [list, setList] = useState<{ key: string; page: Page; isStale: boolean; fault: Error | null } | null>(null);
  const [isMore, setMore] = useState(false);

  useEffect(() => {
    if (data === null) return;
    setList((before) => {
      if (before === null || before.key !== key) return { key, page: data, isStale: false, fault: null };
      const fresh = new Map(data.findings.map((finding) => [finding.fingerprint, finding]));
      const findings = before.page.findings.map((finding) => fresh.get(finding.fingerprint) ?? finding);
      const isStale = !isSame(findings, data.findings) || data.total !== before.page.total;
      return { ...before, page: { ...before.page, findings }, isStale };
    });
  }, [data, key]);

  if (list === null || list.key !== key) {
    return error === null ? <Loading what="findings" /> : <Failed error={error} retry={reload} />;
  }
  const { page, isStale, fault } = list;
  const renew = (): void => {
    setList(null);
    reload();
  };
  const more = async (): Promise<void> => {
    setMore(true);
    try {
      const next = await api.findings(filter, LIMIT, page.next_cursor);
      const known = new Set(page.findings.map(({ fingerprint }) => fingerprint));
      const findings = [...page.findings, ...next.findings.filter(({ fingerprint }) => !known.has(fingerprint))];
      setList((now) => (now?.key === key ? { ...now, page: { ...next, findings }, fault: null } : now));
    } catch (problem) {
      setList((now) => now && { ...now, fault: problem as Error });
    } finally {
      setMore(false);
    }
  };
  const isFiltered = hrefOf("findings", null, { ...filter, sort: "rank" }) !== hrefOf("findings");
  return (
    <>
      <div class="list-head">
        <p aria-live="polite">{plural(page.total, "finding")}</p>
        {isStale && (
          <button type="button" class="chip" onClick={renew}>
            The list has changed: show it
          </button>
        )}
      </div>
      {page.findings.length === 0 ? (
        isFiltered ? (
          <Empty title="No finding is like that.">
            <p>
              <a href={hrefOf("findings")}>Show all open findings</a>
            </p>
          </Empty>
        ) : (
          <Empty title="There are no open findings.">
            <p>
              <a href={hrefOf("findings", null, { ...NO_FILTER, state: [] })}>Show those that were decided on too</a>
            </p>
          </Empty>
        )
      ) : (
        <ol class="rows" data-rows>
          {page.findings.map((finding) => (
            <Row
              key={finding.fingerprint}
              finding={finding}
              href={hrefOf("findings", finding.fingerprint, filter)}
              isChosen={finding.fingerprint === chosen}
            />
          ))}
        </ol>
      )}
      {fault !== null && <Failed error={fault} retry={() => void more()} />}
      {page.next_cursor !== null && page.findings.length > 0 && (
        <button type="button" class="more" disabled={isMore} onClick={() => void more()}>
          {isMore ? "Loading…" : `Show more of ${page.total}`}
        </button>
      )}
    </>
  );
}

export function Findings({ filter, chosen }: { filter: Filter; chosen: string | null }): VNode {
  const change = useCallback(
    (next: Filter, isTyped = false): void => (isTyped ? replace : go)(hrefOf("findings", chosen, next)),
    [chosen],
  );
  return (
    <div class={`split ${chosen === null ? "" : "with-detail"}`}>
      <section class="list" aria-labelledby="findings-title">
        <h1 id="findings-title" tabIndex={-1}>
          Findings
        </h1>
        <Filters filter={filter} change={change} />
        <List filter={filter} chosen={chosen} />
      </section>
      {chosen !== null && <FindingPanel key={chosen} fingerprint={chosen} back={hrefOf("findings", null, filter)} />}
    </div>
  );
}
