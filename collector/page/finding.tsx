/** One finding: what was seen and where, the way it took, why it matters, what to do, and what somebody decides about it. */
import type { ComponentChildren, VNode } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { FindingDetail, State, StateChange } from "../api.ts";
import { Audit } from "./audit.tsx";
import { api } from "./client.ts";
import { useLoaded } from "./loaded.ts";
import { NO_FILTER, STATES, hrefOf } from "./route.ts";
import {
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
  countOf,
} from "./text.tsx";

const EVERY_MS = 10_000;
const EVENTS = 10;
const NOTE_LENGTH = 1_000;
const DAY_MS = 86_400_000;

/** A text with the addresses in it, as links: rules are ours, not an attacker's. */
function Linked({ text }: { text: string }): VNode {
  const parts = text.split(/(https:\/\/[^\s")]*[^\s").,;])/);
  return (
    <>
      {parts.map((part, index) =>
        index % 2 === 0 ? (
          part
        ) : (
          <a href={part} rel="noreferrer noopener" target="_blank">
            {part.replace(/^https:\/\/(www\.)?/, "").replace(/\/$/, "")}
          </a>
        ),
      )}
    </>
  );
}

/** `service METHOD route part name` of each hop, drawn as a way from where the value came in to where it showed. */
export function Hops({ hops }: { hops: readonly string[] }): VNode {
  return (
    <ol class="hops">
      {hops.map((hop, index) => {
        const [service = "", method = "", route = "", part = "", ...name] = hop.split(" ");
        return (
          <li key={index}>
            <span class="hop-role">{index === 0 ? "came in" : index === hops.length - 1 ? "showed" : "passed"}</span>{" "}
            <ServiceName namespace={null} service={service} /> <Endpoint method={method} route={route} />{" "}
            {part !== "" && <Field part={part} parameter={name.length === 0 ? null : name.join(" ")} />}
          </li>
        );
      })}
    </ol>
  );
}

/** YAML for the policy, to be copied. */
export function Exception({ yaml }: { yaml: string }): VNode {
  const [said, say] = useState("");
  const text = useRef<HTMLPreElement>(null);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(yaml);
      say("Copied.");
    } catch {
      // Not a secure context, or not allowed: selected, it can be copied by hand.
      if (text.current !== null) getSelection()?.selectAllChildren(text.current);
      say("Selected: copy it with your keyboard.");
    }
  };
  return (
    <div class="yaml">
      <pre ref={text} tabIndex={0} aria-label="The exception, as YAML">
        <Foreignly text={yaml} />
      </pre>
      <div class="yaml-foot">
        <button type="button" onClick={() => void copy()}>
          Copy
        </button>
        <span role="status">{said}</span>
      </div>
    </div>
  );
}

/** Lines of a foreign text, each by itself. */
const Foreignly = ({ text }: { text: string }): VNode => (
  <>
    {text
      .trimEnd()
      .split("\n")
      .map((line, index) => (
        <span key={index} class="line">
          <Foreign text={line} />
          {"\n"}
        </span>
      ))}
  </>
);

export const Section = ({ title, children }: { title: string; children: ComponentChildren }): VNode => (
  <section class="part">
    <h3>{title}</h3>
    {children}
  </section>
);

const CHOICES: Record<State, { words: string; means: string }> = {
  open: { words: "Open", means: "Somebody has to look at it." },
  accepted: { words: "Accept", means: "It is so, and stays so for now. It no longer counts as open." },
  "false-positive": {
    words: "False positive",
    means: "It is harmless. The exception below keeps the module quiet about it.",
  },
  muted: { words: "Mute until", means: "Not now: it is open again from that day on." },
};

const dayIn = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);

