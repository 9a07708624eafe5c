import { createHmac, timingSafeEqual } from "node:crypto";
import { maskedUrl } from "../telemetry/masked-url.ts";
import type { Parameter } from "./form.ts";

/** Under which URLs and keys a signature may have been made. Without keys none is checked. */
export interface WebhookAuthentication {
  /** As typed into Mandrill: scheme, credentials, port, trailing slash and query are part of what is signed. */
  readonly urls: readonly string[];
  /** One for each webhook and inbound route. */
  readonly keys: readonly string[];
}

/** What a signature was found to be. */
export interface Signed {
  /**
   * Label of the webhook: its URL with user and password masked and without query or fragment, and `#` with the
   * place of its key (from 1) where several are configured, as in `https://***@hooks.example.com/mandrill#2`.
   * Neither secret can be told from it. null for a test.
   */
  readonly webhook: string | null;
  /** Made with the key of a webhook that is not saved yet: good for an empty batch, and for nothing else. */
  readonly isTest: boolean;
}

/** Tells whether Mandrill has signed a form. */
export interface SignatureCheck {
  /** Whether requests must be signed at all. */
  readonly required: boolean;
  /** The URLs that are tried, as they may be told. */
  readonly urls: readonly string[];
  /** null where the signature fits none of the URLs and keys. */
  verify(parameters: readonly Parameter[], signature: string): Signed | null;
}

/** Mandrill's key while it checks a URL, when the webhook's own key does not exist yet. */
const TEST_KEY = "test-webhook";

interface Candidate extends Signed {
  readonly url: string;
  readonly key: string;
}

/** @throws where there are keys and no URL: a signature covers the URL */
export function createSignatureCheck({ urls, keys }: WebhookAuthentication): SignatureCheck {
  if (keys.length > 0 && urls.length === 0) throw new Error("signatures cannot be checked without the webhook's URL");
  const candidates: Candidate[] = urls.flatMap((url) => [
    ...keys.map((key, i) => ({ url, key, webhook: labelOf(url, keys.length > 1 ? i + 1 : null), isTest: false })),
    { url, key: TEST_KEY, webhook: null, isTest: true },
  ]);
  return {
    required: keys.length > 0,
    urls: urls.map(maskedUrl),
    verify(parameters, signature) {
      const given = Buffer.from(signature, "latin1");
      const signed = signedParts(parameters);
      const found = candidates.findIndex(({ url, key }) => {
        const expected = Buffer.from(sign(key, url, signed), "latin1");
        return expected.length === given.length && timingSafeEqual(expected, given);
      });
      const match = candidates[found];
      if (match === undefined) return null;
      // What has fitted is tried first from now on: a busy webhook costs one hash a request, however many there are.
      if (found > 0 && !match.isTest) {
        candidates.splice(found, 1);
        candidates.unshift(match);
      }
      return { webhook: match.webhook, isTest: match.isTest };
    },
  };
}

function labelOf(url: string, keyNumber: number | null): string {
  const label = maskedUrl(url).replace(/[?#].*$/s, "");
  return keyNumber === null ? label : `${label}#${keyNumber}`;
}

/**
 * The parameters as they are signed: sorted by name and without separators. Names are sorted as PHP's ksort does it
 * with names that are no numbers, by their bytes, which is the order of UTF-16 code units but for characters beyond
 * U+FFFF. PHP's own parameters have distinct names; of equal ones, which no Mandrill sends, all count in their order.
 */
function signedParts(parameters: readonly Parameter[]): readonly (string | Buffer)[] {
  return [...parameters]
    .sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)))
    .flatMap(({ name, value }) => [name, value]);
}

/** `base64(HMAC-SHA1(key, url + name + value + …))`, over the url-decoded bytes exactly as they came. */
function sign(key: string, url: string, parts: readonly (string | Buffer)[]): string {
  const hmac = createHmac("sha1", key).update(url);
  for (const part of parts) hmac.update(part);
  return hmac.digest("base64");
}
