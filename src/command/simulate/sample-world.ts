import type { Random } from "./random.ts";

/** One kind of mail that the simulated account sends. */
export interface Mailing {
  readonly template: string;
  readonly subject: string;
  readonly sender: string;
  readonly tags: readonly string[];
  readonly subaccount: string | null;
  readonly links: readonly [string, ...string[]];
}

/** Where a reader sits. Addresses are of the blocks for documentation (RFC 5737). */
export interface Place {
  readonly block: "192.0.2" | "198.51.100" | "203.0.113";
  readonly countryCode: string;
  readonly country: string;
  readonly region: string;
  readonly city: string;
  readonly postalCode: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly timezone: string;
}

/** With what a mail is read: the header as it was sent, and what Mandrill makes of it. */
export interface Reader {
  readonly header: string;
  readonly type: string;
  readonly family: string;
  readonly version: string | null;
  readonly osFamily: string;
  readonly osName: string;
  readonly mobile: boolean;
}

export const MAILINGS: readonly [Mailing, ...Mailing[]] = [
  {
    template: "order-confirmation",
    subject: "We have your order",
    sender: "orders@example.com",
    tags: ["order", "confirmation"],
    subaccount: "shop-eu",
    links: ["https://shop.example.com/orders/view", "https://shop.example.com/help?topic=orders"],
  },
  {
    template: "order-shipped",
    subject: "Your order is on its way 📦",
    sender: "orders@example.com",
    tags: ["order", "shipped"],
    subaccount: "shop-us",
    links: ["https://shop.example.com/orders/track?utm_source=mail&utm_campaign=shipped"],
  },
  {
    template: "password-reset",
    subject: "Choose a new password",
    sender: "accounts@example.com",
    tags: ["password-reset"],
    subaccount: null,
    links: ["https://accounts.example.com/reset?token=sample"],
  },
  {
    template: "welcome",
    subject: "Welcome aboard",
    sender: "hello@example.com",
    tags: ["welcome", "onboarding"],
    subaccount: null,
    links: ["https://example.com/start", "https://example.com/tour"],
  },
  {
    template: "invoice",
    subject: "Votre facture du mois est prête",
    sender: "billing@example.com",
    tags: ["invoice"],
    subaccount: "shop-eu",
    links: ["https://billing.example.com/invoices/latest"],
  },
  {
    template: "newsletter",
    subject: "What is new this month",
    sender: "news@example.com",
    tags: ["newsletter"],
    subaccount: "marketing",
    links: ["https://example.com/news/1", "https://example.com/news/2", "https://example.com/unsubscribe"],
  },
];

export const PLACES: readonly [Place, ...Place[]] = [
  place("192.0.2", ["US", "United States", "Oklahoma", "Oklahoma City", "73101"], [35.4675598145, -97.5164337158, -5]),
  place("192.0.2", ["CA", "Canada", "Ontario", "Toronto", "M5H"], [43.6532, -79.3832, -4]),
  place("198.51.100", ["DE", "Germany", "Berlin", "Berlin", "10115"], [52.5321, 13.3849, 1]),
  place("198.51.100", ["CH", "Switzerland", "Zürich", "Zürich", "8001"], [47.3717, 8.5423, 1]),
  place("203.0.113", ["BR", "Brazil", "São Paulo", "São Paulo", "-"], [-23.5475, -46.6361, -3]),
  place("203.0.113", ["JP", "Japan", "Tokyo", "Tokyo", "100-0001"], [35.6895, 139.6917, 9]),
];

export const READERS: readonly [Reader, ...Reader[]] = [
  {
    header:
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0 Safari/537.36",
    type: "Browser",
    family: "Chrome",
    version: "128.0",
    osFamily: "Windows",
    osName: "Windows 10",
    mobile: false,
  },
  {
    header:
      "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    type: "Mobile Browser",
    family: "Mobile Safari",
    version: null,
    osFamily: "iOS",
    osName: "iOS 18",
    mobile: true,
  },
  {
    header: "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.2.0",
    type: "Email Client",
    family: "Thunderbird",
    version: "128.2.0",
    osFamily: "Linux",
    osName: "Linux",
    mobile: false,
  },
  {
    header: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
    type: "Email Client",
    family: "Apple Mail",
    version: null,
    osFamily: "OS X",
    osName: "OS X 10.15",
    mobile: false,
  },
];

/** Few enough that each gets several messages in a demonstration. */
const RECIPIENTS_A_NAME = 40;
const NAMES = [
  "ada",
  "basil",
  "carmen",
  "dieter",
  "esra",
  "femi",
  "grace",
  "hiro",
  "ines",
  "jonas",
  "kirsi",
  "lev",
] as const;

export function recipientAddress(random: Random): string {
  return `${random.oneOf(NAMES)}.${random.between(1, RECIPIENTS_A_NAME)}@example.com`;
}

function place(
  block: Place["block"],
  [countryCode, country, region, city, postalCode]: readonly [string, string, string, string, string],
  [latitude, longitude, hours]: readonly [number, number, number],
): Place {
  const timezone = `${hours < 0 ? "-" : "+"}${String(Math.abs(hours)).padStart(2, "0")}:00`;
  return { block, countryCode, country, region, city, postalCode, latitude, longitude, timezone };
}
