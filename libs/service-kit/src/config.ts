import { readFileSync } from 'node:fs';
import type { Static, TObject } from 'typebox';
import { Compile } from 'typebox/compile';
import Value from 'typebox/value';

/** Thrown by {@link loadConfig} with every problem found, one line each; no values of secrets in it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `the configuration has ${problems.length} problem(s):\n${problems.map((line) => `  - ${line}`).join('\n')}`,
    );
    this.problems = problems;
  }
}

/** What {@link loadConfig} needs to know beside the schema. */
export interface ConfigRules {
  /** Names with this prefix that are not in `known` are refused. */
  readonly prefix: string;
  readonly known: readonly string[];
  /** Names that mean a mistake wherever they are set, with what to do instead. */
  readonly hints?: Readonly<Record<string, string>>;
}

type Environment = Readonly<Record<string, string | undefined>>;

function readSetting(name: string, env: Environment, problems: string[]): string | undefined {
  const direct = env[name]?.trim();
  const file = env[`${name}_FILE`]?.trim();
  if (direct && file) problems.push(`${name} and ${name}_FILE are both set: keep one`);
  if (direct || !file) return direct || undefined;
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch (error) {
    problems.push(`${name}_FILE cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`);
    return undefined;
  }
}

function unknownNames(env: Environment, rules: ConfigRules): string[] {
  const known = new Set(rules.known.flatMap((name) => [name, `${name}_FILE`]));
  return Object.keys(env)
    .filter((name) => name.startsWith(rules.prefix) && !known.has(name))
    .map((name) => `${name} is not a setting of this version`);
}

const annotation = (schema: TObject, name: string) =>
  schema.properties[name] as { description?: string; lowercase?: boolean } | undefined;

/** Settings annotated with `lowercase: true` are read in any case. */
function lowercased(schema: TObject, given: Record<string, string | undefined>) {
  const entries = Object.entries(given);
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name,
      annotation(schema, name)?.lowercase ? value?.toLowerCase() : value,
    ]),
  );
}

/** One line for each setting that is missing or does not fit; never the value, which may be a secret. */
function schemaProblems(schema: TObject, config: Record<string, unknown>): string[] {
  const lines = new Map<string, string>();
  for (const error of Compile(schema).Errors(config)) {
    const missing = (error.params as { requiredProperties?: string[] }).requiredProperties;
    for (const name of missing ?? [error.instancePath.split('/')[1] ?? '']) {
      const meaning = annotation(schema, name)?.description;
      const fault = missing
        ? 'is required'
        : error.keyword === 'pattern'
          ? 'is not of the right form'
          : error.message;
      if (!lines.has(name)) lines.set(name, `${name} ${fault}${meaning ? `: ${meaning}` : ''}`);
    }
  }
  return [...lines.values()];
}

/**
 * Reads settings from the environment, strictly: values are converted to the schema's types, `X_FILE` names a file
 * that holds `X`, defaults come from the schema. Throws {@link ConfigError} with all problems; the result is frozen.
 */
export function loadConfig<Schema extends TObject>(
  schema: Schema,
  env: Environment,
  rules: ConfigRules,
): Readonly<Static<Schema>> {
  const problems = unknownNames(env, rules);
  for (const [name, hint] of Object.entries(rules.hints ?? {})) {
    if (env[name]) problems.push(`${name} is not used here: ${hint}`);
  }
  const names = Object.keys(schema.properties);
  const given = Object.fromEntries(
    names.map((name) => [name, readSetting(name, env, problems)]).filter(([, value]) => value !== undefined),
  );
  const config = Value.Default(schema, Value.Convert(schema, lowercased(schema, given))) as Record<
    string,
    unknown
  >;
  problems.push(...schemaProblems(schema, config));
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(config) as Readonly<Static<Schema>>;
}
