import { setTimeout as pause } from "node:timers/promises";
import { AUDIENCES, type Audience } from "./audience.ts";

/** The most that a page may have. */
const PAGE = 500;

const QUERY = `query ($types: [EventType!], $email: String, $tag: String, $subaccount: String, $after: Cursor) {
  recentEvents(types: $types, email: $email, tag: $tag, subaccount: $subaccount, after: $after, first: ${PAGE}) {
    nodes { messageId }
    pageInfo { hasNextPage endCursor }
  }
}`;

interface Answer {
  readonly data: {
    readonly recentEvents: {
      readonly nodes: readonly { readonly messageId: string }[];
      readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
    };
  } | null;
}

/** Whoever is told that the log is unavailable asks again; for so long at the most. Milliseconds. */
const PATIENCE = 10_000;
const ASK_AGAIN_AFTER = 100;

/** What an instance answers, once it has its way to the log again. */
async function answerOf(url: string, variables: object): Promise<NonNullable<Answer["data"]>> {
  for (const end = performance.now() + PATIENCE; ; await pause(ASK_AGAIN_AFTER)) {
    const response = await fetch(`${url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query: QUERY, variables }),
    });
    const text = await response.text();
    const { data } = JSON.parse(text) as Answer;
    if (data !== null) return data;
    if (!text.includes("LOG_UNAVAILABLE") || performance.now() > end) throw new Error(text);
  }
}

/** The message ids of all that an instance finds for an audience, newest first. */
async function found(url: string, { args }: Audience): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let after: string | null = null; ; ) {
    const data = await answerOf(url, { ...args, after });
    ids.push(...data.recentEvents.nodes.map(({ messageId }) => messageId));
    const { hasNextPage, endCursor } = data.recentEvents.pageInfo;
    if (!hasNextPage) return ids;
    after = endCursor;
  }
}

/** What an instance finds by its index otherwise than in the log as a whole, while nothing is added to that. */
export async function filterComplaints(url: string): Promise<readonly string[]> {
  const complaints: string[] = [];
  const [everything, ...others] = AUDIENCES as [Audience, ...Audience[]];
  const all = await found(url, everything);
  for (const audience of others) {
    const ids = await found(url, audience);
    const wanted = all.filter(audience.wants);
    if (ids.join() !== wanted.join()) {
      const lacking = wanted.filter((id) => !ids.includes(id));
      const odd = ids.filter((id) => !wanted.includes(id));
      complaints.push(
        `${audience.name}: of ${wanted.length} it finds ${ids.length}, lacks ${lacking.slice(0, 5)}, has ${odd.slice(0, 5)}`,
      );
    }
  }
  return complaints;
}
