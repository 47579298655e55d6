import Type, { type Static } from 'typebox';
import { settings } from '../settings.ts';

/** What an engine may cost in a UTC day, in milliseconds of audio. */
export interface Budget {
  /** Of all tenants together; undefined: no limit. */
  readonly total: number | undefined;
  /** Of single tenants; those that are not in it have no limit of their own. */
  readonly tenants: ReadonlyMap<string, number>;
}

/** The budgets of paid engines; the same in every service that has them. */
export const budgetSettings = {
  EARSHOT_GOOGLE_DAILY_BUDGET_MINUTES: settings.EARSHOT_GOOGLE_DAILY_BUDGET_MINUTES,
};
const BudgetSettingsSchema = Type.Object(budgetSettings);
export type BudgetConfig = Static<typeof BudgetSettingsSchema>;

/** The budgets by engine; engines without one are left out. */
export function budgetsFrom(config: BudgetConfig): ReadonlyMap<string, Budget> {
  const google = config.EARSHOT_GOOGLE_DAILY_BUDGET_MINUTES;
  return new Map(google === undefined ? [] : [['google', parseBudget(google)]]);
}

/** What is wrong with the budgets beyond their form, for the check of a configuration. */
export function budgetProblems(config: Readonly<Record<string, unknown>>): string[] {
  const name = 'EARSHOT_GOOGLE_DAILY_BUDGET_MINUTES';
  const tenants = entriesOf(String(config[name] ?? '')).map(([tenant]) => tenant);
  const twice = tenants.filter((tenant, index) => tenants.indexOf(tenant) !== index);
  return [...new Set(twice)].map((tenant) => `${name} names ${tenant} more than once`);
}

/** A value of the form `600`, `acme=60` or `600,acme=60`: minutes of all together, and of single tenants. */
export function parseBudget(value: string): Budget {
  const tenants = entriesOf(value).map(([tenant, minutes]) => [tenant, Number(minutes) * 60_000] as const);
  const all = value.split(',').find((part) => part !== '' && !part.includes('='));
  return { total: all === undefined ? undefined : Number(all) * 60_000, tenants: new Map(tenants) };
}

const entriesOf = (value: string) =>
  value
    .split(',')
    .filter((part) => part.includes('='))
    .map((part) => part.split('=') as [string, string]);
