/** The way in: the token for reading becomes a session's cookie, which no script can read. */
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { SignedOut, api } from "./client.ts";
import { Foreign } from "./text.tsx";

/** The token of a link `#token=…`, taken out of the address at once: what is behind `#` reaches no server and no log. */
export function takeToken(): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token !== null) history.replaceState(null, "", location.pathname);
  return token;
}

/** Why a sign-in did not work, in words. */
export const whyNot = (error: Error): string =>
  error instanceof SignedOut ? "That is not the token for reading." : error.message;

export function SignIn({ fault, done }: { fault: string | null; done(): void }): VNode {
  const [token, setToken] = useState("");
  const [said, say] = useState(fault);
  const [isBusy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const signIn = async (): Promise<void> => {
    setBusy(true);
    try {
      await api.signIn(token.trim());
      done();
    } catch (error) {
      say(whyNot(error as Error));
      input.current?.select();
    } finally {
      setBusy(false);
    }
  };
  return (
    <main id="main" class="sign-in">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void signIn();
        }}
      >
        <h1>Meshward</h1>
        <label>
          <span>Token for reading</span>
          <input
            ref={input}
            type="password"
            required
            autocomplete="current-password"
            maxLength={1_024}
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        <p class="soft small">
          The collector was started with it as <code>MESHWARD_READ_TOKEN</code>, or has printed a link with it.
        </p>
        {said !== null && (
          <p class="notice failed" role="alert">
            <Foreign text={said} />
          </p>
        )}
        <button type="submit" class="primary" disabled={isBusy}>
          {isBusy ? "Signing in…" : "Sign in"}
        </button>
      </form>
    </main>
  );
}
