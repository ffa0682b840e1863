/** Small words of every view: text of attackers, times, counts, stages. */
import type { ComponentChildren, VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Event, Finding, Severity, Stage, State } from "../api.ts";

/** Controls, format and bidirectional marks, line separators, private use, unassigned: what hides or reorders text. */
const UNSAFE = /([\p{C}\p{Zl}\p{Zp}])/u;

/** Text of an attacker: as text, in its own direction, with what cannot be seen as its number. */
export function Foreign({ text }: { text: string }): VNode {
  const parts = text.split(UNSAFE);
  return (
    <bdi>
      {parts.map((part, index) =>
        index % 2 === 0 ? part : <span class="unseen">{`\\u{${part.codePointAt(0)!.toString(16)}}`}</span>,
      )}
    </bdi>
  );
}

/** The same as a plain text, for where no element can stand: what would hide or reorder it is its number. */
export const visible = (text: string): string =>
  text
    .split(UNSAFE)
    .map((part, index) => (index % 2 === 0 ? part : `\\u{${part.codePointAt(0)!.toString(16)}}`))
    .join("");

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayAndClock = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
});
const whole = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "long" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const number = new Intl.NumberFormat("en-GB");
const short = new Intl.NumberFormat("en-GB", { notation: "compact", maximumFractionDigits: 1 });

export const minuteOf = (time: Date): string => clock.format(time).slice(0, 5);
export const dayOf = (time: Date): string => day.format(time);
export const countOf = (count: number): string => number.format(count);
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${number.format(count)} ${count === 1 ? one : many}`;

/** A count that may be large: short, and whole where it is asked. */
export function Count({ of }: { of: number }): VNode {
  return of < 10_000 ? <span>{number.format(of)}</span> : <span title={number.format(of)}>{short.format(of)}</span>;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function agoOf(millis: number): string {
  if (millis < 10_000) return "just now";
  if (millis < MINUTE) return `${Math.floor(millis / 1_000)} s ago`;
  if (millis < HOUR) return `${Math.floor(millis / MINUTE)} min ago`;
  if (millis < DAY) return `${Math.floor(millis / HOUR)} h ago`;
  return `${plural(Math.floor(millis / DAY), "day")} ago`;
}

/** A time as it is told: `ago`, `clock` (today's with seconds), or `day` with hour and minute. */
export function Time({ at, as = "ago" }: { at: string; as?: "ago" | "clock" | "day" }): VNode {
  const [, tick] = useState(0);
  useEffect(() => {
    if (as !== "ago") return;
    const timer = setInterval(() => tick((count) => count + 1), 10_000);
    return () => clearInterval(timer);
  }, [as]);
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return <span>unknown</span>;
  const millis = Math.max(0, Date.now() - time.getTime());
  const text =
    as === "ago" ? agoOf(millis) : as === "clock" && millis < DAY / 2 ? clock.format(time) : dayAndClock.format(time);
  return (
    <time dateTime={at} title={whole.format(time)}>
      {text}
    </time>
  );
}

export const STAGE_WORDS: Record<Stage, string> = {
  confirmed: "the response proves it",
  likely: "the response speaks for it",
  attempted: "somebody tried; nothing shows that it worked",
};
export const STATE_WORDS: Record<State, string> = {
  open: "open",
  accepted: "accepted",
  "false-positive": "false positive",
  muted: "muted",
};
const OUTCOME_WORDS: Record<string, string> = {
  allowed: "passed",
  denied: "refused",
  would_deny: "would be refused",
  partial: "cut off",
  error: "not judged",
};

/** A ring that fills up with what is known: told apart without its colour. */
export function StageMark({ stage }: { stage: Stage }): VNode {
  return (
    <svg class={`mark ${stage}`} viewBox="0 0 12 12" aria-hidden="true">
      <circle cx="6" cy="6" r="4.75" class="ring" />
      {stage === "likely" && <path d="M6 1.25a4.75 4.75 0 0 1 0 9.5z" class="fill" />}
      {stage === "confirmed" && <circle cx="6" cy="6" r="4.75" class="fill" />}
    </svg>
  );
}

export function StageWord({ stage }: { stage: Stage }): VNode {
  return (
    <span class={`stage ${stage}`} title={STAGE_WORDS[stage]}>
      <StageMark stage={stage} />
      {stage}
    </span>
  );
}

export const SeverityWord = ({ severity }: { severity: Severity }): VNode => (
  <span class={`severity ${severity}`}>{severity}</span>
);

export function Outcome({ of }: { of: string }): VNode {
  const word = Object.hasOwn(OUTCOME_WORDS, of) ? OUTCOME_WORDS[of]! : null;
  return <span class={`outcome ${of === "denied" ? "denied" : ""}`}>{word ?? <Foreign text={of} />}</span>;
}

type Place = Pick<Finding | Event, "namespace" | "service" | "method" | "route" | "part" | "parameter">;

export function ServiceName({ namespace, service }: Pick<Place, "namespace" | "service">): VNode {
  return (
    <span class="service">
      {namespace !== null && (
        <span class="soft">
          <Foreign text={namespace} />/
        </span>
      )}
      <Foreign text={service} />
    </span>
  );
}

export const Endpoint = ({ method, route }: Pick<Place, "method" | "route">): VNode => (
  <code class="endpoint">
    <Foreign text={method} /> <Foreign text={route} />
  </code>
);

export const Field = ({ part, parameter }: Pick<Place, "part" | "parameter">): VNode => (
  <span class="field">
    <Foreign text={part} />
    {parameter !== null && (
      <>
        {" "}
        <code>
          <Foreign text={parameter} />
        </code>
      </>
    )}
  </span>
);

/** Nothing to show, in words. */
export const Empty = ({ title, children }: { title: string; children?: ComponentChildren }): VNode => (
  <div class="empty">
    <p class="empty-title">{title}</p>
    {children}
  </div>
);

/** Waits a moment before it says so: most answers are there by then. */
export function Loading({ what }: { what: string }): VNode {
  return (
    <p class="loading" role="status">
      Loading {what}…
    </p>
  );
}

export function Failed({ error, retry }: { error: Error; retry(): void }): VNode {
  return (
    <div class="notice failed" role="alert">
      <p>
        <Foreign text={error.message} />
      </p>
      <button type="button" onClick={retry}>
        Try again
      </button>
    </div>
  );
}
