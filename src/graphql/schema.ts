import type { GraphQLSchema } from "graphql";
import { builder } from "./builder.ts";

// The one list of what the schema is made of; each file adds its own type or field.
import "./type/date-time.ts";
import "./type/json.ts";
import "./type/cursor.ts";
import "./type/event-type.ts";
import "./type/event.ts";
import "./type/message.ts";
import "./type/engagement-event.ts";
import "./type/location.ts";
import "./type/user-agent.ts";
import "./type/send-event.ts";
import "./type/deferral-event.ts";
import "./type/bounce-event.ts";
import "./type/delivered-event.ts";
import "./type/open-event.ts";
import "./type/click-event.ts";
import "./type/spam-event.ts";
import "./type/unsub-event.ts";
import "./type/reject-event.ts";
import "./type/sync-event.ts";
import "./type/inbound-event.ts";
import "./type/attachment.ts";
import "./type/other-event.ts";
import "./type/event-connection.ts";
import "./type/event-edge.ts";
import "./type/page-info.ts";
import "./type/event-count.ts";
import "./type/webhook-request.ts";
import "./field/query.ts";
import "./field/recent-events.ts";
import "./field/event.ts";
import "./field/message-events.ts";
import "./field/event-counts.ts";
import "./field/webhook-requests.ts";
import "./field/mutation.ts";
import "./field/renew-token.ts";
import "./field/subscription.ts";
import "./field/event-received.ts";

/** The schema that every transport serves. Types and fields keep the order in which they were declared. */
export const schema: GraphQLSchema = builder.toSchema({ sortSchema: false });

schema.description =
  "Mandrill's (Mailchimp Transactional's) webhook events, live and from the recent past. " +
  "Every error has `extensions.code`.";
