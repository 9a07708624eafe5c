/**
 * Loaded before the service: its clock begins an hour early and runs fast until it is right, so that a plot of an hour
 * can be filled while one waits. `CLOCK_START` and `CLOCK_SPEED` say from when (ms since the epoch) and how fast.
 */
import { pictureTime } from "./picture-time.ts";

const { now } = Date;
const start = Number(process.env.CLOCK_START);
const speed = Number(process.env.CLOCK_SPEED);

Date.now = () => pictureTime(now(), start, speed);
