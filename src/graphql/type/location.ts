import type { Location } from "../../event/event.ts";
import { builder } from "../builder.ts";

export const locationObject = builder.objectRef<Location>("Location").implement({
  description: "Where an IP address is, as Mandrill looked it up. Every part may be unknown.",
  fields: (t) => ({
    country: t.exposeString("country", { description: "The country's name in English." }),
    countryCode: t.exposeString("countryCode", { description: "The country's code of two letters (ISO 3166-1)." }),
    region: t.exposeString("region", { description: "The state, province or region." }),
    city: t.exposeString("city", { description: "The city." }),
    postalCode: t.exposeString("postalCode", { description: "The postal code." }),
    latitude: t.exposeFloat("latitude", { description: "Degrees north; negative in the south." }),
    longitude: t.exposeFloat("longitude", { description: "Degrees east; negative in the west." }),
    timezone: t.exposeString("timezone", {
      description: "The time zone, as Mandrill gave it: `-05:00`, for instance.",
    }),
  }),
});
