import type { Logger } from "pino";
import type { RedisKeys } from "./keys.ts";
import type { Link } from "./link.ts";
import { FORMER_LAYOUT } from "./log-state.ts";

/** Tells once that a log has the layout of the version before. */
export function tellOfFormerLayout(link: Link, keys: RedisKeys, logger: Pick<Logger, "info">): void {
  let told = false;
  link.onReady(() => {
    link
      .run((client) => client.hget(keys.meta, "layout"))
      .then(
        (layout) => {
          if (layout !== FORMER_LAYOUT || told) return;
          told = true;
          logger.info(
            { layout },
            "the log in Redis is kept as the version before has it: once no instance of that is left, npm run convert makes it smaller and faster",
          );
        },
        () => {},
      );
  });
}
