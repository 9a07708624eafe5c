/** One request to the webhook endpoint as people are shown it; neither its content nor its sender is kept. */
export interface WebhookRequest {
  readonly id: string;
  /** Milliseconds since the Unix epoch, by the clock of the instance that answered. */
  readonly receivedAt: number;
  /** The HTTP status that was answered. */
  readonly status: number;
  /** The code and the sentence of a refusal; null where the batch was taken. */
  readonly code: string | null;
  readonly reason: string | null;
  /** Events in the batch, and what became of them; null where the batch was not read that far. */
  readonly received: number | null;
  readonly appended: number | null;
  readonly duplicates: number | null;
  /** Bytes of the body that were read. */
  readonly bytes: number;
  readonly durationMs: number;
}
