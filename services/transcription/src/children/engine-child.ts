import { type EngineSettings, loadEngine } from '../engines.ts';
import { serveEngine } from './serve-engine.ts';

serveEngine((engine, settings) => loadEngine(engine, settings as EngineSettings));
