import { beforeAll, expect, it } from "vitest";
import { openPage } from "../harness/browser.ts";
import { buildLivePage, openLivePage, postEvents } from "../harness/live-page.ts";
import { rawEvent } from "../harness/mandrill-post.ts";
import { runService } from "../harness/service.ts";

beforeAll(buildLivePage);

it("live page and GraphiQL work below a folder: their links stay in it", async () => {
  await using service = await runService({ env: { BASE_PATH: "/tools/mail" } });
  const base = `${service.url}/tools/mail`;
  await using live = await openLivePage(base);
  await postEvents(base, rawEvent("open", { msg: { _id: "m", email: "ada@example.com" } }));
  await live.row("ada@example.com").waitFor();
  await using graphiql = await openPage(`${base}/graphql`);
  await graphiql.page.locator("button.graphiql-execute-button").waitFor();
  expect([live.errors, live.foreignRequests, graphiql.errors, graphiql.foreignRequests]).toEqual([[], [], [], []]);
});
