/** A search box of a list, which asks while one types. */
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** Milliseconds without a key after which what was typed is asked for. */
const TYPING_MS = 300;
const LONGEST = 200;

export interface TypedSearchProps {
  /** What is sought, for those who do not see the box. */
  label: string;
  placeholder: string;
  text: string;
  seek(text: string): void;
}

export function TypedSearch({ label, placeholder, text, seek }: TypedSearchProps): VNode {
  const [typed, setTyped] = useState(text);
  const typing = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => setTyped(text), [text]);
  const type = (value: string): void => {
    setTyped(value);
    clearTimeout(typing.current);
    typing.current = setTimeout(() => seek(value.slice(0, LONGEST)), TYPING_MS);
  };
  return (
    <label class="search">
      <span class="hidden">{label}</span>
      <input
        type="search"
        placeholder={placeholder}
        value={typed}
        maxLength={LONGEST}
        data-key="f"
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => type(event.currentTarget.value)}
      />
    </label>
  );
}
