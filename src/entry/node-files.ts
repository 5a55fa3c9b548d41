export type {
  FileMetadata,
  FolderFile,
  FolderFiles,
  FolderOptions,
  ListedFile,
  SkippedFile,
} from '../files/node-folder-file.js';
export type { SkipReason } from '../files/node-folder-walk.js';
export { readFolder } from '../files/node-read-folder.js';
