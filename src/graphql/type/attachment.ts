import type { Attachment } from "../../event/event.ts";
import { builder } from "../builder.ts";

export const attachmentObject = builder.objectRef<Attachment>("Attachment").implement({
  description: "A file attached to inbound mail. Its content is in the event's `raw`.",
  fields: (t) => ({
    name: t.exposeString("name", { description: "The file's name." }),
    type: t.exposeString("type", { description: "The media type: `application/pdf`, for instance." }),
    size: t.exposeInt("size", { description: "The size of the decoded file, in bytes." }),
  }),
});
