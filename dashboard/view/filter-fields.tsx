import { type FormEvent, useEffect, useId, useState } from "react";
import { useCell } from "../state/cell.ts";
import { usePage } from "../state/page-state.ts";
import { isFiltered, NO_FILTER } from "../state/view-link.ts";

/** Whose events, and with which tag; and the link that keeps all that is chosen. */
export function FilterFields() {
  const { link } = usePage();
  const { filter } = useCell(link.view);
  return (
    <search className="fields" aria-label="Filters">
      <FilterField label="Recipient" type="email" value={filter.email} onApply={(email) => link.filter({ email })} />
      <FilterField label="Tag" type="text" value={filter.tag} onApply={(tag) => link.filter({ tag })} />
      <div className="acts">
        {isFiltered(filter) && (
          <button type="button" className="plain" onClick={() => link.filter(NO_FILTER)}>
            Clear filters
          </button>
        )}
        <CopyLink />
      </div>
    </search>
  );
}

interface FilterFieldProps {
  readonly label: string;
  readonly type: "email" | "text";
  readonly value: string;
  readonly onApply: (value: string) => void;
}

/** Matches whole values, so it is applied by Enter or on leaving, and not while somebody types. */
function FilterField({ label, type, value, onApply }: FilterFieldProps) {
  const id = useId();
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const apply = (): void => onApply(text.trim());
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    apply();
  };
  return (
    <form className="field" onSubmit={submit} noValidate>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="search"
        inputMode={type}
        value={text}
        placeholder={type === "email" ? "address" : "tag"}
        title={type === "email" ? "Matches the whole address" : "Matches the whole tag"}
        autoCapitalize="none"
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => {
          setText(event.target.value);
          // The field's own cross.
          if (event.target.value === "") onApply("");
        }}
        onBlur={apply}
      />
    </form>
  );
}

/** How long it says so. Milliseconds. */
const SAID = 2_000;

function CopyLink() {
  const [isCopied, setCopied] = useState(false);
  // Only where the page is served over TLS, or from this machine.
  if (!("clipboard" in navigator)) return null;
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(location.href);
    setCopied(true);
    setTimeout(() => setCopied(false), SAID);
  };
  return (
    <button type="button" className="plain copy" onClick={() => void copy()}>
      <span aria-live="polite">{isCopied ? "Copied" : "Copy link"}</span>
    </button>
  );
}
