export { type FileStorageOptions, openFileStorage } from './file-storage.ts';
