import { type ChildEngineSettings, loadEngine } from '../engines.ts';
import { serveEngine } from './serve-engine.ts';

serveEngine((engine, settings) => loadEngine(engine, settings as ChildEngineSettings));
