/**
 * Loaded before a program whose memory is measured (`node --expose-gc --import`): SIGUSR2 collects garbage, so that
 * what is measured is what it holds, and not what it has yet to let go.
 */
process.on("SIGUSR2", () => globalThis.gc?.());
