import { brokerSettings, settingRules, settings, topologySettings } from '@earshot/contracts';
import { openBroker } from '@earshot/messaging';
import { addressOf, addressProblems, migrate } from '@earshot/results';
import { configOrExit, createLogger, loadConfig } from '@earshot/service-kit';
import Type from 'typebox';
import { processEnvironment } from './config.ts';

// Prepares an installation: streams and consumers in NATS, tables in PostgreSQL. Safe to run again and by several at once.
const schema = Type.Object({
  ...brokerSettings,
  ...topologySettings,
  DATABASE_URL: settings.DATABASE_URL,
  DATABASE_URL_FILE: settings.DATABASE_URL_FILE,
  LOG_LEVEL: settings.LOG_LEVEL,
});
const config = configOrExit(() => loadConfig(schema, processEnvironment(), settingRules, addressProblems));
const log = createLogger({ service: 'init', level: config.LOG_LEVEL });

const broker = await openBroker({ config, name: 'earshot-init', log, topology: 'apply' });
await broker.drain();
const applied = await migrate(addressOf(config), log);
log.info({ migrations: applied }, 'topology and tables are up to date');
