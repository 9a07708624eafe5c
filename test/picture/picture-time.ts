const HOUR = 3_600_000;

/** What a clock shows that was an hour slow at `start`, and makes up for it at `speed`. Milliseconds since the epoch. */
export function pictureTime(real: number, start: number, speed: number): number {
  return Math.floor(Math.min(real, start - HOUR + (real - start) * speed));
}
