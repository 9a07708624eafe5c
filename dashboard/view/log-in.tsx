import { type FormEvent, useId, useState } from "react";
import { usePage } from "../state/page-state.ts";

/** Asks for a token where the service shows its events to those alone who have one. */
export function LogIn() {
  const { session } = usePage();
  const id = useId();
  const [token, setToken] = useState("");
  const [refusal, setRefusal] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setRefusal(await session.logIn(token.trim()));
    setBusy(false);
  };
  return (
    <form className="log-in card" onSubmit={(event) => void submit(event)}>
      <h2>Log in</h2>
      <p>This service shows its events to those who have a token. Whoever runs it can give you one.</p>
      <label htmlFor={id}>Token</label>
      <input
        id={id}
        type="password"
        value={token}
        autoComplete="current-password"
        aria-describedby={refusal === null ? undefined : `${id}-refusal`}
        aria-invalid={refusal !== null}
        required
        onChange={(event) => setToken(event.target.value)}
      />
      {refusal !== null && (
        <p className="notice bad" id={`${id}-refusal`} role="alert">
          {refusal}
        </p>
      )}
      <button type="submit" className="main" disabled={isBusy}>
        Log in
      </button>
      <p className="aside">It is kept in a cookie that scripts cannot read, until you log out or it expires.</p>
    </form>
  );
}
