import { ServiceError } from "../error.ts";
import { type BatchType, eventsOfForm, eventsOfJson, isEmptyBatch } from "./batch.ts";
import { decodeForm, type Parameter } from "./form.ts";
import type { SignatureCheck } from "./signature.ts";

/** A batch whose sender is known as far as it can be: the JSON text of its events, not yet parsed. */
export interface OpenBatch {
  readonly text: string;
  /** Label of the webhook whose signature it bears; null where none was asked for. */
  readonly webhook: string | null;
}

/** Opens a batch where signatures are not checked. Uses `body` up. Throws BATCH_MALFORMED. */
export function openUnsignedBatch(type: BatchType, body: Buffer): OpenBatch {
  return { text: type === "json" ? eventsOfJson(body) : eventsOfForm(decodeForm(body)), webhook: null };
}

/**
 * Opens a batch if Mandrill has signed it. Uses `body` up. Throws SIGNATURE_MISSING or SIGNATURE_MISMATCH before
 * anything of an unproven body is parsed, and BATCH_MALFORMED where a signed form holds no events.
 */
export function openSignedBatch(
  type: BatchType,
  body: Buffer,
  signature: string | undefined,
  check: SignatureCheck,
): OpenBatch {
  if (type === "json") throw refused("SIGNATURE_MISSING", "Mandrill's signature covers a form; JSON has none.");
  if (signature === undefined) throw refused("SIGNATURE_MISSING", "The request has no X-Mandrill-Signature.");
  const parameters = signedParameters(body);
  const signed = check.verify(parameters, signature);
  if (signed === null) {
    throw refused("SIGNATURE_MISMATCH", "X-Mandrill-Signature fits none of the configured URLs and keys.");
  }
  const text = eventsOfForm(parameters);
  if (signed.isTest && !isEmptyBatch(text)) {
    throw refused(
      "SIGNATURE_MISMATCH",
      "X-Mandrill-Signature is made with the test key, which an empty batch alone may be.",
    );
  }
  return { text, webhook: signed.webhook };
}

/** A form that cannot be decoded cannot be proven either. */
function signedParameters(body: Buffer): Parameter[] {
  try {
    return decodeForm(body);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    throw refused("SIGNATURE_MISMATCH", `X-Mandrill-Signature cannot be checked. ${error.message}`, error);
  }
}

const EXPECTED_SIGNATURE =
  "X-Mandrill-Signature: base64(HMAC-SHA1(webhook key, webhook URL exactly as typed into Mandrill + name and value " +
  "of each form parameter, sorted by name))";

function refused(code: "SIGNATURE_MISSING" | "SIGNATURE_MISMATCH", message: string, cause?: unknown): ServiceError {
  return new ServiceError(code, message, { expected: EXPECTED_SIGNATURE }, cause);
}
