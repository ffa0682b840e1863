/** Single keys as shortcuts, and the dialog that tells them. Off while somebody types, and for good where somebody wants that. */
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { hasKeys, setKeys } from "./settings.ts";
import { VIEWS, go, hrefOf } from "./route.ts";

const SHORTCUTS: readonly [keys: string, does: string][] = [
  ["1 – 6", "Overview, findings, requests, services, endpoints, audit"],
  ["/", "Find a request by its id"],
  ["f", "Search the findings or endpoints"],
  ["j, k", "Next, previous finding of the list"],
  ["Enter", "Open the finding"],
  ["Esc", "Back to the list"],
  ["p", "Pause what is live, and go on"],
  ["t", "Light, dark, or as the system"],
  ["?", "These keys"],
];

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    /^(?:TEXTAREA|SELECT)$/.test(target.tagName) ||
    (target instanceof HTMLInputElement && !/^(?:checkbox|button|submit)$/.test(target.type)));

const isVisible = (element: HTMLElement | null): boolean => element !== null && element.offsetParent !== null;

/** Moves the focus along the rows of the list. */
function moveRow(step: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-rows] .row")];
  const focused = rows.indexOf(document.activeElement as HTMLElement);
  const at =
    focused >= 0 ? focused + step : rows.findIndex((row) => row.ariaCurrent === "true") + (step === 1 ? 1 : -1);
  rows[Math.min(rows.length - 1, Math.max(0, at))]?.focus();
}

/** Listens to the keys; `toggleTheme` and `help` belong to the shell. */
export function useKeys(toggleTheme: () => void, help: () => void): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (document.querySelector("dialog[open]") !== null) return;
      const { key } = event;
      if (isTyping(event.target)) {
        if (key === "Escape") (event.target as HTMLElement).blur();
        return;
      }
      if (key !== "Escape" && !hasKeys()) return;
      const view = VIEWS[Number(key) - 1];
      const marked = document.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
      if (view !== undefined) go(hrefOf(view));
      else if (key === "j" || key === "k") moveRow(key === "j" ? 1 : -1);
      else if (key === "t") toggleTheme();
      else if (key === "?") help();
      else if (key === "/" && !isVisible(marked)) go(hrefOf("requests"));
      else if (marked instanceof HTMLInputElement) marked.focus();
      else if (marked !== null) marked.click();
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, [toggleTheme, help]);
}

export function Shortcuts({ isOpen, close }: { isOpen: boolean; close(): void }): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const [isOn, turn] = useState(hasKeys());
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog ref={dialog} class="shortcuts" aria-labelledby="shortcuts-title" onClose={close}>
      <h2 id="shortcuts-title">Keys</h2>
      <dl>
        {SHORTCUTS.map(([keys, does]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <label class="check">
        <input
          type="checkbox"
          checked={isOn}
          onChange={(event) => {
            turn(event.currentTarget.checked);
            setKeys(event.currentTarget.checked);
          }}
        />
        Single keys do something
      </label>
      <form method="dialog">
        <button type="submit" class="primary">
          Close
        </button>
      </form>
    </dialog>
  );
}
