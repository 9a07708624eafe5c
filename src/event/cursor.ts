import { createCipheriv, createDecipheriv } from "node:crypto";

/** A place in one event log: the entry `number` of the log `epoch`, which bears `tag`. */
export interface Position {
  /** 32 random bits made with the log, 8 hexadecimal digits. */
  readonly epoch: string;
  /** Dense, from 1; 0 is the place before the first entry. */
  readonly number: number;
  /** 48 random bits made with the entry, 8 characters of base64url; {@link ORIGIN_TAG} at number 0. */
  readonly tag: string;
}

/** The tag of number 0, where no entry is. */
export const ORIGIN_TAG = "AAAAAAAA";

/** Bytes of the key under which cursors are shown outside (AES-128). */
export const CURSOR_KEY_BYTES = 16;

/** Writes positions as opaque cursors and reads them back, under the key kept with the log. */
export interface CursorCodec {
  encode(position: Position): string;
  /** null for what was not written under this key in a shape of ours; its epoch is for the caller to judge. */
  decode(cursor: string): Position | null;
}

const BLOCK_BYTES = 16;
const CURSOR_LENGTH = 22;

/**
 * A cursor is one AES block, epoch (4 bytes), number (6) and tag (6), in base64url: one block under a secret
 * key is a pseudo-random permutation, so it can be neither read nor forged, and equal positions look equal on
 * every transport and instance. A guess passes with a chance of 2^-80.
 */
export function createCursorCodec(key: Uint8Array): CursorCodec {
  if (key.length !== CURSOR_KEY_BYTES) throw new RangeError(`a cursor key has ${CURSOR_KEY_BYTES} bytes`);
  // ECB keeps no state between blocks, so one cipher object serves every call.
  const cipher = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
  const decipher = createDecipheriv("aes-128-ecb", key, null).setAutoPadding(false);
  return {
    encode({ epoch, number, tag }) {
      const block = Buffer.allocUnsafe(BLOCK_BYTES);
      block.write(epoch, 0, 4, "hex");
      block.writeUIntBE(number, 4, 6);
      block.write(tag, 10, 6, "base64url");
      return cipher.update(block).toString("base64url");
    },
    decode(cursor) {
      if (cursor.length !== CURSOR_LENGTH) return null;
      const shown = Buffer.from(cursor, "base64url");
      // The last character holds 4 spare bits: one position has one spelling.
      if (shown.length !== BLOCK_BYTES || shown.toString("base64url") !== cursor) return null;
      const block = decipher.update(shown);
      return {
        epoch: block.toString("hex", 0, 4),
        number: block.readUIntBE(4, 6),
        tag: block.toString("base64url", 10, 16),
      };
    },
  };
}
