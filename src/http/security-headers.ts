/**
 * What every answer tells a browser, so that no page can forget it. Scripts come from files of ours alone; styles may
 * be inline, which GraphiQL's editor needs. Nobody may frame a page: a click would not be meant for it.
 */
export const SECURITY_HEADERS: Map<string, string> = new Map([
  [
    "content-security-policy",
    [
      "default-src 'self'",
      "style-src 'self' 'unsafe-inline'",
      "img-src 'self' data:",
      "font-src 'self' data:",
      "object-src 'none'",
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
    ].join("; "),
  ],
  ["x-content-type-options", "nosniff"],
  ["x-frame-options", "DENY"],
  // A page's own URL may name a recipient.
  ["referrer-policy", "no-referrer"],
  ["cross-origin-opener-policy", "same-origin"],
  ["cross-origin-resource-policy", "same-origin"],
]);
