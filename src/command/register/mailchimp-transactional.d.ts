/** What is used here of the official client, which brings no types. */
declare module "@mailchimp/mailchimp_transactional" {
  /** A call resolves to what Mandrill answered, and where it fails to the error: it never rejects. */
  type Call = (body: Record<string, unknown>) => Promise<unknown>;

  interface Client {
    /** Where the API is. */
    basePath: string;
    readonly webhooks: { readonly add: Call; readonly list: Call; readonly update: Call };
    /** For all clients of the process. Milliseconds. */
    setDefaultTimeoutMs(timeoutMs: number): void;
  }

  function createClient(apiKey: string): Client;
  export = createClient;
}
