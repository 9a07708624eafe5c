import type { Attachment } from "../event/event.ts";
import { type Field, type Fields, fields, list, NO_FIELDS, text } from "./field.ts";

/** Display names that RFC 5322 wants in quotes: without them `a@example.com <b@example.com>` would name two. */
const TO_QUOTE = /[()<>[\]:;@\\,"]/;

/** "Name <address>", or the address alone; null without an address. */
export function mailbox(address: Field, name: Field): string | null {
  const email = text(address);
  if (email === null || email === "") return null;
  const display = text(name);
  if (display === null || display === "") return email;
  const shown = TO_QUOTE.test(display) ? `"${display.replace(/["\\]/g, "\\$&")}"` : display;
  return `${shown} <${email}>`;
}

/** The mailboxes of `to` or `cc`: `[[address, name or null], …]`. */
export function mailboxes(value: Field): string[] {
  const found: string[] = [];
  for (const member of list(value)) {
    const [address, name] = typeof member === "string" ? [member] : list(member);
    const shown = mailbox(address, name);
    if (shown !== null) found.push(shown);
  }
  return found;
}

/**
 * The attachments, `{name: {name, type, content, base64}}`, without their contents. The images that a message shows
 * within its text are a list of their own (`msg.images`), which stays in the event's `raw`.
 */
export function attachments(value: Field): Attachment[] {
  const members: readonly (readonly [string | null, Field])[] = Array.isArray(value)
    ? value.map((member) => [null, member] as const)
    : Object.entries(fields(value) ?? NO_FIELDS);
  return members.map(([key, member]) => {
    const attachment = fields(member) ?? NO_FIELDS;
    return { name: text(attachment.name) ?? text(key), type: text(attachment.type), size: size(attachment) };
  });
}

/** Bytes of the content, told from its length: it is not decoded. */
function size({ content, base64 }: Fields): number | null {
  if (typeof content !== "string") return null;
  if (base64 !== true) return Buffer.byteLength(content);
  return Buffer.byteLength(/\s/.test(content) ? content.replace(/\s+/g, "") : content, "base64");
}
