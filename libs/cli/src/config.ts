import { brokerSettings, settingRules, settings, topologySettings } from '@earshot/contracts';
import { loadConfig } from '@earshot/service-kit';
import Type, { type Static } from 'typebox';

export type Environment = Readonly<Record<string, string | undefined>>;

const ApiSchema = Type.Object({
  EARSHOT_URL: settings.EARSHOT_URL,
  EARSHOT_API_KEY: settings.EARSHOT_API_KEY,
});
const TopologySchema = Type.Object({ ...brokerSettings, ...topologySettings });
const DoctorSchema = Type.Object({ EARSHOT_HOME: settings.EARSHOT_HOME });

/** Where the API is; throws a `ConfigError` with all problems, as the others here. */
export const readApiConfig = (env: Environment): Readonly<Static<typeof ApiSchema>> =>
  loadConfig(ApiSchema, env, settingRules);

/** How the broker is reached and what its streams are to be: the settings that the services have. */
export const readTopologyConfig = (env: Environment): Readonly<Static<typeof TopologySchema>> =>
  loadConfig(TopologySchema, env, settingRules);

export const readDoctorConfig = (env: Environment): Readonly<Static<typeof DoctorSchema>> =>
  loadConfig(DoctorSchema, env, settingRules);

/** The environment as the process got it. */
export const processEnvironment = (): Environment => process.env;
