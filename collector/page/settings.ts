/** What a person has set for this browser. Storage may be closed to us: then it holds for this page alone. */
export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

function read(name: string): string | null {
  try {
    return localStorage.getItem(`meshward-${name}`);
  } catch {
    return null;
  }
}

function write(name: string, value: string): void {
  try {
    localStorage.setItem(`meshward-${name}`, value);
  } catch {
    // Then it is not remembered.
  }
}

export function savedTheme(): Theme {
  const saved = read("theme");
  return THEMES.find((theme) => theme === saved) ?? "auto";
}

/** `auto` leaves it to the system. */
export function applyTheme(theme: Theme): void {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function setTheme(theme: Theme): void {
  write("theme", theme);
  applyTheme(theme);
}

/** Whether single keys are shortcuts: whoever speaks to the browser may not want them. */
export const hasKeys = (): boolean => read("keys") !== "off";
export const setKeys = (on: boolean): void => write("keys", on ? "on" : "off");
