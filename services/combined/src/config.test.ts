import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '@earshot/service-kit';
import { tempFolder } from '@earshot/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Environment, readConfig, serviceEnvironment } from './config.ts';

function problemsOf(env: Environment): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('the configuration of everything in one process', () => {
  it('needs nothing', () => {
    expect(readConfig({})).toMatchObject({ PORT: 8080, HOST: '127.0.0.1', EARSHOT_HOME: '.earshot' });
  });

  it('is checked for all services at once, before anything is started', () => {
    const problems = problemsOf({
      PORT: 'x',
      HOST: '0.0.0.0',
      REDIS_URL: 'redis://x',
      CELERY_CONCURRENCY: '4',
      EARSHOT_NAME: 'x',
      WORKER_CONCURRENCY: 'many',
      EARSHOT_MAX_RECORDING_MB: '0',
      EARSHOT_DATABASE_POOL_SIZE: '0',
      EARSHOT_ENGINES: 'sherpa,none',
      EARSHOT_MAX_ACK_PENDING: 'sherpa=2',
      EARSHOT_STORAGE_URL: 'file:beside',
    });
    const names = problems.map((line) => line.split(/[ :]/)[0]);
    expect(names.sort()).toEqual([
      'CELERY_CONCURRENCY',
      'EARSHOT_DATABASE_POOL_SIZE',
      'EARSHOT_ENGINES',
      'EARSHOT_MAX_ACK_PENDING',
      'EARSHOT_MAX_RECORDING_MB',
      'EARSHOT_NAME',
      'EARSHOT_STORAGE_URL',
      'PORT',
      'REDIS_URL',
      'WORKER_CONCURRENCY',
      'set',
    ]);
    expect(problems.join()).toContain('set EARSHOT_API_KEYS_FILE: HOST=0.0.0.0');
  });

  it('refuses embedded servers in production', () => {
    const given = { ENVIRONMENT: 'production', NATS_URL: 'nats://broker' };
    expect(problemsOf(given)).toEqual([
      'DATABASE_URL is required when ENVIRONMENT is production',
      'EARSHOT_STORAGE_URL is required when ENVIRONMENT is production',
    ]);
    const all = { ...given, DATABASE_URL: 'postgres://db/x', EARSHOT_STORAGE_URL: 'file:/data' };
    expect(problemsOf(all)).toEqual([]);
  });

  it('may come from files, and reaches the services inside', async () => {
    const folder = await tempFolder();
    onTestFinished(() => folder.remove());
    const file = async (name: string, text: string) => {
      await writeFile(join(folder.path, name), text);
      return join(folder.path, name);
    };
    const env = {
      DATABASE_URL_FILE: await file('database', 'postgres://db/x'),
      WORKER_CONCURRENCY_FILE: await file('slots', '3'),
      NATS_TOKEN_FILE: await file('token', 'secret'),
    };
    const servers = { natsUrl: 'nats://here', databaseUrl: 'postgres://db/x' };
    const inside = serviceEnvironment(readConfig(env), servers, env);
    expect(inside).toMatchObject({
      NATS_URL: 'nats://here',
      DATABASE_URL_FILE: env.DATABASE_URL_FILE,
      WORKER_CONCURRENCY: '3',
      NATS_TOKEN_FILE: env.NATS_TOKEN_FILE,
    });
    expect(problemsOf(inside)).toEqual([]);
  });

  it('runs two chunks at once unless told otherwise', () => {
    const servers = { natsUrl: 'nats://here', databaseUrl: 'postgres://db/x' };
    expect(serviceEnvironment(readConfig({}), servers, {}).WORKER_CONCURRENCY).toBe('2');
  });
});
