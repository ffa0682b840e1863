/** Who changed what, the newest first. */
import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Audit as Page } from "../api.ts";
import { api } from "./client.ts";
import { useLoaded } from "./loaded.ts";
import { hrefOf } from "./route.ts";
import { Empty, Failed, Foreign, Loading, STATE_WORDS, Time } from "./text.tsx";

const EVERY_MS = 10_000;
const LIMIT = 50;
const ACTIONS: Record<string, string> = {
  state: "changed a finding",
  session: "signed in",
  "session.end": "signed out",
  retention: "old events removed",
};

/** What the detail of an entry says: pairs of a name and its text. */
function pairsOf(detail: string): [name: string, text: string][] {
  try {
    const said = JSON.parse(detail) as unknown;
    if (typeof said !== "object" || said === null) return [["", detail]];
    return Object.entries(said)
      .filter(([, value]) => value !== null && value !== "")
      .map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
  } catch {
    return detail === "" ? [] : [["", detail]];
  }
}

const wordOf = (text: string): string =>
  Object.hasOwn(STATE_WORDS, text) ? STATE_WORDS[text as keyof typeof STATE_WORDS] : text;

/** The entries of all, or of one finding; `version` changes where there must be a new one. */
export function Audit({ fingerprint, version = "" }: { fingerprint?: string; version?: string }): VNode {
  const said = fingerprint === undefined ? {} : { fingerprint };
  const { data, error, reload } = useLoaded(
    `${fingerprint ?? "all"} ${version}`,
    (signal) => api.audit({ ...said, limit: LIMIT }, signal),
    EVERY_MS,
  );
  const [older, setOlder] = useState<Page | null>(null);
  const [fault, setFault] = useState<Error | null>(null);
  useEffect(() => setOlder(null), [fingerprint]);
  if (data === null) return error === null ? <Loading what="changes" /> : <Failed error={error} retry={reload} />;
  const known = new Set(data.entries.map(({ id }) => id));
  const entries = [...data.entries, ...(older?.entries ?? []).filter(({ id }) => !known.has(id))];
  if (entries.length === 0) {
    return fingerprint === undefined ? (
      <Empty title="Nobody has changed anything." />
    ) : (
      <p class="soft">Nobody has changed anything.</p>
    );
  }
  const cursor = (older ?? data).next_cursor;
  const more = async (): Promise<void> => {
    try {
      const page = await api.audit({ ...said, cursor: cursor ?? "", limit: LIMIT });
      setOlder((before) => ({ ...page, entries: [...(before?.entries ?? []), ...page.entries] }));
      setFault(null);
    } catch (problem) {
      setFault(problem as Error);
    }
  };
  return (
    <>
      <ol class="audit">
        {entries.map(({ id, time, who, action, fingerprint: of, detail }) => (
          <li key={id}>
            <Time at={time} as="clock" />
            <span class="audit-who">
              <Foreign text={who} />
            </span>
            <span class="audit-what">
              {fingerprint === undefined && (
                <>
                  {Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : <Foreign text={action} />}{" "}
                  {of !== null && (
                    <a href={hrefOf("findings", of)}>
                      <code>{of.slice(0, 8)}</code>
                    </a>
                  )}{" "}
                </>
              )}
              {pairsOf(detail).map(([name, text]) => (
                <span key={name} class="pair">
                  {name !== "" && (
                    <span class="soft">
                      <Foreign text={name} />{" "}
                    </span>
                  )}
                  <Foreign text={wordOf(text)} />
                </span>
              ))}
            </span>
          </li>
        ))}
      </ol>
      {fault !== null && <Failed error={fault} retry={() => void more()} />}
      {cursor !== null && (
        <button type="button" class="more" onClick={() => void more()}>
          Show older changes
        </button>
      )}
    </>
  );
}

export const AuditView = (): VNode => (
  <section class="panel" aria-labelledby="audit-title">
    <div class="panel-head">
      <h1 id="audit-title" tabIndex={-1}>
        Audit
      </h1>
    </div>
    <Audit />
  </section>
);
