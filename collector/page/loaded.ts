/** Data of the collector that stays fresh: asked for at once, then again and again while somebody can see it. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { SignedOut } from "./client.ts";

export interface Loaded<Data> {
  /** Null until the first answer for this key. */
  data: Data | null;
  /** Why the newest question had no answer; the data before it stays. */
  error: Error | null;
  reload(): void;
}

/** Heard by the shell, which shows whether the page is live. */
export const connection = new EventTarget();
let brokenSince: Date | null = null;

/** Since when questions have no answer; null while they have. */
export const broken = (): Date | null => brokenSince;

function tell(isUp: boolean): void {
  if (isUp === (brokenSince === null)) return;
  brokenSince = isUp ? null : new Date();
  connection.dispatchEvent(new Event("change"));
}

/**
 * Asks by `load` whenever `key` changes, and each `every` milliseconds after an answer (0: never again). Questions stop while the
 * page is hidden or `isPaused`. Null for a key: nothing is asked.
 */
export function useLoaded<Data>(
  key: string | null,
  load: (signal: AbortSignal) => Promise<Data>,
  every = 0,
  isPaused = false,
): Loaded<Data> {
  const [state, setState] = useState<{ key: string | null; data: Data | null; error: Error | null }>({
    key,
    data: null,
    error: null,
  });
  const [asked, ask] = useState(0);
  const newest = useRef(load);
  newest.current = load;
  const paused = useRef(isPaused);
  paused.current = isPaused;

  useEffect(() => {
    if (key === null) return;
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isFirst = true;
    const again = (): void => {
      if (every > 0) timer = setTimeout(run, every);
    };
    const run = (): void => {
      // The first question is asked also of a page that was opened behind another.
      if (!isFirst && (document.hidden || paused.current)) return again();
      isFirst = false;
      newest.current(controller.signal).then(
        (data) => {
          tell(true);
          setState({ key, data, error: null });
          again();
        },
        (error: Error) => {
          if (controller.signal.aborted) return;
          if (error instanceof SignedOut) dispatchEvent(new Event("signed-out"));
          else tell("status" in error);
          setState((before) => ({ key, data: before.key === key ? before.data : null, error }));
          again();
        },
      );
    };
    run();
    const wake = (): void => {
      if (document.hidden || every === 0) return;
      clearTimeout(timer);
      run();
    };
    document.addEventListener("visibilitychange", wake);
    return () => {
      controller.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", wake);
    };
  }, [key, every, asked]);

  const reload = useCallback(() => ask((count) => count + 1), []);
  return state.key === key ? { ...state, reload } : { data: null, error: null, reload };
}