function Decide({ finding, decided }: { finding: FindingDetail; decided(finding: FindingDetail): void }): VNode {
  const id = useId();
  const [choice, choose] = useState<State | null>(null);
  const [note, setNote] = useState("");
  const [until, setUntil] = useState(dayIn(7));
  const [isBusy, setBusy] = useState(false);
  const [said, say] = useState("");
  const [fault, setFault] = useState<Error | null>(null);

  const begin = (state: State): void => {
    choose(state === choice ? null : state);
    setNote(finding.note ?? "");
    say("");
    setFault(null);
  };
  const save = async (): Promise<void> => {
    if (choice === null) return;
    setBusy(true);
    try {
      const change: StateChange = {
        state: choice,
        ...(note.trim() === "" ? {} : { note: note.trim() }),
        ...(choice === "muted" ? { until: new Date(`${until}T23:59:59`).toISOString() } : {}),
      };
      decided(await api.decide(finding.fingerprint, change));
      say(`Saved: ${STATE_WORDS[choice]}.`);
      setFault(null);
      choose(null);
    } catch (problem) {
      setFault(problem as Error);
    } finally {
      setBusy(false);
    }
  };
  const { state } = finding;
  return (
    <Section title="Decision">
      <p class="state-line">
        <span class={`state ${state}`}>{STATE_WORDS[state]}</span>
        {state === "muted" && finding.until !== null && (
          <>
            {" "}
            until <Time at={finding.until} as="day" />
          </>
        )}
        {finding.note !== null && finding.note !== "" && (
          <>
            : <Foreign text={finding.note} />
          </>
        )}
      </p>
      <div class="decide" role="group" aria-label="Change the state">
        {STATES.filter((one) => one !== state || one === "muted").map((one) => (
          <button
            key={one}
            type="button"
            aria-expanded={choice === one}
            aria-controls={`${id}-form`}
            onClick={() => begin(one)}
          >
            {one === "open" ? "Open again" : CHOICES[one].words}
          </button>
        ))}
      </div>
      <form
        id={`${id}-form`}
        class="decision"
        hidden={choice === null}
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        {choice !== null && (
          <>
            <p class="soft">{CHOICES[choice].means}</p>
            {choice === "muted" && (
              <label>
                <span>Muted to the end of</span>
                <input
                  type="date"
                  required
                  min={dayIn(0)}
                  value={until}
                  onInput={(event) => setUntil(event.currentTarget.value)}
                />
              </label>
            )}
            <label>
              <span>Why, for whoever comes after you</span>
              <textarea
                rows={2}
                maxLength={NOTE_LENGTH}
                value={note}
                onInput={(event) => setNote(event.currentTarget.value)}
              />
            </label>
            <div class="buttons">
              <button type="submit" class="primary" disabled={isBusy}>
                {isBusy ? "Saving…" : "Save"}
              </button>
              <button type="button" onClick={() => choose(null)}>
                Cancel
              </button>
            </div>
          </>
        )}
      </form>
      {fault !== null && <Failed error={fault} retry={() => void save()} />}
      <p role="status" class="said">
        {said}
      </p>
    </Section>
  );
}

function Newest({ fingerprint }: { fingerprint: string }): VNode {
  const { data, error, reload } = useLoaded(
    fingerprint,
    (signal) => api.events({ fingerprint, limit: EVENTS }, signal),
    EVERY_MS,
  );
  if (data === null) return error === null ? <Loading what="events" /> : <Failed error={error} retry={reload} />;
  if (data.events.length === 0) return <p class="soft">Its events are older than what is kept.</p>;
  return (
    <ol class="occurrences">
      {data.events.map(({ id, time, outcome, status, principal, request_id }) => (
        <li key={id}>
          <Time at={time} as="clock" />
          <Outcome of={outcome} />
          <span class="soft">{status ?? ""}</span>
          {request_id === null ? (
            <span />
          ) : (
            <a href={hrefOf("requests", request_id)}>
              <code>
                <Foreign text={request_id} />
              </code>
            </a>
          )}
          <span class="who">{principal !== null && <Foreign text={principal} />}</span>
        </li>
      ))}
    </ol>
  );
}

