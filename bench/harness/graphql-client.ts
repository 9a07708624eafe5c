import { Agent, request } from "node:http";

/** Asks one server over one connection. */
export interface GraphqlClient {
  /** Resolves to `data`; rejects where there are errors. */
  query<T>(text: string, variables: object): Promise<T>;
  stop(): Promise<void>;
}

export function createGraphqlClient(port: number): GraphqlClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const headers = { "content-type": "application/json", accept: "application/json" };
  return {
    query<T>(text: string, variables: object): Promise<T> {
      return new Promise((resolve, reject) => {
        const asked = request(
          { host: "127.0.0.1", port, path: "/graphql", method: "POST", agent, headers },
          (response) => {
            response.setEncoding("utf8");
            let body = "";
            response.on("data", (chunk: string) => {
              body += chunk;
            });
            response.on("end", () => {
              try {
                const { data, errors } = JSON.parse(body) as { data?: T; errors?: unknown };
                if (errors === undefined && data !== undefined) resolve(data);
                else reject(new Error(`a query failed: ${body.slice(0, 500)}`));
              } catch (error) {
                reject(
                  new Error(`a query was answered ${response.statusCode}: ${body.slice(0, 500)}`, { cause: error }),
                );
              }
            });
          },
        );
        asked.on("error", reject);
        asked.end(JSON.stringify({ query: text, variables }));
      });
    },
    async stop() {
      agent.destroy();
    },
  };
}
