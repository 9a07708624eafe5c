import { SETTINGS, type Setting } from "./setting.ts";

/** Between these two lines of README.md stands the table. */
const BEGIN = "<!-- settings: written by `npm run settings` from src/setting.ts -->";
const END = "<!-- /settings -->";

/** Every setting as text for a terminal. */
export function settingsHelp(): string {
  return rows()
    .map(({ name, meaning, allowed, initial }) => {
      const head = initial === undefined ? name : `${name} (${initial})`;
      return `  ${head}\n      ${plain(meaning)}\n      Allowed: ${allowed}.\n`;
    })
    .join("");
}

/** `readme` with today's table of settings between its marks. Throws where the marks are missing. */
export function withSettingsTable(readme: string): string {
  const [from, to] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (from === -1 || to < from) throw new Error(`the marks of the settings table are missing: ${BEGIN} and ${END}`);
  return `${readme.slice(0, from)}${BEGIN}\n${settingsTable()}\n${readme.slice(to)}`;
}

/** What .env.example holds: every setting, commented out, with its default. */
export function environmentExample(): string {
  const head =
    "# Every setting, with its default: none needs to be set. Written by `npm run settings` from src/setting.ts.\n";
  const settings = rows().map(
    ({ name, meaning, allowed, initial }) =>
      `\n# ${plain(meaning)}\n# Allowed: ${allowed}.\n#${name}=${initial ?? ""}\n`,
  );
  return head + settings.join("");
}

function settingsTable(): string {
  const lines = rows().map(({ name, meaning, allowed, initial }) => {
    const cells = [code(name), initial === undefined ? "" : code(initial), meaning, allowed];
    return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  });
  return ["| Variable | Default | Meaning | Allowed |", "| --- | --- | --- | --- |", ...lines].join("\n");
}

function rows() {
  return Object.entries<Setting<unknown>>(SETTINGS).map(([name, { meaning, allowed, default: initial }]) => ({
    name,
    meaning,
    allowed,
    initial,
  }));
}

function plain(markdown: string): string {
  return markdown.replaceAll("`", "");
}

function code(text: string): string {
  return `\`${text}\``;
}
