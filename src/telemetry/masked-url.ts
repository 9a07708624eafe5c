/**
 * The URL as it may be told: user, password and the values of its query are hidden, all else is as it was typed.
 * What has no `scheme://` is hidden whole, since nobody knows where in it a password stands.
 */
export function maskedUrl(url: string): string {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(url) || !URL.canParse(url)) return "[hidden]";
  return url.replace(/(?<=^[^/]+:\/\/)[^/?#]*(?=@)/, "***").replace(/(?<=[?&][^=&#]*=)[^&#]+/g, "***");
}
