/** The parts of a setting's schema that the page shows. */
interface Setting {
  readonly description?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
}

const range = ({ minimum, maximum }: Setting) =>
  minimum === undefined ? '' : maximum === undefined ? `at least ${minimum}` : `${minimum} to ${maximum}`;

const cell = (text: string) => text.replaceAll('|', '\\|');

function row([name, setting]: [string, Setting]): string {
  const standard = setting.default === undefined ? '' : `\`${String(setting.default)}\``;
  return `| \`${name}\` | ${cell(setting.description ?? '')} | ${standard} | ${range(setting)} |`;
}

const table = (rows: [string, Setting][]) =>
  ['| name | meaning | default | range |', '| --- | --- | --- | --- |', ...rows.map(row)].join('\n');

/** The text of docs/configuration.md for a table of settings and hints. Pure. */
export function configurationPage(
  settings: Readonly<Record<string, object>>,
  hints: Readonly<Record<string, string>>,
): string {
  const entries = Object.entries(settings) as [string, Setting][];
  const ours = entries.filter(([name]) => name.startsWith('EARSHOT_'));
  const usual = entries.filter(([name]) => !name.startsWith('EARSHOT_'));
  return `# Configuration

<!-- Generated from libs/contracts/src/settings.ts by \`npm run generate\`; a test keeps it current. -->

Settings are environment variables, read once at the start. All problems are reported together and stop the start: a
value of the wrong form, a required setting that is missing, an \`EARSHOT_\` name that is not in this table.
\`X_FILE\` gives the path of a file that holds \`X\`, for secrets; setting both is a mistake. An empty value counts as not
set. A service reads the settings it needs and leaves the rest alone, so one set of variables can serve all of them.

## Usual names

${table(usual)}

## Names of our own

${table(ours)}

## Names from other systems

These stop the start too, because whoever sets them expects something to follow from it.

| name | instead |
| --- | --- |
${Object.entries(hints)
  .map(([name, hint]) => `| \`${name}\` | ${cell(hint)} |`)
  .join('\n')}
`;
}
