import { readdirSync, readFileSync } from "node:fs";

const FOLDER = new URL("../fixture/mandrill/", import.meta.url);

/** A captured or published request: what was signed, with which key, for which URL. */
export interface SignatureVector {
  readonly url: string;
  readonly key: string;
  readonly params: Readonly<Record<string, string>>;
  readonly signature: string;
  /** The body before it was decoded, where it was captured. */
  readonly raw_body?: string | undefined;
}

function filesOf<T>(folder: string): readonly (readonly [name: string, content: T])[] {
  const path = new URL(`${folder}/`, FOLDER);
  return readdirSync(path).map((name) => [name, JSON.parse(readFileSync(new URL(name, path), "utf8")) as T] as const);
}

/** Requests whose signature holds. */
export const SIGNATURES = filesOf<SignatureVector>("signatures");

/** Requests that must be refused. */
export const NEGATIVES = filesOf<SignatureVector>("negatives");

/** Decoded `mandrill_events`. */
export const PAYLOADS = filesOf<readonly Record<string, unknown>[]>("payloads");

export function payload(name: string): readonly Record<string, unknown>[] {
  const found = PAYLOADS.find(([file]) => file === `${name}.json`);
  if (found === undefined) throw new Error(`no payload ${name}`);
  return found[1];
}

export function signatureVector(name: string): SignatureVector {
  const found = SIGNATURES.find(([file]) => file === `${name}.json`);
  if (found === undefined) throw new Error(`no signature ${name}`);
  return found[1];
}
