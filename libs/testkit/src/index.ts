export { eventually } from './eventually.ts';
export { tempFolder } from './temp-folder.ts';
