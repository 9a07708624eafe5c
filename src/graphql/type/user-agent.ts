import type { UserAgent } from "../../event/event.ts";
import { builder } from "../builder.ts";

export const userAgentObject = builder.objectRef<UserAgent>("UserAgent").implement({
  description: "The program that opened a message or a link, as Mandrill read it from the User-Agent header.",
  fields: (t) => ({
    type: t.exposeString("type", { description: "The kind of program: `Browser` or `Email Client`, for instance." }),
    family: t.exposeString("family", { description: "The program without its version: `Firefox`, for instance." }),
    name: t.exposeString("name", { description: "The program with its main version: `Firefox 128`, for instance." }),
    version: t.exposeString("version", { description: "The program's version." }),
    os: t.exposeString("os", { description: "The operating system: `Windows 10`, for instance." }),
    mobile: t.exposeBoolean("mobile", { description: "Whether it runs on a phone or a tablet." }),
  }),
});
