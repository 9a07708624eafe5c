import type { WebhookRequest } from "../../event/webhook-request.ts";
import { queryBuilder } from "../builder.ts";

export const webhookRequestObject = queryBuilder.objectRef<WebhookRequest>("WebhookRequest").implement({
  description: "A request to the webhook endpoint and how it was answered. Neither its content nor its sender is kept.",
  fields: (t) => ({
    id: t.exposeID("id", { description: "Identifies the request.", nullable: false }),
    receivedAt: t.expose("receivedAt", {
      type: "DateTime",
      description: "When it came, by the clock of the instance that answered it.",
      nullable: false,
    }),
    status: t.exposeInt("status", { description: "The HTTP status of the answer.", nullable: false }),
    code: t.exposeString("code", {
      description: "The code of a refusal: `SIGNATURE_MISMATCH`, for instance. Null where the batch was taken.",
    }),
    reason: t.exposeString("reason", {
      description: "The sentence that explains a refusal. Null where the batch was taken.",
    }),
    received: t.exposeInt("received", {
      description: "The number of events in the batch. Null where it was not read that far.",
    }),
    appended: t.exposeInt("appended", { description: "How many of them were new." }),
    duplicates: t.exposeInt("duplicates", { description: "How many of them were known already." }),
    bytes: t.exposeInt("bytes", { description: "The size of the request's body, in bytes.", nullable: false }),
    durationMs: t.exposeFloat("durationMs", {
      description: "The time that it took to answer, in milliseconds.",
      nullable: false,
    }),
  }),
});
