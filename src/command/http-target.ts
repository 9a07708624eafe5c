/** Where to send a request to, and what goes along: fetch takes no URL with a user and password in it. */
export interface HttpTarget {
  readonly target: URL;
  readonly headers: Readonly<Record<string, string>>;
}

export function httpTarget(url: string): HttpTarget {
  const target = new URL(url);
  const { username, password } = target;
  if (username === "" && password === "") return { target, headers: {} };
  target.username = "";
  target.password = "";
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { target, headers: { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` } };
}
