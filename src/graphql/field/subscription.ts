import { builder } from "../builder.ts";

builder.subscriptionType({
  description: "What is being received: answers arrive one by one, over a WebSocket or as Server-Sent Events.",
});
