/** A request by the id on its block page: what was found in it, and why it was answered as it was. */
import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Event } from "../api.ts";
import { api } from "./client.ts";
import { Exception, Hops, Section } from "./finding.tsx";
import { useLoaded } from "./loaded.ts";
import { go, hrefOf } from "./route.ts";
import {
  Empty,
  Endpoint,
  Failed,
  Field,
  Foreign,
  Loading,
  Outcome,
  STAGE_WORDS,
  STATE_WORDS,
  ServiceName,
  SeverityWord,
  StageWord,
  Time,
} from "./text.tsx";

const LIMIT = 50;

/** As it may have been copied: a URN, in capitals, with spaces around it. The collector keeps ids in lower case. */
const cleanId = (text: string): string =>
  text
    .trim()
    .toLowerCase()
    .replace(/^urn:uuid:/, "")
    .slice(0, 64);

export function RequestSearch({ id, isMain = false }: { id: string; isMain?: boolean }): VNode {
  const [text, setText] = useState(id);
  useEffect(() => setText(id), [id]);
  return (
    <form
      class="request-search"
      role="search"
      aria-label={isMain ? "A request" : "A request, from anywhere"}
      onSubmit={(event) => {
        event.preventDefault();
        const wanted = cleanId(text);
        if (wanted !== "") go(hrefOf("requests", wanted));
      }}
    >
      <label>
        <span class="hidden">Request id</span>
        <input
          type="search"
          placeholder={isMain ? "The id on the block page, such as 0f8fad5b-d9cb-469f-a165-70867728950e" : "Request id"}
          value={text}
          maxLength={100}
          data-key={isMain ? undefined : "/"}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      {isMain && (
        <button type="submit" class="primary">
          Find
        </button>
      )}
    </form>
  );
}

function Found({ event }: { event: Event }): VNode {
  const { fingerprint, exception, hops, policy, mode } = event;
  const { data, error, reload } = useLoaded(fingerprint, (signal) => api.finding(fingerprint, signal));
  return (
    <article class="found">
      <h2>
        <a href={hrefOf("findings", fingerprint)}>
          {data?.rule_text ? data.rule_text.summary.replace(/\.$/, "") : <Foreign text={event.rule} />}
        </a>
      </h2>
      <p class="verdict">
        <StageWord stage={event.stage} /> <span class="soft">{STAGE_WORDS[event.stage]}</span>
        <span class="verdict-rest">
          <SeverityWord severity={event.severity} /> <span class="soft">confidence {event.confidence}</span>
        </span>
      </p>
      <dl class="facts">
        <div>
          <dt>Where</dt>
          <dd>
            <ServiceName {...event} /> <Endpoint {...event} /> <Field {...event} />
          </dd>
        </div>
        <div>
          <dt>Evidence</dt>
          <dd>
            <pre class="evidence">
              <Foreign text={event.evidence} />
            </pre>
          </dd>
        </div>
        <div>
          <dt>Decided by</dt>
          <dd>
            <Outcome of={event.outcome} />: mode {mode === null ? "unknown" : <Foreign text={mode} />} for the route{" "}
            <code>
              <Foreign text={event.route} />
            </code>
            {policy !== null && (
              <>
                , policy{" "}
                <code>
                  <Foreign text={policy} />
                </code>
              </>
            )}
            {exception !== null && (
              <>
                . It does not count: exception{" "}
                <code>
                  <Foreign text={exception} />
                </code>
              </>
            )}
          </dd>
        </div>
        <div>
          <dt>Rule</dt>
          <dd>
            <code>
              <Foreign text={event.rule} />
            </code>
          </dd>
        </div>
        {data !== null && data.state !== "open" && (
          <div>
            <dt>Finding</dt>
            <dd>{STATE_WORDS[data.state]}</dd>
          </div>
        )}
      </dl>
      {hops.length > 0 && (
        <Section title="Its way through the mesh">
          <Hops hops={hops} />
        </Section>
      )}
      {exception === null && (
        <Section title="What would have let it pass">
          {data === null ? (
            error === null ? (
              <Loading what="the exception" />
            ) : (
              <Failed error={error} retry={reload} />
            )
          ) : data.exception === null ? (
            <p class="soft">No exception of a policy can name this place.</p>
          ) : (
            <Exception yaml={data.exception} />
          )}
        </Section>
      )}
    </article>
  );
}

function Request({ id }: { id: string }): VNode {
  const { data, error, reload } = useLoaded(id, (signal) => api.events({ request_id: id, limit: LIMIT }, signal));
  if (data === null) return error === null ? <Loading what="the request" /> : <Failed error={error} retry={reload} />;
  const [first] = data.events;
  if (first === undefined) {
    return (
      <Empty title="No event has this id.">
        <p>Nothing was found in that request, or its events are not here yet, or they are older than what is kept.</p>
        <button type="button" onClick={reload}>
          Look again
        </button>
      </Empty>
    );
  }
  return (
    <>
      <dl class="facts wide">
        <div>
          <dt>Time</dt>
          <dd>
            <Time at={first.time} as="day" /> (<Time at={first.time} />)
          </dd>
        </div>
        <div>
          <dt>Answer</dt>
          <dd>
            <Outcome of={first.outcome} /> {first.status ?? ""}
          </dd>
        </div>
        {first.principal !== null && (
          <div>
            <dt>Sent by</dt>
            <dd>
              <Foreign text={first.principal} />
            </dd>
          </div>
        )}
        {first.host !== null && (
          <div>
            <dt>Host</dt>
            <dd>
              {first.scheme !== null && (
                <>
                  <Foreign text={first.scheme} />
                  ://
                </>
              )}
              <Foreign text={first.host} />
            </dd>
          </div>
        )}
        {first.instance !== null && (
          <div>
            <dt>Proxy</dt>
            <dd>
              <Foreign text={first.instance} />
              {first.direction !== null && `, ${first.direction}`}
              {first.version !== null && (
                <>
                  , Meshward <Foreign text={first.version} />
                </>
              )}
            </dd>
          </div>
        )}
        {first.trace_id !== null && (
          <div>
            <dt>Trace</dt>
            <dd>
              <code>
                <Foreign text={first.trace_id} />
              </code>
            </dd>
          </div>
        )}
      </dl>
      {data.events.map((event) => (
        <Found key={event.id} event={event} />
      ))}
    </>
  );
}

export function Requests({ id }: { id: string | null }): VNode {
  return (
    <section class="panel request" aria-labelledby="requests-title">
      <div class="panel-head">
        <h1 id="requests-title" tabIndex={-1}>
          {id === null ? "Find a request" : "Request"}
        </h1>
      </div>
      <RequestSearch id={id ?? ""} isMain />
      {id === null ? (
        <p class="soft">
          Whoever was refused has the id on the page that refused them; it is also in the answer’s <code>instance</code>{" "}
          and in the access log.
        </p>
      ) : (
        <Request key={id} id={id} />
      )}
    </section>
  );
}
