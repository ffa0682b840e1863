/** What is going on: how much is open, what comes in, the newest attacks. */
import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { Event, Summary } from "../api.ts";
import { api } from "./client.ts";
import { useLoaded } from "./loaded.ts";
import { NO_FILTER, STAGES, hrefOf } from "./route.ts";
import {
  Count,
  Empty,
  Endpoint,
  Failed,
  Field,
  Foreign,
  Loading,
  Outcome,
  STAGE_WORDS,
  ServiceName,
  SeverityWord,
  StageMark,
  StageWord,
  Time,
  plural,
} from "./text.tsx";
import { TrendPanel } from "./trend.tsx";

const EVERY_MS = 3_000;
const NEWEST = 15;
const GRAVEST = 6;

function Figures({ findings, events }: Summary): VNode {
  const rates = [
    ["minute", events.minute],
    ["hour", events.hour],
    ["day", events.day],
    ["day, refused", events.outcomes.denied ?? 0],
  ] as const;
  return (
    <div class="figures">
      {STAGES.map((stage) => (
        <a key={stage} class={`figure ${stage}`} href={hrefOf("findings", null, { ...NO_FILTER, stage: [stage] })}>
          <span class="figure-number">
            <Count of={findings.stages[stage]} />
          </span>
          <span class="figure-name">
            <StageMark stage={stage} /> {stage}
          </span>
          <span class="figure-words">{STAGE_WORDS[stage]}</span>
        </a>
      ))}
      <section class="rates" aria-labelledby="rates-title">
        <p id="rates-title" class="rates-title">
          Events in the last
        </p>
        <dl>
          {rates.map(([words, count]) => (
            <div key={words}>
              <dt>{words}</dt>
              <dd>
                <Count of={count} />
              </dd>
            </div>
          ))}
        </dl>
      </section>
    </div>
  );
}

/** Why something may be missing from all these figures. */
function Missing({ limits: { other, dropped } }: Summary): VNode | null {
  const crowded = other.services + other.endpoints + other.fingerprints;
  const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);
  if (crowded + lost === 0) return null;
  return (
    <div class="notice" role="note">
      {lost > 0 && (
        <p>
          {plural(lost, "log record")} could not be stored:{" "}
          {Object.entries(dropped)
            .filter(([, count]) => count > 0)
            .map(([why, count], index) => (
              <span key={why}>
                {index > 0 && ", "}
                <Foreign text={why} /> {count}
              </span>
            ))}
          .
        </p>
      )}
      {crowded > 0 && (
        <p>
          {plural(crowded, "event")} went to “other”: there are more services, endpoints or findings than are kept
          apart.
        </p>
      )}
    </div>
  );
}

function Live({ isPaused, pause }: { isPaused: boolean; pause(on: boolean): void }): VNode {
  const { data, error, reload } = useLoaded(
    "live",
    (signal) => api.events({ limit: NEWEST }, signal),
    EVERY_MS,
    isPaused,
  );
  return (
    <section class="panel live" aria-labelledby="live-title">
      <div class="panel-head">
        <h2 id="live-title">Newest attacks</h2>
        <button type="button" class="quiet" aria-pressed={isPaused} data-key="p" onClick={() => pause(!isPaused)}>
          {isPaused ? "Go on" : "Pause"}
        </button>
      </div>
      {data === null ? (
        error === null ? (
          <Loading what="events" />
        ) : (
          <Failed error={error} retry={reload} />
        )
      ) : data.events.length === 0 ? (
        <Empty title="Nothing has come in yet.">
          <p>
            Set <code>events</code> in the policy to this collector’s address; what sidecars find shows here within
            seconds.
          </p>
        </Empty>
      ) : (
        <ol class="events">
          {data.events.map((event) => (
            <LiveEvent key={event.id} {...event} />
          ))}
        </ol>
      )}
    </section>
  );
}

function LiveEvent(event: Event): VNode {
  const { fingerprint, time, stage, rule, outcome, principal } = event;
  return (
    <li class="event">
      <span class="event-time">
        <Time at={time} as="clock" />
      </span>
      <StageMark stage={stage} />
      <a class="event-rule" href={hrefOf("findings", fingerprint)}>
        <Foreign text={rule} />
        <span class="hidden">, {stage}</span>
      </a>
      <Outcome of={outcome} />
      <span class="event-place">
        <ServiceName {...event} /> <Endpoint {...event} /> <Field {...event} />
      </span>
      {principal !== null && (
        <span class="event-who">
          <Foreign text={principal} />
        </span>
      )}
    </li>
  );
}

function Gravest({ isPaused }: { isPaused: boolean }): VNode {
  const { data, error, reload } = useLoaded(
    "gravest",
    (signal) => api.findings(NO_FILTER, GRAVEST, null, signal),
    EVERY_MS * 2,
    isPaused,
  );
  return (
    <section class="panel" aria-labelledby="gravest-title">
      <div class="panel-head">
        <h2 id="gravest-title">Look at these first</h2>
        {data !== null && data.total > GRAVEST && <a href={hrefOf("findings")}>All {data.total} open findings</a>}
      </div>
      {data === null ? (
        error === null ? (
          <Loading what="findings" />
        ) : (
          <Failed error={error} retry={reload} />
        )
      ) : data.findings.length === 0 ? (
        <Empty title="There are no open findings." />
      ) : (
        <ol class="gravest">
          {data.findings.map((finding) => (
            <li key={finding.fingerprint}>
              <a href={hrefOf("findings", finding.fingerprint)}>
                <StageWord stage={finding.stage} />
                <SeverityWord severity={finding.severity} />
                <span class="gravest-rule">
                  <Foreign text={finding.rule} />
                </span>
                <span class="gravest-place">
                  <ServiceName {...finding} /> <Endpoint {...finding} /> <Field {...finding} />
                </span>
              </a>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

export function Overview(): VNode {
  const [isPaused, pause] = useState(false);
  const { data, error, reload } = useLoaded("summary", api.summary, EVERY_MS, isPaused);
  return (
    <>
      <h1 class="hidden" tabIndex={-1}>
        Overview
      </h1>
      {data === null ? (
        error === null ? (
          <Loading what="figures" />
        ) : (
          <Failed error={error} retry={reload} />
        )
      ) : (
        <>
          <Figures {...data} />
          <Missing {...data} />
        </>
      )}
      <div class="columns">
        <div>
          <TrendPanel isPaused={isPaused} />
          <Gravest isPaused={isPaused} />
        </div>
        <Live isPaused={isPaused} pause={pause} />
      </div>
    </>
  );
}
