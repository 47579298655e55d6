export type { GoogleAccess } from './connection.ts';
export { createGoogleEngine, type GoogleEngineOptions } from './google-engine.ts';
export { type GoogleModel, type GoogleModelName, googleModels } from './models.ts';
export { type OpenGoogleOptions, openGoogleEngine } from './open-google-engine.ts';