function Body({ finding, decided }: { finding: FindingDetail; decided(finding: FindingDetail): void }): VNode {
  const { rule_text: text, evidence, hops, outcomes, exception, cwe, request_id, trace_id } = finding;
  const ofService = { ...NO_FILTER, service: finding.service, namespace: finding.namespace ?? "" };
  return (
    <>
      <p class="verdict">
        <StageWord stage={finding.stage} /> <span class="soft">{STAGE_WORDS[finding.stage]}</span>
        <span class="verdict-rest">
          <SeverityWord severity={finding.severity} /> <span class="soft">confidence {finding.confidence}</span>
        </span>
      </p>
      <dl class="facts">
        <div>
          <dt>Where</dt>
          <dd>
            <a href={hrefOf("findings", null, ofService)}>
              <ServiceName {...finding} />
            </a>{" "}
            <Endpoint {...finding} /> <Field {...finding} />
          </dd>
        </div>
        <div>
          <dt>Rule</dt>
          <dd>
            <code>
              <Foreign text={finding.rule} />
            </code>{" "}
            <a class="soft" href={hrefOf("findings", null, { ...NO_FILTER, class: finding.class })}>
              <Foreign text={finding.class} />
            </a>
            {cwe.map((one) => (
              <span key={one}>
                {" "}
                <a
                  class="soft"
                  href={`https://cwe.mitre.org/data/definitions/${one}.html`}
                  rel="noreferrer noopener"
                  target="_blank"
                >
                  CWE-{one}
                </a>
              </span>
            ))}
          </dd>
        </div>
        <div>
          <dt>Seen</dt>
          <dd>
            {countOf(finding.count)}×, first <Time at={finding.first_seen} />, last <Time at={finding.last_seen} />
            {Object.entries(outcomes).map(([outcome, count]) => (
              <span key={outcome} class="tally">
                <Outcome of={outcome} /> {countOf(count)}
              </span>
            ))}
          </dd>
        </div>
        {request_id !== null && (
          <div>
            <dt>Newest request</dt>
            <dd>
              <a href={hrefOf("requests", request_id)}>
                <code>
                  <Foreign text={request_id} />
                </code>
              </a>
            </dd>
          </div>
        )}
        {trace_id !== null && (
          <div>
            <dt>Trace</dt>
            <dd>
              <code>
                <Foreign text={trace_id} />
              </code>
            </dd>
          </div>
        )}
      </dl>
      <Section title="Evidence">
        <pre class="evidence" tabIndex={0} aria-label="Masked evidence">
          <Foreign text={evidence} />
        </pre>
        <p class="soft small">
          Masked where it was seen: <code>a{"{n}"}</code> stands for n letters, <code>9{"{n}"}</code> for n digits.
        </p>
      </Section>
      {hops.length > 0 && (
        <Section title="Its way through the mesh">
          <Hops hops={hops} />
        </Section>
      )}
      <Decide finding={finding} decided={decided} />
      {text !== null && (
        <>
          <Section title="Why it matters">
            <p>
              <Linked text={text.reason} />
            </p>
          </Section>
          <Section title="Remedy">
            <dl class="remedy">
              <dt>In code</dt>
              <dd>{text.remedy.code}</dd>
              <dt>In configuration</dt>
              <dd>{text.remedy.configuration}</dd>
              <dt>At the proxy</dt>
              <dd>{text.remedy.proxy}</dd>
            </dl>
          </Section>
        </>
      )}
      <Section title="Exception">
        {exception === null ? (
          <p class="soft">No exception of a policy can name this place.</p>
        ) : (
          <>
            <p class="soft">
              {finding.state === "false-positive"
                ? "Add this to the policy, with your reason in it: then the module is quiet about it."
                : "If it is harmless, this in the policy lets it pass."}
            </p>
            <Exception yaml={exception} />
          </>
        )}
      </Section>
      <Section title="Newest events">
        <Newest fingerprint={finding.fingerprint} />
      </Section>
      {text !== null && (
        <Section title="What the rule cannot see">
          <p>
            <Linked text={text.blind} />
          </p>
        </Section>
      )}
      <Section title="History">
        <Audit fingerprint={finding.fingerprint} version={`${finding.state} ${finding.until} ${finding.note}`} />
      </Section>
    </>
  );
}

/** What a rule sees, as a title. */
const titleOf = (summary: string): string => `${summary.charAt(0).toUpperCase()}${summary.slice(1)}`.replace(/\.$/, "");

export function FindingPanel({ fingerprint, back }: { fingerprint: string; back: string }): VNode {
  const { data, error, reload } = useLoaded(fingerprint, (signal) => api.finding(fingerprint, signal), EVERY_MS);
  const [saved, setSaved] = useState<FindingDetail | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  // What was saved stands until the next answer tells it too.
  useEffect(() => setSaved(null), [data]);
  const finding = saved ?? data;
  const isThere = finding !== null;
  useEffect(() => heading.current?.focus({ preventScroll: true }), [isThere]);
  return (
    <section class="detail" aria-labelledby="detail-title">
      <div class="detail-head">
        <a class="back" href={back} data-key="Escape">
          <span aria-hidden="true">←</span> All findings
        </a>
        <h2 id="detail-title" ref={heading} tabIndex={-1}>
          {finding === null ? (
            "Finding"
          ) : finding.rule_text === null ? (
            <Foreign text={finding.rule} />
          ) : (
            titleOf(finding.rule_text.summary)
          )}
        </h2>
      </div>
      {finding !== null ? (
        <Body finding={finding} decided={setSaved} />
      ) : error === null ? (
        <Loading what="the finding" />
      ) : (
        <Failed error={error} retry={reload} />
      )}
    </section>
  );
}
