import { expect, it } from "vitest";
import { openPage } from "../harness/browser.ts";
import { runService } from "../harness/service.ts";

it("GraphiQL runs the example subscription over a WebSocket, and loads nothing from elsewhere", async () => {
  await using service = await runService();
  await using browser = await openPage(`${service.url}/graphql`);
  const { page, foreignRequests, errors } = browser;
  const received: string[] = [];
  const subscribed = new Promise<string>((resolve) => {
    page.once("websocket", (socket) => {
      socket.on("framereceived", ({ payload }) => received.push(String(payload)));
      socket.on("framesent", ({ payload }) => {
        if (String(payload).includes('"subscribe"')) resolve(new URL(socket.url()).pathname);
      });
    });
  });
  await page.locator("button.graphiql-execute-button").click();
  expect(await subscribed).toBe("/graphql");
  // What was sent may not have been read yet, and nobody acknowledges a subscription.
  await expect.poll(() => service.counts().subscribers, { interval: 5 }).toBe(1);
  const response = await fetch(`${service.url}/mandrill/`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify([
      { event: "open", msg: { _id: "in-graphiql-1", email: "recipient@example.com" } },
      { event: "click", url: "https://example.com/", msg: { _id: "in-graphiql-2", email: "recipient@example.com" } },
    ]),
  });
  expect(response.status).toBe(200);
  await page.locator(".result-window", { hasText: "recipient@example.com" }).waitFor();
  expect(received.filter((frame) => frame.includes('"next"'))).toHaveLength(2);
  expect([foreignRequests, errors]).toEqual([[], []]);
});
