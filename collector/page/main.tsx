/** The collector's page: a shell with six views. Everything that it shows was written by attackers, and is shown as text. */
import { render } from "preact";
import type { VNode } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { AuditView } from "./audit.tsx";
import { SignedOut, api } from "./client.ts";
import { Endpoints } from "./endpoints.tsx";
import { Findings } from "./findings.tsx";
import { Shortcuts, useKeys } from "./keys.tsx";
import { broken, connection } from "./loaded.ts";
import { Overview } from "./overview.tsx";
import { RequestSearch, Requests } from "./requests.tsx";
import { VIEWS, hrefOf, parseRoute } from "./route.ts";
import type { Route, View } from "./route.ts";
import { Services } from "./services.tsx";
import { THEMES, savedTheme, setTheme } from "./settings.ts";
import type { Theme } from "./settings.ts";
import { SignIn, takeToken, whyNot } from "./sign-in.tsx";
import { minuteOf } from "./text.tsx";

const NAMES: Record<View, string> = {
  overview: "Overview",
  findings: "Findings",
  requests: "Requests",
  services: "Services",
  endpoints: "Endpoints",
  audit: "Audit",
};
const THEME_NAMES: Record<Theme, string> = { auto: "as the system", light: "light", dark: "dark" };

function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const listen = (): void => setRoute(parseRoute(location.hash));
    addEventListener("hashchange", listen);
    return () => removeEventListener("hashchange", listen);
  }, []);
  return route;
}

/** Whether what is shown is fresh. */
function Connection(): VNode {
  const [since, setSince] = useState(broken);
  useEffect(() => {
    const listen = (): void => setSince(broken());
    connection.addEventListener("change", listen);
    return () => connection.removeEventListener("change", listen);
  }, []);
  return (
    <span class={`connection ${since === null ? "live" : "lost"}`} role="status">
      {since === null ? "Live" : `No connection since ${minuteOf(since)}; trying again`}
    </span>
  );
}

function Shown({ route }: { route: Route }): VNode {
  switch (route.view) {
    case "overview":
      return <Overview />;
    case "findings":
      return <Findings filter={route.filter} chosen={route.id} />;
    case "requests":
      return <Requests id={route.id} />;
    case "services":
      return <Services />;
    case "endpoints":
      return <Endpoints sought={route.sought} />;
    case "audit":
      return <AuditView />;
  }
}

function Shell({ signOut }: { signOut(): void }): VNode {
  const route = useRoute();
  const [theme, changeTheme] = useState(savedTheme);
  const [isHelp, setHelp] = useState(false);
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);

  const toggleTheme = useCallback(
    () =>
      changeTheme((before) => {
        const next = THEMES[(THEMES.indexOf(before) + 1) % THEMES.length]!;
        setTheme(next);
        return next;
      }),
    [],
  );
  const help = useCallback(() => setHelp(true), []);
  useKeys(toggleTheme, help);

  // Another view: its heading is read out, and Tab goes on from there.
  useEffect(() => {
    document.title = `${NAMES[route.view]} – Meshward`;
    if (isFirst.current) isFirst.current = false;
    else {
      main.current?.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
  }, [route.view]);

  // Back from a finding: the focus stands where it was before.
  const last = useRef<string | null>(null);
  useEffect(() => {
    if (route.view === "findings" && route.id === null && last.current !== null) {
      const row = [...document.querySelectorAll<HTMLElement>("[data-rows] .row")].find((one) =>
        (one as HTMLAnchorElement).hash.includes(last.current!),
      );
      row?.focus();
    }
    last.current = route.view === "findings" ? route.id : null;
  }, [route.view, route.id]);

  return (
    <>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        Skip to the content
      </a>
      <header class="top">
        <a class="brand" href={hrefOf("overview")} aria-label="Meshward, overview">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <path class="shield" d="M16 2 28 7v9c0 7-5 12-12 14C9 28 4 23 4 16V7z" />
            <path class="letter" d="M9.5 21V11l6.5 6.5 6.5-6.5v10" />
          </svg>
          Meshward
        </a>
        <nav aria-label="Views">
          {VIEWS.map((view) => (
            <a key={view} href={hrefOf(view)} aria-current={route.view === view ? "page" : undefined}>
              {NAMES[view]}
            </a>
          ))}
        </nav>
        <RequestSearch id="" />
        <div class="tools">
          <Connection />
          <button
            type="button"
            class="quiet"
            aria-label={`Theme: ${THEME_NAMES[theme]}`}
            title={`Theme: ${THEME_NAMES[theme]} (t)`}
            onClick={toggleTheme}
          >
            <svg viewBox="0 0 16 16" aria-hidden="true">
              <circle cx="8" cy="8" r="5.5" class="ring" />
              {theme !== "light" && (
                <path
                  d={
                    theme === "dark"
                      ? "M8 2.5a5.5 5.5 0 0 0 0 11a5.500 5.500 0 0 0 0-11z"
                      : "M8 2.5a5.5 5.5 0 0 1 0 11z"
                  }
                  class="fill"
                />
              )}
            </svg>
          </button>
          <button type="button" class="quiet" aria-label="Keys" title="Keys (?)" onClick={help}>
            ?
          </button>
          <button type="button" class="quiet" onClick={signOut}>
            Sign out
          </button>
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        <Shown route={route} />
      </main>
      <Shortcuts isOpen={isHelp} close={() => setHelp(false)} />
    </>
  );
}

function Page({ isSignedIn, fault }: { isSignedIn: boolean; fault: string | null }): VNode {
  const [isIn, setIn] = useState(isSignedIn);
  const [why, setWhy] = useState(fault);
  useEffect(() => {
    const listen = (): void => setIn(false);
    addEventListener("signed-out", listen);
    return () => removeEventListener("signed-out", listen);
  }, []);
  if (!isIn) return <SignIn fault={why} done={() => (setWhy(null), setIn(true))} />;
  const signOut = (): void =>
    void api.signOut().then(
      () => setIn(false),
      () => setIn(false),
    );
  return <Shell signOut={signOut} />;
}

/** Signs in with the token of the link, where there is one; then draws. */
async function start(): Promise<void> {
  const token = takeToken();
  let isSignedIn = true;
  let fault: string | null = null;
  try {
    await (token === null ? api.session() : api.signIn(token));
  } catch (error) {
    // Without an answer the views say what is wrong, and try again.
    isSignedIn = token === null && !(error instanceof SignedOut);
    fault = token === null ? null : whyNot(error as Error);
  }
  const root = document.getElementById("page")!;
  root.replaceChildren();
  render(<Page isSignedIn={isSignedIn} fault={fault} />, root);
}

void start();
